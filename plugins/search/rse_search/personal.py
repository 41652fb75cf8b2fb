"""Personal data in the index: a person's own entry, and their name's number on what they wrote. No query is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rse_core.models.organisation import Person

from . import near
from .finding import visible_anywhere
from .models import Document
from .people import ref_of
from .store import forget
from .words import words


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """What is found under the person's name: copies of what other parts of the export hold whole."""
    rows = session.execute(
        select(Document.ref_type, Document.ref_id, Document.kind, Document.title, Document.at, Document.parent_type)
        .where(Document.author_id == person_id)
        .order_by(Document.id)
    )
    written = [
        {
            "object": f"{row.ref_type}:{row.ref_id}", "kind": row.kind, "at": row.at.isoformat(),
            # What stands on something bears the title of that, which somebody else wrote.
            "title": row.title if row.parent_type is None else "",
        }
        for row in rows
    ]
    ref = ref_of(person_id)
    mine = session.execute(
        select(Document.title, Document.body).where(Document.ref_type == ref.type, Document.ref_id == ref.id)
    )
    return [*({"kind": "person", "title": row.title, "about": row.body} for row in mine), *written]


def erase(session: Session, person_id: int) -> int:
    """The person's entry goes, with the words that stood nowhere else; what they wrote has no author any more."""
    ref = ref_of(person_id)
    title = session.scalar(select(Document.title).where(Document.ref_type == ref.type, Document.ref_id == ref.id)) or ""
    gone = forget(session, [ref])
    mine = {word.text for word in words(title)}
    # A username that colleagues' texts name goes whatever stands there: those texts lose it too.
    name = session.scalar(select(Person.username).where(Person.id == person_id)) or ""
    called = {word.text for word in words(name)}
    near.unlearn(session, called | (mine - visible_anywhere(session, sorted(mine))))
    changed = session.execute(
        update(Document).where(Document.author_id == person_id).values(author_id=None, digest="").returning(Document.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return len(gone) + len(changed.all())
