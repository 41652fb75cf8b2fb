"""A person's own choices, kept as JSON under ``<plugin>.<name>``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .db import dialect_insert
from .models.runtime import Preference

#: In a reading session of a request: (person id, all they chose), read with who they are.
OWN = "rse_own_preferences"


def get(session: Session, person_id: int, key: str, default: Any = None) -> Any:
    """What the person chose, else ``default``; one query by key, none on a page that the person asks for."""
    known = session.info.get(OWN)
    if known is not None and known[0] == person_id:
        return known[1].get(key, default)
    row = session.execute(select(Preference.value).where(Preference.person_id == person_id, Preference.key == key)).first()
    return default if row is None else row[0]


def all_of(session: Session, person_id: int, prefix: str) -> Mapping[str, Any]:
    """All of a person's choices whose key begins with ``prefix``, in one query."""
    rows = session.execute(
        select(Preference.key, Preference.value).where(
            Preference.person_id == person_id, Preference.key.startswith(prefix, autoescape=True)
        )
    )
    return {key: value for key, value in rows}


def put(session: Session, person_id: int, key: str, value: Any) -> None:
    """Keep a choice (JSON-ready); None forgets it. Two at once: the last one stands."""
    if value is None:
        session.execute(delete(Preference).where(Preference.person_id == person_id, Preference.key == key))
        return
    statement = dialect_insert(session, Preference).values(person_id=person_id, key=key, value=value)
    session.execute(
        statement.on_conflict_do_update(index_elements=["person_id", "key"], set_={"value": statement.excluded.value})
    )
