"""What SCIM keeps about a person: the resource as it was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .models import Leaving, ScimUser


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """The resource of this person."""
    row = session.scalar(select(ScimUser).where(ScimUser.person_id == person_id))
    if row is None:
        return []
    return [
        {
            "id": row.uid, "resource": row.document, "created_at": row.created_at.isoformat(),
            "changed_at": row.changed_at.isoformat(),
        }
    ]  # fmt: skip


def erase(session: Session, person_id: int) -> int:
    """Forget it: for the identity provider the person does not exist any more."""
    gone = session.execute(delete(ScimUser).where(ScimUser.person_id == person_id))
    session.execute(delete(Leaving).where(Leaving.person_id == person_id))
    return int(gone.rowcount)  # type: ignore[attr-defined]
