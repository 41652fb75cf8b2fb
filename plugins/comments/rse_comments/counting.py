"""The counter of an object's published comments and of a comment's replies; changed with the comment itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, dialect_insert
from rse_core.statements import Statement

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
    """Published comments of many objects, in one query for each type among them."""
    if not refs:
        return {}
    found = {}
    for kind in {ref.type for ref in refs}:
        for ref_id, count in _COUNTS(session, type=kind, ids=[ref.id for ref in refs if ref.type == kind]):
            found[ObjectRef(kind, ref_id)] = count
    return found


_COUNTS = Statement("SELECT ref_id, count FROM rse_comments_count WHERE ref_type = :type AND ref_id IN :ids", ids=str)
