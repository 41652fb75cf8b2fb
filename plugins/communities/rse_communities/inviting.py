"""Invitations: sent, sent again, taken back, accepted, declined; both sides see what waits, with its buttons."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rse_core.api import (
    BadInput,
    Conflict,
    Event,
    Forbidden,
    NotFound,
    UtcDateTime,
    emit,
    notify,
    option,
    require,
    translator,
    utcnow,
    withdraw,
)
from rse_core.models.organisation import Space, SpaceMember
from rse_core.people import PersonCard, names
from rse_core.policy import touch
from rse_core.ratelimit import limit
from rse_core.statements import Statement

from . import access, members
from .access import Seat
from .joining import _message
from .kinds import ROLES, choice
from .models import Invitation, Profile

_t = translator(__file__, "rse_communities")
_ = _t.gettext
#: What a member who does not run the space may invite others as.
PLAIN = ("member", "external")


def invite(
    session: Session, person_id: int, key: str, username: str, *, role: str = "member", message: str = ""
) -> Invitation:
    """Ask somebody to come; once while it waits.

    :raises Forbidden: for whom the space's rights or the level do not let invite; nobody gives a role above a member's who
        does not administer it.
    :raises Conflict: for a member.
    """
    seat = access.inside(session, person_id, key)
    require(session, person_id, access.INVITE, seat.target)
    if seat.space.archived_at is not None:
        raise Forbidden(_("Nobody can join this space at present."))
    card = access.person_card(session, username)
    choice("role", role, ROLES)
    if card.external:
        role = "external"
        if seat.space.visibility == "public":
            raise BadInput(
                _("What is in a public space is for the staff; somebody from outside would see nothing of it."),
                fields={"person": _("Make the space listed or secret first.")},
            )
    if role == "owner" and not seat.owns:
        raise Forbidden(_("Only the owners of this space may do this."))
    if role not in PLAIN and not seat.administers:
        raise Forbidden(_("Only those who run this space may do this."))
    text = _message("message", message)
    touch(session, card.id)
    if session.get(SpaceMember, (seat.space.id, card.id)) is not None:
        text = _("%(name)s is a member already.", name=card.display_name)
        raise Conflict(text)
    waiting = _pending(session, seat.space.id, card.id)
    if waiting is not None:
        return waiting
    limit(session, person_id, "communities.invite", most=200, seconds=3600)
    now = utcnow()
    row = Invitation(
        space_id=seat.space.id, person_id=card.id, role=role, message=text, invited_by=person_id, created_at=now,
        sent_at=now, expires_at=now + dt.timedelta(days=option(session, "communities.invitation_days")),
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        found = _pending(session, seat.space.id, card.id)
        if found is None:
            raise
        return found
    _tell(session, seat, row)
    emit(session, Event("communities.invited", person_id, seat.ref, None, {"invitation": row.id}))
    return row


def again(session: Session, person_id: int, key: str, invitation_id: int) -> Invitation:
    """Send it once more; its time begins anew.

    :raises Conflict: within a day of the last time.
    """
    seat, row = _of_space(session, person_id, key, invitation_id)
    now = utcnow()
    if row.sent_at > now - dt.timedelta(days=1):
        raise Conflict(_("This invitation was sent less than a day ago."), remedy=_("Wait until tomorrow."))
    row.sent_at, row.sent = now, row.sent + 1
    row.expires_at = now + dt.timedelta(days=option(session, "communities.invitation_days"))
    withdraw(session, f"invitation:{row.id}")
    _tell(session, seat, row)
    return row


def revoke(session: Session, person_id: int, key: str, invitation_id: int) -> None:
    """Take it back."""
    _seat, row = _of_space(session, person_id, key, invitation_id)
    row.state, row.decided_at = "revoked", utcnow()
    withdraw(session, f"invitation:{row.id}")


def accept(session: Session, person_id: int, invitation_id: int) -> Seat:
    """Come in.

    :raises NotFound: for another's invitation, or one that is no longer there.
    :raises Conflict: for one that was taken back or has expired.
    """
    touch(session, person_id)
    row = _mine(session, person_id, invitation_id)
    seat = access.by_id(session, person_id, row.space_id)
    if row.state == "accepted" and seat.member:
        return seat
    _still(row)
    if seat.space.archived_at is not None:
        raise Conflict(_("Nobody can join this space at present."))
    row.state, row.decided_at = "accepted", utcnow()
    session.flush()
    members.put(session, seat, person_id, "external" if seat.external else row.role, actor_id=row.invited_by or person_id)
    withdraw(session, f"invitation:{row.id}")
    if row.invited_by is not None:
        notify(
            session, row.invited_by, "communities.came", seat.ref, actor_id=person_id, cause=f"came:{row.id}",
            data={"space": seat.space.name},
        )  # fmt: skip
    return access.by_id(session, person_id, row.space_id)


def decline(session: Session, person_id: int, invitation_id: int) -> None:
    """Do not come."""
    row = _mine(session, person_id, invitation_id)
    if row.state != "declined":
        _still(row)
        row.state, row.decided_at = "declined", utcnow()
        withdraw(session, f"invitation:{row.id}")


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation, as shown to those who sent it and to whom it asks."""

    row: Invitation
    person: PersonCard | None
    by: PersonCard | None
    space: Space
    purpose: str = ""


def of_space(
    session: Session, person_id: int, key: str, *, after: int = 0, most: int = 40
) -> tuple[list[Invited], int | None]:
    """Invitations of a space that wait, the latest first, for those who may invite; by keyset."""
    seat = access.inside(session, person_id, key)
    if not seat.manages:
        require(session, person_id, access.INVITE, seat.target)
    query = select(Invitation).where(
        Invitation.space_id == seat.space.id, Invitation.state == "pending", Invitation.expires_at > utcnow()
    )
    if not seat.manages:
        query = query.where(Invitation.invited_by == person_id)
    if after:
        query = query.where(Invitation.id < after)
    rows = session.scalars(query.order_by(Invitation.id.desc()).limit(most + 1)).all()
    cards = names(session, [ident for row in rows for ident in (row.person_id, row.invited_by)])
    shown = [Invited(row, cards.get(row.person_id), cards.get(row.invited_by or 0), seat.space) for row in rows[:most]]
    return shown, rows[most - 1].id if len(rows) > most else None


def of_person(session: Session, person_id: int, *, most: int = 100) -> list[Invited]:
    """Invitations that wait for this person, in a constant number of queries."""
    rows = session.execute(
        select(Invitation, Space, Profile.purpose)
        .join(Space, Space.id == Invitation.space_id)
        .outerjoin(Profile, Profile.space_id == Space.id)
        .where(
            Invitation.person_id == person_id, Invitation.state == "pending", Invitation.expires_at > utcnow(),
            Space.archived_at.is_(None),
        )
        .order_by(Invitation.id.desc())
        .limit(most)
    ).all()  # fmt: skip
    cards = names(session, [row.invited_by for row, _space, _purpose in rows])
    return [Invited(row, None, cards.get(row.invited_by or 0), space, purpose or "") for row, space, purpose in rows]


def count_for(session: Session, person_id: int) -> int:
    """How many wait for the person; one indexed query, for it stands on every page."""
    return int(_WAITING(session, person=person_id, now=utcnow())[0][0])


_WAITING = Statement(
    "SELECT count(*) FROM rse_communities_invitation "
    "WHERE person_id = :person AND state = 'pending' AND expires_at > :now",
    given={"now": UtcDateTime()},
)


def _tell(session: Session, seat: Seat, row: Invitation) -> None:
    notify(
        session, row.person_id, "communities.invited", seat.ref, actor_id=row.invited_by, cause=f"invitation:{row.id}",
        data={"space": seat.space.name},
    )  # fmt: skip


def _pending(session: Session, space_id: int, person_id: int) -> Invitation | None:
    row = session.scalar(
        select(Invitation).where(
            Invitation.space_id == space_id, Invitation.person_id == person_id, Invitation.state == "pending"
        )
    )
    if row is not None and row.expires_at <= utcnow():
        row.state, row.decided_at = "expired", utcnow()
        session.flush()
        return None
    return row


def _of_space(session: Session, person_id: int, key: str, invitation_id: int) -> tuple[Seat, Invitation]:
    seat = access.inside(session, person_id, key)
    row = session.scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id, Invitation.space_id == seat.space.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or not (seat.manages or row.invited_by == person_id):
        raise NotFound(_("There is no such invitation."))
    _still(row)
    return seat, row


def _mine(session: Session, person_id: int, invitation_id: int) -> Invitation:
    row = session.scalar(
        select(Invitation)
        .where(Invitation.id == invitation_id, Invitation.person_id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(_("There is no such invitation."))
    return row


def _still(row: Invitation) -> None:
    if row.state != "pending" or row.expires_at <= utcnow():
        raise Conflict(_("This invitation is no longer open."))
