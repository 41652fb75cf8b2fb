"""What the database holds before an import, by the organisation's own ids."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ..models.organisation import Entity, Group, GroupMember, Person
from .ties import load as load_ties


@dataclass(slots=True)
class EntityNow:
    """An entity as it is."""

    id: int
    name: str
    parent: str


@dataclass(slots=True)
class PersonNow:
    """A person as they are; ``facts`` compares with the same tuple of a row."""

    id: int
    external_id: str
    username: str
    status: str
    source: str
    manager: str
    facts: tuple[object, ...]
    external: bool = False
    others: frozenset[str] = frozenset()
    assistants: frozenset[str] = frozenset()


@dataclass(slots=True)
class GroupNow:
    """A group as it is; ``members`` maps an external id to a person's id."""

    id: int
    name: str
    source: str
    members: dict[str, int]


@dataclass(slots=True)
class Existing:
    """Everything, read in six queries."""

    entities: dict[str, EntityNow]
    people: dict[str, PersonNow]
    groups: dict[str, GroupNow]
    by_username: dict[str, PersonNow]


def load(session: Session) -> Existing:
    """Read what the files are compared with."""
    parent = aliased(Entity)
    entities = {
        key: EntityNow(ident, name, above or "")
        for ident, key, name, above in session.execute(
            select(Entity.id, Entity.key, Entity.name, parent.key).outerjoin(parent, parent.id == Entity.parent_id)
        )
    }
    people = _people(session, {now.id: key for key, now in entities.items()})
    return Existing(entities, people, _groups(session), {person.username: person for person in people.values()})


def _people(session: Session, entity_keys: dict[int, str]) -> dict[str, PersonNow]:
    table = Person.__table__.c
    rows = session.execute(
        select(
            table.id,
            table.external_id,
            table.username,
            table.status,
            table.source,
            table.manager_id,
            table.entity_id,
            table.display_name,
            table.email,
            table.job_title,
            table.is_manager,
            table.locale,
            table.phone,
            table.site,
            table.external,
        )
    ).all()
    externals = {row[0]: row[1] for row in rows}
    ties = load_ties(session, entity_keys, externals)
    nobody: frozenset[str] = frozenset()
    people = {}
    for ident, external_id, username, status, source, manager_id, entity_id, *rest in rows:
        name, email, job, is_manager, locale, phone, site, external = rest
        entity = entity_keys.get(entity_id, "")
        manager = externals.get(manager_id, "")
        facts = (username, name, email, entity, job, manager, is_manager, locale, phone, site)
        people[external_id] = PersonNow(ident, external_id, username, status, source, manager, facts, external)
        if ident in ties["others"] or ident in ties["assistants"]:
            people[external_id].others = ties["others"].get(ident, nobody)
            people[external_id].assistants = ties["assistants"].get(ident, nobody)
    return people


def _groups(session: Session) -> dict[str, GroupNow]:
    groups = {
        ident: (key, GroupNow(ident, name, source, {}))
        for ident, key, name, source in session.execute(select(Group.id, Group.key, Group.name, Group.source))
    }
    members = select(GroupMember.group_id, Person.external_id, Person.id).join(Person, Person.id == GroupMember.person_id)
    for group_id, external_id, person_id in session.execute(members):
        groups[group_id][1].members[external_id] = person_id
    return dict(groups.values())
