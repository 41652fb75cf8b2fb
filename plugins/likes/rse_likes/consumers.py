"""What follows a reaction: the author is told, once, in one grouped line; a withdrawal takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rse_core.api import Event, LazyText, notify, option, resolve, translator, withdraw

from . import service

_t = translator(__file__, "rse_likes")


def tell_author(session: Session, event: Event) -> None:
    """Notify the author of the object; re-checked now, as the reaction may be gone and the object closed to its author."""
    if event.ref is None or event.actor_id is None:
        return
    info = resolve(session, [event.ref]).get(event.ref)
    if info is None or info.author_id is None or info.state == "deleted":
        return
    kind = service.mine(session, event.actor_id, [event.ref]).get(event.ref)
    threshold = option(session, "likes.notify_from")
    total = sum(service.counts(session, [event.ref]).get(event.ref, {}).values())
    if kind is None or threshold == 0 or total < threshold:
        return
    notify(
        session, info.author_id, "likes.reacted", event.ref, actor_id=event.actor_id, cause=_cause(event),
        data={"title": info.title},
    )  # fmt: skip


def take_back(session: Session, event: Event) -> None:
    """An unread notification of this reaction vanishes."""
    if event.ref is None or event.actor_id is None:
        return
    if not service.mine(session, event.actor_id, [event.ref]):
        withdraw(session, _cause(event))


def render_liked(count: int, data: Mapping[str, Any]) -> LazyText:
    """“3 people reacted to: title”."""
    title = str(data.get("title", ""))
    return LazyText(
        lambda: _t.ngettext(
            "%(num)s person reacted to: %(title)s", "%(num)s people reacted to: %(title)s", count, title=title
        )
    )


def _cause(event: Event) -> str:
    import hashlib

    # Fits the column whatever the length of the object's id.
    digest = hashlib.blake2b(str(event.ref).encode(), digest_size=12).hexdigest()
    return f"like:{event.actor_id}:{digest}"
