"""The counter of an object's published comments and of a comment's replies; changed with the comment itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, dialect_insert

from .models import Comment, CommentCount


def published(session: Session, comment: Comment) -> None:
    """One more."""
    statement = dialect_insert(session, CommentCount).values(ref_type=comment.ref_type, ref_id=comment.ref_id, count=1)
    session.execute(
        statement.on_conflict_do_update(index_elements=["ref_type", "ref_id"], set_={"count": CommentCount.count + 1})
    )
    _replies(session, comment, 1)


def unpublished(session: Session, comment: Comment) -> None:
    """One less."""
    session.execute(
        update(CommentCount)
        .where(CommentCount.ref_type == comment.ref_type, CommentCount.ref_id == comment.ref_id)
        .values(count=CommentCount.count - 1)
    )
    _replies(session, comment, -1)


def _replies(session: Session, comment: Comment, change: int) -> None:
    if comment.parent_id is not None:
        session.execute(update(Comment).where(Comment.id == comment.parent_id).values(replies=Comment.replies + change))


def counts(session: Session, refs: Sequence[ObjectRef]) -> dict[ObjectRef, int]:
    """Published comments of many objects, in one query."""
    if not refs:
        return {}
    rows = session.execute(
        select(CommentCount.ref_type, CommentCount.ref_id, CommentCount.count).where(
            tuple_(CommentCount.ref_type, CommentCount.ref_id).in_([(r.type, r.id) for r in refs])
        )
    )
    return {ObjectRef(ref_type, ref_id): count for ref_type, ref_id, count in rows}
