"""Addresses by which a program reads a feed as its owner would: the personal one, or that of a space.

An address carries a token of which only a SHA-256 is kept. At every reading it is asked anew what its owner may see:
somebody who has left, is no longer in the space or stands below the level of reading leaves nothing to read behind.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core.api import Actor, BadInput, Conflict, NotFound, Target, can, record, translator, utcnow
from rse_core.audiences import of_space
from rse_core.models.organisation import Person, Space
from rse_core.ratelimit import limit

from . import reading
from .models import Subscription
from .reading import Line
from .walking import Wanted

_ = translator(__file__, "rse_feed").gettext

MOST = 10
NAME_MOST = 100
PER_HOUR = 120
ENTRIES = 30


@dataclass(frozen=True, slots=True)
class Owned:
    """One of a person's addresses. ``open`` is False where it gives nothing at present."""

    row: Subscription
    space: str
    open: bool


@dataclass(frozen=True, slots=True)
class Read:
    """What an address gives now. ``space``: key and name, None for the personal feed."""

    id: int
    person_id: int
    name: str
    locale: str
    space: tuple[str, str] | None
    lines: Sequence[Line]


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def create(session: Session, actor: Actor, name: str, *, space_key: str = "") -> tuple[Subscription, str]:
    """Make an address of the personal feed, or of a space's; its token is given back once and never again.

    :raises BadInput: for a name that is none.
    :raises NotFound: for a space in which the person does not read.
    :raises Conflict: when they have :data:`MOST` already.
    """
    person_id = actor.person_id or 0
    name = " ".join(name.split())
    if not name or len(name) > NAME_MOST or not name.isprintable():
        message = _("Say in 1 to %(most)s characters where you will read it.", most=str(NAME_MOST))
        raise BadInput(message, fields={"name": message})
    space_id = _space(session, person_id, space_key) if space_key else None
    # Two at once: the second waits for the first's row.
    session.scalar(select(Person.id).where(Person.id == person_id).with_for_update())
    number = session.scalar(
        select(func.count()).where(Subscription.person_id == person_id, Subscription.revoked_at.is_(None))
    )
    if (number or 0) >= MOST:
        raise Conflict(_("You have %(most)s addresses already.", most=str(MOST)), remedy=_("Revoke one first."))
    token = secrets.token_urlsafe(32)
    row = Subscription(person_id=person_id, space_id=space_id, name=name, digest=digest(token))
    session.add(row)
    session.flush()
    after = {"name": name, "space": space_key or None}
    record(session, actor, "feed.subscription.create", f"subscription:{row.id}", after=after)
    return row, token


def _space(session: Session, person_id: int, key: str) -> int:
    space_id = session.scalar(select(Space.id).where(Space.key == key))
    if space_id is None or not _reads(session, person_id, space_id):
        raise NotFound(_("There is no such space."))
    return space_id


def _reads(session: Session, person_id: int, space_id: int) -> bool:
    return can(session, person_id, "feed.read", Target(of_space(session, space_id), space_id=space_id)).allowed


def of_person(session: Session, person_id: int) -> list[Owned]:
    """A person's addresses in use, the newest first; what they do not read any more is not named."""
    rows = session.execute(
        select(Subscription, Space.name)
        .outerjoin(Space, Space.id == Subscription.space_id)
        .where(Subscription.person_id == person_id, Subscription.revoked_at.is_(None))
        .order_by(Subscription.id.desc())
    ).all()
    found = []
    for row, space in rows:
        reads = row.space_id is None or _reads(session, person_id, row.space_id)
        found.append(Owned(row, (space or "") if reads else "", reads))
    return found


def rename(session: Session, person_id: int, subscription_id: int, name: str) -> Subscription:
    """:raises NotFound: for another's, and for one that was revoked."""
    row = _mine(session, person_id, subscription_id)
    name = " ".join(name.split())
    if not name or len(name) > NAME_MOST or not name.isprintable():
        message = _("Say in 1 to %(most)s characters where you will read it.", most=str(NAME_MOST))
        raise BadInput(message, fields={"name": message})
    row.name = name
    return row


def revoke(session: Session, actor: Actor, subscription_id: int) -> None:
    """The address gives nothing from now on.

    :raises NotFound: for another's, and for one that was revoked before.
    """
    row = _mine(session, actor.person_id or 0, subscription_id)
    row.revoked_at = utcnow()
    record(session, actor, "feed.subscription.revoke", f"subscription:{row.id}", before={"name": row.name})


def _mine(session: Session, person_id: int, subscription_id: int) -> Subscription:
    row = session.get(Subscription, subscription_id)
    if row is None or row.person_id != person_id or row.revoked_at is not None:
        raise NotFound(_("There is no such address of yours."))
    return row


def admit(session: Session, token: str) -> int | None:
    """The subscription of a token, counted and noted as used today; None when it gives nothing.

    :raises TooMany: beyond :data:`PER_HOUR` readings of one address.
    """
    row = session.scalar(
        select(Subscription)
        .join(Person, Person.id == Subscription.person_id)
        .where(Subscription.digest == digest(token), Subscription.revoked_at.is_(None), Person.status == "active")
    )
    if row is None:
        return None
    limit(session, row.person_id, f"feed.subscription:{row.id}", most=PER_HOUR, seconds=3600)
    today = utcnow().date()
    if row.last_used_on != today:
        row.last_used_on = today
    return row.id


def read(session: Session, subscription_id: int) -> Read | None:
    """What an admitted address gives: what its owner may see now; None where it is closed to them."""
    found = session.execute(
        select(Subscription, Person.display_name, Person.locale, Space.key, Space.name)
        .join(Person, Person.id == Subscription.person_id)
        .outerjoin(Space, Space.id == Subscription.space_id)
        .where(Subscription.id == subscription_id)
    ).first()
    if found is None:
        return None
    row, name, locale, key, space = found
    if row.space_id is not None and not _reads(session, row.person_id, row.space_id):
        return None
    page = reading.page(session, row.person_id, Wanted("new", space_id=row.space_id), most=ENTRIES)
    return Read(row.id, row.person_id, name, locale, (key, space) if key else None, page.lines)
