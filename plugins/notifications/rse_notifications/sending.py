"""Handing messages over: claimed under a lease, checked at that moment, retried, dead after the last attempt.

A message that was handed over and whose worker died before noting it is handed over again, with the same key, when the lease
ends: a second copy of a mail can be told from the first by its Message-ID, a mail that never came cannot be told at all. At
most one message for each worker that dies is concerned.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, or_, select, update

from rse_core.api import (
    Core,
    NotificationTransport,
    OutgoingMessage,
    TooMany,
    Undeliverable,
    dialect_insert,
    use_locale,
    utcnow,
)
from rse_core.models.runtime import NotificationRow

from . import contents, letters
from .models import Address, Message

log = logging.getLogger("rse.notifications")
LEASE = dt.timedelta(minutes=5)
BATCH = 20
#: Seconds to wait before each further attempt; after the last the message has failed.
BACKOFF = (60, 300, 900, 3600, 3 * 3600, 12 * 3600)
#: A message that has waited longer than this is not worth sending any more.
STALE = dt.timedelta(days=3)
#: Refusals of an address for good, after which nothing is sent to it.
REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that this worker has for the time of its lease."""

    id: int
    key: str
    channel: str
    person_id: int
    kind: str
    source_id: int | None
    rhythm: str
    attempts: int
    created_at: dt.datetime


class Later(Exception):
    """The transport takes nothing more for a while; ``seconds`` says how long."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"{seconds} s")


def send_due(core: Core, *, seconds: float = 60.0, batch: int = BATCH) -> int:
    """Send what is due, for at most about this long; the number of messages dealt with."""
    transports = {one.name: one for _plugin, one in core.plugins.contributions(NotificationTransport)}
    end, done = time.monotonic() + seconds, 0
    while transports and time.monotonic() < end:
        claims = claim(core, list(transports), batch)
        if not claims:
            break
        for number, one in enumerate(claims):
            try:
                deal(core, one, transports[one.channel])
            except Later as wait:
                _give_back(core, claims[number:], one.channel, wait.seconds)
                transports.pop(one.channel)
                break
            done += 1
    return done


def claim(core: Core, channels: list[str], most: int) -> list[Claim]:
    """Take messages that are due, or whose worker has not been heard of."""
    now = utcnow()
    due = or_(
        (Message.state == "queued") & (Message.due_at <= now),
        (Message.state == "sending") & (Message.lease_until < now),
    )
    wanted = select(Message.id).where(due, Message.channel.in_(channels))
    with core.db.read() as session:
        # Looked for without the lock first: SQLite has one for all who write.
        if session.scalar(wanted.limit(1)) is None:
            return []
    with core.db.write() as session:
        first = wanted.order_by(Message.due_at, Message.id).limit(most)
        ids = list(session.scalars(first.with_for_update(skip_locked=True)))
        rows = session.execute(
            update(Message)
            .where(Message.id.in_(ids))
            .values(state="sending", lease_until=now + LEASE, attempts=Message.attempts + 1)
            .returning(
                Message.id, Message.key, Message.channel, Message.person_id, Message.kind, Message.source_id,
                Message.rhythm, Message.attempts, Message.created_at,
            )
            .execution_options(synchronize_session=False)
        ).all()  # fmt: skip
    return sorted((Claim(*row) for row in rows), key=lambda one: one.id)


def deal(core: Core, one: Claim, transport: NotificationTransport) -> None:
    """Make one message and hand it over, or say why not.

    :raises Later: when the transport wants to wait.
    """
    if not _still_mine(core, one):
        return
    made_at = utcnow()
    try:
        message, reason = compose(core, one)
        if message is None:
            _end(core, one, "dropped", reason, made_at)
            return
        transport.send(message)
    except TooMany as wait:
        raise Later(wait.retry_after) from wait
    except Undeliverable as error:
        _end(core, one, "failed", str(error), made_at, refused=error.address)
        return
    except Exception as error:  # isolation point: one message's fault must not stop the others
        log.exception("message %s could not be sent", one.key)
        _failed(core, one, error)
        return
    _end(core, one, "sent", "", made_at)


def compose(core: Core, one: Claim) -> tuple[OutgoingMessage | None, str]:
    """The message as it may be sent now, or why it may not."""
    with core.db.read() as session:
        if one.created_at < utcnow() - STALE:
            return None, "too old"
        who = contents.recipient(session, one.person_id)
        if who is None:
            return None, "the person has left"
        if one.channel == "mail" and not who.address:
            return None, "no address"
        refused = session.get(Address, (one.person_id, one.channel))
        if refused is not None and refused.refused >= REFUSALS and refused.address == who.address:
            return None, "the address refuses mail"
        if one.kind == "digest":
            since = contents.looks_back(session, who, one.channel, one.rhythm)
            found = contents.digest(session, who, one.rhythm, one.channel, since)
            return (letters.of_digest(session, who, found, one.key, one.channel), "") if found else (None, "nothing to tell")
        name = f"{'n' if one.kind == 'notice' else 'b'}{one.source_id}"
        with use_locale(who.locale):
            line = contents.single(session, who, name, one.channel)
        if line is None:
            return None, "read, withdrawn, not wanted or not open any more"
        return letters.of_line(session, who, line, one.key, one.channel), ""


def _still_mine(core: Core, one: Claim) -> bool:
    """Renew the lease; False when it ran out and another worker took the message."""
    with core.db.write() as session:
        renewed = session.execute(_mine(one).values(lease_until=utcnow() + LEASE).returning(Message.id))
        return renewed.first() is not None


def _end(core: Core, one: Claim, state: str, note: str, at: dt.datetime, *, refused: bool = False) -> None:
    with core.db.write() as session:
        ended = _mine(one).values(state=state, note=note[:2000], done_at=at, lease_until=None).returning(Message.id)
        if session.execute(ended).first() is None:
            return
        if state == "sent" and one.kind == "notice":
            # Wanted by this way alone: it has been told, and the next one begins anew.
            session.execute(
                update(NotificationRow)
                .where(NotificationRow.id == one.source_id, ~NotificationRow.shown, NotificationRow.read_at.is_(None))
                .values(read_at=at)
                .execution_options(synchronize_session=False)
            )
        if refused:
            _note_refusal(session, one)


def _note_refusal(session: Any, one: Claim) -> None:
    who = contents.recipient(session, one.person_id)
    if who is None:
        return
    made = dialect_insert(session, Address).values(
        person_id=one.person_id, channel=one.channel, address=who.address, refused=1, at=utcnow()
    )
    # An address that has changed begins anew.
    count = case((Address.address == made.excluded.address, Address.refused + 1), else_=1)
    session.execute(
        made.on_conflict_do_update(
            index_elements=["person_id", "channel"],
            set_={"address": made.excluded.address, "refused": count, "at": made.excluded.at},
        )
    )


def _failed(core: Core, one: Claim, error: Exception) -> None:
    note = f"{type(error).__name__}: {error}"[:2000]
    last = one.attempts > len(BACKOFF)
    values: dict[str, Any] = {"state": "failed" if last else "queued", "note": note, "lease_until": None}
    if last:
        values["done_at"] = utcnow()
    else:
        values["due_at"] = utcnow() + dt.timedelta(seconds=BACKOFF[one.attempts - 1])
    with core.db.write() as session:
        session.execute(_mine(one).values(values))


def _give_back(core: Core, claims: list[Claim], channel: str, seconds: int) -> None:
    """What was not handed over waits; that is no attempt."""
    with core.db.write() as session:
        for one in claims:
            later = utcnow() + dt.timedelta(seconds=seconds if one.channel == channel else 0)
            session.execute(_mine(one).values(state="queued", lease_until=None, due_at=later, attempts=Message.attempts - 1))


def _mine(one: Claim) -> Any:
    return (
        update(Message)
        .where(Message.id == one.id, Message.state == "sending", Message.attempts == one.attempts)
        .execution_options(synchronize_session=False)
    )
