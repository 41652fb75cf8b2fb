"""Break-glass: a site administrator looks into a private space for an hour, says why, and is seen doing it.

For that hour they have the role ``moderator`` at the space, as if it had been granted: they see what is in it and moderate.
The audit log notes it with the reason, those who run the space are told, and its page shows who is there until when. A job
takes the role back each minute; the pages of this plugin count it no longer from the very end of the hour.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import roles
from rse_core.api import Actor, BadInput, Conflict, notify, record, translator, utcnow
from rse_core.models.organisation import Person, Space
from rse_core.organisation import space_ref
from rse_core.people import PersonCard, names

from . import access, members
from .models import Entry

_ = translator(__file__, "rse_communities").gettext
HOUR = dt.timedelta(hours=1)


def enter(session: Session, person_id: int, key: str, reason: str) -> Space:
    """Look into a private space for an hour.

    :raises NotFound: for who is no site administrator, and where there is no such space.
    :raises BadInput: without a reason.
    :raises Conflict: for who sees what is in it anyway.
    """
    access.require_site_admin(session, person_id)
    space = access.space_row(session, key)
    text = " ".join(reason.split())
    if len(text) < 10:
        message = _("Say in a sentence why you enter: it is logged and shown to those who run the space.")
        raise BadInput(message, fields={"reason": message})
    if len(text) > 1000:
        message = _("Write at most %(most)s characters.", most="1000")
        raise BadInput(message, fields={"reason": message})
    actor = access.actor_of(session, person_id)
    # The row lock of the policy: two clicks at once make one entry.
    if not roles.grant(session, person_id, "moderator", scope="space", scope_id=space.id, actor=actor, why=text) or _sees(
        session, person_id, space
    ):
        raise Conflict(_("You see what is in “%(name)s” already.", name=space.name))
    now = utcnow()
    session.add(Entry(space_id=space.id, person_id=person_id, reason=text, at=now, ends_at=now + HOUR))
    record(session, actor, "communities.enter", f"space:{space.key}", after={"until": (now + HOUR).isoformat()}, why=text)
    for manager in members.managers(session, space.id):
        notify(
            session, manager, "communities.entered", space_ref(space.id), actor_id=person_id,
            cause=f"entered:{space.id}:{person_id}:{int(now.timestamp())}", data={"space": space.name, "reason": text},
        )  # fmt: skip
    session.flush()
    return space


def leave(session: Session, person_id: int, key: str) -> None:
    """Leave before the hour is over."""
    space = access.space_row(session, key)
    for row in _open(session, Entry.person_id == person_id, Entry.space_id == space.id):
        _end(session, row)


def end_over(session: Session) -> None:
    """The job ``communities.entries``: take the role back where the hour is over."""
    for row in _open(session, Entry.ends_at <= utcnow()):
        _end(session, row)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry, with who it was."""

    row: Entry
    person: PersonCard | None


def of_space(session: Session, space_id: int, *, most: int = 20) -> list[Shown]:
    """Who looked into a space, the latest first; for those who run it."""
    rows = session.scalars(select(Entry).where(Entry.space_id == space_id).order_by(Entry.id.desc()).limit(most)).all()
    cards = names(session, [row.person_id for row in rows])
    return [Shown(row, cards.get(row.person_id or 0)) for row in rows]


def _sees(session: Session, person_id: int, space: Space) -> bool:
    from rse_core.models.organisation import SpaceMember

    member = session.get(SpaceMember, (space.id, person_id)) is not None
    staff = session.scalar(select(Person.external).where(Person.id == person_id)) is False
    return member or (space.visibility == "public" and staff)


def _open(session: Session, *conditions: object) -> list[Entry]:
    query = select(Entry).where(Entry.ended_at.is_(None), *conditions)  # type: ignore[arg-type]
    return list(session.scalars(query.order_by(Entry.id).limit(200)))


def _end(session: Session, row: Entry) -> None:
    row.ended_at = utcnow()
    session.flush()
    if row.person_id is None:
        return
    others = _open(session, Entry.person_id == row.person_id, Entry.space_id == row.space_id)
    if not others:
        roles.revoke(
            session, row.person_id, "moderator", scope="space", scope_id=row.space_id, actor=Actor("communities"),
            why=_("The hour is over."),
        )  # fmt: skip
