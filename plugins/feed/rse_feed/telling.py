"""Who is told of a post, and what a moderator's decision brings about. Nobody is told of what they cannot open now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import mentions, moderation
from rse_core.api import Event, LazyText, can, notify, option, translator
from rse_core.audiences import of_members, size
from rse_core.models.organisation import Membership
from rse_core.models.runtime import NotificationRow
from rse_core.notify import notify_many

from . import access, publishing, texts
from .handing import answers
from .models import Post

_t = translator(__file__, "rse_feed")
Render = Callable[[int, Mapping[str, Any]], LazyText]


def tell(session: Session, post_id: int, members: bool) -> None:
    """The job: those whom the text names, each once however often it is edited; whole audiences that it calls; and with
    ``members`` those of its space, as far as each wants it."""
    post = session.get(Post, post_id)
    if post is None or post.state != "published" or answers(post) is None:
        return
    ref, cause = access.ref_of(post.id), publishing.cause_of(post.id)
    data = {"title": texts.heading(post.title, post.body), "space": post.space_id}
    target = access.target_of(post)
    named = set(mentions.people_of(session, ref))
    known = set(
        session.scalars(
            select(NotificationRow.person_id).where(
                NotificationRow.group_key == f"feed.mentioned|{ref}", NotificationRow.person_id.in_(named)
            )
        )
    )
    for person_id in sorted(named - known):
        if can(session, person_id, access.READ, target).allowed:
            notify(session, person_id, "feed.mentioned", ref, actor_id=post.author_id, cause=cause, data=data)
    called = _called(session, post) if members else None
    if called is not None:
        people = select(Membership.person_id).where(Membership.audience_id == called, Membership.person_id.not_in(named))
        notify_many(session, people, "feed.called", ref, actor_id=post.author_id, cause=cause, data=data)
    elif members and post.space_id is not None and not post.announcement:
        audience = of_members(session, post.space_id)
        people = select(Membership.person_id).where(Membership.audience_id == audience, Membership.person_id.not_in(named))
        notify_many(session, people, "feed.posted", ref, actor_id=post.author_id, cause=cause, data=data)


def _called(session: Session, post: Post) -> int | None:
    """The audience that the text calls, if its author still may and it is not too large by now."""
    calls = texts.calls(post.body)
    target = access.target_of(post)
    who = answers(post)
    if not calls or who is None or not access.may_announce(session, who, target).allowed:
        return None
    audience = post.audience_id
    if "everyone" not in calls:
        if post.space_id is None:
            return None
        audience = of_members(session, post.space_id)
    return audience if size(session, audience) <= option(session, texts.CALL_MOST) else None


def decided(session: Session, event: Event) -> None:
    """A moderator decided on a post: on the text that stands there, not on one that was edited since."""
    if event.ref is None or event.ref.type != access.TYPE or not event.ref.id.isdecimal():
        return
    post = session.get(Post, int(event.ref.id))
    held = moderation.states(session, [event.ref]).get(event.ref)
    if post is None or held is None or held.id != event.data.get("held"):
        return
    if event.name == "moderation.approved":
        publishing.approved(session, post)
    else:
        publishing.refused(session, post, held.reason, event.actor_id)


# -- one line of each kind -----------------------------------------------------------------------------------------------


def _title(data: Mapping[str, Any]) -> str:
    return str(data.get("title", ""))


def render_mentioned(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Somebody named you in: title”."""
    return LazyText(lambda: _t.gettext("You are named in: %(title)s", title=_title(data)))


def render_called(count: int, data: Mapping[str, Any]) -> LazyText:
    """“You are called, with others, in: title”."""
    return LazyText(lambda: _t.gettext("You are called, with others, in: %(title)s", title=_title(data)))


def render_posted(count: int, data: Mapping[str, Any]) -> LazyText:
    """“New post: title”."""
    return LazyText(lambda: _t.gettext("New post: %(title)s", title=_title(data)))


def render_refused(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Your post was not published”, with the moderator's reason."""
    reason = str(data.get("reason", "")) or "–"
    return LazyText(
        lambda: _t.gettext("Your post “%(title)s” was not published. Reason: %(reason)s", title=_title(data), reason=reason)
    )


def render_scheduled_refused(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Your scheduled post did not appear”, with why."""
    reason = str(data.get("reason", "")) or "–"
    return LazyText(
        lambda: _t.gettext(
            "Your scheduled post “%(title)s” did not appear and is a draft again. %(reason)s",
            title=_title(data),
            reason=reason,
        )
    )
