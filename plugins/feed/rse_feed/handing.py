"""Posts whose author has left: who answers for them since. The author stays the author.

Handed over is what is published, archived, planned or waits for a moderator; also what was planned and came back as a draft
because its author was no longer there. Drafts are nobody else's to see; so is what was refused or taken down.

Whoever answers for a post has its author's rights as long as they may read where it stands, and no longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from rse_core.api import Left, Passing, Target, can

from . import places
from .models import Post

_STATES = ("published", "archived", "scheduled", "pending")
CHUNK = 500


def keeps(session: Session, person_id: int, owner_id: int | None, *, audience_id: int, space_id: int | None) -> bool:
    """Whether this person answers for a post of which the caller knows these; from memory."""
    return owner_id == person_id and can(session, person_id, places.READ, Target(audience_id, space_id=space_id)).allowed


def kept_by(session: Session, person_id: int, post: Post) -> bool:
    """Whether this person answers for a post that somebody else wrote; from memory."""
    return keeps(session, person_id, post.owner_id, audience_id=post.audience_id, space_id=post.space_id)


def answers(post: Post) -> int | None:
    """Who answers for it: who keeps it, else its author."""
    return post.author_id if post.owner_id is None else post.owner_id


def of(person_id: int) -> ColumnElement[bool]:
    """The posts for which this person answers."""
    return or_(and_(Post.author_id == person_id, Post.owner_id.is_(None)), Post.owner_id == person_id)


def _handed() -> ColumnElement[bool]:
    # A draft that was planned keeps the zone of its plan; who makes a draft of it takes that away.
    return or_(Post.state.in_(_STATES), and_(Post.state == "draft", Post.publish_zone != ""))


def left(session: Session, person_id: int) -> Iterable[Left]:
    """How many posts somebody answers for, place by place; one query."""
    where = case((Post.space_id.is_not(None), None), else_=Post.audience_id)
    rows = session.execute(
        select(Post.space_id, where, func.count()).where(of(person_id), _handed()).group_by(Post.space_id, where)
    )
    return [Left(*row) for row in rows]


def give(session: Session, passing: Passing) -> Mapping[str, str]:
    """Make somebody else answer for the posts of one place; one statement."""
    here = (
        and_(Post.space_id.is_(None), Post.audience_id == passing.audience_id)
        if passing.space_id is None
        else Post.space_id == passing.space_id
    )
    rows = session.scalars(_pass(passing.person_id, passing.to_id, here, _handed()))
    return {str(ident): "" for ident in rows}


def take_back(session: Session, passing: Passing, items: Mapping[str, str]) -> int:
    """The leaver answers again for those of these that nobody else took over since."""
    ids = [int(ident) for ident in items]
    count = 0
    for start in range(0, len(ids), CHUNK):
        some = Post.id.in_(ids[start : start + CHUNK])
        count += len(session.scalars(_pass(passing.to_id, passing.person_id, some)).all())
    return count


def _pass(before: int, after: int, *where: ColumnElement[bool]) -> Any:
    # Nobody keeps what they wrote themselves.
    owner = case((Post.author_id == after, None), else_=after)
    return (
        update(Post).where(of(before), *where).values(owner_id=owner).returning(Post.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
