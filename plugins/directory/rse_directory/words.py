"""Words under which people are found, and what somebody typed, folded in one way: no accents, œ is oe, any order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rse_core.people import folded

MAX_TYPED, MAX_TERMS, MAX_TOKEN = 100, 6, 80
#: Words kept of one long text, and of all texts of a person together.
PER_TEXT = 80
#: The shortest piece of a telephone number that finds somebody.
DIGITS = 4
#: The digits of a number that is dialled as a whole, at least.
WHOLE_NUMBER = 10
WHOLE, WORD, PHONE = 0, 1, 2
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d[\d\s.()/-]*(?!\w)")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a person found must have: a word that begins so, or a piece of a telephone number."""

    word: str = ""
    digits: str = ""
    #: other words that will do, when nothing was found as typed
    near: tuple[str, ...] = ()


def words(text: str) -> list[str]:
    """The folded words of a text, each once, in order."""
    return list(dict.fromkeys(word[:MAX_TOKEN] for word in _WORD.findall(folded(text))))


def digits(phone: str) -> str:
    """The digits of a number as one dials it within France; of a foreign one, all of them."""
    plain = re.sub(r"\(0\)", "", phone)
    only = re.sub(r"\D", "", plain)
    # A shorter one that begins so is a piece from the middle.
    if only.startswith("00") and len(only) >= WHOLE_NUMBER:
        only = only[2:]
    if only.startswith("33") and len(only) == 11:
        return "0" + only[2:]
    return only


#: Words that stand before a name and are often written in one with it: Le Guen, El Amrani, D'Almeida.
_BEFORE = frozenset((
    "le", "la", "les", "l", "de", "du", "des", "d", "n", "el", "al", "ben", "bel", "ould", "van", "von", "der", "den", "di",
    "da", "dos", "do", "mac", "mc", "o", "saint", "sainte", "st", "ste",
))  # fmt: skip


def in_one(parts: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Words that may be written in one with those before them: as one, and the words."""
    for at, part in enumerate(parts[:-1]):
        end = at
        while end < len(parts) - 1 and parts[end] in _BEFORE:
            end += 1
        if part in _BEFORE:
            yield "".join(parts[at : end + 1]), tuple(parts[at : end + 1])


def name_tokens(name: str) -> Iterator[tuple[int, str]]:
    """The whole name from either end, its words, those that may be written in one, and its initials."""
    parts = _WORD.findall(folded(name))
    if not parts:
        return
    yield WHOLE, " ".join(parts)[:MAX_TOKEN]
    if len(parts) > 1:
        yield WHOLE, " ".join([parts[-1], *parts[:-1]])[:MAX_TOKEN]
        # Whoever types Œ for an initial has typed two letters of a folded word; whoever types O, one.
        for first in (_initial, _both):
            letters = [first(part) for part in parts]
            yield WORD, "".join(letters)[:MAX_TOKEN]
            yield WORD, "".join([letters[-1], *letters[:-1]])[:MAX_TOKEN]
    for part in (*parts, *(one for one, _parts in in_one(parts))):
        yield WORD, part[:MAX_TOKEN]


def _initial(part: str) -> str:
    return part[0]


def _both(part: str) -> str:
    return part[:2] if part.startswith(("oe", "ae")) else part[0]


def phone_tokens(phone: str) -> Iterator[tuple[int, str]]:
    """Every end of the number that is long enough: a piece from its middle then begins one of them."""
    number = digits(phone)[:20]
    for start in range(max(0, len(number) - DIGITS + 1)):
        yield PHONE, number[start:]


def text_tokens(text: str) -> Iterator[tuple[int, str]]:
    """The first words of a text."""
    for word in words(text)[:PER_TEXT]:
        yield WORD, word


def parse(typed: str) -> tuple[Term, ...]:
    """What was typed, term by term; the pieces of a number count as one."""
    typed = typed.replace("\x00", " ")[:MAX_TYPED]
    terms, rest, at = [], [], 0
    for found in _NUMBER.finditer(typed):
        number = digits(found.group())
        if len(number) >= DIGITS:
            rest.append(typed[at : found.start()])
            plain = re.sub(r"\D", "", found.group())
            terms.append(Term(plain if " " not in found.group().strip() else "", number))
            at = found.end()
    rest.append(typed[at:])
    terms += [Term(word) for word in words(" ".join(rest))]
    return tuple(terms[:MAX_TERMS])


def whole(typed: str) -> str:
    """What was typed as the beginning of a whole name."""
    return " ".join(_WORD.findall(folded(typed.replace("\x00", " ")[:MAX_TYPED])))[:MAX_TOKEN]


def after(prefix: str) -> str:
    """The first text, by code points, that no longer begins so."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def parts(word: str) -> set[str]:
    """The word, and what is left of it without one letter."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def is_one_slip(one: str, other: str) -> bool:
    """One letter too much, too few, another, or two in the wrong order."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, others = one[start:], other[start:]
    if len(rest) == len(others):
        return rest[1:] == others[1:] or (rest[:2] == others[1::-1] and rest[2:] == others[2:])
    return rest[1:] == others if len(rest) > len(others) else others[1:] == rest
