"""Digests: who is due one now, set by set. What it says, and whether there is anything to say, is decided when it is sent.

Those who want theirs at the same hour in the same zone are one round; its progress is a row, its messages have a key of
person and day: interrupted at any moment, it goes on, and nobody gets two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, func, literal, null, or_, select
from sqlalchemy.orm import Session

from rse_core.api import Core, Key, UtcDateTime, dialect_insert, option, utcnow
from rse_core.models.notices import Broadcast
from rse_core.models.organisation import Membership, Person
from rse_core.models.runtime import NotificationRow
from rse_core.notify_choices import defaults, effective_of_all
from rse_core.notify_people import among

from . import clock, options, planning
from .contents import READING
from .models import Message, Round, Schedule

CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Due:
    """One round that is due and not finished."""

    channel: str
    rhythm: str
    zone: str
    hour: int
    day: dt.date

    @property
    def begins(self) -> dt.datetime:
        """When it was due."""
        return clock.begins(self.day, self.hour, clock.zone_of(self.zone))


def plan(core: Core, *, now: dt.datetime | None = None, limit: int | None = None) -> int:
    """Make the messages of all rounds that are due; the number of chunks made."""
    done = 0
    for one in due(core, now or utcnow()):
        while limit is None or done < limit:
            with core.db.write() as session:
                more = step(session, core, one)
            done += 1
            if not more:
                break
    return done


def due(core: Core, now: dt.datetime) -> list[Due]:
    """The rounds that are due at this moment and not finished; a few queries, however many people there are."""
    with core.db.read() as session:
        usual = (core.settings.timezone, int(option(session, options.HOUR)))
        own = select(Schedule.zone, Schedule.hour).distinct()
        times = {usual} | {(zone or usual[0], usual[1] if hour is None else hour) for zone, hour in session.execute(own)}
        finished = {
            (row.channel, row.rhythm, row.zone, row.hour, row.day)
            for row in session.execute(
                select(Round.channel, Round.rhythm, Round.zone, Round.hour, Round.day).where(
                    Round.done_at.is_not(None), Round.day >= (now - dt.timedelta(days=9)).date().isoformat()
                )
            )
        }
    return [
        one for one in _rounds(planning.outgoing(core), sorted(times), now)
        if (one.channel, one.rhythm, one.zone, one.hour, one.day.isoformat()) not in finished
    ]  # fmt: skip


def _rounds(channels: list[str], times: list[tuple[str, int]], now: dt.datetime) -> Iterator[Due]:
    for zone, hour in times:
        for rhythm in clock.RHYTHMS:
            day = clock.due(rhythm, clock.zone_of(zone), hour, now)
            if day is not None:
                yield from (Due(channel, rhythm, zone, hour, day) for channel in channels)


def step(session: Session, core: Core, one: Due) -> bool:
    """One chunk of a round's people; False at its end, or when another worker is at it."""
    key = {"channel": one.channel, "rhythm": one.rhythm, "zone": one.zone, "hour": one.hour, "day": one.day.isoformat()}
    session.execute(dialect_insert(session, Round).values(**key, upto=0).on_conflict_do_nothing())
    stand = session.scalar(select(Round).filter_by(**key).where(Round.done_at.is_(None)).with_for_update(skip_locked=True))
    if stand is None:
        return False
    since = _since(session, one)
    people = (
        select(Person.id)
        .outerjoin(Schedule, Schedule.person_id == Person.id)
        .where(Person.status == "active", Person.id > stand.upto, _at_this_hour(session, core, one))
        .where(_has_something(session, core, one, since))
        .order_by(Person.id)
        .limit(CHUNK)
    )
    ids = list(session.scalars(people))
    if ids:
        now = literal(utcnow(), UtcDateTime)
        name = literal(f"{one.channel}:d:{one.rhythm}:{one.day.isoformat()}:") + cast(Person.id, String)
        values = [name, literal(one.channel), Person.id, literal("digest"), cast(null(), Key), literal(one.rhythm),
                  literal("queued"), literal(0), now, now, literal("")]  # fmt: skip
        made = dialect_insert(session, Message).from_select(
            planning.COLUMNS, select(*values).where(among(session, Person.id, ids))
        )
        session.execute(made.on_conflict_do_nothing(index_elements=["key"]))
        stand.upto = ids[-1]
    if len(ids) < CHUNK:
        stand.done_at = utcnow()
    session.flush()
    return len(ids) == CHUNK


def _at_this_hour(session: Session, core: Core, one: Due) -> ColumnElement[bool]:
    zone = func.coalesce(func.nullif(Schedule.zone, ""), core.settings.timezone)
    hour = func.coalesce(Schedule.hour, int(option(session, options.HOUR)))
    return (zone == one.zone) & (hour == one.hour)


def _has_something(session: Session, core: Core, one: Due, since: dt.datetime) -> ColumnElement[bool]:
    """Somebody for whom there may be something to tell: a quick look, so that most are not even thought of."""
    kinds, site = planning.types_of(core), defaults(session)

    def way(kind: Any) -> ColumnElement[bool]:
        return effective_of_all(Person.id, kind, one.channel, kinds, site) == one.rhythm

    row = exists().where(
        NotificationRow.person_id == Person.id, NotificationRow.read_at.is_(None), NotificationRow.updated_at > since,
        way(NotificationRow.type),
    )  # fmt: skip
    found: list[ColumnElement[bool]] = [row, way(literal(READING))]
    if session.scalar(select(Broadcast.id).where(Broadcast.created_at > since).limit(1)) is not None:
        found.append(
            exists().where(
                Membership.person_id == Person.id, Broadcast.audience_id == Membership.audience_id,
                Broadcast.created_at > since, way(Broadcast.type),
            )
        )  # fmt: skip
    return or_(*found)


def _since(session: Session, one: Due) -> dt.datetime:
    """The round before this one, so that what came while no worker ran is in this one."""
    last = session.scalar(
        select(Round.day)
        .where(
            Round.channel == one.channel, Round.rhythm == one.rhythm, Round.zone == one.zone, Round.hour == one.hour,
            Round.day < one.day.isoformat(), Round.done_at.is_not(None),
        )
        .order_by(Round.day.desc())
        .limit(1)
    )  # fmt: skip
    zone = clock.zone_of(one.zone)
    usual = clock.since(one.rhythm, one.day, one.hour, zone)
    return usual if last is None else min(usual, clock.begins(dt.date.fromisoformat(last), one.hour, zone))
