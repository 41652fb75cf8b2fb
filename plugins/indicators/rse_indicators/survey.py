"""What people say of their habit, beside what was measured: a survey imported as numbers, shown where they are many."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from rse_core.api import BadInput, record, translator
from rse_core.indicators_built import HABIT
from rse_core.indicators_figures import Asked, Figure, ask
from rse_core.indicators_frame import LEAST
from rse_core.indicators_roll import month_end
from rse_core.models.organisation import Entity, EntityPath

from .models import Survey

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rse_core.api import Actor, Core

_t = translator(__file__, "rse_indicators")
_, ngettext = _t.gettext, _t.ngettext
COLUMNS = ("date", "entity", "respondents", "daily")
MOST = 2_000_000
#: Months whose measured habit stands beside the answers; of earlier surveys the answers alone.
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Answers:
    """What one survey says of a place. ``entity_id`` 0: the site. Without numbers where fewer than ten answered, or where
    those would follow from the others."""

    asked_on: dt.date
    entity_id: int
    name: str
    respondents: int | None
    daily: int | None

    @property
    def suppressed(self) -> bool:
        """Whether it is not shown."""
        return self.respondents is None

    @property
    def rate(self) -> float | None:
        """The share of those who come every day, by their own account."""
        return self.daily / self.respondents if self.daily is not None and self.respondents else None


def load(session: Session, text: str, *, actor: Actor) -> int:
    """Take over a file: ``date,entity,respondents,daily``, an empty entity for the whole site. A survey of a date that was
    imported before is replaced. All or nothing.

    :returns: the number of lines.
    :raises BadInput: names every faulty line.
    """
    if len(text) > MOST:
        raise BadInput(_("The file is longer than %(most)s characters.", most=str(MOST)))
    keys = {key: ident for key, ident in session.execute(select(Entity.key, Entity.id))}
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise BadInput(
            _("The file has no column “%(name)s”.", name=missing[0]),
            remedy=_("Its first line must name: %(all)s.", all=", ".join(COLUMNS)),
        )
    found: dict[tuple[dt.date, int], tuple[int, int]] = {}
    at: dict[tuple[dt.date, int], int] = {}
    faults: list[str] = []
    try:
        for row in reader:
            try:
                place, numbers = _line(row, keys)
                if place in found:
                    raise BadInput(_("this place stands there twice, first on line %(line)s", line=str(at[place])))
                found[place], at[place] = numbers, reader.line_num
            except BadInput as error:
                faults.append(_fault(reader.line_num, str(error)))
    except csv.Error as error:
        # The line that cannot be read is not counted yet.
        faults.append(_fault(reader.line_num + 1, _("it is no CSV (%(error)s)", error=error)))
    faults += _sums(session, found, at)
    if faults or not found:
        raise BadInput(_("The survey cannot be used."), remedy="; ".join(faults[:20]) or _("It has no line."))
    session.execute(delete(Survey).where(Survey.asked_on.in_({day for day, _entity in found})))
    session.execute(
        insert(Survey),
        [
            {"asked_on": day, "entity_id": entity, "respondents": asked, "daily": daily, "imported_by": actor.label}
            for (day, entity), (asked, daily) in found.items()
        ],
    )
    days = sorted({day.isoformat() for day, _entity in found})
    record(session, actor, "indicators.survey", "site", after={"dates": days, "lines": len(found)})
    return len(found)


def _line(row: Mapping[str, str | None], keys: Mapping[str, int]) -> tuple[tuple[dt.date, int], tuple[int, int]]:
    date, entity = (row["date"] or "").strip(), (row["entity"] or "").strip()
    try:
        day = dt.date.fromisoformat(date)
    except ValueError:
        raise BadInput(_("“%(text)s” is not a date.", text=date[:40])) from None
    if entity and entity not in keys:
        raise BadInput(_("there is no entity “%(key)s”", key=entity[:80]))
    try:
        asked, daily = int(row["respondents"] or ""), int(row["daily"] or "")
    except ValueError:
        raise BadInput(_("the numbers are none")) from None
    if not 0 <= daily <= asked <= 10_000_000:
        raise BadInput(_("more people come daily than have answered"))
    return (day, keys[entity] if entity else 0), (asked, daily)


def _fault(line: int, fault: str) -> str:
    return _("line %(line)s: %(fault)s", line=str(line), fault=fault)


def _sums(
    session: Session, found: Mapping[tuple[dt.date, int], tuple[int, int]], at: Mapping[tuple[dt.date, int], int]
) -> list[str]:
    """Entities of one survey must not stand below each other, nor be more than the site."""
    faults = []
    by_day: dict[dt.date, dict[int, tuple[int, int]]] = defaultdict(dict)
    for (day, entity), numbers in found.items():
        by_day[day][entity] = numbers
    for day, places in by_day.items():
        ids = [entity for entity in places if entity]
        inside = session.execute(
            select(EntityPath.entity_id, EntityPath.ancestor_id).where(
                EntityPath.entity_id.in_(ids), EntityPath.ancestor_id.in_(ids), EntityPath.depth > 0
            )
        )  # fmt: skip
        for below, above in sorted((at[day, below], at[day, above]) for below, above in inside):
            faults.append(_fault(below, _("the entity stands below that of line %(line)s", line=str(above))))
        if 0 in places and any(sum(places[one][n] for one in ids) > places[0][n] for n in (0, 1)):
            faults.append(_fault(at[day, 0], _("the entities are more than the whole site")))
    return faults


def shown(session: Session, *, only: frozenset[str] | None = None) -> list[Answers]:
    """Every survey, the latest first: the site, then the entities.

    :param only: these entities alone (ids as text), and not the site.
    """
    by_day: dict[dt.date, list[Survey]] = defaultdict(list)
    for row in session.scalars(select(Survey).order_by(Survey.asked_on.desc(), Survey.entity_id)):
        by_day[row.asked_on].append(row)
    names = {ident: name for ident, name in session.execute(select(Entity.id, Entity.name))}
    answers = []
    for day, rows in by_day.items():
        visible = _visible(rows)
        for row in rows:
            if only is not None and str(row.entity_id) not in only:
                continue
            name = names.get(row.entity_id, str(row.entity_id)) if row.entity_id else _("the whole site")
            numbers = (row.respondents, row.daily) if row.entity_id in visible else (None, None)
            answers.append(Answers(day, row.entity_id, name, *numbers))
    return answers


def measured(session: Session, core: Core, answers: Sequence[Answers]) -> dict[tuple[dt.date, int], Figure]:
    """The measured habit of the places and months of these answers, where it may be shown: (day asked, entity) → figure."""
    found: dict[tuple[dt.date, int], Figure] = {}
    for month in sorted({row.asked_on.replace(day=1) for row in answers}, reverse=True)[:MONTHS]:
        rows = [row for row in answers if row.asked_on.replace(day=1) == month]
        wanted = frozenset(str(row.entity_id) for row in rows if row.entity_id)
        known: dict[str, Figure] = {}
        for by, only in (("site", None), ("entity", wanted)):
            if only is None or only:
                answer = ask(session, core, Asked(HABIT, month, month_end(month), by, "all", only))
                known |= {figure.target or "0": figure for figure in answer.figures if not figure.suppressed}
        found |= {(row.asked_on, row.entity_id): known[str(row.entity_id)] for row in rows if str(row.entity_id) in known}
    return found


def _visible(rows: list[Survey]) -> set[int]:
    """The largest first: none of under ten, nor one after which under ten would be left of the site."""
    site = next((row.respondents for row in rows if row.entity_id == 0), None)
    found = {0} if site is not None and site >= LEAST else set()
    rest = site if found else None
    for row in sorted((row for row in rows if row.entity_id), key=lambda row: (-row.respondents, row.entity_id)):
        if row.respondents < LEAST:
            continue
        if rest is not None and 0 < (rest or 0) - row.respondents < LEAST:
            continue
        found.add(row.entity_id)
        rest = None if rest is None else rest - row.respondents
    return found
