"""What moderators can do to comments, whoever offers it to them: take down, show again, correct what waits, empty for good.

Whoever calls these has made sure that the actor may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core import mentions, moderation
from rse_core.api import Actor, Conflict, Event, Handling, NotFound, emit, record, translator, utcnow

from . import access, counting, service
from .models import Comment, Revision

_ = translator(__file__, "rse_comments").gettext


def text(session: Session, ids: Sequence[str]) -> Mapping[str, str]:
    """What these comments say, as it was typed; one query."""
    numbers = [int(ident) for ident in ids if ident.isdecimal() and len(ident) < 19]
    rows = session.execute(select(Comment.id, Comment.body).where(Comment.id.in_(numbers)))
    return {str(ident): body for ident, body in rows}


def hide(session: Session, ident: str, actor: Actor, reason: str) -> None:
    """Take a comment down: a line saying so takes its place where it has answers."""
    comment = _locked(session, ident, "published", "pending")
    before = comment.state
    comment.state, comment.reason = "hidden", reason[: service.REASON_MOST]
    comment.version += 1
    if before == "published":
        counting.unpublished(session, comment)
    ref = access.own_ref(comment.id)
    moderation.withdraw(session, ref)
    mentions.forget(session, ref)
    session.flush()
    record(session, actor, "comments.hide", str(ref), before=before, after="hidden", why=reason)
    emit(session, Event("comments.withdrawn", actor.person_id, ref, comment.audience_id))


def restore(session: Session, ident: str, actor: Actor) -> None:
    """Show again what was taken down or deleted; nobody is told anew."""
    comment = _locked(session, ident, "hidden", "deleted")
    if not comment.body:
        raise Conflict(_("Nothing is left of this comment."))
    before = comment.state
    comment.state, comment.reason, comment.deleted_at, comment.deleted_by = "published", "", None, None
    comment.version += 1
    session.flush()
    counting.published(session, comment)
    ref = access.own_ref(comment.id)
    mentions.keep(session, ref, comment.body, comment.audience_id)
    record(session, actor, "comments.restore", str(ref), before=before, after="published")
    emit(session, Event("comments.shown", actor.person_id, ref, comment.audience_id))


def amend(session: Session, ident: str, actor: Actor, body: str) -> None:
    """Correct a comment that waits; what it said before stays in its history."""
    comment = _locked(session, ident, "pending")
    body = service.checked(session, body)
    if body == comment.body:
        return
    session.add(Revision(comment_id=comment.id, version=comment.version, body=comment.body, at=utcnow()))
    comment.body, comment.edited_at, comment.version = body, utcnow(), comment.version + 1
    session.flush()
    ref = access.own_ref(comment.id)
    mentions.keep(session, ref, comment.body, comment.audience_id)
    record(session, actor, "comments.amend", str(ref))
    emit(session, Event("comments.edited", actor.person_id, ref, comment.audience_id))


def purge(session: Session, ident: str) -> None:
    """Empty a deleted comment for good; its line stays where it has answers."""
    comment = session.get(Comment, int(ident)) if ident.isdecimal() and len(ident) < 19 else None
    if comment is not None and comment.state == "deleted":
        comment.body = ""
        session.execute(delete(Revision).where(Revision.comment_id == comment.id))


def _locked(session: Session, ident: str, *states: str) -> Comment:
    number = int(ident) if ident.isdecimal() and len(ident) < 19 else 0
    comment = session.scalar(select(Comment).where(Comment.id == number).with_for_update())
    if comment is None:
        raise NotFound(_("There is no such comment."))
    if comment.state not in states:
        raise Conflict(_("This cannot be done to the comment as it is now."), remedy=_("Reload the page."))
    return comment


HANDLING = Handling(text=text, hide=hide, restore=restore, amend=amend, purge=purge)
