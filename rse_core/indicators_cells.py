"""Finished figures: every indicator of a calendar month for every place, kept so that a dashboard reads one small table.

A month that was finished has a row for each indicator (:class:`IndicatorMonth`), also where there was nothing to count. It
is finished again when what it hangs on changes: days by the roll-up; plans, levels, calendars and new indicators by a job
that asks :func:`unfinished`. Until then such a figure is counted from the roll-ups.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from . import calendars, indicators_built
from .calendars import Calendars
from .contributions import Indicator
from .db import utcnow
from .indicators_counting import Cell, Measure, by_space, count
from .indicators_frame import SCOPES, forget, levels_mark, waves_mark
from .indicators_roll import horizon, month_end, months_between
from .indicators_standing import anchor, begins
from .models.indicators import IndicatorCell, IndicatorMonth, RollupState

if TYPE_CHECKING:
    from .runtime import Core

_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Counted:
    """One indicator of a month, counted and not kept yet. ``marks``: what it was counted from, beside what single people did
    on days that are over; it holds as long as they are the same."""

    month: dt.date
    indicator: str
    marks: Marks
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """``run``: the number of the last roll-up; ``waves`` and ``levels``: by which people are told apart."""

    run: int
    waves: str
    levels: str
    calendars: Calendars


def _marks(session: Session, core: Core, day: dt.date) -> Marks:
    run = session.scalar(select(RollupState.run).where(RollupState.id == 1)) or 0
    return Marks(run, waves_mark(session), levels_mark(session, core, day), calendars.load(session, core))


def make(session: Session, core: Core, month: dt.date, names: Collection[str] | None = None) -> int:
    """Finish a month again from the roll-ups, all in this transaction; the number of figures. One before the history began
    has none. See :func:`finish` for the way that holds up nobody.

    :param names: these indicators alone.
    """
    forget(session)
    reopen(session, core, [month])
    wanted = _told(core) if names is None else names
    return sum(keep(session, one) for name in wanted if (one := counted(session, core, month, name)) is not None)


def finish(core: Core, month: dt.date, names: Collection[str] | None = None) -> int:
    """Finish a month, indicator by indicator: counted while everybody writes on, kept in a short transaction of its own.

    Until an indicator is kept, its figures are counted when they are asked for, so that none is ever half finished; one that
    was interrupted goes on with :func:`unfinished`.

    :returns: the indicators that were kept; one of which more became known meanwhile is left.
    """
    return sum(finish_one(core, month, name) for name in (_told(core) if names is None else names))


def finish_one(core: Core, month: dt.date, name: str) -> bool:
    """Count one indicator of a month, then keep it; False when there is nothing to keep, or what it was counted from has
    changed meanwhile."""
    with core.db.read() as session:
        found = counted(session, core, month, name)
    if found is None:
        return False
    with core.db.write() as session:
        # Not beside a roll-up, which would make it old at once.
        session.scalar(select(RollupState).where(RollupState.id == 1).with_for_update())
        day = anchor(session, month_end(found.month))
        if day is None or _marks(session, core, day) != found.marks:
            return False
        keep(session, found)
    return True


def counted(session: Session, core: Core, month: dt.date, name: str) -> Counted | None:
    """Count one indicator of a month for every place, from the roll-ups. None before the history began, and for what was
    finished for good: what it was made from is no longer kept whole."""
    first, last = month.replace(day=1), month_end(month)
    day = anchor(session, last)
    indicator = _told(core).get(name)
    if day is None or indicator is None or first < horizon(core.settings.indicator_months):
        return None
    marks = _marks(session, core, day)
    measure = count(session, core, indicator, first, last, day)
    rows = tuple(
        {
            "month": first, "scope": scope, "indicator": name, "people": people, "target": target,
            "numerator": cell.numerator, "denominator": cell.denominator, "persons": cell.persons,
            "shown": cell.shown, "more": cell.more,
        }
        for scope, people in _divided(indicator)
        for target, cell in _cells(session, core, indicator, measure, scope, people, first, last, day).items()
    )  # fmt: skip
    return Counted(first, name, marks, rows)


def keep(session: Session, found: Counted) -> int:
    """Put what was counted in the place of what was finished before; the number of figures."""
    for table in (IndicatorCell, IndicatorMonth):
        session.execute(delete(table).where(table.month == found.month, table.indicator == found.indicator))
    for start in range(0, len(found.rows), _CHUNK):
        session.execute(insert(IndicatorCell), list(found.rows[start : start + _CHUNK]))
    done = {"waves": found.marks.waves, "levels": found.marks.levels}
    session.execute(insert(IndicatorMonth), [{"month": found.month, "indicator": found.indicator, **done}])
    return len(found.rows)


def reopen(session: Session, core: Core, months: Collection[dt.date]) -> None:
    """What was finished of these months does not hold any more, and is counted when it is asked for until it is finished
    again. Where single acts are no longer kept it stays."""
    first = horizon(core.settings.indicator_months)
    for month in {one.replace(day=1) for one in months}:
        if month >= first:
            session.execute(delete(IndicatorMonth).where(IndicatorMonth.month == month))


def unfinished(session: Session, core: Core) -> list[tuple[dt.date, list[str]]]:
    """The months, the latest first, that are to be finished, each with its indicators; the present one is among them."""
    first = begins(session)
    if first is None:
        return []
    today = utcnow().date()
    start = max(first.replace(day=1), horizon(core.settings.indicator_months))
    wanted = set(_told(core))
    known: dict[dt.date, dict[str, tuple[str, str]]] = {}
    rows = select(IndicatorMonth.month, IndicatorMonth.indicator, IndicatorMonth.waves, IndicatorMonth.levels)
    for month, name, waves, levels in session.execute(rows.where(IndicatorMonth.month >= start)):
        known.setdefault(month, {})[name] = (waves, levels)
    waves, found = waves_mark(session), []
    for month, last in months_between(start, today):
        day = anchor(session, last)
        marks = (waves, levels_mark(session, core, day)) if day is not None else None
        left = [name for name in sorted(wanted) if known.get(month, {}).get(name) != marks]
        if left:
            found.append((month, left))
    return found[::-1]


def unfinish(session: Session, core: Core, names: Collection[str]) -> int:
    """These indicators are to be counted anew for every month of which single acts are kept; the number of months."""
    gone = delete(IndicatorMonth).where(
        IndicatorMonth.indicator.in_(names), IndicatorMonth.month >= horizon(core.settings.indicator_months)
    )
    found = set(session.scalars(gone.returning(IndicatorMonth.month)))
    from .indicators_roll import FINISH
    from .jobs import defer

    defer(session, FINISH.name, key=FINISH.name)
    return len(found)


def _told(core: Core) -> dict[str, Indicator]:
    return {name: one for name, one in indicators_built.all_of(core).items() if one.counts != "own"}


def _divided(indicator: Indicator) -> list[tuple[str, str]]:
    """In which ways it is divided: scope, and who of its people."""
    if indicator.counts != "people":
        return [("site", "all")]
    ways = [(scope, "all") for scope in SCOPES]
    ways += [(scope, people) for scope in ("site", "entity", "wave") for people in ("managers", "others")]
    return [*ways, ("space", "all")] if indicators_built.told_by_space(indicator) else ways


def _cells(
    session: Session, core: Core, indicator: Indicator, measure: Measure, scope: str, people: str, *period: Any
) -> dict[str, Cell]:
    if scope == "space":
        return by_space(session, core, indicator, *period)
    return measure.cells(scope, people)
