"""A person's posts: exported whole; without a name once the account is erased, drafts and earlier versions gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from rse_core import files, mentions, moderation
from rse_core.api import Event, emit

from . import access, entries
from .models import Entry, Post, PostRevision

#: What an erased person leaves in place, without a name.
_LEFT = ("published", "archived", "deleted")


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Every post of this person, whatever its state, with what it said before each edit; those that they keep for somebody
    who has left by number alone, since others wrote them."""
    mine = select(Post.id).where(Post.author_id == person_id)
    before: dict[int, list[Mapping[str, Any]]] = {}
    for revision in session.scalars(select(PostRevision).where(PostRevision.post_id.in_(mine)).order_by(PostRevision.id)):
        row = {"title": revision.title, "body": revision.body, "until": revision.at.isoformat()}
        before.setdefault(revision.post_id, []).append(row)
    posts = session.scalars(select(Post).where(Post.author_id == person_id).order_by(Post.id)).all()
    kept = select(Post.id, Post.state).where(Post.owner_id == person_id).order_by(Post.id)
    return [
        {
            "post": post.id,
            "title": post.title,
            "body": post.body,
            "link": post.link,
            "state": post.state,
            "announcement": post.announcement,
            "created_at": post.created_at.isoformat(),
            "published_at": post.published_at.isoformat() if post.published_at else None,
            "edited_at": post.edited_at.isoformat() if post.edited_at else None,
            "scheduled_for": post.publish_at.isoformat() if post.publish_at else None,
            "before": before.get(post.id, []),
        }
        for post in posts
    ] + [{"post": ident, "state": state, "kept": True} for ident, state in session.execute(kept)]


def erase(session: Session, person_id: int) -> int:
    """Take the name off; what was never published, or taken down, goes whole. Mentions are the core's."""
    mine = select(Post.id).where(Post.author_id == person_id)
    quietly = {"synchronize_session": False}
    session.execute(
        delete(PostRevision).where(or_(PostRevision.post_id.in_(mine), PostRevision.by_id == person_id))
        .execution_options(**quietly)
    )  # fmt: skip
    # What somebody else keeps by now is theirs to publish.
    own = and_(Post.author_id == person_id, Post.owner_id.is_(None), Post.state.not_in(_LEFT))
    gone = session.scalars(select(Post.id).where(own)).all()
    for post_id in gone:
        ref = access.ref_of(post_id)
        moderation.withdraw(session, ref)
        files.forget(session, ref)
        entries.forget(session, ref)
    session.execute(delete(Post).where(own).execution_options(**quietly))
    session.execute(update(Post).where(Post.owner_id == person_id).values(owner_id=None).execution_options(**quietly))
    session.execute(
        update(Post).where(Post.author_id == person_id, Post.state == "deleted").values(title="", body="", link=None)
        .execution_options(**quietly)
    )  # fmt: skip
    for post in mentions.unname(session, person_id, Post.body, Post.title):
        entries.keep(session, post)
        emit(session, Event("feed.edited", None, access.ref_of(post.id), post.audience_id, {"space": post.space_id}))
    mentions.unname(session, person_id, PostRevision.body, PostRevision.title)
    session.execute(update(Post).where(Post.decided_by == person_id).values(decided_by=None).execution_options(**quietly))
    left = session.scalars(
        update(Post)
        .where(Post.author_id == person_id)
        .values(author_id=None)
        .returning(Post.id)
        .execution_options(**quietly)
    ).all()
    session.execute(update(Entry).where(Entry.actor_id == person_id).values(actor_id=None).execution_options(**quietly))
    return len(gone) + len(left)
