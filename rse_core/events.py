"""Events: what has happened, told after the commit and lost by no crash.

:func:`emit` writes an outbox row in the caller's transaction. Once that is committed, every consumer whose events match
runs in a transaction of its own that also notes the delivery: what it writes to the database happens once, however
often the process is killed. Blinker signals tell the same process at once, for caches; nobody's answer is awaited.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import blinker
from sqlalchemy.orm import Session

from .content import ObjectRef
from .db import utcnow

_namespace = blinker.Namespace()
#: Sent after an event has been committed, in the process that emitted it. Receivers get the :class:`Event` as sender.
committed = _namespace.signal("rse-event-committed")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``id`` is its identity for consumers; ``data`` is JSON-ready, without texts of people."""

    name: str
    actor_id: int | None = None
    ref: ObjectRef | None = None
    audience_id: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: dt.datetime = field(default_factory=utcnow)


def emit(session: Session, event: Event) -> None:
    """Write the event to the outbox, in the caller's transaction."""
    from .models.runtime import Outbox

    session.add(
        Outbox(
            event_id=event.id,
            name=event.name,
            at=event.at,
            actor_id=event.actor_id,
            ref_type=event.ref.type if event.ref else None,
            ref_id=event.ref.id if event.ref else None,
            audience_id=event.audience_id,
            data=dict(event.data),
        )
    )
