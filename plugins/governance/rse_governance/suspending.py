"""Suspensions by screen: somebody's writing is closed for a time, with a reason that they are told. They go on reading."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rse_core import suspensions
from rse_core.api import BadInput, Forbidden, ObjectRef, notify, translator, utcnow
from rse_core.models.governance import Suspension
from rse_core.models.organisation import EntityPath, Person, RoleGrant
from rse_core.people import PersonCard, names
from rse_core.roles import administers

from . import access

_ = translator(__file__, "rse_governance").gettext
LONGEST = dt.timedelta(days=366)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A suspension and whom it is about."""

    row: Suspension
    person: PersonCard | None


def may(session: Session, person_id: int, other_id: int) -> bool:
    """Whether the person may suspend that one: a moderator of the site, or who administers the other's entity."""
    if other_id == person_id:
        return False
    if access.of_site(session, person_id):
        return True
    entity_id = session.scalar(select(Person.entity_id).where(Person.id == other_id))
    return entity_id is not None and administers(session, person_id, entity_id)


def suspend(session: Session, person_id: int, username: str, *, days: int, reason: str) -> Suspension:
    """Close somebody's writing for some days.

    :param days: 1 to 366.
    :raises Forbidden: for who may not suspend that person, and for oneself.
    :raises BadInput: without a reason.
    """
    other = access.person_named(session, username)
    if not may(session, person_id, other.id):
        raise Forbidden(_("You may not suspend this person."))
    reason = " ".join(reason.split())
    if len(reason) < 10 or len(reason) > 1_000:
        message = _("Say in a sentence why: the person is told.")
        raise BadInput(message, fields={"reason": message})
    if not 1 <= days <= LONGEST.days:
        message = _("Give a number from %(least)s to %(most)s.", least="1", most=str(LONGEST.days))
        raise BadInput(message, fields={"days": message})
    ends_at = utcnow() + dt.timedelta(days=days)
    row = suspensions.suspend(
        session, other.id, actor=access.actor_of(session, person_id), ends_at=ends_at, reason=reason
    )  # fmt: skip
    notify(
        session, other.id, "governance.suspended", ObjectRef("governance.desk", "mine"), actor_id=None,
        cause=f"suspended:{row.id}", data={"reason": reason, "until": ends_at.isoformat()}, firm=True,
    )  # fmt: skip
    return row


def lift(session: Session, person_id: int, username: str, *, why: str) -> int:
    """Open it again before the end; how many suspensions that ended."""
    other = access.person_named(session, username)
    if not may(session, person_id, other.id):
        raise Forbidden(_("You may not suspend this person."))
    return suspensions.lift(session, other.id, actor=access.actor_of(session, person_id), why=" ".join(why.split()))


def page(session: Session, person_id: int, *, after: int | None = None) -> tuple[list[Shown], int | None]:
    """Those that hold now, of the people whom this person may suspend, the latest first.

    :raises Forbidden: for who may suspend nobody.
    """
    now = utcnow()
    query = select(Suspension).join(Person, Person.id == Suspension.person_id).where(
        or_(Suspension.ends_at.is_(None), Suspension.ends_at > now),
        or_(Suspension.lifted_at.is_(None), Suspension.lifted_at > now),
    )  # fmt: skip
    if not access.of_site(session, person_id):
        heads = session.scalars(
            select(RoleGrant.scope_id).where(RoleGrant.person_id == person_id, RoleGrant.role == "entity_admin")
        ).all()
        if not heads:
            raise Forbidden(_("Writing is suspended by those who moderate the whole site or administer an entity."))
        below = select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(heads))
        query = query.where(Person.entity_id.in_(below))
    if after is not None:
        query = query.where(Suspension.id < after)
    rows = list(session.scalars(query.order_by(Suspension.id.desc()).limit(PAGE + 1)))
    cards = names(session, [row.person_id for row in rows[:PAGE]])
    shown = [Shown(row, cards.get(row.person_id)) for row in rows[:PAGE]]
    return shown, rows[PAGE - 1].id if len(rows) > PAGE else None


def own(session: Session, person_id: int) -> list[Suspension]:
    """One's own that hold now."""
    now = utcnow()
    return [
        row for row in suspensions.of_person(session, person_id)
        if row.starts_at <= now and (row.ends_at is None or row.ends_at > now)
    ]  # fmt: skip
