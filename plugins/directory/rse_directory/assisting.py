"""Who assists whom: shown both ways, by the field *assistant* of who is assisted."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import places
from rse_core.models.organisation import Person

from . import access
from .access import Sight

#: So many of those whom somebody assists stand in their profile.
MOST = 25


def by(session: Session, seen: Sight, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Who assists these people, where that is shown; only those whom ``seen`` may see. At most three queries."""
    known = places.assistants(session, ids)
    if not known:
        return {}
    told = select(Person.id).where(Person.id.in_(list(known)), access.field_shown(seen, "assistant"))
    shown = {*session.scalars(told), seen.person_id}
    some = {one for person, helpers in known.items() if person in shown for one in helpers}
    here = set(session.scalars(select(Person.id).where(Person.id.in_(some), access.people(seen)))) if some else set()
    kept = {person: tuple(one for one in helpers if one in here) for person, helpers in known.items() if person in shown}
    return {person: helpers for person, helpers in kept.items() if helpers}


def of(session: Session, seen: Sight, person_id: int) -> Sequence[int]:
    """Whom somebody assists, by name."""
    rows = (
        select(Person.id)
        .where(Person.id.in_(places.assisted(person_id)), access.people(seen), access.field_shown(seen, "assistant"))
        .order_by(Person.folded_name, Person.id)
        .limit(MOST)
    )
    return session.scalars(rows).all()
