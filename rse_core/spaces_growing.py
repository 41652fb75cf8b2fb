"""Spaces that grow together or apart, and members by the many.

*Merging.* Whoever is in the target keeps their role there. Who comes from the source keeps the lower of their role and
``writer``: running one space makes nobody run another. Somebody from outside stays ``external``. The source's key leads to
the target from then on; its own rules end with it, the target's hold.

*Splitting.* A new space with some of the members, under the same rules; what was written stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, case, delete, insert, literal, select, update
from sqlalchemy.orm import Session

from . import audiences, organisation
from .audit import Actor, record
from .contributions import SpaceChange
from .db import utcnow
from .errors import BadInput, Conflict
from .events import Event, emit
from .freshness import touch
from .i18n import _
from .models.governance import ReviewRule
from .models.levels import PluginSwitch
from .models.organisation import Membership, Person, RoleGrant, Space, SpaceAlias, SpaceMember, SpaceRule
from .organisation import MEMBERS, SPACE_ROLES, space_ref
from .spaces_parts import Reach, changed, compare, get, gone, grants, move, note, people_of, reach


def preview_merge(session: Session, source_id: int, target_id: int, *, names: int = 0) -> Reach:
    """How many people gain and lose sight of what stands in the source when it is merged into the target."""
    source, target = get(session, source_id), get(session, target_id)
    before = audiences.of_space(session, source.id)
    if target.visibility == "public":
        return reach(session, before, audiences.everyone(session), names)
    # The source's members come along: those alone lose sight who are not among them.
    after = select(Membership.person_id).where(
        Membership.audience_id.in_([audiences.of_members(session, s) for s in (source.id, target.id)])
    )
    return compare(session, people_of(before), after.distinct(), names)


def merge(session: Session, source_id: int, target_id: int, *, actor: Actor) -> SpaceChange:
    """Move the members of one space, and everything that stands in it, into another; see the module's text.

    :raises BadInput: for a space and itself.
    :raises Conflict: when either is archived.
    :raises PluginError: when a plugin cannot move its rows; nothing is changed then.
    """
    if source_id == target_id:
        raise BadInput(_("A space cannot be merged into itself."), remedy=_("Choose another one."))
    touch(session)
    source, target = get(session, source_id), get(session, target_id)
    for space in (source, target):
        if space.archived_at is not None:
            raise Conflict(_("The space “%(name)s” is archived.", name=space.name), remedy=_("Open it again first."))
    before = audiences.of_space(session, source_id)
    people = list(session.scalars(select(SpaceMember.person_id).where(SpaceMember.space_id == source_id)))
    animators = list(session.scalars(select(RoleGrant.person_id).where(*grants(source_id))))
    joined = _members_of(source_id, target_id)
    session.execute(insert(SpaceMember).from_select(["space_id", "person_id", "role", "since"], joined))
    session.execute(gone(delete(SpaceMember).where(SpaceMember.space_id == source_id)))
    session.execute(gone(delete(RoleGrant).where(*grants(source_id))))
    session.expire_all()
    audiences.refresh(session, {*people, *animators})
    source, target = get(session, source_id), get(session, target_id)
    source.archived_at, source.merged_into = utcnow(), target_id
    session.execute(gone(update(SpaceAlias).where(SpaceAlias.space_id == source_id).values(space_id=target_id)))
    session.add(SpaceAlias(key=source.key, space_id=target_id))
    session.flush()
    after = audiences.of_space(session, target_id)
    change = SpaceChange(source_id, before, after, target_id)
    note(session, actor, "space.merge", source, after={"into": target.key, "members": len(people)})
    move(session, change)
    changed(session, actor, source, after, {"merged_into": None}, {"merged_into": target_id})
    for space in (source, target):
        emit(session, Event(MEMBERS, actor.person_id, space_ref(space.id)))
    return change


def split(
    session: Session, space_id: int, *, key: str, name: str, people: Sequence[int], owner_id: int, actor: Actor,
    leaving: bool = False,
) -> Space:  # fmt: skip
    """Make a new space of some members, as visible as this one and under the same rules; what was written stays.

    :param people: members of the space; those who are not are left out.
    :param leaving: they leave this one. Owners never do.
    :raises Conflict: when the key is taken.
    :raises BadInput: when the owner is none of its members.
    """
    touch(session)
    space = get(session, space_id)
    wanted = sorted({*people, owner_id})
    members: dict[int, str] = {}
    for start in range(0, len(wanted), 500):
        some = select(SpaceMember.person_id, SpaceMember.role).where(
            SpaceMember.space_id == space_id, SpaceMember.person_id.in_(wanted[start : start + 500])
        )
        members |= {person: role for person, role in session.execute(some)}
    if owner_id not in members or members[owner_id] == "external":
        raise BadInput(_("The owner of the new space must be one of the members."), remedy=_("Choose another person."))
    made = organisation.add_space(session, key, name, visibility=space.visibility, actor=actor)
    made.notify = space.notify
    rows = [
        {"space_id": made.id, "person_id": person, "role": "owner" if person == owner_id else role, "since": utcnow()}
        for person, role in members.items()
    ]
    session.execute(insert(SpaceMember), rows)
    copied = select(literal(made.id), SpaceRule.capability, SpaceRule.who).where(SpaceRule.space_id == space_id)
    session.execute(insert(SpaceRule).from_select(["space_id", "capability", "who"], copied))
    for switch in session.scalars(
        select(PluginSwitch).where(PluginSwitch.scope == "space", PluginSwitch.scope_id == space_id)
    ).all():
        session.add(
            PluginSwitch(
                plugin=switch.plugin, scope="space", scope_id=made.id, enabled=switch.enabled, changed_by=actor.label
            )
        )
    if session.get(ReviewRule, ("space", space_id)) is not None:
        session.add(ReviewRule(scope="space", scope_id=made.id, created_by=actor.label))
    leavers = [person for person, role in members.items() if role != "owner"] if leaving else []
    for start in range(0, len(leavers), 500):
        left = SpaceMember.person_id.in_(leavers[start : start + 500])
        session.execute(gone(delete(SpaceMember).where(SpaceMember.space_id == space_id, left)))
    session.expire_all()
    audiences.refresh(session, members)
    record(
        session, actor, "space.split", f"space:{space.key}", after={"key": key, "members": len(members), "leaving": leaving}
    )
    for ident in (space_id, made.id):
        emit(session, Event(MEMBERS, actor.person_id, space_ref(ident)))
    return made


def add_members(session: Session, space_id: int, people: Sequence[int], *, role: str = "member") -> list[int]:
    """Add people in a fixed number of statements; those who are in it already keep their role.

    Somebody from outside becomes ``external``; who has left the organisation is left out.

    :returns: those who were added.
    :raises Conflict: when the space is archived.
    """
    organisation._check_choice("role", role, SPACE_ROLES)
    if not people:
        return []
    touch(session)
    space = get(session, space_id)
    if space.archived_at is not None:
        raise Conflict(_("The space “%(name)s” is archived: nobody can join it.", name=space.name))
    present = select(SpaceMember.person_id).where(SpaceMember.space_id == space_id)
    rows = session.execute(
        select(Person.id, Person.external).where(
            Person.id.in_(sorted(set(people))), Person.status == "active", Person.id.not_in(present)
        )
    ).all()
    if rows:
        now = utcnow()
        values = [
            {"space_id": space_id, "person_id": ident, "role": "external" if outside else role, "since": now}
            for ident, outside in rows
        ]
        session.execute(insert(SpaceMember), values)
        added = [ident for ident, _outside in rows]
        audiences.refresh(session, added)
        emit(session, Event(MEMBERS, ref=space_ref(space_id)))
        return added
    return []


def remove_members(session: Session, space_id: int, people: Sequence[int]) -> list[int]:
    """Take people out in a fixed number of statements; owners stay.

    :returns: those who were taken out.
    """
    if not people:
        return []
    touch(session)
    gone = session.scalars(
        delete(SpaceMember)
        .where(SpaceMember.space_id == space_id, SpaceMember.person_id.in_(sorted(set(people))), SpaceMember.role != "owner")
        .returning(SpaceMember.person_id)
        .execution_options(synchronize_session=False)
    ).all()
    if gone:
        session.expire_all()
        audiences.refresh(session, gone)
        emit(session, Event(MEMBERS, ref=space_ref(space_id)))
    return list(gone)


def _members_of(source_id: int, target_id: int) -> Select[Any]:
    present = select(SpaceMember.person_id).where(SpaceMember.space_id == target_id)
    low = case((SpaceMember.role.in_(organisation.MANAGING_ROLES), literal("writer")), else_=SpaceMember.role)
    return select(literal(target_id), SpaceMember.person_id, low, SpaceMember.since).where(
        SpaceMember.space_id == source_id, SpaceMember.person_id.not_in(present)
    )
