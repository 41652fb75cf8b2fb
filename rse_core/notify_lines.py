"""Notifications as lines of text with an address, in the present language; for lists, mails and digests alike."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from . import people
from .content import ContentInfo, ObjectRef
from .contributions import NotificationType
from .notify_choices import SPACE
from .notify_reading import Notice
from .objects import resolve
from .rules import visible

if TYPE_CHECKING:
    from .runtime import Core

log = logging.getLogger("rse.notify")


@dataclass(frozen=True, slots=True)
class Line:
    """One notification. ``url`` is None when its object is gone or can no longer be seen."""

    text: str
    url: str | None
    at: dt.datetime
    read: bool
    key: str = ""
    notice: Notice | None = None
    #: what can be muted so that the like of it is not heard any more
    thread: ObjectRef | None = None
    space: ObjectRef | None = None


def lines(session: Session, person_id: int, notices: Sequence[Notice]) -> list[Line]:
    """These notifications of a person as text; a constant number of queries for each type of object.

    One whose type is gone, or whose object stands where the person may not see it any more, is left out.
    """
    from .runtime import core_of

    core = core_of(session)
    kinds = {kind.name: kind for _plugin, kind in core.plugins.contributions(NotificationType)}
    names = people.names(session, [notice.first_actor_id for notice in notices])
    known = resolve(session, list({notice.ref for notice in notices}))
    seen = objects(core, session, person_id, known)
    answer = []
    for notice in notices:
        kind, info = kinds.get(notice.type), seen.get(notice.ref)
        if kind is None or (info is None and not kind.stays and _closed(known.get(notice.ref))):
            continue
        actor = names.get(notice.first_actor_id or 0)
        data = {
            **notice.data,
            "actor": actor.display_name if actor is not None else "",
            "title": info.title if info is not None else notice.data.get("title", ""),
        }
        text = _text(kind, notice, data)
        if text:
            place = notice.space_id or (info.space_id if info is not None else None)
            answer.append(
                Line(
                    text, info.url if info is not None else None, notice.updated_at, notice.read, notice.key, notice,
                    (info.parent or info.ref) if info is not None else None,
                    ObjectRef(SPACE, str(place)) if place is not None else None,
                )
            )  # fmt: skip
    return answer


def objects(
    core: Core, session: Session, person_id: int, known: dict[ObjectRef, ContentInfo]
) -> dict[ObjectRef, ContentInfo]:
    """Those of these objects that the person may see: a draft, or one without an audience, is not for everybody who was
    told of it."""
    snapshot, facts = core.policy.snapshot(), core.policy.person(person_id)
    if facts is None:
        return {}
    found = {}
    for ref, info in known.items():
        place = core.policy.resolve(session, info)[0]
        if info.author_id == person_id or (place is not None and visible(snapshot, facts, place)):
            found[ref] = info
    return found


def _closed(info: ContentInfo | None) -> bool:
    """It is there, and not for this person; what was deleted, or is not known of, may still be spoken of."""
    return info is not None and info.state != "deleted"


def _text(kind: NotificationType, notice: Notice, data: dict[str, object]) -> str:
    try:
        return str(kind.render(notice.actors, data))
    except Exception:
        log.exception("the notification type %s could not be rendered", kind.name)
        return ""
