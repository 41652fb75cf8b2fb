"""Announcements: what a whole audience is told, and what those who are asked confirm having read.

Who is asked: the audience of the post; for one that stands in a space its members, even where everyone may read it.
Whoever wrote it has read it. Who has confirmed is shown by :mod:`rse_feed.confirmations`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Event,
    Forbidden,
    core_of,
    dialect_insert,
    emit,
    translator,
    utcnow,
    withdraw,
)
from rse_core.audiences import of_members, visible
from rse_core.models.organisation import Audience
from rse_core.models.runtime import NotificationRow
from rse_core.notify import broadcast, mark_read, moved
from rse_core.statements import Statement

from . import access, places, sight
from .models import Acknowledgement, Post
from .texts import heading

_ = translator(__file__, "rse_feed").gettext

ANNOUNCED, TO_READ = "feed.announced", "feed.to_read"
PAGE = 50
BADGE = 100


def cause_of(post_id: int) -> str:
    """What the broadcast of an announcement is caused by."""
    return f"announcement:{post_id}"


def target(session: Session, post: Post) -> int:
    """The audience that is told and asked."""
    return of_members(session, post.space_id) if post.space_id is not None else post.audience_id


def published(session: Session, post: Post) -> None:
    """Tell the whole audience, by one row; a second time is nothing."""
    if not post.announcement:
        return
    if post.must_read and post.author_id is not None:
        _note(session, post.author_id, post.id)
    broadcast(
        session, target(session, post), ANNOUNCED, access.ref_of(post.id), actor_id=post.author_id,
        cause=cause_of(post.id), data={"title": heading(post.title, post.body), "must_read": post.must_read}, firm=post.firm,
    )  # fmt: skip


def follow(session: Session, event: Event) -> None:
    """The consumer: a post that was edited, moved, shown again or taken back takes its announcement with it."""
    if event.ref is None or event.ref.type != access.TYPE or not event.ref.id.isdecimal():
        return
    post = session.get(Post, int(event.ref.id))
    if post is not None and event.name == "feed.edited":
        moved(session, event.ref, post.audience_id, post.space_id)
    if post is not None and post.state == "published" and post.announcement:
        if event.name == "feed.moved":
            withdraw(session, cause_of(post.id))
        published(session, post)
        return
    withdraw(session, cause_of(int(event.ref.id)))
    _forget_reminders(session, int(event.ref.id))


# -- by those who are asked ----------------------------------------------------------------------------------------------


def asked(session: Session, person_id: int) -> ColumnElement[bool]:
    """The posts that this person is asked to confirm, confirmed or not."""
    spaces = select(Audience.target_id).where(Audience.kind == "space", Audience.id.in_(visible(person_id)))
    return and_(
        Post.must_read, sight.posts(session, person_id), or_(Post.space_id.is_(None), Post.space_id.in_(spaces))
    )


def is_asked(session: Session, person_id: int, post: Post) -> bool:
    """Whether this person is asked to confirm this post, confirmed or not."""
    if not post.must_read:
        return False
    return session.scalar(select(Post.id).where(Post.id == post.id, asked(session, person_id))) is not None


def _confirmed(person_id: int) -> ColumnElement[bool]:
    return exists().where(Acknowledgement.post_id == Post.id, Acknowledgement.person_id == person_id)


def acknowledge(session: Session, person_id: int, post_id: int) -> dt.datetime:
    """Confirm having read it; a second time changes nothing, and late counts too.

    :returns: when it was confirmed first.
    :raises NotFound: for a post that this person does not read.
    :raises Forbidden: for one that they are not asked to confirm.
    """
    if not is_asked(session, person_id, access.readable(session, person_id, post_id)):
        raise Forbidden(_("You are not asked to confirm this."))
    if _note(session, person_id, post_id):
        emit(session, Event("feed.acknowledged", person_id, access.ref_of(post_id)))
    unread = session.scalars(
        select(NotificationRow.id).where(
            NotificationRow.person_id == person_id, NotificationRow.read_at.is_(None),
            NotificationRow.group_key == f"{TO_READ}|{access.ref_of(post_id)}",
        )
    ).all()  # fmt: skip
    if unread:
        mark_read(session, person_id, list(unread))
    return states(session, person_id, [post_id])[post_id]


def _note(session: Session, person_id: int, post_id: int) -> bool:
    """Whether it was not confirmed before."""
    made = dialect_insert(session, Acknowledgement).values(post_id=post_id, person_id=person_id, at=utcnow())
    new = session.execute(made.on_conflict_do_nothing().returning(Acknowledgement.post_id)).scalar()
    return new is not None


def states(session: Session, person_id: int | None, post_ids: Sequence[int]) -> Mapping[int, dt.datetime]:
    """Which of these posts this person has confirmed, and when; one query."""
    if person_id is None or not post_ids:
        return {}
    rows = session.execute(
        select(Acknowledgement.post_id, Acknowledgement.at).where(
            Acknowledgement.person_id == person_id, Acknowledgement.post_id.in_(post_ids)
        )
    )
    return {post_id: at for post_id, at in rows}


@dataclass(frozen=True, slots=True)
class ToRead:
    """One line of the list of what is to be read."""

    id: int
    title: str
    author_id: int | None
    published_at: dt.datetime | None
    acknowledge_by: dt.datetime | None
    confirmed_at: dt.datetime | None

    @property
    def late(self) -> bool:
        """The date for confirming is over."""
        return self.confirmed_at is None and self.acknowledge_by is not None and self.acknowledge_by < utcnow()


def to_read(
    session: Session, person_id: int, *, done: bool = False, after: int | None = None, most: int = PAGE
) -> tuple[list[ToRead], int | None]:
    """What this person is asked to confirm, the newest first; or with ``done`` what they confirmed. One query."""
    query = (
        select(
            Post.id, Post.title, Post.body, Post.author_id, Post.published_at, Post.acknowledge_by, Acknowledgement.at
        )
        .outerjoin(Acknowledgement, and_(Acknowledgement.post_id == Post.id, Acknowledgement.person_id == person_id))
        .where(asked(session, person_id), Acknowledgement.at.is_not(None) if done else Acknowledgement.at.is_(None))
    )
    if after is not None:
        query = query.where(Post.id < after)
    rows = session.execute(query.order_by(Post.id.desc()).limit(most + 1)).all()
    found = [ToRead(row[0], heading(row[1], row[2]), *row[3:]) for row in rows[:most]]
    return found, found[-1].id if len(rows) > most else None


def waiting(session: Session, person_id: int) -> int:
    """How many this person has still to confirm, at most :data:`BADGE`; one indexed query."""
    sight = places.of(session, person_id)
    facts = core_of(session).policy.person(person_id)
    if facts is not None and not sight.opened and not sight.closed:
        # Where nothing special holds, as nearly everywhere: it is on every page.
        values = {"audiences": list(sight.audiences), "spaces": list(facts.spaces), "person": person_id, "most": BADGE}
        return int(_WAITING(session, **values)[0][0])
    some = select(Post.id).where(asked(session, person_id), ~_confirmed(person_id)).limit(BADGE).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


# The plus keeps SQLite from looking by space: those to confirm are few, and have an index of their own.
_ASKED = (
    "SELECT count(*) FROM (SELECT p.id FROM rse_feed_post p WHERE {flag} AND p.state = 'published' "
    "AND p.audience_id IN :audiences AND (+p.space_id IS NULL OR +p.space_id IN :spaces) AND NOT EXISTS (SELECT 1 "
    "FROM rse_feed_acknowledgement a WHERE a.post_id = p.id AND a.person_id = :person) LIMIT :most) AS asked"
)
_WAITING = Statement(
    _ASKED.format(flag="p.must_read"), sqlite=_ASKED.format(flag="p.must_read = 1"), audiences=int, spaces=int
)


def _forget_reminders(session: Session, post_id: int) -> None:
    session.execute(
        delete(NotificationRow)
        .where(NotificationRow.group_key == f"{TO_READ}|{access.ref_of(post_id)}", NotificationRow.read_at.is_(None))
        .execution_options(synchronize_session=False)
    )
