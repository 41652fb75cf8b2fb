"""What moderators can do to posts, whoever offers it to them: take down, show again, correct what waits, empty for good.

Whoever calls these has made sure that the actor may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core import files, mentions
from rse_core.api import Actor, Conflict, Handling, NotFound, record, translator, utcnow

from . import access, acting, texts
from .models import Post, PostRevision

_ = translator(__file__, "rse_feed").gettext


def text(session: Session, ids: Sequence[str]) -> Mapping[str, str]:
    """What these posts say, as it was typed; one query."""
    numbers = [int(ident) for ident in ids if ident.isdecimal() and len(ident) < 19]
    rows = session.execute(select(Post.id, Post.body).where(Post.id.in_(numbers)))
    return {str(ident): body for ident, body in rows}


def hide(session: Session, ident: str, actor: Actor, reason: str) -> None:
    """Take a post down."""
    acting.take_down(session, actor, _locked(session, ident, "published", "archived"), reason, tell=False)


def restore(session: Session, ident: str, actor: Actor) -> None:
    """Show again what was taken down or deleted; nobody is told anew."""
    post = _locked(session, ident, "hidden", "deleted")
    if post.state == "deleted" and (post.published_at is None or not (post.body or post.title)):
        raise Conflict(_("Nothing is left of this post."))
    post.deleted_at = None
    acting.put_back(session, actor, post)


def amend(session: Session, ident: str, actor: Actor, body: str) -> None:
    """Correct a post that waits; what it said before stays in its history."""
    post = _locked(session, ident, "pending")
    body = texts.amended(session, body)
    if body == post.body:
        return
    session.add(
        PostRevision(
            post_id=post.id, version=post.version, title=post.title, body=post.body, at=utcnow(), by_id=actor.person_id
        )
    )
    post.body, post.version, post.updated_at = body, post.version + 1, utcnow()
    session.flush()
    record(session, actor, "feed.amend", str(access.ref_of(post.id)))


def purge(session: Session, ident: str) -> None:
    """Empty a deleted post for good."""
    post = session.get(Post, int(ident)) if ident.isdecimal() and len(ident) < 19 else None
    if post is None or post.state != "deleted":
        return
    post.title, post.body, post.link = "", "", None
    session.execute(delete(PostRevision).where(PostRevision.post_id == post.id))
    ref = access.ref_of(post.id)
    files.forget(session, ref)
    mentions.forget(session, ref)


def _locked(session: Session, ident: str, *states: str) -> Post:
    number = int(ident) if ident.isdecimal() and len(ident) < 19 else 0
    post = session.scalar(select(Post).where(Post.id == number).with_for_update())
    if post is None:
        raise NotFound(_("There is no such post."))
    if post.state not in states:
        raise Conflict(_("This cannot be done to the post as it is now."), remedy=_("Load its page again."))
    return post


HANDLING = Handling(text=text, hide=hide, restore=restore, amend=amend, purge=purge)
