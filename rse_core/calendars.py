"""Calendars of working days: the site's, from its configuration, and those of entities, which also hold for all below them.

The nearest entity that has one decides, alone. A calendar holds for every day, past ones too: whoever changes one has what
depends on it counted anew (:func:`rse_core.indicators_cells.unfinish`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from .db import utcnow
from .models.indicators import Holiday, WorkCalendar
from .workdays import Calendar

if TYPE_CHECKING:
    from .runtime import Core

#: In place of one of the public calendars: that of the site, with the days of its configuration.
SITE = "site"


@dataclass(frozen=True, slots=True)
class Calendars:
    """The site's calendar and those of entities, by id."""

    site: Calendar
    entities: Mapping[int, Calendar] = field(default_factory=dict)

    def along(self, path: Iterable[int]) -> Calendar:
        """That of an entity, given with all above it, the nearest first."""
        return next((self.entities[one] for one in path if one in self.entities), self.site)


def load(session: Session, core: Core) -> Calendars:
    """All calendars."""
    site = Calendar.of(core.settings)
    days: dict[int, set[dt.date]] = {}
    for entity, day in session.execute(select(Holiday.entity_id, Holiday.day)):
        days.setdefault(entity, set()).add(day)
    rows = session.execute(select(WorkCalendar.entity_id, WorkCalendar.public)).all()
    return Calendars(site, {entity: made(public, days.get(entity, ()), site) for entity, public in rows})


def made(public: str, days: Iterable[dt.date], site: Calendar) -> Calendar:
    """A calendar of these days beside a public one, or beside the site's."""
    if public == SITE:
        return Calendar(site.public, site.own | frozenset(days))
    return Calendar(public, frozenset(days))


def keep(session: Session, entity_id: int, public: str, days: Mapping[dt.date, str]) -> None:
    """Give an entity a calendar in place of the one that it has; ``days`` with their names."""
    remove(session, entity_id)
    session.execute(insert(WorkCalendar), [{"entity_id": entity_id, "public": public, "changed_at": utcnow()}])
    if days:
        rows = [{"entity_id": entity_id, "day": day, "name": name} for day, name in sorted(days.items())]
        session.execute(insert(Holiday), rows)


def remove(session: Session, entity_id: int) -> bool:
    """Take an entity's calendar away; False when it had none."""
    session.execute(delete(Holiday).where(Holiday.entity_id == entity_id))
    found = session.execute(
        delete(WorkCalendar).where(WorkCalendar.entity_id == entity_id).returning(WorkCalendar.entity_id)
    )
    return found.first() is not None
