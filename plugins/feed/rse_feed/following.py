"""Those who follow a topic are told of what is posted on it; and one line of each kind of notification of this part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rse_core import mentions
from rse_core.api import Event, LazyText, defer, translator
from rse_core.notify import notify_many

from . import access, publishing, topics
from .models import Post
from .texts import heading

_t = translator(__file__, "rse_feed")
TOPIC, TELL = "feed.topic", "feed.tell_topic"


def posted(session: Session, event: Event) -> None:
    """The consumer: a published post has its followers told, by a job."""
    if event.ref is not None and event.ref.type == access.TYPE and event.ref.id.isdecimal():
        defer(session, TELL, key=f"{TELL}:{event.ref.id}", post_id=int(event.ref.id))


def tell(session: Session, post_id: int) -> None:
    """The job: those who follow one of its topics, for whom it is, and whom the text does not name anyhow."""
    post = session.get(Post, post_id)
    if post is None or post.state != "published":
        return
    ref = access.ref_of(post.id)
    about = topics.of(session, [post.id]).get(post.id, [])
    if not about:
        return
    named = mentions.people_of(session, ref)
    people = topics.followers(post, leaving_out=named)
    data = {"title": heading(post.title, post.body), "topics": [topic.name for topic in about]}
    notify_many(
        session, people, TOPIC, ref, actor_id=post.author_id, cause=publishing.cause_of(post.id), data=data
    )  # fmt: skip


def _title(data: Mapping[str, Any]) -> str:
    return str(data.get("title", ""))


def render_topic(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Posted on a topic that you follow: title”."""
    return LazyText(lambda: _t.gettext("Posted on a topic that you follow: %(title)s", title=_title(data)))


def render_announced(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Announcement: title”, and whether it is to be confirmed."""
    if data.get("must_read"):
        return LazyText(lambda: _t.gettext("Announcement to read and confirm: %(title)s", title=_title(data)))
    return LazyText(lambda: _t.gettext("Announcement: %(title)s", title=_title(data)))


def render_to_read(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Still to be read and confirmed: title”."""
    return LazyText(lambda: _t.gettext("Still to be read and confirmed: %(title)s", title=_title(data)))


def render_hidden(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Your post was taken down”, with the moderator's reason."""
    reason = str(data.get("reason", "")) or "–"
    return LazyText(
        lambda: _t.gettext("Your post “%(title)s” was taken down. Reason: %(reason)s", title=_title(data), reason=reason)
    )


def render_moved(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Your post was moved”."""
    return LazyText(lambda: _t.gettext("Your post “%(title)s” was moved to another audience.", title=_title(data)))
