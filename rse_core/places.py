"""Where people stand beside their main entity, and who assists them: kept by the source, or by an administrator.

A person has one main entity (``Person.entity_id``) and may be in others. Each of them, with all above it, makes them part of
its audience; the level, ceilings, administration and moderation follow the main one alone, so that a second assignment gives
nobody more than a seat at the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, or_, select
from sqlalchemy.orm import Session

from . import audiences
from .db import utcnow
from .errors import BadInput, NotFound
from .freshness import touch
from .i18n import _
from .models.organisation import Assistant, Entity, Person, PersonEntity
from .people import get

#: So many of either that one person may have.
MOST = 20


def of(entities: Select[int]) -> ColumnElement[bool]:
    """A condition on :class:`Person`: they are in one of these entities, as their main one or beside it."""
    beside = select(PersonEntity.person_id).where(PersonEntity.entity_id.in_(entities))
    return or_(Person.entity_id.in_(entities), Person.id.in_(beside))


def others(session: Session, ids: Iterable[int]) -> Mapping[int, tuple[Entity, ...]]:
    """The entities beside the main one of these people, by name; one query. Who has none is left out.

    One that has become the main one since is not beside it.
    """
    found: dict[int, tuple[Entity, ...]] = {}
    rows = (
        select(PersonEntity.person_id, Entity)
        .join(Entity, Entity.id == PersonEntity.entity_id)
        .join(Person, Person.id == PersonEntity.person_id)
        .where(
            PersonEntity.person_id.in_(sorted(set(ids))), PersonEntity.entity_id.is_distinct_from(Person.entity_id)
        )
        .order_by(Entity.name, Entity.id)
    )
    for person_id, entity in session.execute(rows):
        found[person_id] = (*found.get(person_id, ()), entity)
    return found


def assistants(session: Session, ids: Iterable[int]) -> Mapping[int, tuple[int, ...]]:
    """Who assists these people, by their ids; one query."""
    found: dict[int, tuple[int, ...]] = {}
    rows = (
        select(Assistant.person_id, Assistant.assistant_id)
        .join(Person, Person.id == Assistant.assistant_id)
        .where(Assistant.person_id.in_(sorted(set(ids))))
        .order_by(Person.folded_name, Person.id)
    )
    for person_id, assistant_id in session.execute(rows):
        found[person_id] = (*found.get(person_id, ()), assistant_id)
    return found


def assisted(person_id: int) -> Select[int]:
    """The ids of those whom somebody assists, as a sub-select."""
    return select(Assistant.person_id).where(Assistant.assistant_id == person_id)


def set_others(session: Session, person_id: int, entity_ids: Iterable[int]) -> None:
    """Exactly these, beside the main one, are the entities that the person is in.

    :raises BadInput: for more than :data:`MOST`.
    :raises NotFound: for an entity that is not there.
    """
    touch(session, person_id)
    person = get(session, person_id)
    wanted = set(entity_ids) - {person.entity_id}
    known = set(session.scalars(select(Entity.id).where(Entity.id.in_(wanted))))
    for ident in sorted(wanted - known):
        raise NotFound(f"There is no entity with the id {ident}.")
    _replace(session, PersonEntity, "entity_id", person, wanted)
    audiences.refresh(session, [person_id])


def set_assistants(session: Session, person_id: int, ids: Iterable[int]) -> None:
    """Exactly these assist the person.

    :raises BadInput: for the person, or more than :data:`MOST`.
    :raises NotFound: for somebody who is not there.
    """
    person = get(session, person_id)
    wanted = set(ids)
    if person_id in wanted:
        raise BadInput(_("Nobody is their own assistant."))
    for ident in sorted(wanted):
        get(session, ident)
    _replace(session, Assistant, "assistant_id", person, wanted)


def _replace(session: Session, table: Any, column: str, person: Person, wanted: set[int]) -> None:
    if len(wanted) > MOST:
        raise BadInput(_("At most %(most)s.", most=MOST))
    other = getattr(table, column)
    now = set(session.scalars(select(other).where(table.person_id == person.id)))
    gone = now - wanted
    if gone:
        session.execute(delete(table).where(table.person_id == person.id, other.in_(gone)))
    session.add_all([table(person_id=person.id, **{column: ident}) for ident in sorted(wanted - now)])
    if wanted != now:
        person.updated_at = utcnow()
    session.flush()
