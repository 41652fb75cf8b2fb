"""A person's bookmarks are theirs alone: exported whole, erased whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .models import Bookmark


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Every bookmark of this person."""
    rows = session.scalars(select(Bookmark).where(Bookmark.person_id == person_id).order_by(Bookmark.id))
    return [{"object": f"{row.ref_type}:{row.ref_id}", "kept_at": row.kept_at.isoformat()} for row in rows]


def erase(session: Session, person_id: int) -> int:
    """Delete them; the number of rows deleted."""
    gone = session.execute(delete(Bookmark).where(Bookmark.person_id == person_id).returning(Bookmark.id))
    return len(gone.all())
