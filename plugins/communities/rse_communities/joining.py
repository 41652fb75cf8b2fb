"""Coming and going: joining, asking to be let in, being answered, leaving, and what one wants to hear of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rse_core import notify as notices
from rse_core import richtext
from rse_core.api import (
    BadInput,
    Conflict,
    Event,
    Forbidden,
    NotFound,
    core_of,
    emit,
    notify,
    option,
    record,
    require,
    translator,
    utcnow,
    withdraw,
)
from rse_core.people import PersonCard, names
from rse_core.policy import touch
from rse_core.ratelimit import limit
from rse_core.refusals import day

from . import access, members
from .access import Seat
from .kinds import NOTIFY, choice
from .models import JoinRequest

_t = translator(__file__, "rse_communities")
_ = _t.gettext
MESSAGE_MOST = 1000


def join(session: Session, person_id: int, key: str) -> Seat:
    """Become a member of a space that is open to all who see it. Joining twice is joining once.

    :raises Forbidden: below the level of collaboration, where one has to ask or to be invited, or in an archived space.
    """
    seat = access.find(session, person_id, key)
    if seat.member:
        return seat
    _require_joinable(session, seat)
    if seat.profile.join_policy != "free":
        raise Forbidden(_closed(seat))
    # Whoever clicks twice at once waits here, and then is a member already.
    touch(session, person_id)
    members.put(session, seat, person_id, "external" if seat.external else "member", actor_id=person_id)
    return access.by_id(session, person_id, seat.space.id)


def leave(session: Session, person_id: int, key: str) -> None:
    """Be a member no longer.

    :raises Conflict: for the last owner.
    """
    seat = access.find(session, person_id, key)
    if seat.member:
        members.out(session, seat, person_id, actor_id=person_id)


def ask(session: Session, person_id: int, key: str, message: str = "") -> JoinRequest:
    """Ask to be let in; once while it waits.

    :raises Forbidden: where one cannot ask, and for a while after a refusal.
    """
    seat = access.find(session, person_id, key)
    if seat.member:
        raise Conflict(_("You are a member already."))
    _require_joinable(session, seat)
    if seat.profile.join_policy != "request":
        raise Forbidden(_closed(seat))
    text = _message("message", message)
    touch(session, person_id)
    waiting = pending_of(session, seat.space.id, person_id)
    if waiting is not None:
        return waiting
    until = _again_at(session, seat.space.id, person_id)
    if until is not None:
        zone = core_of(session).settings.timezone
        raise Forbidden(_("You were refused not long ago; you can ask again on %(date)s.", date=day(until, zone)))
    limit(session, person_id, "communities.ask", most=30, seconds=3600)
    now = utcnow()
    row = JoinRequest(
        space_id=seat.space.id, person_id=person_id, message=text, created_at=now,
        expires_at=now + dt.timedelta(days=option(session, "communities.request_days")),
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        found = pending_of(session, seat.space.id, person_id)
        if found is None:
            raise
        return found
    for manager in members.managers(session, seat.space.id):
        notify(
            session, manager, "communities.requested", seat.ref, actor_id=person_id, cause=f"request:{row.id}",
            data={"space": seat.space.name, "key": seat.space.key},
        )  # fmt: skip
    emit(session, Event("communities.requested", person_id, seat.ref, None, {"request": row.id}))
    return row


def take_back(session: Session, person_id: int, key: str) -> None:
    """Ask no longer."""
    seat = access.find(session, person_id, key)
    row = pending_of(session, seat.space.id, person_id)
    if row is not None:
        row.state, row.decided_at = "withdrawn", utcnow()
        withdraw(session, f"request:{row.id}")


def answer(session: Session, person_id: int, key: str, request_id: int, *, accept: bool, reason: str = "") -> JoinRequest:
    """Let somebody in, or not, with the reason.

    :raises NotFound: for a request of another space.
    :raises Conflict: when it was answered, withdrawn or has expired meanwhile.
    :raises BadInput: when nobody says why not.
    """
    seat = access.managing(session, person_id, key)
    touch(session)
    row = session.scalar(
        select(JoinRequest)
        .where(JoinRequest.id == request_id, JoinRequest.space_id == seat.space.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(_("There is no such request."))
    if row.state != "pending" or row.expires_at <= utcnow():
        raise Conflict(_("This request is no longer open."), remedy=_("Reload the list."))
    text = _message("reason", reason)
    if not accept and not text:
        raise BadInput(_("Say why: the person reads it."), fields={"reason": _("Missing.")})
    row.state, row.answer = ("accepted" if accept else "refused"), text
    row.decided_by, row.decided_at = person_id, utcnow()
    session.flush()
    if accept:
        card = names(session, [row.person_id]).get(row.person_id)
        role = "external" if card is not None and card.external else "member"
        members.put(session, seat, row.person_id, role, actor_id=person_id)
    withdraw(session, f"request:{row.id}")
    notify(
        session, row.person_id, "communities.accepted" if accept else "communities.refused", seat.ref,
        actor_id=person_id, cause=f"answer:{row.id}", data={"space": seat.space.name, "reason": text},
    )  # fmt: skip
    record(
        session, access.actor_of(session, person_id), f"communities.{row.state}", f"space:{seat.space.key}",
        after={"request": row.id}, why=text,
    )  # fmt: skip
    return row


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that waits, with who asks."""

    row: JoinRequest
    person: PersonCard


def waiting(
    session: Session, person_id: int, key: str, *, after: int = 0, most: int = 40
) -> tuple[list[Asking], int | None]:
    """What waits for those who run the space, the eldest first; by keyset."""
    seat = access.managing(session, person_id, key)
    rows = session.scalars(
        select(JoinRequest)
        .where(
            JoinRequest.space_id == seat.space.id, JoinRequest.state == "pending", JoinRequest.id > after,
            JoinRequest.expires_at > utcnow(),
        )
        .order_by(JoinRequest.id)
        .limit(most + 1)
    ).all()  # fmt: skip
    cards = names(session, [row.person_id for row in rows])
    shown = [Asking(row, cards[row.person_id]) for row in rows[:most] if row.person_id in cards]
    return shown, rows[most - 1].id if len(rows) > most else None


def pending_of(session: Session, space_id: int, person_id: int) -> JoinRequest | None:
    """The person's own request that waits there."""
    return session.scalar(
        select(JoinRequest).where(
            JoinRequest.space_id == space_id, JoinRequest.person_id == person_id, JoinRequest.state == "pending",
            JoinRequest.expires_at > utcnow(),
        )
    )  # fmt: skip


def last_answer(session: Session, space_id: int, person_id: int) -> JoinRequest | None:
    """The last refusal, which the space's page tells the person of."""
    row = session.scalar(
        select(JoinRequest)
        .where(JoinRequest.space_id == space_id, JoinRequest.person_id == person_id)
        .order_by(JoinRequest.id.desc())
        .limit(1)
    )
    return row if row is not None and row.state == "refused" else None


def hear(session: Session, person_id: int, key: str, wish: str) -> None:
    """What a member wants to be told of there: every post, what names them, nothing."""
    seat = access.find(session, person_id, key)
    if not seat.member:
        raise Forbidden(_("Only members are told of what happens here."))
    choice("notify", wish, {name: label for name, label in NOTIFY.items() if name})
    notices.mute(session, person_id, seat.ref, hears=wish)


def hears(session: Session, seat: Seat) -> str:
    """What the member is told of at present."""
    from rse_core import spaces
    from rse_core.models.notices import Mute

    own = session.scalar(
        select(Mute.hears).where(
            Mute.person_id == seat.person_id, Mute.ref_type == seat.ref.type, Mute.ref_id == seat.ref.id
        )
    )
    return own or spaces.notify_default(session, seat.space)


def expire(session: Session) -> None:
    """The job ``communities.expire``: requests and invitations whose time is over."""
    from .models import Invitation

    for model, cause in ((JoinRequest, "request"), (Invitation, "invitation")):
        rows: Sequence[Any] = session.scalars(
            select(model).where(model.state == "pending", model.expires_at <= utcnow()).limit(500)
        ).all()
        for row in rows:
            row.state, row.decided_at = "expired", utcnow()
            withdraw(session, f"{cause}:{row.id}")


def _require_joinable(session: Session, seat: Seat) -> None:
    require(session, seat.person_id, access.JOIN)
    if not seat.open:
        raise Forbidden(_("Nobody can join this space at present."))


def _closed(seat: Seat) -> str:
    if seat.profile.join_policy == "request":
        return _("Here one asks to be let in.")
    if seat.profile.join_policy == "free":
        return _("This space is open to all who see it: join it.")
    return _("Here one is invited by those who run the space.")


def _again_at(session: Session, space_id: int, person_id: int) -> dt.datetime | None:
    days = option(session, "communities.request_again_days")
    since = session.scalar(
        select(JoinRequest.decided_at)
        .where(JoinRequest.space_id == space_id, JoinRequest.person_id == person_id, JoinRequest.state == "refused")
        .order_by(JoinRequest.id.desc())
        .limit(1)
    )
    until = None if since is None else since + dt.timedelta(days=days)
    return until if until is not None and until > utcnow() else None


def _message(field: str, text: str) -> str:
    clean = richtext.clean(text)
    if len(clean) > MESSAGE_MOST:
        message = _("Write at most %(most)s characters.", most=str(MESSAGE_MOST))
        raise BadInput(message, fields={field: message})
    return clean
