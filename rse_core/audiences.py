"""Audiences: who may see a thing, kept flattened as rows ``(person, audience)``.

Every list is filtered in SQL by one semi-join::

    select(Comment).where(Comment.audience_id.in_(visible(person_id)))

Who is in entities beside their main one is in the audiences of all of them. A person who is not active is in no audience;
one from outside the organisation is in those of their groups and spaces only. Who animates or moderates a space by a role is
in its audience without being a member. :func:`refresh` computes the rows that ought to stand and writes only the
difference, by two statements, whatever the number of people.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import cast

from sqlalchemy import (
    Executable,
    Select,
    Table,
    bindparam,
    delete,
    except_,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import Subquery

from .errors import NotFound
from .models.organisation import (
    Audience,
    Entity,
    EntityPath,
    Group,
    GroupMember,
    Membership,
    Person,
    PersonEntity,
    RoleGrant,
    Space,
    SpaceMember,
)
from .onlookers import audiences_of, is_onlooker

#: Above this many people, recomputing everybody is quicker than naming them.
_MANY = 2_000
_KINDS: dict[str, type[Entity] | type[Group] | type[Space]] = {
    "entity": Entity,
    "group": Group,
    "space": Space,
}


def everyone(session: Session) -> int:
    """The audience of all active people of the organisation."""
    found = session.scalar(select(Audience.id).where(Audience.kind == "everyone"))
    if found is None:
        found = _add(session, "everyone", 0)
    return found


def of_entity(session: Session, entity_id: int) -> int:
    """The audience of this entity and all below it.

    :raises NotFound: when there is no such entity.
    """
    return _of(session, "entity", entity_id)


def of_group(session: Session, group_id: int) -> int:
    """The audience of this group's members.

    :raises NotFound: when there is no such group.
    """
    return _of(session, "group", group_id)


def of_space(session: Session, space_id: int) -> int:
    """The audience of what stands in this space: its members, or everyone when the space is public.

    :raises NotFound: when there is no such space.
    """
    visibility = session.scalar(select(Space.visibility).where(Space.id == space_id))
    return everyone(session) if visibility == "public" else of_members(session, space_id)


def of_members(session: Session, space_id: int) -> int:
    """The audience of this space's members, public or not.

    :raises NotFound: when there is no such space.
    """
    return _of(session, "space", space_id)


def visible(person_id: int | None) -> Select[int]:
    """Ids of the audiences this person is in: a sub-select for ``audience_id.in_(…)``, empty for nobody."""
    if person_id is not None and is_onlooker(person_id):
        return audiences_of(person_id)
    found = select(Membership.audience_id)
    return found.where(false()) if person_id is None else found.where(Membership.person_id == person_id)


def of_person(session: Session, person_id: int) -> frozenset[int]:
    """The ids of the audiences that this person is in."""
    return frozenset(session.scalars(visible(person_id)))


def sees(session: Session, person_id: int | None, audience_id: int | None) -> bool:
    """Whether this person is in the audience; never for an audience of None."""
    if person_id is None or audience_id is None:
        return False
    if is_onlooker(person_id):
        return session.scalar(visible(person_id).where(Audience.id == audience_id)) is not None
    row = select(Membership.person_id).where(Membership.person_id == person_id, Membership.audience_id == audience_id)
    return session.scalar(row) is not None


def size(session: Session, audience_id: int) -> int:
    """How many people are in the audience."""
    return session.scalar(select(func.count()).where(Membership.audience_id == audience_id)) or 0


def ensure(session: Session) -> None:
    """Give every entity, group and space its audience; also makes the one of everyone."""
    everyone(session)
    for kind, model in _KINDS.items():
        missing = (
            select(literal(kind), model.id)
            .outerjoin(Audience, (Audience.kind == kind) & (Audience.target_id == model.id))
            .where(Audience.id.is_(None))
        )
        session.execute(insert(Audience).from_select(["kind", "target_id"], missing))


def refresh(session: Session, person_ids: Iterable[int] | None = None) -> None:
    """Recompute the flattened rows of these people, of everybody for None.

    Only what differs is written: running it again changes nothing.
    """
    if person_ids is None:
        ensure(session)
        _write_difference(session, None)
        return
    ids = sorted(set(person_ids))
    if len(ids) > _MANY:
        _write_difference(session, None)
    elif ids:
        session.flush()
        for statement in _of_named():
            session.execute(statement, {"named": ids})


@lru_cache(maxsize=1)
def _of_named() -> tuple[Executable, ...]:
    """Both statements for people who are given by ``named``: put together once, as that takes longer than their run."""
    return _difference(select(Person.id).where(Person.id.in_(bindparam("named", expanding=True))))


def refresh_below(session: Session, entity_id: int) -> None:
    """Recompute for the people of this entity and of all below it (after it was moved)."""
    below = select(EntityPath.entity_id).where(EntityPath.ancestor_id == entity_id)
    beside = select(PersonEntity.person_id).where(PersonEntity.entity_id.in_(below))
    _write_difference(session, select(Person.id).where(or_(Person.entity_id.in_(below), Person.id.in_(beside))))


def _write_difference(session: Session, people: Select[int] | None) -> None:
    session.flush()
    for statement in _difference(people):
        session.execute(statement)


def _difference(people: Select[int] | None) -> tuple[Executable, ...]:
    """The statements that take away the rows in excess and add those that are missing."""
    wanted, table = _wanted(people), cast("Table", Membership.__table__)
    kept = select(Membership.person_id, Membership.audience_id)
    if people is not None:
        kept = kept.where(Membership.person_id.in_(people))
    excess = except_(kept, select(wanted)).subquery()
    missing = except_(select(wanted), kept).subquery()
    return (
        delete(table).where(tuple_(Membership.person_id, Membership.audience_id).in_(select(excess))),
        insert(table).from_select(["person_id", "audience_id"], select(missing)),
    )


def _wanted(people: Select[int] | None) -> Subquery:
    """The rows that ought to stand. The parts never overlap, so that no row comes twice."""
    person = select(Person.id.label("person_id"), Audience.id.label("audience_id")).where(Person.status == "active")
    if people is not None:
        person = person.where(Person.id.in_(people))
    main = aliased(EntityPath)
    parts: list[Select[int, int]] = [
        person.where(Person.external.is_(False)).join(Audience, Audience.kind == "everyone"),
        person.where(Person.external.is_(False)).join(EntityPath, EntityPath.entity_id == Person.entity_id).join(
            Audience, (Audience.kind == "entity") & (Audience.target_id == EntityPath.ancestor_id)
        ),
        # Entities beside the main one, with all above them, where the main one does not lead to the same.
        person.where(Person.external.is_(False)).join(PersonEntity, PersonEntity.person_id == Person.id).join(
            EntityPath, EntityPath.entity_id == PersonEntity.entity_id
        ).join(Audience, (Audience.kind == "entity") & (Audience.target_id == EntityPath.ancestor_id)).where(
            ~exists().where(main.entity_id == Person.entity_id, main.ancestor_id == EntityPath.ancestor_id)
        ).distinct(),
        person.join(GroupMember, GroupMember.person_id == Person.id).join(
            Audience, (Audience.kind == "group") & (Audience.target_id == GroupMember.group_id)
        ),
        person.join(SpaceMember, SpaceMember.person_id == Person.id).join(
            Audience, (Audience.kind == "space") & (Audience.target_id == SpaceMember.space_id)
        ),
        # Whoever runs a space by a role sees what is in it; several roles there make one row.
        person.join(RoleGrant, (RoleGrant.person_id == Person.id) & (RoleGrant.scope == "space")).join(
            Audience, (Audience.kind == "space") & (Audience.target_id == RoleGrant.scope_id)
        ).where(
            ~exists().where(SpaceMember.space_id == RoleGrant.scope_id, SpaceMember.person_id == Person.id)
        ).distinct(),
    ]
    return union_all(*parts).subquery()


def _of(session: Session, kind: str, target_id: int) -> int:
    found = session.scalar(select(Audience.id).where(Audience.kind == kind, Audience.target_id == target_id))
    if found is None:
        if session.get(_KINDS[kind], target_id) is None:
            raise NotFound(f"There is no {kind} with the id {target_id}.")
        found = _add(session, kind, target_id)
    return found


def _add(session: Session, kind: str, target_id: int) -> int:
    row = Audience(kind=kind, target_id=target_id)
    session.add(row)
    session.flush()
    return row.id
