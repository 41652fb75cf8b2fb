"""People as those who run the site look at them: lists, and everything the core knows of one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from . import places, roles
from .models.organisation import (
    Entity,
    EntityPath,
    Group,
    GroupMember,
    Person,
    PersonIdentity,
    Space,
    SpaceMember,
)
from .people import folded


def list_people(
    session: Session,
    *,
    entity_id: int | None = None,
    group_id: int | None = None,
    status: str | None = "active",
    find: str | None = None,
    after: str = "",
    limit: int = 50,
) -> list[dict[str, Any]]:
    """People by username, JSON-ready, in one query.

    :param entity_id: only of this entity and what is below it, as their main one or beside it.
    :param find: the beginning of their name, folded.
    :param after: the last username of the list before.
    """
    rows = select(Person, Entity.key).outerjoin(Entity, Entity.id == Person.entity_id)
    if entity_id is not None:
        rows = rows.where(places.of(select(EntityPath.entity_id).where(EntityPath.ancestor_id == entity_id)))
    if group_id is not None:
        rows = rows.where(Person.id.in_(select(GroupMember.person_id).where(GroupMember.group_id == group_id)))
    if status is not None:
        rows = rows.where(Person.status == status)
    if find:
        rows = rows.where(Person.folded_name.startswith(folded(find), autoescape=True))
    if after:
        rows = rows.where(Person.username > after)
    found = session.execute(rows.order_by(Person.username).limit(limit))
    return [_row(person, entity) for person, entity in found]


def describe(session: Session, person: Person) -> dict[str, Any]:
    """What the core knows of a person, JSON-ready, with the organisation's own ids."""
    path = (
        select(Entity.key)
        .join(EntityPath, EntityPath.ancestor_id == Entity.id)
        .where(EntityPath.entity_id == person.entity_id)
        .order_by(EntityPath.depth)
    )
    manager = aliased(Person)
    groups = select(Group.key).join(GroupMember, GroupMember.group_id == Group.id)
    spaces = select(Space.key, SpaceMember.role).join(SpaceMember, SpaceMember.space_id == Space.id)
    identities = select(PersonIdentity.issuer, PersonIdentity.subject)
    entity_path = list(session.scalars(path))
    return {
        **_row(person, entity_path[0] if entity_path else None),
        "entity_path": entity_path,
        "other_entities": [one.key for one in places.others(session, [person.id]).get(person.id, ())],
        "email": person.email,
        "job_title": person.job_title,
        "manager": session.scalar(select(manager.username).where(manager.id == person.manager_id)),
        "assistants": [
            session.get_one(Person, one).username for one in places.assistants(session, [person.id]).get(person.id, ())
        ],
        "is_manager": person.is_manager,
        "locale": person.locale,
        "phone": person.phone,
        "site": person.site,
        "source": person.source,
        "disabled_at": person.disabled_at,
        "groups": list(session.scalars(groups.where(GroupMember.person_id == person.id).order_by(Group.key))),
        "spaces": [
            f"{key} ({role})"
            for key, role in session.execute(spaces.where(SpaceMember.person_id == person.id).order_by(Space.key))
        ],
        "roles": [f"{g.role} ({g.where})" for g in roles.list_grants(session, person_id=person.id)],
        "identities": [
            f"{issuer} {subject}"
            for issuer, subject in session.execute(
                identities.where(PersonIdentity.person_id == person.id).order_by(PersonIdentity.id)
            )
        ],
    }


def _row(person: Person, entity: str | None) -> dict[str, Any]:
    return {
        "username": person.username,
        "display_name": person.display_name,
        "external_id": person.external_id,
        "entity_id": entity,
        "status": person.status,
    }
