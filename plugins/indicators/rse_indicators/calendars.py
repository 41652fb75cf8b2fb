"""Calendars of working days of entities: who may see and change them, what a change does, said before it is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from rse_core import calendars, indicators_built, indicators_cells
from rse_core.api import BadInput, Conflict, Core, Forbidden, NotFound, Text, core_of, record, translator, utcnow
from rse_core.delegation import Rights, rights_of
from rse_core.models.indicators import Holiday, IndicatorMonth, WorkCalendar
from rse_core.models.organisation import Entity, EntityPath
from rse_core.workdays import CALENDARS, Calendar, days_between

from . import ics

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rse_core.api import Actor

_t = translator(__file__, "rse_indicators")
_, lazy = _t.gettext, _t.lazy
#: What hangs on working days.
INDICATORS = (indicators_built.HABIT, indicators_built.ANSWERS)
LONGEST_NAME = 200
PUBLIC: Mapping[str, Text] = {
    calendars.SITE: lazy("as the site"), "none": lazy("no public holidays"), "fr": lazy("France"),
    "fr-alsace-moselle": lazy("France, Alsace and Moselle"), "fr-guadeloupe": lazy("Guadeloupe"),
    "fr-guyane": lazy("French Guiana"), "fr-martinique": lazy("Martinique"), "fr-mayotte": lazy("Mayotte"),
    "fr-reunion": lazy("Réunion"), "fr-saint-barthelemy": lazy("Saint Barthélemy"),
    "fr-saint-martin": lazy("Saint Martin"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """The calendar of an entity; ``entity`` "" is the site, whose calendar stands in its configuration."""

    entity: str
    name: str
    public: str
    days: Mapping[dt.date, str]
    #: a mark of this state, for who changes it
    version: str

    @property
    def label(self) -> str:
        """The public calendar in words."""
        return str(PUBLIC.get(self.public, self.public))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change does. ``closed`` and ``opened``: of this year and the next, the days from Monday to Friday that are no
    working days any more, or are again. ``entities``: how many it is about; ``apart``: those below with a calendar of their
    own; ``months``: how many months are counted anew."""

    shown: Shown
    closed: tuple[dt.date, ...]
    opened: tuple[dt.date, ...]
    entities: int
    apart: tuple[str, ...]
    months: int


def listing(session: Session, core: Core, person_id: int) -> list[Shown]:
    """The site's calendar, and those of the entities that the person administers, by name.

    :raises Forbidden: for who administers nothing.
    """
    rights, snapshot = _rights(session, person_id), core.policy.snapshot()
    return [_site(core), *_kept(session, lambda entity: rights.over(snapshot, entity.id))]


def all_of(session: Session, core: Core) -> list[Shown]:
    """The site's calendar and those of all entities, for the shell."""
    return [_site(core), *_kept(session, lambda _entity: True)]


def entities(session: Session, core: Core, person_id: int) -> list[tuple[str, str]]:
    """The entities for which the person may set a calendar: key and name, by name."""
    rights, snapshot = _rights(session, person_id), core.policy.snapshot()
    rows = session.execute(select(Entity.id, Entity.key, Entity.name).order_by(Entity.name, Entity.key))
    return [(key, name) for ident, key, name in rows if rights.over(snapshot, ident)]


def one(session: Session, person_id: int | None, key: str) -> Shown:
    """The calendar of an entity; that of the site, without days, for one that has none.

    :param person_id: who asks; None for the shell.
    :raises NotFound: for an entity that does not exist.
    :raises Forbidden: for one that the person does not administer.
    """
    entity = _entity(session, person_id, key)
    row = session.get(WorkCalendar, entity.id)
    if row is None:
        return Shown(entity.key, entity.name, calendars.SITE, {}, "")
    return _shown(entity, row, _days_of(session, entity.id))


def preview(session: Session, person_id: int | None, key: str, public: str, days: Mapping[dt.date, str]) -> Preview:
    """What it would do to give an entity this calendar.

    :raises BadInput: for an unknown calendar, or too many days.
    :raises NotFound, Forbidden: as :func:`one`.
    """
    shown = one(session, person_id, key)
    _check(public, days)
    return _preview(session, shown, Shown(shown.entity, shown.name, public, dict(days), shown.version))


def keep(
    session: Session, person_id: int | None, key: str, public: str, days: Mapping[dt.date, str], *, actor: Actor,
    version: str | None = None,
) -> Preview:  # fmt: skip
    """Give an entity this calendar in place of the one that it has. What hangs on it is counted anew by a job.

    :param version: that of the calendar which was changed; another one now is a conflict.
    :raises Conflict: when it was changed meanwhile.
    :raises BadInput, NotFound, Forbidden: as :func:`preview`.
    """
    before = one(session, person_id, key)
    if version is not None and version != before.version:
        raise Conflict(_("This calendar was changed meanwhile."), remedy=_("Look at it again, then change it."))
    found = preview(session, person_id, key, public, days)
    calendars.keep(session, _entity(session, person_id, key).id, public, days)
    _changed(session, actor, before, found.shown)
    return found


def remove(session: Session, person_id: int | None, key: str, *, actor: Actor) -> None:
    """Take an entity's calendar away: the next one above it holds, or the site's.

    :raises NotFound: for an entity that does not exist or has no calendar.
    :raises Forbidden: as :func:`one`.
    """
    before = one(session, person_id, key)
    if not calendars.remove(session, _entity(session, person_id, key).id):
        raise NotFound(_("“%(name)s” has no calendar of its own.", name=before.name))
    _changed(session, actor, before, None)


def lines(text: str) -> dict[dt.date, str]:
    """Days as they are typed: one a line, ``2026-05-15 The day after Ascension``.

    :raises BadInput: names each faulty line.
    """
    found: dict[dt.date, str] = {}
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        day, _blank, name = line.strip().partition(" ")
        if not day:
            continue
        try:
            at = dt.date.fromisoformat(day)
        except ValueError:
            at = None
        if at is None or not ics.FIRST <= at <= ics.LAST or len(day) != 10:
            faults.append(_("line %(line)s: “%(text)s” is not a date", line=str(number), text=day[:40]))
        elif at in found:
            faults.append(_("line %(line)s: %(day)s stands there twice", line=str(number), day=day))
        else:
            found[at] = name.strip()[:LONGEST_NAME]
    if faults:
        raise BadInput(_("The days cannot be used."), remedy="; ".join(faults[:20]))
    return found


def typed(days: Mapping[dt.date, str]) -> str:
    """The days of a calendar as :func:`lines` reads them."""
    return "\n".join(f"{day.isoformat()} {name}".rstrip() for day, name in sorted(days.items()))


# -- steps -------------------------------------------------------------------------------------------------------------


def _rights(session: Session, person_id: int) -> Rights:
    rights = rights_of(session, person_id)
    if not rights:
        raise Forbidden(_("Calendars are for those who administer the site or an entity."))
    return rights


def _entity(session: Session, person_id: int | None, key: str) -> Entity:
    entity = session.scalar(select(Entity).where(Entity.key == key))
    if person_id is not None:
        rights = _rights(session, person_id)
        if entity is not None and not rights.over(core_of(session).policy.snapshot(), entity.id):
            raise Forbidden(_("You do not administer “%(name)s”.", name=entity.name), remedy=_("Choose an entity of yours."))
    if entity is None:
        raise NotFound(_("There is no entity “%(key)s”.", key=key[:80]))
    return entity


def _site(core: Core) -> Shown:
    settings = core.settings
    return Shown("", _("the whole site"), settings.holiday_calendar, dict.fromkeys(sorted(settings.holidays), ""), "")


def _shown(entity: Entity, row: WorkCalendar, days: Mapping[dt.date, str]) -> Shown:
    return Shown(entity.key, entity.name, row.public, days, row.changed_at.isoformat())


def _kept(session: Session, wanted: Callable[[Entity], bool]) -> list[Shown]:
    """The calendars of these entities, by name; two queries."""
    query = select(Entity, WorkCalendar).join(WorkCalendar, WorkCalendar.entity_id == Entity.id).order_by(Entity.name)
    rows = [(entity, row) for entity, row in session.execute(query) if wanted(entity)]
    days: dict[int, dict[dt.date, str]] = {}
    found = select(Holiday.entity_id, Holiday.day, Holiday.name).order_by(Holiday.day)
    for entity_id, day, name in session.execute(found.where(Holiday.entity_id.in_([entity.id for entity, _row in rows]))):
        days.setdefault(entity_id, {})[day] = name
    return [_shown(entity, row, days.get(entity.id, {})) for entity, row in rows]


def _days_of(session: Session, entity_id: int) -> dict[dt.date, str]:
    rows = session.execute(select(Holiday.day, Holiday.name).where(Holiday.entity_id == entity_id).order_by(Holiday.day))
    return {day: name for day, name in rows}


def _check(public: str, days: Mapping[dt.date, str]) -> None:
    if public not in PUBLIC:
        message = _("“%(name)s” is no calendar.", name=public[:40])
        known = ", ".join((calendars.SITE, *CALENDARS))
        raise BadInput(message, remedy=_("Use one of: %(all)s.", all=known), fields={"public": message})
    if len(days) > ics.MOST:
        raise BadInput(_("A calendar has at most %(most)s days.", most=str(ics.MOST)))
    if any(not ics.FIRST <= day <= ics.LAST for day in days):
        raise BadInput(_("Days are between 2000 and 2100."))


def _preview(session: Session, before: Shown, after: Shown) -> Preview:
    core = core_of(session)
    known = calendars.load(session, core)
    entity = session.scalar(select(Entity.id).where(Entity.key == after.entity))
    paths: dict[int, list[int]] = {}
    below = select(EntityPath.entity_id).where(EntityPath.ancestor_id == entity)
    rows = select(EntityPath.entity_id, EntityPath.ancestor_id).where(EntityPath.entity_id.in_(below))
    for below_, above in session.execute(rows.order_by(EntityPath.entity_id, EntityPath.depth)):
        paths.setdefault(below_, []).append(above)
    now = known.along(paths.get(entity or 0, ()))
    then = calendars.made(after.public, after.days, known.site)
    # Everything below that has no nearer calendar.
    about = [path for path in paths.values() if next(a for a in path if a in known.entities or a == entity) == entity]
    others = [below_ for below_ in paths if below_ != entity and below_ in known.entities]
    names = list(session.scalars(select(Entity.name).where(Entity.id.in_(others)).order_by(Entity.name)))
    months = select(func.count(IndicatorMonth.month.distinct())).where(IndicatorMonth.indicator.in_(INDICATORS))
    closed, opened = _differences(now, then)
    return Preview(after, closed, opened, len(about), tuple(names), session.scalar(months) or 0)


def _differences(now: Calendar, then: Calendar) -> tuple[tuple[dt.date, ...], tuple[dt.date, ...]]:
    year = utcnow().year
    days = days_between(dt.date(year, 1, 1), dt.date(year + 1, 12, 31))
    closed = tuple(day for day in days if now.works(day) and not then.works(day))
    return closed, tuple(day for day in days if then.works(day) and not now.works(day))


def _changed(session: Session, actor: Actor, before: Shown, after: Shown | None) -> None:
    indicators_cells.unfinish(session, core_of(session), INDICATORS)
    record(
        session, actor, "indicators.calendar", f"entity:{before.entity}",
        before=_told(before) if before.version else None, after=None if after is None else _told(after),
    )  # fmt: skip


def _told(shown: Shown) -> dict[str, object]:
    return {"public": shown.public, "days": [day.isoformat() for day in sorted(shown.days)]}
