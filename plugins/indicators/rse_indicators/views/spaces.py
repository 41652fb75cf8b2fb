"""A space's own figures, among its pages: for those who run it, of its members and of what they do there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from rse_core import indicators_built
from rse_core.api import Indicator, resolve
from rse_core.indicators_figures import Asked, by_month
from rse_core.organisation import space_ref
from rse_core.webapi import core, require_person, session_read, slot_markup

from .. import access, asking, charts
from .base import blueprint, page

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Months in the line.
MONTHS = 6


@blueprint.get("/space/<space>/")
def space(space: str) -> str:
    """The last whole month, and the months before it."""
    person = require_person()
    first, last = asking.period("", "")
    with session_read() as session:
        found = access.space_run(session, person.id, space)
        only = frozenset({str(found.id)})
        tables = [
            asking.table(session, core(), Asked(one.name, first, last, "space", "all", only)) for one in _told()
        ]
        months = _months(session, only, last)
        ref = space_ref(found.id)
        info = resolve(session, [ref]).get(ref)
        # Whoever keeps the space's pages says what stands above this one.
        head = slot_markup(session, "space_head", [ref]).get(ref, "")
    return page(
        "space", space=found, tables=tables, line=charts.line(months) if months else None, chart=charts, first=first,
        last=last, head=head, home=info.url if info is not None else "",
    )  # fmt: skip


def _told() -> list[Indicator]:
    """What can be told by space: acts that are done there."""
    return [
        one for one in asking.definitions(core()) if indicators_built.told_by_space(one)
    ]


def _months(session: Session, only: frozenset[str], last: dt.date) -> list[tuple[dt.date, float | None]]:
    number = last.year * 12 + last.month - MONTHS
    begin = dt.date(number // 12, number % 12 + 1, 1)
    asked = Asked(indicators_built.ENGAGEMENT, begin, last, "space", "all", only)
    rates = [(month, answer.figures[0].rate if answer.figures else None)
             for month, answer in by_month(session, core(), asked)]  # fmt: skip
    return rates if sum(rate is not None for _month, rate in rates) > 1 else []
