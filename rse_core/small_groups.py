"""Figures about people in which no group of fewer than ten is told, nor can be had by subtraction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from babel.numbers import format_decimal

from .i18n import _, current_locale

#: Groups of fewer people are never told in numbers.
FEW = 10

#: Entities (id, name), how many people they have, and how many of them have done it.
Counts = tuple[list[tuple[int | None, str]], int, int]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it is told: ``number`` None when it is too small to be told."""

    label: str
    number: int | None
    text: str


def few() -> str:
    """What is said instead of a small number."""
    return _("fewer than 10")


def plain(number: int, label: str = "") -> Figure:
    """A number as it is."""
    return Figure(label, number, str(format_decimal(number, locale=current_locale())))


def figure(label: str, number: int, of: int) -> Figure:
    """A number of an audience's people, unless it, or what it leaves, is a group of fewer than ten."""
    if 0 < number < FEW:
        return Figure(label, None, few())
    if 0 < of - number < FEW:
        return Figure(label, None, _("all but fewer than 10"))
    return plain(number, label)


def figures(counts: Sequence[tuple[str, int]], of: int) -> list[Figure]:
    """Several numbers of the same people, each with its label, in order.

    Whoever has commented has also visited: a number that differs from one told before by fewer than ten would tell of those
    few, and is told as being about as many.
    """
    told: list[tuple[str, int]] = []
    found: list[Figure] = []
    for label, number in counts:
        one = figure(label, number, of)
        near = next((other for other, known in told if 0 < abs(known - number) < FEW), None)
        if one.number is not None and near is not None:
            one = Figure(label, None, _("about as many as “%(label)s”", label=near))
        elif one.number is not None:
            told.append((label, number))
        found.append(one)
    return found


def tells(number: int, done: int) -> bool:
    """Whether these figures tell of fewer than ten people, or of fewer than ten who have not done it."""
    return 0 < number < FEW or 0 < number - done < FEW


def pooled(counts: Iterable[Counts], *, both: bool = False) -> list[Counts]:
    """The figures by entity, in which no group of fewer than ten is told, nor can be had by subtraction from the whole.

    Entities that would tell of one are told together; with the smallest of the others, as long as they still would.

    :param both: also those who have done it must not be fewer than ten, but none.
    """

    def small_one(number: int, done: int) -> bool:
        return tells(number, done) or (both and 0 < done < FEW)

    given = list(counts)
    alone = sorted((one for one in given if not small_one(one[1], one[2])), key=lambda one: (-one[1], one[0][0][1]))
    small = [one for one in given if small_one(one[1], one[2])]
    names: list[tuple[int | None, str]] = []
    number = done = 0
    while small or (names and alone and small_one(number, done)):
        some, more, sure = small.pop() if small else alone.pop()
        names, number, done = [*names, *some], number + more, done + sure
    alone.sort(key=lambda one: (one[0][0][0] is None, one[0][0][1].casefold()))
    return [*alone, (sorted(names, key=lambda one: (one[0] is None, one[1].casefold())), number, done)] if names else alone
