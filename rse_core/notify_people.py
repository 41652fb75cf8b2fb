"""Who is told: where the object stands, and who may use it there. Decided for many at once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, String, any_, func, literal, select
from sqlalchemy.orm import Session

from .content import ContentInfo, ObjectRef
from .contributions import NotificationType
from .models.organisation import GroupMember, Membership, Person, RoleGrant, SpaceMember
from .notify_choices import SPACE
from .objects import resolve
from .policy import Policy
from .subjects import Target

if TYPE_CHECKING:
    from .runtime import Core

#: People in one statement: enough that a round trip costs nothing beside its work, few enough for any driver.
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Where:
    """Where the object of a notification stands. ``info`` None: no plugin knows of such an object."""

    ref: ObjectRef
    info: ContentInfo | None
    space_id: int | None

    @property
    def thread(self) -> ObjectRef | None:
        """What it is a part of, if anything."""
        return None if self.info is None else self.info.parent

    @property
    def mutable(self) -> list[ObjectRef]:
        """What can be muted so that this is not heard: itself, its thread, its space."""
        refs = [self.ref, *([self.thread] if self.thread is not None else [])]
        return [*refs, ObjectRef(SPACE, str(self.space_id))] if self.space_id is not None else refs


def where(session: Session, ref: ObjectRef, audience_id: int | None = None) -> Where:
    """Where the object stands now; one query for its type.

    :param audience_id: who is told of it, where that is not its own audience.
    """
    info = resolve(session, [ref]).get(ref)
    if info is not None and info.space_id is not None:
        return Where(ref, info, info.space_id)
    told = audience_id or (info.audience_id if info is not None else None)
    kind, target = _core(session).policy.snapshot().audiences.get(told or 0, ("", 0))
    return Where(ref, info, target if kind == "space" else None)


def among(session: Session, column: Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """SQL: the column is one of these, thousands of them as one parameter."""
    if session.get_bind().dialect.name == "sqlite":
        values = func.json_each(literal(json.dumps(list(ids)), String)).table_valued("value")
        found: ColumnElement[bool] = column.in_(select(values.c.value))
        return found
    return column == any_(literal(list(ids), ARRAY(BigInteger)))  # type: ignore[no-any-return]


def in_chunks(session: Session, people: Iterable[int] | Select[int]) -> Iterator[list[int]]:
    """The ids, each once, in rising order, a few thousand at a time; a select is never loaded whole."""
    if not isinstance(people, Select):
        ids = sorted(set(people))
        for start in range(0, len(ids), CHUNK):
            yield ids[start : start + CHUNK]
        return
    column: Any = people.order_by(None).subquery().c[0]
    last = None
    while True:
        query = select(column).distinct().order_by(column).limit(CHUNK)
        found = list(session.scalars(query if last is None else query.where(column > last)))
        if found:
            yield found
            last = found[-1]
        if len(found) < CHUNK:
            return


def allowed(session: Session, ids: list[int], kind: NotificationType, place: Where) -> list[int]:
    """Those of these people who may use the type's capability where the object stands; all, for a type without one."""
    if kind.capability is None:
        return ids
    if place.info is None:
        return []
    policy = _core(session).policy
    info = place.info
    hidden = info.audience_id is None or info.state not in ("published", "locked", "archived")
    target = Target(info.audience_id, info.sections, info.space_id, info.ref, info.author_id)
    if hidden or policy.core.plugins.decides:
        policy.preload(ids)
        return [one for one in ids if policy.can(session, one, kind.capability, info if hidden else target).allowed]
    return _alike(session, policy, ids, kind.capability, target)


def _alike(session: Session, policy: Policy, ids: list[int], capability: str, target: Target) -> list[int]:
    """As asking about each. A decision to read looks at nothing but what makes people alike here: their entity, their
    groups, their part in the space, whether they are in the audience; so each kind of person is asked about once."""
    offered = policy.core.plugins.capabilities.get(capability)
    if offered is None or offered.writes:
        policy.preload(ids)
        return [one for one in ids if policy.can(session, one, capability, target).allowed]
    alike: dict[tuple[Any, ...], list[int]] = {}
    for ident, key in _likenesses(session, ids, target).items():
        alike.setdefault(key, []).append(ident)
    # One of each sort is asked about, and all of those are loaded together.
    policy.preload([some[0] for some in alike.values()])
    found = [some for some in alike.values() if policy.can(session, some[0], capability, target).allowed]
    return sorted(itertools.chain.from_iterable(found))


def _likenesses(session: Session, ids: Sequence[int], target: Target) -> dict[int, tuple[Any, ...]]:
    """What decides about reading, of each of these people: five queries, however many they are."""
    core = _core(session)
    space_id = target.space_id
    kind, of = core.policy.snapshot().audiences.get(target.audience_id or 0, ("", 0))
    if space_id is None and kind == "space":
        space_id = of
    people = select(Person.id, Person.entity_id, Person.status, Person.external).where(among(session, Person.id, ids))
    inside = select(Membership.person_id).where(
        Membership.audience_id == target.audience_id, among(session, Membership.person_id, ids)
    )
    grouped = select(GroupMember.person_id, GroupMember.group_id).where(among(session, GroupMember.person_id, ids))
    groups = _sets(session, grouped)
    granted = select(RoleGrant.person_id, RoleGrant.role, RoleGrant.scope, RoleGrant.scope_id)
    roles = _sets(session, granted.where(among(session, RoleGrant.person_id, ids)))
    members: dict[int, Any] = {}
    if space_id is not None:
        part = select(SpaceMember.person_id, SpaceMember.role).where(
            SpaceMember.space_id == space_id, among(session, SpaceMember.person_id, ids)
        )
        members = {person: role for person, role in session.execute(part)}
    there = set(session.scalars(inside))
    none: frozenset[Any] = frozenset()
    return {
        person: (
            entity, status, external, person in there, members.get(person), groups.get(person, none),
            roles.get(person, none),
        )
        for person, entity, status, external in session.execute(people)
    }  # fmt: skip


def _sets(session: Session, query: Select[*tuple[Any, ...]]) -> dict[int, frozenset[Any]]:
    found: dict[int, set[Any]] = {}
    for person, *what in session.execute(query):
        found.setdefault(person, set()).add(tuple(what))
    return {person: frozenset(some) for person, some in found.items()}


def _core(session: Session) -> Core:
    from .runtime import core_of

    return core_of(session)
