"""What follows a comment: people are told, moderators' decisions take effect, scores follow reactions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rse_core import mentions, moderation
from rse_core.api import ContentInfo, Event, LazyText, ObjectRef, notify, resolve, translator, withdraw
from rse_core.audiences import sees
from rse_core.objects import closed

from . import access, service
from .models import Comment

_t = translator(__file__, "rse_comments")


def tell(session: Session, event: Event) -> None:
    """Tell those named, the author of what is answered, and the author of the object, and who keeps it since:
    each once, the nearest reason first.

    Everything is checked again now: the comment may be gone, and nobody is told of what they cannot open.
    """
    comment = _comment(session, event)
    if comment is None or comment.state != "published" or comment.author_id is None:
        return
    ref = access.ref_of(comment)
    info = resolve(session, [ref]).get(ref)
    if info is None or info.state == "deleted":
        return
    told = {comment.author_id}
    data = {"title": info.title}
    cause = f"comment:{comment.id}"
    named = mentions.people_of(session, access.own_ref(comment.id))
    answered = session.get(Comment, comment.answers_id) if comment.answers_id else None
    wanted = [(person_id, "comments.mentioned") for person_id in named]
    if answered is not None and answered.author_id is not None:
        wanted.append((answered.author_id, "comments.replied"))
    wanted += [
        (concerned, "comments.commented") for concerned in (info.keeper_id, info.author_id) if concerned is not None
    ]
    for person_id, kind in wanted:
        if person_id not in told and _opens(session, person_id, info):
            told.add(person_id)
            about = access.own_ref(comment.id) if kind == "comments.mentioned" else ref
            if kind == "comments.replied" and answered is not None:
                about = access.own_ref(answered.id)
            notify(session, person_id, kind, about, actor_id=comment.author_id, cause=cause, data=data)


def _opens(session: Session, person_id: int, info: ContentInfo) -> bool:
    there = sees(session, person_id, info.audience_id) and not closed(session, person_id, info)
    return there and access.shown_to(session, person_id, info)


def take_back(session: Session, event: Event) -> None:
    """Unread notifications of a comment that is gone or waits again vanish."""
    comment = _comment(session, event)
    if comment is not None and comment.state != "published":
        withdraw(session, f"comment:{comment.id}")


def decided(session: Session, event: Event) -> None:
    """A moderator decided on a comment: on the text that stands there, not on one that was edited since."""
    comment = _comment(session, event)
    if comment is None:
        return
    ref = access.own_ref(comment.id)
    held = moderation.states(session, [ref]).get(ref)
    if held is None or held.id != event.data.get("held"):
        return
    if event.name == "moderation.approved":
        service.approved(session, comment)
        return
    service.refused(session, comment, held.reason)
    if comment.author_id is not None and comment.state == "refused":
        notify(
            session, comment.author_id, "comments.refused", ref, actor_id=event.actor_id,
            cause=f"refused:{comment.id}", data={"reason": comment.reason},
        )  # fmt: skip


def scored(session: Session, event: Event) -> None:
    """A reaction on a comment moves it in the order "best first". Known by the event's name alone: the plugin that sends it
    may be absent."""
    comment = _comment(session, event)
    if comment is not None:
        service.score(session, comment.id, 1 if event.name == "likes.reacted" else -1)


def _comment(session: Session, event: Event) -> Comment | None:
    if event.ref is None or event.ref.type != access.TYPE or not event.ref.id.isdecimal():
        return None
    return session.get(Comment, int(event.ref.id))


def render_mentioned(count: int, data: Mapping[str, Any]) -> LazyText:
    """“3 people named you in comments on: title”."""
    title = str(data.get("title", ""))
    return LazyText(
        lambda: _t.ngettext(
            "%(num)s person named you in a comment on: %(title)s",
            "%(num)s people named you in comments on: %(title)s",
            count,
            title=title,
        )
    )


def render_replied(count: int, data: Mapping[str, Any]) -> LazyText:
    """“3 people answered your comment on: title”."""
    title = str(data.get("title", ""))
    return LazyText(
        lambda: _t.ngettext(
            "%(num)s person answered your comment on: %(title)s",
            "%(num)s people answered your comment on: %(title)s",
            count,
            title=title,
        )
    )


def render_commented(count: int, data: Mapping[str, Any]) -> LazyText:
    """“3 people commented on: title”."""
    title = str(data.get("title", ""))
    return LazyText(
        lambda: _t.ngettext(
            "%(num)s person commented on: %(title)s", "%(num)s people commented on: %(title)s", count, title=title
        )
    )


def render_refused(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Your comment was not published”, with the moderator's reason."""
    reason = str(data.get("reason", ""))
    return LazyText(lambda: _t.gettext("Your comment was not published. Reason: %(reason)s", reason=reason or "–"))


def digest(ref: ObjectRef) -> str:
    """A short stable id of an object, for element ids."""
    return hashlib.blake2b(str(ref).encode(), digest_size=6).hexdigest()
