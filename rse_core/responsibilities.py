"""What people answer for, and how it goes to somebody else once they have left: contributed by ``rse_responsibilities``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .i18n import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ["Left", "Passing", "Responsibility"]


@dataclass(frozen=True, slots=True)
class Left:
    """How much of one kind somebody answers for in one place: a space, or an audience where it stands in none."""

    space_id: int | None
    audience_id: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Passing:
    """What goes from one person to another, in one place, named as in :class:`Left`."""

    person_id: int
    to_id: int
    space_id: int | None = None
    audience_id: int | None = None


@dataclass(frozen=True, slots=True)
class Responsibility:
    """A kind of thing that people answer for; once they have left, somebody else can. Who wrote a thing stays its author.

    :param name: ``<plugin>.<kind>``.
    :param label: what is counted, in the plural.
    :param left: ``left(session, person_id)``: how much, place by place, in a constant number of queries. What is nobody
        else's to see is left out: drafts, somebody's own boards.
    :param give: ``give(session, passing)`` makes ``to_id`` answer for all of it there, and returns what went: its id, and
        what :attr:`take_back` needs to know. A second time there is nothing left to give. The caller has made sure that
        who acts may, and that ``to_id`` is active and in that place.
    :param take_back: ``take_back(session, passing, items)`` undoes :attr:`give` for these, as far as they are as it left
        them, and returns how many went back.
    :param may: ``may(session, person_id, space_id)``: whether somebody who runs a space, or the leaver's entity, may give
        it; asked of all but administrators of the site. None: they may.
    :param heirs: ``heirs(session, space_ids)``: whom each space has named for that; offered first.
    """

    name: str
    label: Text
    left: Callable[[Session, int], Iterable[Left]]
    give: Callable[[Session, Passing], Mapping[str, str]]
    take_back: Callable[[Session, Passing, Mapping[str, str]], int]
    may: Callable[[Session, int, int | None], bool] | None = None
    heirs: Callable[[Session, Sequence[int]], Mapping[int, int]] | None = None
