"""Notifications that name a person: grouped while unread, withdrawn with their cause. The bell and the mails are plugins.

One unread row stands for (person, type, object); its actors are rows of their own, each with the cause it came from, so that
an unlike or a deletion takes back exactly what it gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from .content import ObjectRef
from .contributions import NotificationType
from .db import dialect_insert, utcnow
from .errors import RseError
from .models.runtime import NotificationActor, NotificationRow


def notify(
    session: Session,
    person_id: int,
    type_name: str,
    ref: ObjectRef,
    *,
    actor_id: int | None,
    cause: str,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Tell a person; nobody is told of their own acts.

    :param actor_id: who caused it; None for an act without a person (a command), which cannot be withdrawn.
    :param cause: identifies what happened, ``like:12``; the same cause tells once, and :func:`withdraw` takes it back.
    :param data: JSON-ready facts for the text (never a copy of what people wrote).
    :raises RseError: for a type that no plugin registered.
    """
    from .runtime import core_of

    core = core_of(session)
    if type_name not in {kind.name for _plugin, kind in core.plugins.contributions(NotificationType)}:
        raise RseError(f"No notification type is called “{type_name}”.", remedy="Register it with rse_notification_types.")
    if person_id == actor_id:
        return
    group = f"{type_name}|{ref}"
    now = utcnow()
    row = session.scalar(
        select(NotificationRow).where(
            NotificationRow.person_id == person_id,
            NotificationRow.group_key == group,
            NotificationRow.read_at.is_(None),
        )
    )
    if row is None:
        row = NotificationRow(
            person_id=person_id, type=type_name, ref_type=ref.type, ref_id=ref.id, group_key=group,
            data=dict(data or {}), created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
    if actor_id is None:
        row.updated_at, row.data = now, {**row.data, **dict(data or {})}
        return
    statement = dialect_insert(session, NotificationActor).values(
        notification_id=row.id, actor_id=actor_id, cause=cause, at=now
    )
    told = session.execute(statement.on_conflict_do_nothing().returning(NotificationActor.actor_id)).scalar()
    if told is not None:
        row.updated_at = now
        if data:
            row.data = {**row.data, **data}


def withdraw(session: Session, cause: str) -> int:
    """Take back what this cause told anyone who has not read it; the number of notifications that vanish."""
    unread = select(NotificationRow.id).where(NotificationRow.read_at.is_(None))
    touched = session.scalars(
        delete(NotificationActor)
        .where(NotificationActor.cause == cause, NotificationActor.notification_id.in_(unread))
        .returning(NotificationActor.notification_id)
        .execution_options(synchronize_session=False)
    ).all()
    if not touched:
        return 0
    left = select(NotificationActor.notification_id).where(NotificationActor.notification_id.in_(touched))
    gone = session.execute(
        delete(NotificationRow)
        .where(NotificationRow.id.in_(touched), NotificationRow.id.not_in(left))
        .returning(NotificationRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(gone)


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for a person: what, on what, by how many, since when."""

    id: int
    type: str
    ref: ObjectRef
    actors: int
    first_actor_id: int | None
    data: Mapping[str, Any]
    updated_at: Any
    read: bool


def unread(session: Session, person_id: int, *, cap: int = 100) -> int:
    """How many unread, at most ``cap``: one indexed query, whatever the person has."""
    some = (
        select(NotificationRow.id)
        .where(NotificationRow.person_id == person_id, NotificationRow.read_at.is_(None))
        .limit(cap)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def of_person(session: Session, person_id: int, *, before: int | None = None, limit: int = 20) -> list[Notice]:
    """A person's notifications, newest first, by keyset on the row id; two queries."""
    query = select(NotificationRow).where(NotificationRow.person_id == person_id)
    if before is not None:
        query = query.where(NotificationRow.id < before)
    rows = session.scalars(query.order_by(NotificationRow.id.desc()).limit(limit)).all()
    actors: dict[int, list[int]] = {}
    for notification_id, actor_id in session.execute(
        select(NotificationActor.notification_id, NotificationActor.actor_id)
        .where(NotificationActor.notification_id.in_([row.id for row in rows]))
        .order_by(NotificationActor.at.desc())
    ):
        known = actors.setdefault(notification_id, [])
        if actor_id not in known:
            known.append(actor_id)
    return [
        Notice(
            row.id, row.type, ObjectRef(row.ref_type, row.ref_id), len(actors.get(row.id, [])),
            next(iter(actors.get(row.id, [])), None), row.data or {}, row.updated_at, row.read_at is not None,
        )
        for row in rows
    ]  # fmt: skip


def mark_read(session: Session, person_id: int, ids: list[int] | None = None) -> int:
    """Mark a person's own notifications read (all without ``ids``); the number changed."""
    from sqlalchemy import update

    query = update(NotificationRow).where(NotificationRow.person_id == person_id, NotificationRow.read_at.is_(None))
    if ids is not None:
        query = query.where(NotificationRow.id.in_(ids))
    return len(session.execute(query.values(read_at=utcnow()).returning(NotificationRow.id)).all())
