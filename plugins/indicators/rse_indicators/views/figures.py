"""The overview, one indicator with its picture, its table and its definition, its files, and before and after."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Response, request, url_for

from rse_core import indicators_built
from rse_core.api import BadInput, NotFound, RseError, utcnow
from rse_core.indicators_figures import Asked, by_month
from rse_core.indicators_frame import PEOPLE
from rse_core.webapi import core, session_read

from .. import asking, charts, exporting, openings, survey
from .base import _, administrator, blueprint, page, sight

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rse_core.api import Indicator

    from ..access import Sight
    from ..asking import Table

#: Months in the line of the overview and of a page.
MONTHS = 12
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/")
def overview() -> str:
    """Every indicator of the last whole month, of the site or of the entity that one administers."""
    found = administrator()
    first, last = asking.period("", "")
    cards = []
    with session_read() as session:
        for one in asking.definitions(core()):
            if one.counts == "own" or (one.counts == "spaces" and not found.site):
                continue
            by, only = ("site", None) if found.site else ("entity", found.targets("entity"))
            table = asking.table(session, core(), Asked(one.name, first, last, by, "all", only))
            months = by_month(session, core(), _year(one.name, last, by, only)) if found.site else []
            rates = [(month, answer.figures[0].rate if answer.figures else None) for month, answer in months]
            cards.append((one, table, charts.line(rates) if rates else None))
    return page("overview", cards=cards, first=first, last=last, site=found.site, chart=charts)


def _year(name: str, last: dt.date, by: str, only: frozenset[str] | None) -> Asked:
    begin = last.replace(day=1)
    number = begin.year * 12 + begin.month - 1 - (MONTHS - 1)
    return Asked(name, dt.date(number // 12, number % 12 + 1, 1), last, by, "all", only)


@blueprint.get("/<name>/")
def indicator(name: str) -> str:
    """One indicator: question, picture, table, definition."""
    found = sight()
    with session_read() as session:
        one = indicators_built.one(core(), name)
        ways = _ways(found, one)
        try:
            table, error = _table(session, found, name, ways), None
        except BadInput as refused:
            table, error = None, refused
        months: list[tuple[dt.date, float | None]] = []
        if table is not None and table.asked.by == "site":
            asked = _year(name, table.asked.last, "site", None)
            asked = Asked(name, asked.first, asked.last, "site", table.asked.people)
            months = [(m, a.figures[0].rate if a.figures else None) for m, a in by_month(session, core(), asked)]
        surveyed, measured = [], {}
        if name == indicators_built.HABIT and found.administers:
            surveyed = survey.shown(session, only=None if found.site else found.targets("entity"))
            measured = survey.measured(session, core(), surveyed)
        by_wave = table is not None and table.asked.by == "wave"
        young = openings.young(session, [row.key for row in table.rows], utcnow()) if table is not None and by_wave else []
    return page(
        "indicator", one=one, table=table, error=error, ways=[(way, asking.WAYS[way]) for way in ways], sight=found,
        parts=list(asking.PARTS.items()), denominator=asking.denominator(one), source=asking.source(core(), one),
        bars=charts.bars(table.rows) if table is not None and len(table.rows) > 1 else None,
        line=charts.line(months) if len([rate for _m, rate in months if rate is not None]) > 1 else None,
        chart=charts, young=young, surveyed=surveyed, measured=measured, typed=request.args,
        files=_files(table, name) if table is not None else {},
    )  # fmt: skip


def _ways(found: Sight, one: Indicator) -> list[str]:
    if one.counts == "spaces":
        return [way for way in found.ways if way == "site"]
    return [way for way in found.ways if way != "space" or indicators_built.told_by_space(one)]


def _table(session: Session, found: Sight, name: str, ways: list[str]) -> Table:
    by = request.args.get("by") or next(iter(ways), "site")
    people = request.args.get("people") or "all"
    if people not in PEOPLE or by not in ("site", "entity", "wave"):
        people = "all"
    first, last = asking.period(request.args.get("from", ""), request.args.get("to", ""))
    return asking.table(session, core(), Asked(name, first, last, by, people, found.targets(by)))


def _files(table: Table, name: str) -> dict[str, str]:
    asked = table.asked
    query: dict[str, Any] = {"by": asked.by, "people": asked.people}
    query |= {"from": asked.first.isoformat(), "to": asked.last.isoformat()}
    return {kind: url_for(".export", name=name, kind=kind, **query) for kind in ("csv", "xlsx")}


@blueprint.get("/<name>/export.<kind>")
def export(name: str, kind: str) -> Response:
    """The table of one indicator as a file."""
    if kind not in ("csv", "xlsx"):
        raise NotFound(_("There is no such file."))
    found = sight()
    with session_read() as session:
        table = _table(session, found, name, _ways(found, indicators_built.one(core(), name)))
    asked = table.asked
    file = f"{name}-{asked.by}-{asked.first}-{asked.last}.{kind}"
    if kind == "csv":
        # The mark at the beginning is what spreadsheets know UTF-8 by.
        answer = Response("\ufeff" + exporting.as_csv([table]), mimetype="text/csv")
    else:
        answer = Response(exporting.as_xlsx(core(), [table]), mimetype=_XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer


@blueprint.get("/openings/")
def opening() -> str:
    """Before and after each change of level."""
    found = administrator()
    weeks = request.args.get("weeks", type=int)
    weeks = weeks if weeks in openings.WEEKS else openings.WEEKS[0]
    now = utcnow()
    with session_read() as session:
        if found.site and request.args.get("by") != "entity":
            changes = openings.of_waves(session, now)
        else:
            changes = openings.of_entities(session, now, found.targets("entity"))
        compared = openings.compare(session, core(), changes[:10], weeks)
        known: dict[str, Any] = {}
        for name in openings.INDICATORS:
            try:
                known[name] = indicators_built.one(core(), name).label
            except RseError:
                known[name] = name
    return page(
        "openings", compared=compared, weeks=weeks, all_weeks=openings.WEEKS, labels=known, level=openings.label,
        site=found.site, by=request.args.get("by", ""),
    )  # fmt: skip
