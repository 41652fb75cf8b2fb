"""Spaces that change: who sees what is in them, their names and keys, their end, and how they grow together or apart.

What stands in a space has the audience :func:`~rse_core.audiences.of_space`. Whenever that becomes another one, every plugin
moves its own rows in the same transaction (``rse_space_changed``), so that nothing is visible for a moment to whom it no
longer is for.

*Merging.* Whoever is in the target keeps their role there. Who comes from the source keeps the lower of their role and
``writer``: running one space makes nobody run another. Somebody from outside stays ``external``. The source's key leads to
the target from then on; its own rules end with it, the target's hold.

*Splitting.* A new space with some of the members, under the same rules; what was written stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from . import audiences, notify, organisation
from .audit import Actor, record
from .contributions import SpaceChange
from .cursor import Place
from .db import utcnow
from .errors import BadInput, Conflict, NotFound
from .events import Event, emit
from .freshness import DIRTY, touch
from .i18n import _
from .models.content import Page
from .models.governance import Held, ReviewRule
from .models.levels import PluginSwitch
from .models.notices import Mute
from .models.organisation import Membership, Person, RoleGrant, Space, SpaceAlias, SpaceMember, SpaceRule
from .organisation import MEMBERS, SPACE_ROLES, VISIBILITIES, space_ref
from .rules import Case, Verdict, judge
from .snapshot import load_people, load_snapshot

#: What members can be told of: every post, what names them, or nothing.
NOTIFY = ("all", "mentions", "none")
#: When neither the space nor the site says otherwise.
NOTIFY_DEFAULT = "mentions"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a change of visibility does: how many people see what is in the space, now and then.

    ``losing`` names the first of those who lose sight of it; show it to the space's managers only.
    """

    before: int
    after: int
    gain: int
    lose: int
    losing: tuple[str, ...] = ()


def by_key(session: Session, key: str) -> Space | None:
    """The space of this key, or the one that a former key leads to; None when there is none."""
    alias = session.scalar(select(Space).join(SpaceAlias, SpaceAlias.space_id == Space.id).where(SpaceAlias.key == key))
    return alias or session.scalar(select(Space).where(Space.key == key))


# Who sees it


def preview_visibility(session: Session, space_id: int, visibility: str, *, names: int = 0) -> Reach:
    """What :func:`change_visibility` would do; five queries whatever the size.

    :param names: how many of those who lose sight to name.
    :raises BadInput: for an unknown visibility.
    """
    _check(visibility, VISIBILITIES, "visibility")
    space = _get(session, space_id)
    before = audiences.of_space(session, space_id)
    after = audiences.everyone(session) if visibility == "public" else audiences.of_members(session, space.id)
    return _reach(session, before, after, names)


def change_visibility(session: Session, space_id: int, visibility: str, *, actor: Actor) -> SpaceChange | None:
    """Make a space ``public`` (everyone of the organisation sees what is in it), ``listed`` or ``secret``.

    :returns: the change of audience; None when only its name is seen by others, or nothing changed.
    :raises BadInput: for an unknown visibility.
    :raises PluginError: when a plugin cannot move its rows; nothing is changed then.
    """
    _check(visibility, VISIBILITIES, "visibility")
    touch(session)
    space = _get(session, space_id)
    if space.visibility == visibility:
        return None
    was, before = space.visibility, audiences.of_space(session, space_id)
    space.visibility = visibility
    session.flush()
    after = audiences.of_space(session, space_id)
    _note(session, actor, "space.visibility", space, before={"visibility": was}, after={"visibility": visibility})
    change = SpaceChange(space_id, before, after)
    if before != after:
        _move(session, change)
    _changed(session, actor, space, after, {"visibility": was}, {"visibility": visibility})
    return change if before != after else None


# Its end


def archive(session: Session, space_id: int, *, actor: Actor, why: str = "") -> bool:
    """Close the space to writing; all of it stays to be read. False when it was archived already."""
    touch(session)
    space = _get(session, space_id)
    if space.archived_at is not None:
        return False
    space.archived_at = utcnow()
    _note(session, actor, "space.archive", space, why=why)
    _changed(session, actor, space, None, {"archived": False}, {"archived": True})
    return True


def unarchive(session: Session, space_id: int, *, actor: Actor, why: str = "") -> bool:
    """Open an archived space again; False when it was open.

    :raises Conflict: for one that was merged into another.
    """
    touch(session)
    space = _get(session, space_id)
    if space.merged_into is not None:
        raise Conflict(_("“%(name)s” was merged into another space; nothing is in it any more.", name=space.name))
    if space.archived_at is None:
        return False
    space.archived_at = None
    _note(session, actor, "space.unarchive", space, why=why)
    _changed(session, actor, space, None, {"archived": True}, {"archived": False})
    return True


# Names and keys


def rename(session: Session, space_id: int, *, name: str | None = None, key: str | None = None, actor: Actor) -> None:
    """Give the space another name, another key, or both. The former key goes on leading there.

    :raises Conflict: when the key is another space's, now or formerly.
    """
    touch(session)
    space = _get(session, space_id)
    before, after = {}, {}
    if name is not None and name != space.name:
        organisation._check_text("name", name, organisation.MAX_NAME)
        before["name"], after["name"] = space.name, name
        space.name = name
    if key is not None and key != space.key:
        own = session.get(SpaceAlias, key)
        if own is not None and own.space_id == space_id:
            session.delete(own)
            session.flush()
        organisation._check_new(session, Space, key, space.name)
        before["key"], after["key"] = space.key, key
        session.add(SpaceAlias(key=space.key, space_id=space_id))
        space.key = key
    if after:
        session.flush()
        _note(session, actor, "space.rename", space, before=before, after=after)
        _changed(session, actor, space, None, before, after)


# Growing together and apart


def preview_merge(session: Session, source_id: int, target_id: int, *, names: int = 0) -> Reach:
    """How many people gain and lose sight of what stands in the source when it is merged into the target."""
    source, target = _get(session, source_id), _get(session, target_id)
    before = audiences.of_space(session, source.id)
    if target.visibility == "public":
        return _reach(session, before, audiences.everyone(session), names)
    # The source's members come along: those alone lose sight who are not among them.
    after = select(Membership.person_id).where(
        Membership.audience_id.in_([audiences.of_members(session, s) for s in (source.id, target.id)])
    )
    return _compare(session, _people(before), after.distinct(), names)


def merge(session: Session, source_id: int, target_id: int, *, actor: Actor) -> SpaceChange:
    """Move the members of one space, and everything that stands in it, into another; see the module's text.

    :raises BadInput: for a space and itself.
    :raises Conflict: when either is archived.
    :raises PluginError: when a plugin cannot move its rows; nothing is changed then.
    """
    if source_id == target_id:
        raise BadInput(_("A space cannot be merged into itself."), remedy=_("Choose another one."))
    touch(session)
    source, target = _get(session, source_id), _get(session, target_id)
    for space in (source, target):
        if space.archived_at is not None:
            raise Conflict(_("The space “%(name)s” is archived.", name=space.name), remedy=_("Open it again first."))
    before = audiences.of_space(session, source_id)
    people = list(session.scalars(select(SpaceMember.person_id).where(SpaceMember.space_id == source_id)))
    animators = list(session.scalars(select(RoleGrant.person_id).where(*_grants(source_id))))
    joined = _members_of(source_id, target_id)
    session.execute(insert(SpaceMember).from_select(["space_id", "person_id", "role", "since"], joined))
    session.execute(_gone(delete(SpaceMember).where(SpaceMember.space_id == source_id)))
    session.execute(_gone(delete(RoleGrant).where(*_grants(source_id))))
    session.expire_all()
    audiences.refresh(session, {*people, *animators})
    source, target = _get(session, source_id), _get(session, target_id)
    source.archived_at, source.merged_into = utcnow(), target_id
    session.execute(_gone(update(SpaceAlias).where(SpaceAlias.space_id == source_id).values(space_id=target_id)))
    session.add(SpaceAlias(key=source.key, space_id=target_id))
    session.flush()
    after = audiences.of_space(session, target_id)
    change = SpaceChange(source_id, before, after, target_id)
    _note(session, actor, "space.merge", source, after={"into": target.key, "members": len(people)})
    _move(session, change)
    _changed(session, actor, source, after, {"merged_into": None}, {"merged_into": target_id})
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
    space = _get(session, space_id)
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
    gone = [person for person, role in members.items() if role != "owner"] if leaving else []
    for start in range(0, len(gone), 500):
        left = SpaceMember.person_id.in_(gone[start : start + 500])
        session.execute(_gone(delete(SpaceMember).where(SpaceMember.space_id == space_id, left)))
    session.expire_all()
    audiences.refresh(session, members)
    record(
        session, actor, "space.split", f"space:{space.key}", after={"key": key, "members": len(members), "leaving": leaving}
    )
    for ident in (space_id, made.id):
        emit(session, Event(MEMBERS, actor.person_id, space_ref(ident)))
    return made


# Many members at once


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
    space = _get(session, space_id)
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


# Who may do what


def explain_role(session: Session, space_id: int, role: str | None, capability: str, *, like: int) -> Verdict:
    """What the rules say to somebody with this role here, who is otherwise as ``like`` is: their entity and groups.

    :param role: one of :data:`~rse_core.organisation.SPACE_ROLES`; None for somebody who is no member.
    """
    from .runtime import core_of

    core = core_of(session)
    snapshot = load_snapshot(session) if DIRTY in session.info else core.policy.snapshot()
    model = load_people(session, [like]).get(like)
    if model is None:
        raise NotFound(_("This person is not known here."))
    of_space, members = audiences.of_space(session, space_id), audiences.of_members(session, space_id)
    spaces = {ident: held for ident, held in model.spaces.items() if ident != space_id}
    outside = role == "external"
    person = replace(
        model,
        spaces=spaces if role is None else {**spaces, space_id: role},
        audiences=(model.audiences - {members}) if role is None else model.audiences | {members},
        roles=frozenset(held for held in model.roles if held[1:] != ("space", space_id)),
        external=outside,
    )
    plugins = core.plugins
    case = Case(
        person, capability, plugins.capabilities.get(capability), plugins.owner(capability) or "",
        Place(of_space, space_id=space_id), utcnow(), candid=True,
    )  # fmt: skip
    return judge(snapshot, case)


# What members are told of


def set_notify(session: Session, space_id: int, choice: str, *, actor: Actor) -> None:
    """Say what members of this space are told of by default; "" leaves it to the site."""
    _check(choice, (*NOTIFY, ""), "notify")
    space = _get(session, space_id)
    if space.notify != choice:
        _note(session, actor, "space.notify", space, before={"notify": space.notify}, after={"notify": choice})
        space.notify = choice
        session.flush()


def notify_default(session: Session, space: Space) -> str:
    """What members of a space are told of who have not chosen: as the space says, else the site."""
    return space.notify or _site_default(session)


def listeners(session: Session, space_id: int) -> Select[int]:
    """The active members who want to hear of every post of a space, as a sub-select of their ids.

    A member's own choice stands in ``rse_core.notify`` (``mute``); who has none follows :func:`notify_default`.
    """
    space, ref = _get(session, space_id), space_ref(space_id)
    query = (
        select(SpaceMember.person_id)
        .join(Person, Person.id == SpaceMember.person_id)
        .outerjoin(
            Mute,
            (Mute.person_id == SpaceMember.person_id) & (Mute.ref_type == ref.type) & (Mute.ref_id == ref.id),
        )
        .where(SpaceMember.space_id == space_id, Person.status == "active")
    )
    wants = Mute.hears == "all"
    return query.where(or_(Mute.person_id.is_(None), wants) if notify_default(session, space) == "all" else wants)


def _site_default(session: Session) -> str:
    from .options import option

    try:
        return str(option(session, "communities.notify_default"))
    except NotFound:
        return NOTIFY_DEFAULT


# Inside


def _reach(session: Session, before: int, after: int, names: int) -> Reach:
    return _compare(session, _people(before), _people(after), names)


def _people(audience_id: int) -> Select[int]:
    return select(Membership.person_id).where(Membership.audience_id == audience_id)


def _compare(session: Session, before: Select[int], after: Select[int], names: int) -> Reach:
    def count(query: Select[Any]) -> int:
        return session.scalar(select(func.count()).select_from(query.subquery())) or 0

    losing = before.where(Membership.person_id.not_in(after))
    shown: Sequence[str] = ()
    if names:
        named = select(Person.display_name).where(Person.id.in_(losing)).order_by(Person.folded_name, Person.id)
        shown = session.scalars(named.limit(names)).all()
    gaining = after.where(Membership.person_id.not_in(before))
    return Reach(count(before), count(after), count(gaining), count(losing), tuple(shown))


def _members_of(source_id: int, target_id: int) -> Select[Any]:
    present = select(SpaceMember.person_id).where(SpaceMember.space_id == target_id)
    low = case((SpaceMember.role.in_(organisation.MANAGING_ROLES), literal("writer")), else_=SpaceMember.role)
    return select(literal(target_id), SpaceMember.person_id, low, SpaceMember.since).where(
        SpaceMember.space_id == source_id, SpaceMember.person_id.not_in(present)
    )


def _grants(space_id: int) -> tuple[Any, ...]:
    return RoleGrant.scope == "space", RoleGrant.scope_id == space_id


def _move(session: Session, change: SpaceChange) -> None:
    """The core's own rows, then every plugin's."""
    from .runtime import core_of

    session.execute(
        _gone(
            update(Held)
            .where(Held.space_id == change.space_id)
            .values(audience_id=change.audience_after, space_id=change.into or change.space_id)
        )
    )
    notify.space_changed(session, change)
    if change.into is not None:
        # A page for the members of a space is for those of the one that took it in; never for more people than that.
        members = audiences.of_members(session, change.space_id)
        moved = update(Page).where(Page.audience_id == members)
        session.execute(_gone(moved.values(audience_id=audiences.of_members(session, change.into))))
    core_of(session).plugins.space_changed(session, change)


def _changed(
    session: Session,
    actor: Actor,
    space: Space,
    audience_id: int | None,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    data = {"before": dict(before), "after": dict(after)}
    emit(session, Event("space.changed", actor.person_id, space_ref(space.id), audience_id, data))


def _note(session: Session, actor: Actor, act: str, space: Space, **what: Any) -> None:
    record(session, actor, act, f"space:{space.key}", **what)


def _get(session: Session, space_id: int) -> Space:
    return organisation._get(session, Space, space_id)


def _check(value: str, choices: tuple[str, ...], field: str) -> None:
    organisation._check_choice(field, value, choices)


def _gone(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)
