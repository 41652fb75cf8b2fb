"""Entities, groups and spaces: how they are made and changed, with the closure and the audiences.

Each function writes in the caller's transaction and begins by noting the change for the policy, whose row
lock orders
the writers: two of them never recompute the same audiences side by side.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import delete, exists, insert, literal, select, tuple_
from sqlalchemy.orm import Session, aliased

from . import audiences
from .audit import Actor, record
from .content import ObjectRef
from .errors import BadInput, Conflict, NotFound
from .events import Event, emit
from .freshness import touch
from .i18n import _, lazy
from .memberships import set_group_members as set_group_members
from .models.organisation import (
    Audience,
    Entity,
    EntityPath,
    Group,
    GroupMember,
    Person,
    Space,
    SpaceAlias,
    SpaceMember,
    SpaceRule,
)

VISIBILITIES = ("public", "listed", "secret")
SPACE_ROLES = ("owner", "admin", "moderator", "writer", "member", "external")
MANAGING_ROLES = ("owner", "admin", "moderator")
WHO = ("nobody", "managers", "members", "all")
MAX_KEY, MAX_NAME = 120, 300
#: Event: who is in a space, or with which role, has changed; of one person (``data["person"]``) or of many (none named).
MEMBERS = "space.members"

_UNKNOWN = {
    Entity: lazy("There is no entity with the id “%(key)s”."),
    Group: lazy("There is no group with the id “%(key)s”."),
    Space: lazy("There is no space with the id “%(key)s”."),
}

Keyed = TypeVar("Keyed", Entity, Group, Space)


# Entities


def add_entity(session: Session, key: str, name: str, parent_id: int | None = None, *, actor: Actor | None = None) -> Entity:
    """Make an entity below ``parent_id``, or at the top.

    :raises BadInput: for an unusable key or name.
    :raises Conflict: when the key is taken.
    :raises NotFound: when the parent does not exist.
    """
    touch(session)
    _check_new(session, Entity, key, name)
    if parent_id is not None:
        _get(session, Entity, parent_id)
    entity = Entity(key=key, name=name, parent_id=parent_id)
    session.add(entity)
    session.flush()
    above = select(literal(entity.id), EntityPath.ancestor_id, EntityPath.depth + 1).where(EntityPath.entity_id == parent_id)
    session.add(EntityPath(entity_id=entity.id, ancestor_id=entity.id, depth=0))
    session.execute(insert(EntityPath).from_select(["entity_id", "ancestor_id", "depth"], above))
    session.add(Audience(kind="entity", target_id=entity.id))
    session.flush()
    _note(session, actor, "entity.add", f"entity:{key}", after={"name": name, "parent_id": parent_id})
    return entity


def move_entity(session: Session, entity_id: int, parent_id: int | None, *, actor: Actor | None = None) -> None:
    """Put the entity, with all below it, under another parent (None: at the top).

    :raises Conflict: when the new parent stands below the entity itself.
    :raises NotFound: when either does not exist.
    """
    touch(session)
    entity = _get(session, Entity, entity_id)
    if parent_id is not None:
        parent = _get(session, Entity, parent_id)
        if entity_id in path(session, parent_id):
            message = _("The entity “%(key)s” cannot be put under “%(parent)s”, which stands below it.")
            remedy = _("Move the lower one first, or choose another parent.")
            raise Conflict(message % {"key": entity.key, "parent": parent.key}, remedy=remedy)
    before, entity.parent_id = entity.parent_id, parent_id
    session.flush()
    rebuild_paths(session)
    audiences.refresh_below(session, entity_id)
    _note(
        session,
        actor,
        "entity.move",
        f"entity:{entity.key}",
        before={"parent_id": before},
        after={"parent_id": parent_id},
    )


def rename_entity(session: Session, entity_id: int, name: str, *, actor: Actor | None = None) -> None:
    """Give the entity another name; its key stays."""
    touch(session)
    entity = _get(session, Entity, entity_id)
    _check_text("name", name, MAX_NAME)
    before, entity.name = entity.name, name
    session.flush()
    _note(session, actor, "entity.rename", f"entity:{entity.key}", before={"name": before}, after={"name": name})


def path(session: Session, entity_id: int | None) -> list[int]:
    """The entity and all above it, nearest first; empty for None or an entity that does not exist."""
    if entity_id is None:
        return []
    rows = select(EntityPath.ancestor_id).where(EntityPath.entity_id == entity_id).order_by(EntityPath.depth)
    return list(session.scalars(rows))


def below(session: Session, entity_id: int) -> list[int]:
    """The entity and all below it, nearest first."""
    rows = select(EntityPath.entity_id).where(EntityPath.ancestor_id == entity_id)
    return list(session.scalars(rows.order_by(EntityPath.depth, EntityPath.entity_id)))


def rebuild_paths(session: Session) -> None:
    """Compute the closure from the parents, writing only what differs. The parents must hold no cycle."""
    session.flush()
    up = select(Entity.id.label("entity_id"), Entity.id.label("ancestor_id"), literal(0).label("depth")).cte(
        "up", recursive=True
    )
    node = aliased(Entity)
    up = up.union_all(
        select(up.c.entity_id, node.parent_id, up.c.depth + 1)
        .join(node, node.id == up.c.ancestor_id)
        .where(node.parent_id.is_not(None))
    )
    rows = tuple_(EntityPath.entity_id, EntityPath.ancestor_id, EntityPath.depth)
    session.execute(
        delete(EntityPath)
        .where(rows.not_in(select(up.c.entity_id, up.c.ancestor_id, up.c.depth)))
        .execution_options(synchronize_session=False)
    )
    standing = exists().where(EntityPath.entity_id == up.c.entity_id, EntityPath.ancestor_id == up.c.ancestor_id)
    missing = select(up.c.entity_id, up.c.ancestor_id, up.c.depth).where(~standing)
    session.execute(insert(EntityPath).from_select(["entity_id", "ancestor_id", "depth"], missing))


# Groups


def add_group(session: Session, key: str, name: str, *, source: str = "local", actor: Actor | None = None) -> Group:
    """Make a group.

    :raises BadInput: for an unusable key or name.
    :raises Conflict: when the key is taken.
    """
    touch(session)
    _check_new(session, Group, key, name)
    group = Group(key=key, name=name, source=source)
    session.add(group)
    session.flush()
    session.add(Audience(kind="group", target_id=group.id))
    session.flush()
    _note(session, actor, "group.add", f"group:{key}", after={"name": name})
    return group


def join_group(session: Session, group_id: int, person_id: int) -> bool:
    """Add the person to the group; False when they were in it."""
    touch(session, person_id)
    _get(session, Group, group_id)
    _get_person(session, person_id)
    if session.get(GroupMember, (group_id, person_id)) is not None:
        return False
    session.add(GroupMember(group_id=group_id, person_id=person_id))
    audiences.refresh(session, [person_id])
    return True


def leave_group(session: Session, group_id: int, person_id: int) -> bool:
    """Take the person out of the group; False when they were not in it."""
    touch(session, person_id)
    member = session.get(GroupMember, (group_id, person_id))
    if member is None:
        return False
    session.delete(member)
    audiences.refresh(session, [person_id])
    return True


# Spaces


def add_space(session: Session, key: str, name: str, *, visibility: str = "listed", actor: Actor | None = None) -> Space:
    """Make a space without members.

    :param visibility: ``public`` (everyone sees what is in it), ``listed`` (its name is seen) or ``secret``.
    :raises BadInput: for an unusable key, name or visibility.
    :raises Conflict: when the key is taken.
    """
    touch(session)
    _check_new(session, Space, key, name)
    _check_choice("visibility", visibility, VISIBILITIES)
    space = Space(key=key, name=name, visibility=visibility)
    session.add(space)
    session.flush()
    session.add(Audience(kind="space", target_id=space.id))
    session.flush()
    _note(session, actor, "space.add", f"space:{key}", after={"name": name, "visibility": visibility})
    emit(session, Event("space.added", actor.person_id if actor else None, space_ref(space.id)))
    return space


def join_space(session: Session, space_id: int, person_id: int, role: str = "member") -> bool:
    """Add the person to the space, or change their role there; False when nothing changed.

    :param role: one of :data:`SPACE_ROLES`; owner, admin and moderator manage.
    :raises Conflict: when the last owner would be one no longer; when the space is archived.
    :raises BadInput: when somebody from outside would get another role than ``external``.
    """
    touch(session, person_id)
    _check_choice("role", role, SPACE_ROLES)
    space = _get(session, Space, space_id)
    person = _get_person(session, person_id)
    if person.external and role != "external":
        message = _("“%(name)s” is from outside the organisation.", name=person.display_name)
        raise BadInput(message, remedy=_("Give the role “external”."), fields={"role": message})
    member = session.get(SpaceMember, (space_id, person_id), populate_existing=True)
    if member is not None and member.role == role:
        return False
    if member is not None:
        if member.role == "owner":
            _check_owner_stays(session, space, person_id)
        member.role = role
    elif space.archived_at is not None:
        raise Conflict(_("The space “%(name)s” is archived: nobody can join it.", name=space.name))
    else:
        session.add(SpaceMember(space_id=space_id, person_id=person_id, role=role))
    audiences.refresh(session, [person_id])
    emit(session, Event(MEMBERS, ref=space_ref(space_id), data={"person": person_id, "role": role}))
    return True


def leave_space(session: Session, space_id: int, person_id: int) -> bool:
    """Take the person out of the space; False when they were not in it.

    :raises Conflict: when they are its last owner.
    """
    touch(session, person_id)
    member = session.get(SpaceMember, (space_id, person_id), populate_existing=True)
    if member is None:
        return False
    if member.role == "owner":
        _check_owner_stays(session, _get(session, Space, space_id), person_id)
    session.delete(member)
    audiences.refresh(session, [person_id])
    emit(session, Event(MEMBERS, ref=space_ref(space_id), data={"person": person_id, "role": None}))
    return True


def space_ref(space_id: int) -> ObjectRef:
    """The reference of a space, by which events, notifications and slots know it."""
    return ObjectRef("communities.space", str(space_id))


def _check_owner_stays(session: Session, space: Space, person_id: int) -> None:
    others = select(SpaceMember.person_id).join(Person, Person.id == SpaceMember.person_id)
    others = others.where(
        SpaceMember.space_id == space.id, SpaceMember.role == "owner", Person.status == "active", Person.id != person_id
    )
    if session.scalar(others.limit(1)) is None:
        message = _("“%(name)s” would be without an owner.", name=space.name)
        raise Conflict(message, remedy=_("Make somebody else its owner first."))


def set_space_rule(session: Session, space_id: int, capability: str, who: str | None) -> None:
    """Say who may use a capability in this space; None takes the rule away.

    :param who: ``nobody``, ``managers``, ``members`` or ``all`` who see it.
    """
    touch(session)
    _get(session, Space, space_id)
    rule = session.get(SpaceRule, (space_id, capability))
    if who is None:
        if rule is not None:
            session.delete(rule)
    else:
        _check_choice("who", who, WHO)
        session.merge(SpaceRule(space_id=space_id, capability=capability, who=who))
    session.flush()


# By key


def entity_by_key(session: Session, key: str) -> Entity:
    """:raises NotFound: names the nearest key."""
    return _by_key(session, Entity, key)


def group_by_key(session: Session, key: str) -> Group:
    """:raises NotFound: names the nearest key."""
    return _by_key(session, Group, key)


def space_by_key(session: Session, key: str) -> Space:
    """:raises NotFound: names the nearest key."""
    return _by_key(session, Space, key)


def nearest(word: str, known: Iterable[str]) -> str:
    """``Did you mean “x”?``, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return _("Did you mean “%(near)s”?", near=near[0]) if near else ""


def _by_key(session: Session, model: type[Keyed], key: str) -> Keyed:
    found: Keyed | None = session.scalar(select(model).where(model.key == key))
    if found is None:
        hint = nearest(key, session.scalars(select(model.key).limit(5_000)))
        raise NotFound(str(_UNKNOWN[model]) % {"key": key[:80]}, remedy=hint or None)
    return found


def _get(session: Session, model: type[Keyed], ident: int) -> Keyed:
    found = session.get(model, ident)
    if found is None:
        raise NotFound(str(_UNKNOWN[model]) % {"key": ident})
    return found


def _get_person(session: Session, person_id: int) -> Person:
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound(f"There is no person with the id {person_id}.")
    return found


def _check_new(session: Session, model: type[Keyed], key: str, name: str) -> None:
    _check_text("key", key, MAX_KEY)
    _check_text("name", name, MAX_NAME)
    taken = session.scalar(select(model.id).where(model.key == key)) is not None
    if taken or (model is Space and session.get(SpaceAlias, key) is not None):
        raise Conflict(_("The id “%(key)s” is taken already.", key=key), remedy=_("Choose another id."))


def _check_text(field: str, value: str, limit: int) -> None:
    if not value.strip() or len(value) > limit or "\x00" in value:
        message = _("The %(field)s “%(value)s” cannot be used.", field=field, value=value[:80])
        raise BadInput(message, remedy=_("Give 1 to %(limit)s characters.", limit=limit))


def _check_choice(field: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        message = _("“%(value)s” is not a value of %(field)s.", value=value[:80], field=field)
        raise BadInput(message, remedy=_("Use one of: %(choices)s.", choices=", ".join(choices)))


def _note(session: Session, actor: Actor | None, act: str, subject: str, **what: Any) -> None:
    if actor is not None:
        record(session, actor, act, subject, **what)
