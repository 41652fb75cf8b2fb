"""Suspensions: somebody's writing is closed for a time, with a reason; they go on reading."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from .audit import Actor, record
from .db import utcnow
from .errors import BadInput, NotFound
from .freshness import touch
from .i18n import _
from .models.governance import Suspension
from .models.organisation import Person


def suspend(
    session: Session, person_id: int, *, actor: Actor, ends_at: dt.datetime | None = None,
    starts_at: dt.datetime | None = None, reason: str = "",
) -> Suspension:  # fmt: skip
    """Close writing for this person from ``starts_at`` (now) to ``ends_at`` (until lifted).

    :raises NotFound: when there is no such person.
    :raises BadInput: when it would end before it starts.
    """
    person = _person(session, person_id)
    start = starts_at or utcnow()
    if ends_at is not None and ends_at <= start:
        raise BadInput(_("A suspension must end after it starts."))
    row = Suspension(
        person_id=person_id, starts_at=start, ends_at=ends_at, reason=reason, created_by=actor.label
    )  # fmt: skip
    touch(session, person_id)
    session.add(row)
    session.flush()
    after = {"starts_at": start.isoformat(), "ends_at": ends_at.isoformat() if ends_at else None}
    record(session, actor, "suspension.start", f"person:{person.username}", after=after, why=reason)
    return row


def lift(session: Session, person_id: int, *, actor: Actor, why: str = "") -> int:
    """End every suspension of this person that runs or is to come; how many there were."""
    person = _person(session, person_id)
    now = utcnow()
    touch(session, person_id)
    rows = [row for row in of_person(session, person_id) if row.ends_at is None or row.ends_at > now]
    for row in rows:
        row.lifted_at, row.lifted_by = now, actor.label
    session.flush()
    if rows:
        record(session, actor, "suspension.lift", f"person:{person.username}", before=len(rows), after=0, why=why)
    return len(rows)


def of_person(session: Session, person_id: int, *, history: bool = False) -> list[Suspension]:
    """Suspensions that were not lifted, the latest first; all of them with ``history``."""
    query = select(Suspension).where(Suspension.person_id == person_id).order_by(Suspension.id.desc())
    return list(session.scalars(query if history else query.where(Suspension.lifted_at.is_(None))))


def present(session: Session, at: dt.datetime | None = None) -> list[Suspension]:
    """All that cover a moment (now), the eldest first."""
    moment = at or utcnow()
    return list(
        session.scalars(
            select(Suspension)
            .where(
                Suspension.starts_at <= moment,
                or_(Suspension.ends_at.is_(None), Suspension.ends_at > moment),
                or_(Suspension.lifted_at.is_(None), Suspension.lifted_at > moment),
            )
            .order_by(Suspension.id)
        )
    )


def _person(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound(_("There is no such person."))
    return person
