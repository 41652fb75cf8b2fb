"""Notifications as lines of text with an address, for the simplest of lists; the bell and the mails are plugins."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from .. import people
from ..content import ContentInfo, ObjectRef
from ..contributions import NotificationType
from ..notify import Notice, of_person
from ..rules import visible
from .state import core

log = logging.getLogger("rse.web")


@dataclass(frozen=True, slots=True)
class Line:
    """One notification. ``url`` is None when its object is gone or can no longer be seen."""

    text: str
    url: str | None
    at: dt.datetime
    read: bool


def lines(session: Session, person_id: int, *, limit: int) -> list[Line]:
    """The newest notifications of a person; a constant number of queries for each type of object."""
    notices = of_person(session, person_id, limit=limit)
    kinds = {kind.name: kind for _plugin, kind in core().plugins.contributions(NotificationType)}
    names = people.names(session, [notice.first_actor_id for notice in notices])
    found = _objects(session, person_id, [notice.ref for notice in notices])
    answer = []
    for notice in notices:
        kind = kinds.get(notice.type)
        if kind is None:
            continue
        info = found.get(notice.ref)
        actor = names.get(notice.first_actor_id or 0)
        data = {
            **notice.data,
            "actor": actor.display_name if actor is not None else "",
            "title": info.title if info is not None else notice.data.get("title", ""),
        }
        text = _text(kind, notice, data)
        if text:
            answer.append(Line(text, info.url if info is not None else None, notice.updated_at, notice.read))
    return answer


def _text(kind: NotificationType, notice: Notice, data: dict[str, object]) -> str:
    try:
        return str(kind.render(notice.actors, data))
    except Exception:
        log.exception("the notification type %s could not be rendered", kind.name)
        return ""


def _objects(session: Session, person_id: int, refs: Sequence[ObjectRef]) -> dict[ObjectRef, ContentInfo]:
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.type, []).append(ref.id)
    running = core()
    snapshot, facts = running.policy.snapshot(), running.policy.person(person_id)
    found: dict[ObjectRef, ContentInfo] = {}
    for name, ids in by_type.items():
        content_type = running.plugins.content_types.get(name)
        if content_type is None or facts is None:
            continue
        for ident, info in content_type.resolve(session, ids).items():
            # The object itself: a draft, or one without an audience, is not for everybody who was told of it.
            place = running.policy.resolve(session, info)[0]
            if place is not None and visible(snapshot, facts, place):
                found[ObjectRef(name, ident)] = info
    return found
