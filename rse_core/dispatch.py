"""Delivery of the outbox: every consumer has every event it asked for, once as far as the database can tell.

A consumer runs in one transaction with the row that notes its delivery. Killed before the commit, neither stands and
the event is delivered again; killed after it, the row stops a second delivery.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from . import indicators_facts
from .content import ObjectRef
from .contributions import Consumer
from .db import dialect_insert, utcnow
from .events import Event
from .models.runtime import Delivery, Outbox

if TYPE_CHECKING:
    from .runtime import Core

logger = logging.getLogger("rse.events")
#: Seconds to wait before each further attempt; after the last the delivery is dead and ``rse doctor`` shows it.
BACKOFF = (1, 5, 30, 120, 600, 3600, 6 * 3600)
KEEP = dt.timedelta(days=14)


class Dispatcher:
    """Delivers what waits in the outbox; any number of processes may run one."""

    def __init__(self, core: Core) -> None:
        self.core = core

    def consumers_of(self, name: str) -> list[Consumer]:
        """The consumers that asked for events of this name (``comments.*`` matches too)."""
        plugins = [consumer for _plugin, consumer in self.core.plugins.contributions(Consumer)]
        return [
            consumer
            for consumer in (indicators_facts.consumer(self.core), *plugins)
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in consumer.events)
        ]

    def run(self, limit: int = 100) -> int:
        """Deliver up to ``limit`` waiting events; the number of events finished."""
        with self.core.db.read() as session:
            waiting = session.execute(
                select(Outbox).where(Outbox.done_at.is_(None)).order_by(Outbox.id).limit(limit)
            ).scalars().all()  # fmt: skip
            later = self._postponed(session, [row.event_id for row in waiting])
        finished = 0
        for row in waiting:
            event = _event(row)
            left = [c for c in self.consumers_of(row.name) if (row.event_id, c.name) not in later]
            for consumer in left:
                self._deliver(consumer, event)
            finished += self._finish(row)
        return finished

    def _postponed(self, session: Session, ids: Sequence[str]) -> set[tuple[str, str]]:
        # Done, dead, or to be tried again later: not now.
        rows = session.execute(
            select(Delivery.event_id, Delivery.consumer).where(
                Delivery.event_id.in_(ids), or_(Delivery.state != "retry", Delivery.next_at > utcnow())
            )
        )
        return {(event_id, consumer) for event_id, consumer in rows}

    def _deliver(self, consumer: Consumer, event: Event) -> None:
        try:
            with self.core.db.write() as session:
                if not self._claim(session, consumer, event):
                    return
                consumer.run(session, event)
        except Exception as error:  # isolation point: one consumer's fault stops neither the others nor the worker
            logger.exception("consumer %s failed on event %s (%s)", consumer.name, event.id, event.name)
            self._postpone(consumer, event, error)

    def _claim(self, session: Session, consumer: Consumer, event: Event) -> bool:
        """Note the delivery; False when another process has done it or is doing it."""
        query = select(Delivery).where(Delivery.event_id == event.id, Delivery.consumer == consumer.name)
        row = session.scalar(query.with_for_update(skip_locked=True))
        if row is not None:
            if row.state != "retry":
                return False
            row.state, row.next_at, row.at = "done", None, utcnow()
            session.flush()
            return True
        insert = dialect_insert(session, Delivery).values(
            event_id=event.id, consumer=consumer.name, state="done", attempts=0, error="", at=utcnow()
        )
        # On PostgreSQL this waits for a rival's transaction on the same key, then inserts nothing if that one committed.
        result = session.execute(insert.on_conflict_do_nothing().returning(Delivery.event_id))
        return result.scalar() is not None

    def _postpone(self, consumer: Consumer, event: Event, error: Exception) -> None:
        with self.core.db.write() as session:
            query = select(Delivery).where(Delivery.event_id == event.id, Delivery.consumer == consumer.name)
            row = session.scalar(query.with_for_update())
            if row is None:
                row = Delivery(event_id=event.id, consumer=consumer.name, attempts=0)
                session.add(row)
            elif row.state == "done":
                return
            dead = row.attempts >= len(BACKOFF)
            row.state = "dead" if dead else "retry"
            row.next_at = None if dead else utcnow() + dt.timedelta(seconds=BACKOFF[row.attempts])
            row.attempts += 1
            row.error = f"{type(error).__name__}: {error}"[:2000]
            row.at = utcnow()
            if dead:
                logger.error("event %s is dead for consumer %s after %d attempts", event.id, consumer.name, row.attempts)

    def _finish(self, row: Outbox) -> int:
        """Close the event once every consumer has had it (or it is dead for those that could not take it)."""
        wanted = {consumer.name for consumer in self.consumers_of(row.name)}
        with self.core.db.write() as session:
            had = set(
                session.scalars(
                    select(Delivery.consumer).where(Delivery.event_id == row.event_id, Delivery.state != "retry")
                )
            )
            if not wanted <= had:
                return 0
            done = session.execute(
                update(Outbox).where(Outbox.id == row.id, Outbox.done_at.is_(None)).values(done_at=utcnow())
                .returning(Outbox.id)
            )  # fmt: skip
            return len(done.all())

    def prune(self, session: Session) -> int:
        """Drop events that were delivered to all long ago; the number dropped."""
        old = select(Outbox.event_id).where(Outbox.done_at < utcnow() - KEEP)
        session.execute(delete(Delivery).where(Delivery.event_id.in_(old), Delivery.state != "dead"))
        return len(session.execute(delete(Outbox).where(Outbox.done_at < utcnow() - KEEP).returning(Outbox.id)).all())

    def waiting(self, session: Session) -> dt.datetime | None:
        """Time of the oldest event not yet delivered to all; None when there is none."""
        return session.scalar(select(Outbox.at).where(Outbox.done_at.is_(None)).order_by(Outbox.id).limit(1))


def _event(row: Outbox) -> Event:
    ref = ObjectRef(row.ref_type, row.ref_id) if row.ref_type and row.ref_id else None
    return Event(row.name, row.actor_id, ref, row.audience_id, row.data or {}, row.event_id, row.at)
