"""What people say of their habit, beside what was measured: a survey imported as numbers, shown where they are many."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from rse_core.api import BadInput, record, translator
from rse_core.indicators_frame import LEAST
from rse_core.models.organisation import Entity, EntityPath

from .models import Survey

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rse_core.api import Actor

_t = translator(__file__, "rse_indicators")
_, ngettext = _t.gettext, _t.ngettext
COLUMNS = ("date", "entity", "respondents", "daily")
MOST = 2_000_000


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
    faults: list[str] = []
    for number, row in enumerate(reader, 2):
        try:
            place, numbers = _line(row, keys)
            if place in found:
                raise BadInput(_("this place stands there twice"))
            found[place] = numbers
        except BadInput as error:
            faults.append(_("line %(line)s: %(fault)s", line=str(number), fault=str(error)))
    faults += _sums(session, found)
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


def _sums(session: Session, found: Mapping[tuple[dt.date, int], tuple[int, int]]) -> list[str]:
    """Entities of one survey must not stand below each other, nor be more than the site."""
    faults = []
    by_day: dict[dt.date, dict[int, tuple[int, int]]] = defaultdict(dict)
    for (day, entity), numbers in found.items():
        by_day[day][entity] = numbers
    for day, places in by_day.items():
        ids = [entity for entity in places if entity]
        below = session.scalar(
            select(EntityPath.entity_id).where(
                EntityPath.entity_id.in_(ids), EntityPath.ancestor_id.in_(ids), EntityPath.depth > 0
            ).limit(1)
        )  # fmt: skip
        if below is not None:
            faults.append(_("%(date)s: an entity stands below another of the same survey", date=day))
        if 0 in places:
            for number in (0, 1):
                if sum(places[entity][number] for entity in ids) > places[0][number]:
                    faults.append(_("%(date)s: the entities are more than the whole site", date=day))
                    break
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
