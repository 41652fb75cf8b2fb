"""Who is in a group, changed set by set: one of the whole organisation costs a few statements, not one for each person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from . import audiences
from .errors import NotFound
from .freshness import touch
from .i18n import _
from .models.organisation import Group, GroupMember, Person


def set_group_members(session: Session, group_id: int, person_ids: Iterable[int]) -> tuple[int, int]:
    """Make the group's members exactly these; how many were added and removed."""
    # The lock first: who is in the group is read behind it.
    touch(session)
    wanted = set(person_ids)
    present = set(session.scalars(select(GroupMember.person_id).where(GroupMember.group_id == group_id)))
    return change_group_members(session, group_id, joining=wanted - present, leaving=present - wanted)


def change_group_members(
    session: Session, group_id: int, *, joining: Iterable[int] = (), leaving: Iterable[int] = ()
) -> tuple[int, int]:
    """Add people to the group and take others out, set by set; how many were not in it, and were.

    :raises NotFound: when the group, or somebody who joins, does not exist.
    """
    touch(session)
    if session.get(Group, group_id) is None:
        raise NotFound(_("There is no group with the id “%(key)s”.", key=group_id))
    came, went = set(joining), set(leaving)
    came -= _members_among(session, group_id, came)
    went &= _members_among(session, group_id, went)
    known = {found for some in _pieces(came) for found in session.scalars(select(Person.id).where(Person.id.in_(some)))}
    if came - known:
        raise NotFound(f"There is no person with the id {min(came - known)}.")
    for some in _pieces(went):
        leaves = delete(GroupMember).where(GroupMember.group_id == group_id, GroupMember.person_id.in_(some))
        session.execute(leaves.execution_options(synchronize_session="fetch"))
    for some in _pieces(came):
        session.execute(insert(GroupMember), [{"group_id": group_id, "person_id": one} for one in some])
    audiences.refresh(session, came | went)
    return len(came), len(went)


def _members_among(session: Session, group_id: int, person_ids: set[int]) -> set[int]:
    query = select(GroupMember.person_id).where(GroupMember.group_id == group_id)
    return {one for some in _pieces(person_ids) for one in session.scalars(query.where(GroupMember.person_id.in_(some)))}


def _pieces(ids: Iterable[int], size: int = 1_000) -> Iterator[list[int]]:
    ordered = sorted(ids)
    return (ordered[start : start + size] for start in range(0, len(ordered), size))
