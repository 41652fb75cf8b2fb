"""What is kept of a person beside their posts: topics followed, announcements confirmed, addresses of their feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from .models import Acknowledgement, Pin, Subscription, Topic, TopicFollow


def export_topics(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Every topic that this person follows."""
    rows = session.execute(
        select(Topic.name, TopicFollow.since)
        .join(TopicFollow, TopicFollow.topic_id == Topic.id)
        .where(TopicFollow.person_id == person_id)
        .order_by(Topic.key)
    )
    return [{"topic": name, "since": since.isoformat()} for name, since in rows]


def erase_topics(session: Session, person_id: int) -> int:
    """They follow none any more."""
    return _gone(session, delete(TopicFollow).where(TopicFollow.person_id == person_id).returning(TopicFollow.topic_id))


def export_confirmed(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Every announcement that this person confirmed."""
    rows = session.execute(
        select(Acknowledgement.post_id, Acknowledgement.at)
        .where(Acknowledgement.person_id == person_id)
        .order_by(Acknowledgement.post_id)
    )
    return [{"post": post_id, "at": at.isoformat()} for post_id, at in rows]


def erase_confirmed(session: Session, person_id: int) -> int:
    """The evidence goes with the account, and their name from what they pinned."""
    session.execute(
        update(Pin).where(Pin.pinned_by == person_id).values(pinned_by=None).execution_options(synchronize_session=False)
    )
    statement = delete(Acknowledgement).where(Acknowledgement.person_id == person_id)
    return _gone(session, statement.returning(Acknowledgement.post_id))


def export_subscriptions(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Every address of a feed that this person made; the tokens are not known."""
    rows = session.scalars(select(Subscription).where(Subscription.person_id == person_id).order_by(Subscription.id))
    return [
        {
            "name": row.name,
            "space": row.space_id,
            "created_at": row.created_at.isoformat(),
            "last_used_on": row.last_used_on.isoformat() if row.last_used_on else None,
            "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        }
        for row in rows
    ]


def erase_subscriptions(session: Session, person_id: int) -> int:
    """No address of theirs gives anything any more."""
    return _gone(session, delete(Subscription).where(Subscription.person_id == person_id).returning(Subscription.id))


def _gone(session: Session, statement: Any) -> int:
    return len(session.execute(statement.execution_options(synchronize_session=False)).all())
