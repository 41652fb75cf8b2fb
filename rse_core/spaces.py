"""Spaces that change: who sees what is in them, their names and keys, their end.

What stands in a space has the audience :func:`~rse_core.audiences.of_space`. Whenever that becomes another one, every plugin
moves its own rows in the same transaction (``rse_space_changed``), so that nothing is visible for a moment to whom it no
longer is for. How spaces grow together and apart stands in :mod:`rse_core.spaces_growing`.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from . import audiences, organisation
from .audit import Actor
from .contributions import SpaceChange
from .cursor import Place
from .db import utcnow
from .errors import Conflict, NotFound
from .freshness import DIRTY, touch
from .i18n import _
from .models.notices import Mute
from .models.organisation import Person, Space, SpaceAlias, SpaceMember
from .organisation import VISIBILITIES, space_ref
from .rules import Case, Verdict, judge
from .snapshot import load_people, load_snapshot
from .spaces_growing import add_members, merge, preview_merge, remove_members, split
from .spaces_parts import Reach, changed, check, get, move, note, reach

#: What members can be told of: every post, what names them, or nothing.
NOTIFY = ("all", "mentions", "none")
#: When neither the space nor the site says otherwise.
NOTIFY_DEFAULT = "mentions"


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
    check(visibility, VISIBILITIES, "visibility")
    space = get(session, space_id)
    before = audiences.of_space(session, space_id)
    after = audiences.everyone(session) if visibility == "public" else audiences.of_members(session, space.id)
    return reach(session, before, after, names)


def change_visibility(session: Session, space_id: int, visibility: str, *, actor: Actor) -> SpaceChange | None:
    """Make a space ``public`` (everyone of the organisation sees what is in it), ``listed`` or ``secret``.

    :returns: the change of audience; None when only its name is seen by others, or nothing changed.
    :raises BadInput: for an unknown visibility.
    :raises PluginError: when a plugin cannot move its rows; nothing is changed then.
    """
    check(visibility, VISIBILITIES, "visibility")
    touch(session)
    space = get(session, space_id)
    if space.visibility == visibility:
        return None
    was, before = space.visibility, audiences.of_space(session, space_id)
    space.visibility = visibility
    session.flush()
    after = audiences.of_space(session, space_id)
    note(session, actor, "space.visibility", space, before={"visibility": was}, after={"visibility": visibility})
    change = SpaceChange(space_id, before, after)
    if before != after:
        move(session, change)
    changed(session, actor, space, after, {"visibility": was}, {"visibility": visibility})
    return change if before != after else None


# Its end


def archive(session: Session, space_id: int, *, actor: Actor, why: str = "") -> bool:
    """Close the space to writing; all of it stays to be read. False when it was archived already."""
    touch(session)
    space = get(session, space_id)
    if space.archived_at is not None:
        return False
    space.archived_at = utcnow()
    note(session, actor, "space.archive", space, why=why)
    changed(session, actor, space, None, {"archived": False}, {"archived": True})
    return True


def unarchive(session: Session, space_id: int, *, actor: Actor, why: str = "") -> bool:
    """Open an archived space again; False when it was open.

    :raises Conflict: for one that was merged into another.
    """
    touch(session)
    space = get(session, space_id)
    if space.merged_into is not None:
        raise Conflict(_("“%(name)s” was merged into another space; nothing is in it any more.", name=space.name))
    if space.archived_at is None:
        return False
    space.archived_at = None
    note(session, actor, "space.unarchive", space, why=why)
    changed(session, actor, space, None, {"archived": True}, {"archived": False})
    return True


# Names and keys


def rename(session: Session, space_id: int, *, name: str | None = None, key: str | None = None, actor: Actor) -> None:
    """Give the space another name, another key, or both. The former key goes on leading there.

    :raises Conflict: when the key is another space's, now or formerly.
    """
    touch(session)
    space = get(session, space_id)
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
        note(session, actor, "space.rename", space, before=before, after=after)
        changed(session, actor, space, None, before, after)


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
    check(choice, (*NOTIFY, ""), "notify")
    space = get(session, space_id)
    if space.notify != choice:
        note(session, actor, "space.notify", space, before={"notify": space.notify}, after={"notify": choice})
        space.notify = choice
        session.flush()


def notify_default(session: Session, space: Space) -> str:
    """What members of a space are told of who have not chosen: as the space says, else the site."""
    return space.notify or _site_default(session)


def listeners(session: Session, space_id: int) -> Select[int]:
    """The active members who want to hear of every post of a space, as a sub-select of their ids.

    A member's own choice stands in ``rse_core.notify`` (``mute``); who has none follows :func:`notify_default`.
    """
    space, ref = get(session, space_id), space_ref(space_id)
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


__all__ = [
    "NOTIFY", "NOTIFY_DEFAULT", "Reach", "add_members", "archive", "by_key", "change_visibility", "explain_role",
    "listeners", "merge", "notify_default", "preview_merge", "preview_visibility", "remove_members", "rename",
    "set_notify", "split", "unarchive",
]  # fmt: skip
