"""Words that are one slip of a finger away: a letter too much, too few, another, or two that changed places.

Every word of the index is kept under itself and under what is left when one of its letters is taken away. What was typed is
taken apart in the same way; words that meet are near. One indexed query, on either database, without an extension.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core.api import dialect_insert

from .models import Near

SHORTEST, LONGEST = 4, 20
#: Words looked at for one that was typed.
MOST = 6
_CHUNK = 400


def is_kept(word: str) -> bool:
    """Whether slips in this word are looked for: not in numbers and not in what is too short to tell."""
    return SHORTEST <= len(word) <= LONGEST and word.isalpha()


def parts(word: str) -> set[str]:
    """The word, and what is left of it without one letter."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def learn(session: Session, words: Iterable[str]) -> None:
    """Keep these words; those that are kept already cost nothing but looking."""
    wanted = sorted({word for word in words if is_kept(word)})
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        known = set(session.scalars(select(Near.word).where(Near.part == Near.word, Near.word.in_(chunk))))
        rows = [{"part": part, "word": word} for word in chunk if word not in known for part in sorted(parts(word))]
        if rows:
            session.execute(dialect_insert(session, Near).on_conflict_do_nothing(), rows)


def unlearn(session: Session, words: Iterable[str]) -> None:
    """Keep these words no longer."""
    session.execute(delete(Near).where(Near.word.in_(sorted(set(words)))).execution_options(synchronize_session=False))


def candidates(session: Session, typed: Iterable[str]) -> dict[str, list[str]]:
    """For each word, those near it, the nearest first; one query."""
    wanted = {word: parts(word) for word in typed if is_kept(word)}
    if not wanted:
        return {}
    every = set().union(*wanted.values())
    rows = session.execute(select(Near.part, Near.word).where(Near.part.in_(every)).distinct()).all()
    found: dict[str, list[str]] = {}
    for word, mine in wanted.items():
        met = {other for part, other in rows if part in mine and other != word}
        near = sorted((slips(word, other), other) for other in met)
        found[word] = [other for distance, other in near if distance <= 1][:MOST]
    return found


def slips(one: str, other: str) -> int:
    """How many slips lie between two words, counted up to 2: a letter more or less, another one, two in the wrong order."""
    if one == other:
        return 0
    if abs(len(one) - len(other)) > 1:
        return 2
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    if len(one) == len(other):
        if rest[1:] == other_rest[1:]:
            return 1
        return 1 if rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:] else 2
    longer, shorter = (rest, other_rest) if len(one) > len(other) else (other_rest, rest)
    return 1 if longer[1:] == shorter else 2
