"""Finished figures: every indicator of a calendar month for every place, kept so that a dashboard reads one small table.

A month that was finished has a row for each indicator (:class:`IndicatorMonth`), also where there was nothing to count. It
is finished again when what it hangs on changes: days by the roll-up; plans, levels, calendars and new indicators by a job
that asks :func:`unfinished`. Until then such a figure is counted from the roll-ups.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from . import indicators_built
from .contributions import Indicator
from .db import utcnow
from .indicators_counting import Cell, Measure, by_space, count
from .indicators_frame import SCOPES, forget, levels_mark, waves_mark
from .indicators_roll import horizon, month_end, months_between
from .indicators_standing import anchor, begins
from .models.indicators import IndicatorCell, IndicatorMonth

if TYPE_CHECKING:
    from .runtime import Core

_CHUNK = 2_000


def make(session: Session, core: Core, month: dt.date, names: Collection[str] | None = None) -> int:
    """Finish a month again from the roll-ups; the number of figures. One before the history began has none.

    :param names: these indicators alone.
    """
    first, last = month.replace(day=1), month_end(month)
    if first < horizon(core.settings.indicator_months):
        # Finished for good: what it was made from is no longer kept whole.
        return 0
    day = anchor(session, last)
    for table in (IndicatorCell, IndicatorMonth):
        gone = delete(table).where(table.month == first)
        session.execute(gone if names is None else gone.where(table.indicator.in_(names)))
    if day is None:
        return 0
    forget(session)
    marks = {"month": first, "waves": waves_mark(session), "levels": levels_mark(session, core, day)}
    rows, done = [], []
    for name, indicator in _told(core).items():
        if names is not None and name not in names:
            continue
        done.append({**marks, "indicator": name})
        measure = count(session, core, indicator, first, last, day)
        rows += [
            {
                "month": first, "scope": scope, "indicator": name, "people": people, "target": target,
                "numerator": cell.numerator, "denominator": cell.denominator, "persons": cell.persons,
                "shown": cell.shown, "more": cell.more,
            }
            for scope, people in _divided(indicator)
            for target, cell in _cells(session, core, indicator, measure, scope, people, first, last, day).items()
        ]  # fmt: skip
    for start in range(0, len(rows), _CHUNK):
        session.execute(insert(IndicatorCell), rows[start : start + _CHUNK])
    if done:
        session.execute(insert(IndicatorMonth), done)
    return len(rows)


def unfinished(session: Session, core: Core) -> list[tuple[dt.date, list[str]]]:
    """The whole months, the latest first, that are to be finished, each with its indicators."""
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
    for month, last in months_between(start, today.replace(day=1) - dt.timedelta(days=1)):
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
