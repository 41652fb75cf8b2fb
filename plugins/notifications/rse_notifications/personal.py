"""What the plugin keeps of a person: what left for them, and when they want their digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .models import Address, Message, Schedule


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Messages, as far as they are kept: when, by what, and how it ended; their text is never kept."""
    columns = (Message.channel, Message.kind, Message.state, Message.created_at, Message.done_at)
    query = select(*columns).where(Message.person_id == person_id).order_by(Message.id)
    rows: list[dict[str, Any]] = [
        {
            "channel": channel,
            "kind": kind,
            "state": state,
            "created_at": made.isoformat(),
            "done_at": done.isoformat() if done else None,
        }
        for channel, kind, state, made, done in session.execute(query)
    ]
    chosen = session.get(Schedule, person_id)
    if chosen is not None:
        rows.append({"digest_hour": chosen.hour, "time_zone": chosen.zone})
    refused = select(Address.channel, Address.address, Address.refused).where(Address.person_id == person_id)
    rows += [{"channel": c, "address": a, "refused": n} for c, a, n in session.execute(refused)]
    return rows


def erase(session: Session, person_id: int) -> int:
    """All of it; what waits is not sent."""
    done = 0
    for table in (Message, Schedule, Address):
        gone: Any = session.execute(
            delete(table).where(table.person_id == person_id).execution_options(synchronize_session=False)
        )
        done += int(gone.rowcount)
    return done
