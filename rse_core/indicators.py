"""Indicators: the definitions that plugins register, and the visits that every level records.

A visit is noted at INFORM too: what is gated is what people see and write, never the record of what happens, or the
baseline of a pilot would be lost.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from .content import ObjectRef
from .contributions import Indicator
from .db import dialect_insert, utcnow
from .events import Event, emit
from .indicators_built import OPENED
from .models.runtime import Visit

if TYPE_CHECKING:
    from .runtime import Core

_seen: dict[tuple[int, int], dt.date] = {}
_opened: dict[tuple[int, int, str], dt.date] = {}
_lock = threading.Lock()
_MOST = 200_000


def definitions(core: Core) -> dict[str, Indicator]:
    """Every registered indicator by name."""
    return {indicator.name: indicator for _plugin, indicator in core.plugins.contributions(Indicator)}


def visited_today(core: Core, person_id: int) -> bool:
    """Whether this process already noted the person's visit of today; keeps the hot path free of queries."""
    return _seen.get((id(core), person_id)) == utcnow().date()


def record_visit(session: Session, person_id: int) -> None:
    """Note that this person was here today; at most one row a day."""
    from .runtime import core_of

    core = core_of(session)
    day = utcnow().date()
    statement = dialect_insert(session, Visit).values(day=day, person_id=person_id)
    session.execute(statement.on_conflict_do_nothing())
    with _lock:
        if len(_seen) >= _MOST:
            _seen.clear()
        _seen[id(core), person_id] = day


def opened_today(core: Core, person_id: int, what: str) -> bool:
    """Whether this process already noted that the person opened this today; keeps the hot path free of queries.

    :param what: the object whose file it is, or ``page`` for any publication of the intranet.
    """
    return _opened.get((id(core), person_id, what)) == utcnow().date()


def record_opening(session: Session, person_id: int, what: str, *, ref: ObjectRef | None = None) -> None:
    """Note that this person opened a document: who, on which day and in which space is counted, never which document.

    :param ref: the object whose file it is: says in which space.
    """
    from .objects import resolve
    from .runtime import core_of

    info = None if ref is None else resolve(session, [ref]).get(ref)
    data = {} if info is None or info.space_id is None else {"space": info.space_id}
    emit(session, Event(OPENED, person_id, data=data))
    with _lock:
        if len(_opened) >= _MOST:
            _opened.clear()
        _opened[id(core_of(session)), person_id, what] = utcnow().date()
