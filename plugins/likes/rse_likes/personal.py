"""A person's reactions: exported whole, kept as a number without a name when the account is erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from .models import Reaction


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Every reaction of this person."""
    rows = session.scalars(select(Reaction).where(Reaction.person_id == person_id).order_by(Reaction.id))
    return [
        {
            "object": f"{row.ref_type}:{row.ref_id}",
            "reaction": row.kind,
            "at": row.created_at.isoformat(),
            "changed_at": row.changed_at.isoformat(),
            "via": row.via,
        }
        for row in rows
    ]


def erase(session: Session, person_id: int) -> int:
    """Take the name off; the counters stay exact. The number of rows changed."""
    changed = session.execute(
        update(Reaction).where(Reaction.person_id == person_id).values(person_id=None).returning(Reaction.id)
    )
    return len(changed.all())
