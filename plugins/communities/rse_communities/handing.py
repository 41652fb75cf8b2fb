"""What somebody who has left ran: spaces as owner, administrator, moderator or animator, as deputy or as contact. It goes to
somebody who is in the space already; a space without an owner leaves the queue of :mod:`succession` by that.

Only owners of the space give it on, and administrators of the site: nobody makes themselves an owner by way of a leaver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from rse_core import audiences, organisation
from rse_core.api import Conflict, Left, Passing
from rse_core.models.organisation import Person, RoleGrant, Space, SpaceMember

from . import members
from .models import Profile

_RANKS = ("owner", "admin", "moderator", "writer", "member", "external")
_ANIMATOR = "animator"
_TASKS = {"deputy": Profile.deputy_id, "contact": Profile.contact_id}


def left(session: Session, person_id: int) -> Iterable[Left]:
    """How many roles and tasks somebody has, space by space; one query. Archived spaces need nobody."""
    parts = union_all(
        select(SpaceMember.space_id.label("space_id")).where(
            SpaceMember.person_id == person_id, SpaceMember.role.in_(organisation.MANAGING_ROLES)
        ),
        select(RoleGrant.scope_id).where(
            RoleGrant.person_id == person_id, RoleGrant.scope == "space", RoleGrant.role == _ANIMATOR
        ),
        *(select(Profile.space_id).where(column == person_id) for column in _TASKS.values()),
    ).subquery()
    rows = session.execute(
        select(parts.c.space_id, func.count())
        .join(Space, Space.id == parts.c.space_id)
        .where(Space.archived_at.is_(None), Space.merged_into.is_(None))
        .group_by(parts.c.space_id)
    )
    return [Left(space_id, None, count) for space_id, count in rows]


def may(session: Session, person_id: int, space_id: int | None) -> bool:
    """Whether this person owns the space."""
    owner = select(SpaceMember.person_id).join(Person, Person.id == SpaceMember.person_id)
    owner = owner.where(
        SpaceMember.space_id == space_id, SpaceMember.person_id == person_id, SpaceMember.role == "owner",
        Person.status == "active",
    )  # fmt: skip
    return space_id is not None and session.scalar(owner) is not None


def heirs(session: Session, space_ids: Sequence[int]) -> Mapping[int, int]:
    """The deputy of each space that has one."""
    rows = select(Profile.space_id, Profile.deputy_id).where(
        Profile.space_id.in_(space_ids), Profile.deputy_id.is_not(None)
    )
    return {space_id: deputy for space_id, deputy in session.execute(rows) if deputy is not None}


def give(session: Session, passing: Passing) -> Mapping[str, str]:
    """The taker has at least the leaver's role and does their tasks; the leaver stays in the space as a member."""
    space = None if passing.space_id is None else session.get(Space, passing.space_id)
    if space is None or space.archived_at is not None or space.merged_into is not None:
        return {}
    went: dict[str, str] = {}
    role, before = _role(session, space.id, passing.person_id), _role(session, space.id, passing.to_id)
    if role in organisation.MANAGING_ROLES:
        if before is None or _RANKS.index(role) < _RANKS.index(before):
            organisation.join_space(session, space.id, passing.to_id, role)
            members.settle(session, space.id, [passing.to_id])
        _rename(session, space.id, passing.person_id, role, "member")
        went["role"] = f"{role}>{before or ''}"
    grant = _grant(session, space.id, passing.person_id)
    if grant is not None:
        there = _grant(session, space.id, passing.to_id) is not None
        session.delete(grant)
        if not there:
            _animate(session, space.id, passing.to_id)
        went[_ANIMATOR] = "had" if there else ""
    profile = session.get(Profile, space.id)
    for task, column in _TASKS.items():
        if profile is not None and getattr(profile, column.key) == passing.person_id:
            setattr(profile, column.key, passing.to_id)
            went[task] = ""
    _settle(session, space.id, passing)
    return went


def take_back(session: Session, passing: Passing, items: Mapping[str, str]) -> int:
    """The leaver has them again, as far as the taker still does. A space never loses its last active owner by that."""
    space_id, count = passing.space_id, 0
    if space_id is None:
        return 0
    if "role" in items:
        role, _sep, before = items["role"].partition(">")
        if _role(session, space_id, passing.person_id) == "member":
            _rename(session, space_id, passing.person_id, "member", role)
            count += 1
        if _role(session, space_id, passing.to_id) == role and before != role:
            _lower(session, space_id, passing.to_id, before)
    if _ANIMATOR in items and _grant(session, space_id, passing.person_id) is None:
        _animate(session, space_id, passing.person_id)
        count += 1
        grant = _grant(session, space_id, passing.to_id)
        if grant is not None and not items[_ANIMATOR]:
            session.delete(grant)
    profile = session.get(Profile, space_id)
    for task, column in _TASKS.items():
        if task in items and profile is not None and getattr(profile, column.key) == passing.to_id:
            setattr(profile, column.key, passing.person_id)
            count += 1
    _settle(session, space_id, passing)
    return count


def _lower(session: Session, space_id: int, person_id: int, role: str) -> None:
    try:
        if role:
            organisation.join_space(session, space_id, person_id, role)
        else:
            organisation.leave_space(session, space_id, person_id)
    except Conflict:
        # Nobody else here owns it: they go on until somebody does.
        return


def _rename(session: Session, space_id: int, person_id: int, before: str, after: str) -> None:
    # Not by the core's door: it refuses to take its last owner from a space, and this one is no longer there.
    member = session.get(SpaceMember, (space_id, person_id), populate_existing=True)
    if member is not None and member.role == before:
        member.role = after
        session.flush()


def _role(session: Session, space_id: int, person_id: int) -> str | None:
    return session.scalar(
        select(SpaceMember.role).where(SpaceMember.space_id == space_id, SpaceMember.person_id == person_id)
    )


def _grant(session: Session, space_id: int, person_id: int) -> RoleGrant | None:
    return session.scalar(select(RoleGrant).where(
        RoleGrant.person_id == person_id, RoleGrant.scope == "space", RoleGrant.scope_id == space_id,
        RoleGrant.role == _ANIMATOR,
    ))  # fmt: skip


def _animate(session: Session, space_id: int, person_id: int) -> None:
    # The audit log says by whom and why, with the handover.
    session.add(RoleGrant(person_id=person_id, role=_ANIMATOR, scope="space", scope_id=space_id, granted_by="handover"))


def _settle(session: Session, space_id: int, passing: Passing) -> None:
    session.flush()
    audiences.refresh(session, [passing.person_id, passing.to_id])
    members.recount(session, [space_id])
