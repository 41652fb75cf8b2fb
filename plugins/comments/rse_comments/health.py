"""Counters of comments and of replies against the rows: found and mended by ``rse doctor``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, literal_column, select, union_all, update
from sqlalchemy.orm import Session, aliased

from rse_core.api import HealthResult, translator

from .models import Comment, CommentCount

_ = translator(__file__, "rse_comments").gettext


def wrong(session: Session) -> int:
    """How many objects have a wrong count, and comments a wrong number of replies; two statements."""
    rows: Any = select(Comment.ref_type.label("t"), Comment.ref_id.label("i"), literal_column("1").label("n")).where(
        Comment.state == "published"
    )
    kept = select(CommentCount.ref_type, CommentCount.ref_id, -CommentCount.count)
    both = union_all(rows, kept).subquery()
    differing = select(both.c.t).group_by(both.c.t, both.c.i).having(func.sum(both.c.n) != 0).subquery()
    objects = session.scalar(select(func.count()).select_from(differing)) or 0
    comments = session.scalar(
        select(func.count()).select_from(Comment).where(Comment.parent_id.is_(None), Comment.replies != _replies())
    )
    return objects + (comments or 0)


def _replies():  # type: ignore[no-untyped-def]
    reply = aliased(Comment)
    return (
        select(func.count())
        .select_from(reply)
        .where(reply.parent_id == Comment.id, reply.state == "published")
        .correlate(Comment)
        .scalar_subquery()
    )


def check(session: Session) -> HealthResult:
    """Do the counters agree with the comments?"""
    number = wrong(session)
    if not number:
        return HealthResult(True, _("every counter of comments is exact"))
    return HealthResult(
        False, _("%(wrong)s counters of comments are wrong", wrong=str(number)), _("Run rse doctor --repair.")
    )


def repair(session: Session) -> HealthResult:
    """Recount everything, in the caller's transaction."""
    number = wrong(session)
    session.execute(delete(CommentCount))
    session.execute(
        insert(CommentCount).from_select(
            ["ref_type", "ref_id", "count"],
            select(Comment.ref_type, Comment.ref_id, func.count())
            .where(Comment.state == "published")
            .group_by(Comment.ref_type, Comment.ref_id),
        )
    )
    session.execute(
        update(Comment).where(Comment.parent_id.is_(None)).values(replies=_replies())
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return HealthResult(True, _("%(wrong)s counters were corrected", wrong=str(number)))
