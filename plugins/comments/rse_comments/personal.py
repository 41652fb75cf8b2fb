"""A person's comments: exported whole; anonymised with the account, so that the threads they took part in still read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rse_core import mentions, moderation
from rse_core.api import Event, emit

from . import access
from .models import Comment, Revision, Thread


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Every comment of this person, whatever its state, with what it said before each edit."""
    rows = session.scalars(select(Comment).where(Comment.author_id == person_id).order_by(Comment.id)).all()
    before: dict[int, list[Mapping[str, Any]]] = {}
    mine = select(Comment.id).where(Comment.author_id == person_id)
    for revision in session.scalars(select(Revision).where(Revision.comment_id.in_(mine)).order_by(Revision.id)):
        before.setdefault(revision.comment_id, []).append({"body": revision.body, "until": revision.at.isoformat()})
    return [
        {
            "comment": row.id,
            "object": f"{row.ref_type}:{row.ref_id}",
            "body": row.body,
            "state": row.state,
            "at": row.created_at.isoformat(),
            "edited_at": row.edited_at.isoformat() if row.edited_at else None,
            "before": before.get(row.id, []),
        }
        for row in rows
    ]


def erase(session: Session, person_id: int) -> int:
    """Take the name off, and with it earlier versions and texts that were never published. Mentions are the core's."""
    mine = select(Comment.id).where(Comment.author_id == person_id)
    session.execute(delete(Revision).where(Revision.comment_id.in_(mine)).execution_options(synchronize_session=False))
    # What was never published has no thread to keep together: nothing of it is to be approved any more.
    unpublished = session.execute(
        update(Comment).where(Comment.author_id == person_id, Comment.state != "published").values(body="", state="deleted")
        .returning(Comment.id).execution_options(synchronize_session=False)
    )  # fmt: skip
    for (comment_id,) in unpublished.all():
        moderation.withdraw(session, access.own_ref(comment_id))
    for comment in mentions.unname(session, person_id, Comment.body):
        emit(session, Event("comments.edited", None, access.own_ref(comment.id), comment.audience_id))
    mentions.unname(session, person_id, Revision.body)
    for column in (Comment.deleted_by, Thread.locked_by):
        session.execute(
            update(column.class_).where(column == person_id).values({column.key: None})
            .execution_options(synchronize_session=False)
        )  # fmt: skip
    changed = session.execute(
        update(Comment).where(Comment.author_id == person_id).values(author_id=None).returning(Comment.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return len(changed.all())
