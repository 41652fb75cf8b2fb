"""What follows a reaction: the author is told, once, in one grouped line; a withdrawal takes it back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from rse_core.api import Event, LazyText, Level, ObjectRef, core_of, notify, option, resolve, seen, translator, withdraw
from rse_core.policy import level_of

from . import service

_t = translator(__file__, "rse_likes")


def tell_author(session: Session, event: Event) -> None:
    """Notify the author of the object; re-checked now, as the reaction may be gone and the object closed to its author."""
    threshold = option(session, "likes.notify_from")
    if event.ref is None or event.actor_id is None or threshold == 0:
        return
    author_id = _author(session, event.ref)
    rank = service.rank(session, event.actor_id, event.ref)
    if author_id is None or rank is None:
        return
    total = sum(service.counts(session, [event.ref]).get(event.ref, {}).values())
    if total < threshold:
        return
    # Whoever reacts when the threshold is reached brings those who came before, or they would never be counted in.
    actors = service.first_reactors(session, event.ref, threshold) if rank == threshold else []
    for actor_id in dict.fromkeys([*actors, event.actor_id]):
        notify(session, author_id, "likes.reacted", event.ref, actor_id=actor_id, cause=_cause(actor_id, event.ref))


def _author(session: Session, ref: ObjectRef) -> int | None:
    """The author of an object, or who keeps it since they have left, when they still see it and are at a level at which
    anything is shown to them."""
    info = resolve(session, [ref]).get(ref)
    concerned = None if info is None else info.keeper_id or info.author_id
    if info is None or concerned is None or ref not in seen(session, concerned, [ref]):
        return None
    if core_of(session).settings.inform_shows != "all" and level_of(session, concerned, info) <= Level.INFORM:
        return None
    return concerned


def take_back(session: Session, event: Event) -> None:
    """An unread notification of this reaction vanishes."""
    if event.ref is None or event.actor_id is None:
        return
    if not service.mine(session, event.actor_id, [event.ref]):
        withdraw(session, _cause(event.actor_id, event.ref))


def render_liked(count: int, data: Mapping[str, Any]) -> LazyText:
    """“3 people reacted to: title”; the title is that of the object as it is now, absent when it is gone."""
    title = str(data.get("title") or "")
    if not title:
        return LazyText(
            lambda: _t.ngettext(
                "%(num)s person reacted to what you wrote", "%(num)s people reacted to what you wrote", count
            )
        )
    return LazyText(
        lambda: _t.ngettext(
            "%(num)s person reacted to: %(title)s", "%(num)s people reacted to: %(title)s", count, title=title
        )
    )


def _cause(actor_id: int, ref: ObjectRef) -> str:
    # Fits the column whatever the length of the object's id.
    return f"like:{actor_id}:{hashlib.blake2b(str(ref).encode(), digest_size=12).hexdigest()}"
