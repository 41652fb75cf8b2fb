"""Finished figures: every indicator of a calendar month for every place, kept so that a dashboard reads one small table."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from . import indicators_built
from .indicators_counting import count
from .indicators_frame import SCOPES, forget
from .indicators_roll import horizon, month_end
from .indicators_standing import anchor
from .models.indicators import IndicatorCell

if TYPE_CHECKING:
    from .runtime import Core

_CHUNK = 2_000


def make(session: Session, core: Core, month: dt.date) -> int:
    """Finish a month again from the roll-ups; the number of figures. One before the history began has none."""
    first, last = month.replace(day=1), month_end(month)
    if first < horizon(core.settings.indicator_months):
        # Finished for good: what it was made from is no longer kept whole.
        return 0
    day = anchor(session, last)
    session.execute(delete(IndicatorCell).where(IndicatorCell.month == first))
    if day is None:
        return 0
    forget(session)
    rows = []
    for name, indicator in indicators_built.all_of(core).items():
        if indicator.counts == "own":
            continue
        measure = count(session, core, indicator, first, last, day)
        for scope in SCOPES if indicator.counts == "people" else ("site",):
            several = scope in ("site", "entity", "wave") and indicator.counts == "people"
            for people in ("all", "managers", "others") if several else ("all",):
                rows += [
                    {
                        "month": first, "scope": scope, "indicator": name, "people": people, "target": target,
                        "numerator": cell.numerator, "denominator": cell.denominator, "persons": cell.persons,
                        "shown": cell.shown, "more": cell.more,
                    }
                    for target, cell in measure.cells(scope, people).items()
                ]  # fmt: skip
    for start in range(0, len(rows), _CHUNK):
        session.execute(insert(IndicatorCell), rows[start : start + _CHUNK])
    return len(rows)
