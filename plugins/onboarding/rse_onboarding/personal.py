"""What the plugin keeps of a person: what they noted of tutorials. Where their tour stands is among their choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core import preferences

from .models import Note
from .standing import CHOICE


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Tutorials done, and whether they were useful."""
    notes = session.scalars(select(Note).where(Note.person_id == person_id).order_by(Note.tutorial))
    return [
        {"tutorial": note.tutorial, "done_at": note.done_at.isoformat() if note.done_at else None, "useful": note.useful}
        for note in notes
    ]


def erase(session: Session, person_id: int) -> int:
    """All of it, and where the tour stands."""
    gone: Any = session.execute(
        delete(Note).where(Note.person_id == person_id).execution_options(synchronize_session=False)
    )
    preferences.put(session, person_id, CHOICE, None)
    return int(gone.rowcount)
