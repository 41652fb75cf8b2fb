"""How many posts a space shows and when the last one came: a row of its own, changed with what it counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import case, delete, func, insert, select, update
from sqlalchemy.orm import Session

from rse_core.api import HealthResult, dialect_insert, translator

from .models import Post, SpaceCount

_ = translator(__file__, "rse_feed").gettext


def more(session: Session, space_id: int | None, at: dt.datetime | None) -> None:
    """One more post is shown in this space, published at ``at``."""
    if space_id is None:
        return
    statement = dialect_insert(session, SpaceCount).values(space_id=space_id, posts=1, last_at=at)
    later = case((SpaceCount.last_at > statement.excluded.last_at, SpaceCount.last_at), else_=statement.excluded.last_at)
    session.execute(
        statement.on_conflict_do_update(index_elements=["space_id"], set_={"posts": SpaceCount.posts + 1, "last_at": later})
    )


def less(session: Session, space_id: int | None) -> None:
    """One less; when the last one came is looked up again."""
    if space_id is None:
        return
    session.flush()
    last = select(func.max(Post.published_at)).where(Post.space_id == space_id, Post.state == "published").scalar_subquery()
    session.execute(
        update(SpaceCount).where(SpaceCount.space_id == space_id).values(posts=SpaceCount.posts - 1, last_at=last)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def recount(session: Session, space_ids: Sequence[int]) -> None:
    """Count these spaces anew (after a merge), by two statements."""
    session.flush()
    session.execute(
        delete(SpaceCount).where(SpaceCount.space_id.in_(space_ids)).execution_options(synchronize_session=False)
    )
    _insert(session, Post.space_id.in_(space_ids))


def _insert(session: Session, *some: object) -> None:
    shown = select(Post.space_id, func.count(), func.max(Post.published_at)).where(
        Post.state == "published",
        Post.space_id.is_not(None),
        *some,  # type: ignore[arg-type]
    )
    session.execute(insert(SpaceCount).from_select(["space_id", "posts", "last_at"], shown.group_by(Post.space_id)))


def wrong(session: Session) -> int:
    """How many spaces have a wrong counter; one statement."""
    shown = (
        select(Post.space_id, func.count().label("posts"))
        .where(Post.state == "published", Post.space_id.is_not(None))
        .group_by(Post.space_id)
        .subquery()
    )
    pairs = (
        select(shown.c.space_id)
        .select_from(shown)
        .outerjoin(SpaceCount, SpaceCount.space_id == shown.c.space_id)
        .where(func.coalesce(SpaceCount.posts, 0) != shown.c.posts)
    )
    idle = (
        select(SpaceCount.space_id)
        .outerjoin(shown, shown.c.space_id == SpaceCount.space_id)
        .where(shown.c.space_id.is_(None), SpaceCount.posts != 0)
    )
    return session.scalar(select(func.count()).select_from(pairs.union_all(idle).subquery())) or 0


def check(session: Session) -> HealthResult:
    """Do the counters of spaces agree with their posts, and has each post its entry?"""
    from .entries import astray

    number, lost = wrong(session), astray(session)
    if not number and not lost:
        return HealthResult(True, _("every counter of posts is exact, and each post has its entry"))
    return HealthResult(
        False,
        _("%(wrong)s counters of posts are wrong, %(lost)s posts and entries disagree", wrong=str(number), lost=str(lost)),
        _("Run rse doctor --repair."),
    )


def repair(session: Session) -> HealthResult:
    """Recount everything and make what entries are missing, in the caller's transaction."""
    from .entries import astray, mend

    number, lost = wrong(session), astray(session)
    session.execute(delete(SpaceCount))
    _insert(session)
    mend(session)
    return HealthResult(True, _("%(wrong)s counters and %(lost)s entries were corrected", wrong=str(number), lost=str(lost)))
