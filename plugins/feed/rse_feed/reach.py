"""The real reach of a post before it is sent: how many people of an audience are open at which level, and how many of them
will see it, react, comment.

Levels hang on a person's entity, on those of their groups that have a level, and on their role in the space. People who are
alike in these are one class: the database counts the classes in one statement, and the rules are asked once for each. What a
plugin's ``rse_decide`` may say about single persons is not in it, nor a charter: it is accepted at the first contribution.
"""

from __future__ import annotations

import datetime as dt
import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, literal, literal_column, or_, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, Core, Level, NotFound, core_of, translator, utcnow
from rse_core.cursor import PersonFacts, Place, Snapshot, effective, space_of
from rse_core.models.governance import Suspension
from rse_core.models.organisation import GroupMember, Membership, Person, RoleGrant, SpaceMember
from rse_core.rules import Case, judge
from rse_core.small_groups import FEW, figure

from . import whom

_ = translator(__file__, "rse_feed").gettext

READ, REACT, COMMENT = "feed.read", "likes.react", "comments.write"
#: Bits of one number; more groups take more numbers.
_BITS = 60
_KEPT = 128
_LASTS = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """People of an audience: all of them, by level, by what they will be able to do with a post; ``readers`` by entity."""

    people: int
    levels: Mapping[Level, int]
    able: Mapping[str, int]
    readers: Mapping[int | None, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Class:
    entity_id: int | None
    external: bool
    groups: frozenset[int]
    role: str | None
    #: a role granted at the space: animator, moderator
    granted: str | None
    suspended: bool

    def person(self, audience_id: int, space_id: int | None, at: dt.datetime) -> PersonFacts:
        """Anybody of this class."""
        roles = {(self.granted, "space", space_id)} if self.granted and space_id is not None else set()
        return PersonFacts(
            0, self.entity_id, self.groups, {space_id: self.role} if self.role and space_id is not None else {},
            frozenset({audience_id}), suspensions=((at, None, None),) if self.suspended else (),
            roles=frozenset(roles), external=self.external,
        )  # fmt: skip


_cache: WeakKeyDictionary[Core, dict[tuple[int, int | None], tuple[int, dt.datetime, Reach]]] = WeakKeyDictionary()
_lock = threading.Lock()


def of_choice(session: Session, person_id: int, key: str) -> Reach:
    """The reach of an audience in which this person may post.

    :param key: a key of :mod:`whom`.
    :raises NotFound: for an audience in which they may not, as for one that does not exist.
    """
    try:
        choice = whom.find(session, person_id, key)
    except BadInput:
        choice = None
    if choice is None or not whom.may_post(session, person_id, choice).allowed:
        raise NotFound(_("There is no such audience."))
    return of(session, choice.audience_id, space_id=choice.space_id)


def of(session: Session, audience_id: int, *, space_id: int | None = None) -> Reach:
    """The reach of an audience now: one query, none while nothing that decisions are made from has changed."""
    core = core_of(session)
    snapshot, at = core.policy.snapshot(), utcnow()
    key = (audience_id, space_id)
    with _lock:
        kept = _cache.setdefault(core, {}).get(key)
    if kept is not None and kept[0] == snapshot.version and at < kept[1]:
        return kept[2]
    found = compute(session, core, snapshot, audience_id, space_id, at)
    # A dated level can begin within the time for which the answer is kept.
    boundary = bisect_right(snapshot.boundaries, at)
    until = min([at + _LASTS, *snapshot.boundaries[boundary : boundary + 1]])
    with _lock:
        held = _cache.setdefault(core, {})
        if len(held) >= _KEPT:
            held.clear()
        held[key] = (snapshot.version, until, found)
    return found


def compute(
    session: Session, core: Core, snapshot: Snapshot, audience_id: int, space_id: int | None, at: dt.datetime
) -> Reach:
    """See :func:`of`; always anew."""
    place = Place(audience_id, space_id=space_id)
    space = space_of(snapshot, place)
    offered = core.plugins.capabilities
    capabilities = [key for key in (READ, REACT, COMMENT) if key in offered]
    levels, able = Counter[Level](), Counter[str]()
    readers = Counter[int | None]()
    people = 0
    for some, number in _classes(session, snapshot, audience_id, space, at):
        person = some.person(audience_id, space, at)
        people += number
        levels[Level(effective(snapshot, person, place, at))] += number
        for key in capabilities:
            found = Case(person, key, offered[key], core.plugins.owner(key) or "", place, at)
            if all(step.passed for step in judge(snapshot, found).steps if step.rule != "charter"):
                able[key] += number
                if key == READ:
                    readers[some.entity_id] += number
    return Reach(people, dict(levels), {key: able[key] for key in capabilities}, dict(readers))


def _classes(
    session: Session, snapshot: Snapshot, audience_id: int, space_id: int | None, at: dt.datetime
) -> Iterator[tuple[_Class, int]]:
    groups = sorted(_groups(snapshot))
    query, masks = _query(groups, audience_id, space_id, at)
    for entity, external, role, granted, suspended, *rest in session.execute(query):
        found = frozenset(
            group for index, group in enumerate(groups) if int(rest[index // _BITS] or 0) >> (index % _BITS) & 1
        )
        yield _Class(entity, bool(external), found, role, granted, suspended is not None), rest[masks]


def _groups(snapshot: Snapshot) -> set[int]:
    """The groups that decisions hang on: those that have a level, or a switch of a plugin."""
    counts = {int(ident) for kind, scope, ident in snapshot.assignments if (kind, scope) == ("level", "group")}
    return counts | {ident for some in snapshot.switches.values() for scope, ident in some if scope == "group"}


def _query(groups: list[int], audience_id: int, space_id: int | None, at: dt.datetime) -> tuple[Select[Any], int]:
    """The classes and how many people each has, in one statement; and how many columns tell the groups."""
    suspended = (
        select(Suspension.person_id, literal_column("1").label("held"))
        .where(
            Suspension.starts_at <= at,
            or_(Suspension.ends_at.is_(None), Suspension.ends_at > at),
            or_(Suspension.lifted_at.is_(None), Suspension.lifted_at > at),
        )
        .distinct()
        .subquery()
    )
    granted = (
        select(RoleGrant.person_id, func.min(RoleGrant.role).label("role"))
        .where(
            RoleGrant.scope == "space", RoleGrant.scope_id == (space_id or 0), RoleGrant.role.in_(("animator", "moderator"))
        )
        .group_by(RoleGrant.person_id)
        .subquery()
    )
    columns: list[Any] = [Person.entity_id, Person.external, SpaceMember.role, granted.c.role, suspended.c.held]
    query = (
        select(Person.id)
        .join(Membership, and_(Membership.person_id == Person.id, Membership.audience_id == audience_id))
        .outerjoin(SpaceMember, and_(SpaceMember.person_id == Person.id, SpaceMember.space_id == (space_id or 0)))
        .outerjoin(granted, granted.c.person_id == Person.id)
        .outerjoin(suspended, suspended.c.person_id == Person.id)
    )
    masks = 0
    for start in range(0, len(groups), _BITS):
        some = groups[start : start + _BITS]
        held = (
            select(GroupMember.person_id, cast(func.sum(_bit_of(some)), BigInteger).label("mask"))
            .where(GroupMember.group_id.in_(some))
            .group_by(GroupMember.person_id)
            .subquery()
        )
        query = query.outerjoin(held, held.c.person_id == Person.id)
        columns.append(held.c.mask)
        masks += 1
    return query.with_only_columns(*columns, func.count()).group_by(*columns), masks


def _bit_of(groups: list[int]) -> ColumnElement[int]:
    bits = {group: literal(1 << index, BigInteger) for index, group in enumerate(groups)}
    return case(bits, value=GroupMember.group_id, else_=literal(0, BigInteger))


# -- in words ------------------------------------------------------------------------------------------------------


def told(reach: Reach) -> dict[str, Any]:
    """The reach, ready to be shown: the figures of what people can do, and of levels; empty for a small audience."""
    labels = {READ: _("see it"), REACT: _("react"), COMMENT: _("comment")}
    if 0 < reach.people < FEW:
        return {"people": figure("", reach.people, reach.people), "able": [], "levels": []}
    return {
        "people": figure("", reach.people, reach.people),
        "able": [figure(labels[key], number, reach.people) for key, number in reach.able.items()],
        "levels": [
            figure(", ".join(str(level.label) for level in some), number, reach.people)
            for some, number in bands(reach.levels)
        ],
    }


def bands(levels: Mapping[Level, int]) -> list[tuple[list[Level], int]]:
    """Levels with their people, the lowest first; one with fewer than ten is told together with its neighbour, so that it
    cannot be had by subtraction either."""
    found: list[tuple[list[Level], int]] = []
    for level in sorted(level for level, number in levels.items() if number):
        found.append(([level], levels[level]))
        if len(found) > 1 and min(found[-1][1], found[-2][1]) < FEW:
            last = found.pop()
            before = found.pop()
            found.append(([*before[0], *last[0]], before[1] + last[1]))
    return found
