"""Which posts and entries a person may be shown: as SQL conditions for lists, and one by one for a post's own page.

Where one reads is decided from memory (:mod:`places`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from rse_core.api import NotFound, ObjectRef, Target, can, core_of, translator
from rse_core.audiences import sees
from rse_core.roles import moderates

from . import handing, places
from .models import Entry, Post

_ = translator(__file__, "rse_feed").gettext

READ = places.READ
TYPE = "feed.post"
#: States in which a post is there for its whole audience.
SHOWN = ("published", "archived")


def ref_of(post_id: int) -> ObjectRef:
    """The reference of a post."""
    return ObjectRef(TYPE, str(post_id))


def target_of(post: Post) -> Target:
    """What the rules need to know of a post."""
    return Target(post.audience_id, space_id=post.space_id, author_id=post.author_id)


def posts(session: Session, person_id: int | None) -> ColumnElement[bool]:
    """The published posts that this person may be shown in a list; no query."""
    return and_(Post.state == "published", where(session, person_id, Post.audience_id, Post.space_id))


def entries(session: Session, person_id: int | None) -> ColumnElement[bool]:
    """The entries that this person may be shown; no query."""
    return where(session, person_id, Entry.audience_id, Entry.space_id)


def where(
    session: Session, person_id: int | None, audience: InstrumentedAttribute[Any], space: InstrumentedAttribute[Any]
) -> ColumnElement[bool]:
    """What stands for these audiences in these spaces and may be read by this person, as an SQL condition; no query."""
    place = places.of(session, person_id)
    found: ColumnElement[bool] = audience.in_(place.audiences)
    if place.closed:
        found = and_(found, or_(space.is_(None), space.not_in(place.closed)))
    if place.opened:
        found = or_(found, and_(audience == place.everyone, space.in_(place.opened)))
    return found


def reads(session: Session, person_id: int | None, post: Post) -> bool:
    """Whether this person may read this published post now."""
    return sees(session, person_id, post.audience_id) and can(session, person_id, READ, target_of(post)).allowed


def post(session: Session, person_id: int | None, post_id: int, *, states: Iterable[str] = SHOWN) -> Post:
    """A post that this person may see: published for them; in any other state their own, or one that they moderate.

    :param states: states that are wanted.
    :raises NotFound: for every other, whether it exists or not.
    """
    found = session.scalar(select(Post).where(Post.id == post_id)) if 0 < post_id < 2**63 else None
    if found is None or found.state not in states or not may_open(session, person_id, found):
        raise NotFound(_("There is no such post."))
    return found


def may_open(session: Session, person_id: int | None, post: Post) -> bool:
    """Whether this person may open this post's page."""
    if person_id is None or post.state == "deleted":
        return False
    if post.author_id == person_id or handing.kept_by(session, person_id, post):
        return True
    if post.state in SHOWN and reads(session, person_id, post):
        return True
    if post.state not in ("pending", "hidden") or not inside(session, person_id, post.audience_id):
        return False
    return moderates(session, person_id, target_of(post))


def inside(session: Session, person_id: int, audience_id: int) -> bool:
    """Whether what is for this audience is this person's to moderate, if they moderate there: what only the members of a
    space are shown is for those in it, and for who looks in with a reason and for a time; from memory."""
    policy = core_of(session).policy
    kind, _target = policy.snapshot().audiences.get(audience_id, ("", 0))
    facts = policy.person(person_id)
    return kind != "space" or (facts is not None and audience_id in facts.audiences)
