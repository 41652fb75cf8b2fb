"""Where a person stands: the level they have now beside the one that they were last shown.

Levels are computed at the moment of asking, so nothing runs when one opens: the two are compared when the person comes. The
level is in memory, and the other is among the person's choices, which a request reads with who they are: a page on which
nothing is new costs no query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from rse_core import preferences
from rse_core.api import Level, can, utcnow
from rse_core.policy import level_of

#: Being told at all, from the first level above INFORM; also what switches the plugin off for somebody.
TOUR = "onboarding.tour"
CHOICE = "onboarding.shown"


@dataclass(frozen=True, slots=True)
class Standing:
    """``level`` now, ``shown`` before, ``base`` from where the last tour began, ``step`` at which it was left (a key).
    """

    level: Level
    shown: Level
    base: Level
    step: str = ""

    @property
    def opened(self) -> bool:
        """Something has opened that they were not shown yet; never at INFORM."""
        return self.level > max(self.shown, Level.INFORM)

    @property
    def closed(self) -> bool:
        """Something has closed, and they still stand above INFORM."""
        return Level.INFORM < self.level < self.shown

    @property
    def since(self) -> Level:
        """The level above which the tour begins."""
        return self.shown if self.opened else min(self.base, self.level)


def of(session: Session, person_id: int) -> Standing:
    """Without a query in a request that the person makes for a page."""
    kept = preferences.get(session, person_id, CHOICE)
    return _standing(level_of(session, person_id), kept)


def _standing(level: Level, kept: Any) -> Standing:
    values = kept if isinstance(kept, dict) else {}
    return Standing(level, _level(values.get("level")), _level(values.get("from")), str(values.get("step", ""))[:80])


def _level(value: Any) -> Level:
    return Level(value) if isinstance(value, int) and 0 <= value <= Level.COCREATE else Level.INFORM


def bar(session: Session, person_id: int | None) -> Standing | None:
    """Where they stand, when there is something to tell them; None otherwise, which costs no query."""
    if person_id is None:
        return None
    found = of(session, person_id)
    if not (found.opened or found.closed) or not can(session, person_id, TOUR):
        return None
    return found


def acknowledge(session: Session, person_id: int, *, step: str = "") -> Standing:
    """They were shown what has opened or closed: the bar goes, and does not come back until the level changes.

    :param step: where they left the tour, "" when they came to its end.
    """
    found = of(session, person_id)
    _put(session, person_id, found.level, found.since, step)
    return of(session, person_id)


def keep_place(session: Session, person_id: int, step: str) -> Standing:
    """They closed the tour in its middle: it goes on there, from the bar or from the page."""
    found = of(session, person_id)
    if found.opened:
        _put(session, person_id, found.shown, found.base, step)
    else:
        _put(session, person_id, found.level, found.since, step)
    return of(session, person_id)


def _put(session: Session, person_id: int, level: Level, base: Level, step: str) -> None:
    value = {"level": int(level), "from": int(base), "step": step[:80], "at": utcnow().isoformat()}
    preferences.put(session, person_id, CHOICE, value)
