"""From notifications to messages: set by set, each chunk in a transaction of its own.

A notification that names a person carries a mark until its messages are made (``forwarded``); a broadcast's progress is a
row beside it. Both change in the transaction that makes the messages, whose key is unique: killed at any moment, the next
run makes what is missing and nothing twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, and_, cast, literal, or_, select, update
from sqlalchemy.orm import Session

from rse_core.api import Core, Key, NotificationType, ObjectRef, UtcDateTime, dialect_insert, utcnow
from rse_core.models.notices import Broadcast
from rse_core.models.organisation import Membership, Person
from rse_core.models.runtime import NotificationRow
from rse_core.notify_choices import defaults, effective_of_all
from rse_core.notify_people import allowed, among, where
from rse_core.notify_queries import is_muted_by

from .models import Message, Spread

#: Rows in one transaction: half a second's work, so that nobody else who writes waits longer.
CHUNK = 5_000
#: What is older than this when it is first looked at (the plugin was away) is not sent any more.
STALE = dt.timedelta(days=2)
COLUMNS = ["key", "channel", "person_id", "kind", "source_id", "rhythm", "state", "attempts", "due_at", "created_at", "note"]


def types_of(core: Core) -> list[NotificationType]:
    """Every type that a plugin brings."""
    return [kind for _plugin, kind in core.plugins.contributions(NotificationType)]


def outgoing(core: Core) -> list[str]:
    """Every channel by which messages leave here."""
    from rse_core.api import NotificationTransport

    return [one.name for _plugin, one in core.plugins.contributions(NotificationTransport)]


def forward(core: Core, *, limit: int | None = None) -> int:
    """Make the messages of all notifications that wait; the number of chunks that had something.

    :param limit: at most this many chunks, so that a job ends before its lease does.
    """
    done = 0
    while limit is None or done < limit:
        with core.db.write() as session:
            more = rows(session, core)
        if not more:
            break
        done += 1
    for broadcast_id, channel in waiting(core):
        while limit is None or done < limit:
            with core.db.write() as session:
                more = spread(session, core, broadcast_id, channel)
            if not more:
                break
            done += 1
    return done


def rows(session: Session, core: Core) -> bool:
    """One chunk of notifications that name people; False when none waits."""
    query = (
        select(NotificationRow.id)
        .where(~NotificationRow.forwarded)
        .order_by(NotificationRow.id)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(query))
    if not ids:
        return False
    now, site, kinds = utcnow(), defaults(session), types_of(core)
    for channel in outgoing(core):
        way = effective_of_all(NotificationRow.person_id, NotificationRow.type, channel, kinds, site)
        key = literal(f"{channel}:n:") + cast(NotificationRow.id, String)
        wanted = (
            select(*_values(key, channel, NotificationRow.person_id, "notice", NotificationRow.id, now))
            .join(Person, Person.id == NotificationRow.person_id)
            .where(
                among(session, NotificationRow.id, ids), NotificationRow.read_at.is_(None),
                NotificationRow.created_at > now - STALE, Person.status == "active", way == "immediate",
            )
        )  # fmt: skip
        _add(session, wanted)
    session.execute(
        update(NotificationRow).where(among(session, NotificationRow.id, ids)).values(forwarded=True)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return True


def waiting(core: Core) -> list[tuple[int, str]]:
    """Broadcasts, young enough to be sent, that are not yet spread by a channel."""
    found = []
    with core.db.read() as session:
        for channel in outgoing(core):
            mine = and_(Spread.broadcast_id == Broadcast.id, Spread.channel == channel)
            ids = session.scalars(
                select(Broadcast.id)
                .outerjoin(Spread, mine)
                .where(Broadcast.created_at > utcnow() - STALE, Spread.done_at.is_(None))
                .order_by(Broadcast.id)
            )
            found += [(ident, channel) for ident in ids]
    return found


def spread(session: Session, core: Core, broadcast_id: int, channel: str) -> bool:
    """One chunk of a broadcast's people; False when it is finished, or another worker is at it."""
    begin = dialect_insert(session, Spread).values(channel=channel, broadcast_id=broadcast_id, upto=0)
    session.execute(begin.on_conflict_do_nothing())
    stand = session.scalar(
        select(Spread)
        .where(Spread.channel == channel, Spread.broadcast_id == broadcast_id, Spread.done_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    if stand is None:
        return False
    told = session.get(Broadcast, broadcast_id)
    kind = next((one for one in types_of(core) if told is not None and one.name == told.type), None)
    ids: list[int] = []
    if told is not None and kind is not None:
        members = select(Membership.person_id).where(
            Membership.audience_id == told.audience_id, Membership.person_id > stand.upto
        )
        ids = list(session.scalars(members.order_by(Membership.person_id).limit(CHUNK)))
        if ids:
            _to_these(session, told, kind, channel, ids)
            stand.upto = ids[-1]
    if len(ids) < CHUNK:
        stand.done_at = utcnow()
    session.flush()
    return bool(ids)


def _to_these(session: Session, told: Broadcast, kind: NotificationType, channel: str, ids: Sequence[int]) -> None:
    """The messages of one broadcast to these people, as far as they want and may have it."""
    place = where(session, ObjectRef(told.ref_type, told.ref_id), told.audience_id)
    now = utcnow()
    open_to = allowed(session, list(ids), kind, place)
    if not open_to:
        return
    way = effective_of_all(Person.id, literal(told.type), channel, [kind], defaults(session))
    key = literal(f"{channel}:b:{told.id}:") + cast(Person.id, String)
    wanted = (
        select(*_values(key, channel, Person.id, "broadcast", literal(told.id, Key), now))
        .select_from(Person)
        .join(Broadcast, Broadcast.id == told.id)
        .where(
            among(session, Person.id, open_to), Person.status == "active", Person.created_at <= told.created_at,
            Person.id.is_distinct_from(told.actor_id), way == "immediate",
            or_(Broadcast.firm, ~is_muted_by(Person.id)),
        )
    )  # fmt: skip
    _add(session, wanted)


def _values(key: Any, channel: str, person: Any, kind: str, source: Any, now: dt.datetime) -> list[Any]:
    at = literal(now, UtcDateTime)
    return [key, literal(channel), person, literal(kind), source, literal(""), literal("queued"), literal(0), at, at,
            literal("")]  # fmt: skip


def _add(session: Session, wanted: Any) -> None:
    made = dialect_insert(session, Message).from_select(COLUMNS, wanted)
    session.execute(made.on_conflict_do_nothing(index_elements=["key"]))
