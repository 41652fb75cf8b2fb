"""What moving the cursor would do, in numbers of people, before it is moved.

People of one entity and the same groups are one class and counted once: a handful of classes stands for 75,000 people.
Only the cursor and the switches of plugins are looked at; charters, suspensions and roles are each person's own.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel.numbers import format_decimal
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from . import cursor
from .cursor import Assignment, PersonFacts, Place, Snapshot
from .db import utcnow
from .i18n import _, current_locale, ngettext
from .levels import Level
from .levelsets import Where
from .models.organisation import EntityPath, GroupMember, Person, SpaceMember
from .snapshot import load_snapshot

if TYPE_CHECKING:
    from .runtime import Core

#: (entity, groups that count) → number of people
_Classes = dict[tuple[int | None, frozenset[int]], int]


@dataclass(frozen=True, slots=True)
class Change:
    """A row that might be placed; ``starts_at`` None is now."""

    kind: str
    where: Where
    level: Level | None
    starts_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does at the moment it starts.

    ``people``: how many active people it could concern. ``gains`` and ``loses``: capability → people, those of none
    left out. ``rises`` and ``falls``: people whose effective level changes. ``before`` and ``after``: level → people.
    """

    at: dt.datetime
    people: int
    gains: Mapping[str, int]
    loses: Mapping[str, int]
    rises: int
    falls: int
    before: Mapping[int, int]
    after: Mapping[int, int]

    def as_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {**dataclasses.asdict(self), "at": self.at.isoformat()}


def preview(session: Session, core: Core, change: Change) -> Effect:
    """Count who would gain and who would lose what."""
    now = load_snapshot(session)
    at = change.starts_at or utcnow()
    then, place = _changed(now, change, at)
    where = change.where
    inside = int(where.ident) if where.scope == "space" and change.kind == "level" else None
    required = {key: now.shifts.get(key, int(c.level)) for key, c in core.plugins.capabilities.items()}
    owners = {key: core.plugins.owner(key) or "" for key in required}
    gains, loses = Counter[str](), Counter[str]()
    before, after = Counter[int](), Counter[int]()
    rises = falls = 0
    for (entity, groups), number in _classes(session, now, change).items():
        spaces = {inside: "member"} if inside is not None else {}
        person = PersonFacts(0, entity_id=entity, groups=groups, spaces=spaces)
        was, will = cursor.effective(now, person, place, at), cursor.effective(then, person, place, at)
        before[was] += number
        after[will] += number
        if was == will:
            continue
        rises, falls = rises + number * (will > was), falls + number * (will < was)
        for key, level in required.items():
            if (was < level) != (will < level) and cursor.plugin_on(now, owners[key], person, place)[0]:
                (gains if will >= level else loses)[key] += number
    return Effect(at, sum(before.values()), dict(gains), dict(loses), rises, falls, dict(before), dict(after))


def describe(effect: Effect, core: Core) -> str:
    """The effect in a sentence or two: “4,012 people gain: Comment. Nobody loses anything.”"""
    labels = {key: str(item.label) for key, item in core.plugins.capabilities.items()}
    parts = []
    for number, what in _by_number(effect.gains, labels):
        parts.append(
            ngettext("%(count)s person gains: %(what)s.", "%(count)s people gain: %(what)s.", number,
                     count=_number(number), what=what)
        )  # fmt: skip
    if not effect.gains:
        parts.append(_("Nobody gains anything."))
    for number, what in _by_number(effect.loses, labels):
        parts.append(
            ngettext("%(count)s person loses: %(what)s.", "%(count)s people lose: %(what)s.", number,
                     count=_number(number), what=what)
        )  # fmt: skip
    if not effect.loses:
        parts.append(_("Nobody loses anything."))
    return " ".join(parts)


def _by_number(counts: Mapping[str, int], labels: Mapping[str, str]) -> list[tuple[int, str]]:
    grouped: dict[int, list[str]] = {}
    for key, number in counts.items():
        grouped.setdefault(number, []).append(labels.get(key, key))
    return [(number, ", ".join(sorted(grouped[number]))) for number in sorted(grouped, reverse=True)]


def _number(number: int) -> str:
    return format_decimal(number, locale=current_locale())


def _changed(snapshot: Snapshot, change: Change, at: dt.datetime) -> tuple[Snapshot, Place]:
    """The snapshot with the row added, and the place on which its effect is looked at."""
    spot = change.where.spot(change.kind)
    rows = snapshot.assignments.get(spot, ())
    newest = 1 + max((row.id for some in snapshot.assignments.values() for row in some), default=0)
    row = Assignment(at, newest, None if change.level is None else int(change.level))
    then = dataclasses.replace(
        snapshot, assignments={**snapshot.assignments, spot: tuple(sorted((*rows, row)))}
    )  # fmt: skip
    scope, ident = change.where.scope, change.where.ident
    if scope == "space":
        return then, Place(space_id=int(ident))
    if change.kind == "cap" and scope == "section":
        return then, Place(sections=(str(ident),))
    if change.kind == "cap":
        audience = next((a for a, known in snapshot.audiences.items() if known == (scope, ident)), None)
        return then, Place(audience_id=audience)
    return then, cursor.NOWHERE


def _classes(session: Session, snapshot: Snapshot, change: Change) -> _Classes:
    """The people concerned, by what their level hangs on."""
    counts = {ident for kind, scope, ident in snapshot.assignments if (kind, scope) == ("level", "group")}
    counts |= {ident for some in snapshot.switches.values() for scope, ident in some if scope == "group"}
    if change.where.scope == "group":
        counts.add(change.where.ident)
    people = _concerned(snapshot, change)
    by_entity = people.with_only_columns(Person.entity_id, func.count()).group_by(Person.entity_id)
    classes: Counter[tuple[int | None, frozenset[int]]] = Counter()
    for entity, number in session.execute(by_entity):
        classes[entity, frozenset()] += number
    members = people.with_only_columns(Person.id, Person.entity_id, GroupMember.group_id).join(
        GroupMember, GroupMember.person_id == Person.id
    )
    groups: dict[int, tuple[int | None, list[int]]] = {}
    if counts:
        for person, entity, group in session.execute(members.where(GroupMember.group_id.in_(counts))):
            groups.setdefault(person, (entity, []))[1].append(group)
    for entity, some in groups.values():
        classes[entity, frozenset()] -= 1
        classes[entity, frozenset(some)] += 1
    return {key: number for key, number in classes.items() if number}


def _concerned(snapshot: Snapshot, change: Change) -> Select[int]:
    people: Select[int] = select(Person.id).where(Person.status == "active")
    scope, ident = change.where.scope, change.where.ident
    if scope == "entity":
        below = select(EntityPath.entity_id).where(EntityPath.ancestor_id == ident)
        return people.where(Person.entity_id.in_(below))
    if scope == "group":
        return people.where(Person.id.in_(select(GroupMember.person_id).where(GroupMember.group_id == ident)))
    space = snapshot.spaces.get(int(ident)) if scope == "space" else None
    if space is not None and (change.kind == "level" or space.visibility != "public"):
        return people.where(Person.id.in_(select(SpaceMember.person_id).where(SpaceMember.space_id == ident)))
    return people
