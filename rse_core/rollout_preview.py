"""What a plan would do, before it does: for each wave and entity, how many people gain and lose which capability."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import cursor
from .cursor import NOWHERE, Assignment, PersonFacts, Snapshot
from .db import utcnow
from .models.organisation import Entity, GroupMember, Person
from .models.rollout import RolloutWave
from .rollout import starts_at, state_of
from .rollout_check import Checked, checked
from .rollout_places import spots_of, steps
from .snapshot import load_snapshot

if TYPE_CHECKING:
    from .runtime import Core

#: (entity, groups that count) → people
_Classes = Mapping[tuple[int | None, frozenset[int]], int]


@dataclass(slots=True)
class EntityEffect:
    """What a wave does to the people of one entity (of its own, not of those below); ``key`` "" for people in none."""

    key: str
    name: str
    people: int = 0
    rises: int = 0
    falls: int = 0
    gains: Counter[str] = field(default_factory=Counter)
    loses: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class WaveEffect:
    """What a wave does at the moment it begins. ``gated``: if its gate holds. ``state``: its present one, "" for a new one.

    ``held_back``: people whom a ceiling keeps below the wave's level.
    """

    wave: str
    level: int
    at: dt.datetime
    gated: bool
    state: str
    people: int
    held_back: int
    entities: tuple[EntityEffect, ...]

    @property
    def rises(self) -> int:
        """People whose level rises."""
        return sum(one.rises for one in self.entities)

    @property
    def falls(self) -> int:
        """People whose level falls."""
        return sum(one.falls for one in self.entities)

    @property
    def gains(self) -> Counter[str]:
        """Capability → people who gain it."""
        return sum((one.gains for one in self.entities), Counter())

    @property
    def loses(self) -> Counter[str]:
        """Capability → people who lose it."""
        return sum((one.loses for one in self.entities), Counter())

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "wave": self.wave, "level": self.level, "at": self.at.isoformat(), "gated": self.gated, "state": self.state,
            "people": self.people, "held_back": self.held_back, "rises": self.rises, "falls": self.falls,
            "gains": dict(self.gains), "loses": dict(self.loses),
            "entities": [
                {**dataclasses.asdict(one), "gains": dict(one.gains), "loses": dict(one.loses)} for one in self.entities
            ],
        }  # fmt: skip


def preview(session: Session, core: Core, text: str) -> list[WaveEffect]:
    """What applying a plan would do; nothing is written. What a wave has done already is no longer counted.

    :raises BadInput: names every fault.
    """
    found: Checked = checked(session, text)
    now = utcnow()
    snapshot = load_snapshot(session)
    known = {row.name: row for row in session.scalars(select(RolloutWave))}
    classes = _classes(session, snapshot, {group for one in found.targets.values() for group in one.groups})
    names = {ident: (key, name) for ident, key, name in session.execute(select(Entity.id, Entity.key, Entity.name))}
    effects = []
    for wave in found.plan.waves:
        row = known.get(wave.name)
        begins = starts_at(wave.starts, core.settings.timezone)
        at = max(begins, now)
        state = state_of(row, now) if row is not None else ""
        if state in ("held", "rolled_back"):
            effects.append(WaveEffect(wave.name, int(wave.level), at, wave.gate is not None, state, 0, 0, ()))
            continue
        targets = found.targets[wave.name]
        todo = steps(session, row, spots_of(targets), int(wave.level), begins, now)
        then = _with(snapshot, [(step.spot, step.starts_at, step.level) for step in (*todo.back, *todo.forth)])
        mine = _concerned(snapshot, classes, set(targets.entities), set(targets.groups))
        held = sum(number for key, number in mine.items() if _ceiling(then, key, at) < int(wave.level))
        entities = _compare(core, snapshot, then, classes, names, at)
        if row is not None and row.opened_at is not None and state == "open" and todo.empty:
            # There is nothing to do with it any more: it tells when it opened, rather than this moment.
            at = row.opened_at
        effects.append(
            WaveEffect(
                wave.name, int(wave.level), at, wave.gate is not None, state, sum(mine.values()), held, tuple(entities)
            )
        )
        snapshot = then
    return effects


def _classes(session: Session, snapshot: Snapshot, groups: set[int]) -> _Classes:
    """Active people, by what their level hangs on."""
    count = groups | {int(ident) for kind, scope, ident in snapshot.assignments if (kind, scope) == ("level", "group")}
    count |= {ident for some in snapshot.switches.values() for scope, ident in some if scope == "group"}
    active = Person.status == "active"
    found: Counter[tuple[int | None, frozenset[int]]] = Counter()
    for entity, number in session.execute(
        select(Person.entity_id, func.count()).where(active).group_by(Person.entity_id)
    ):
        found[entity, frozenset()] += number
    members: dict[int, tuple[int | None, set[int]]] = {}
    if count:
        rows = session.execute(
            select(Person.id, Person.entity_id, GroupMember.group_id)
            .join(GroupMember, GroupMember.person_id == Person.id).where(active, GroupMember.group_id.in_(count))
        )  # fmt: skip
        for person, entity, group in rows:
            members.setdefault(person, (entity, set()))[1].add(group)
    for entity, some in members.values():
        found[entity, frozenset()] -= 1
        found[entity, frozenset(some)] += 1
    return {key: number for key, number in found.items() if number}


def _with(snapshot: Snapshot, rows: list[tuple[cursor.Spot, dt.datetime, int | None]]) -> Snapshot:
    newest = 1 + max((row.id for some in snapshot.assignments.values() for row in some), default=0)
    changed = dict(snapshot.assignments)
    for number, (spot, starts, level) in enumerate(rows):
        changed[spot] = tuple(sorted((*changed.get(spot, ()), Assignment(starts, newest + number, level))))
    return dataclasses.replace(snapshot, assignments=changed)


def _concerned(snapshot: Snapshot, classes: _Classes, entities: set[int], groups: set[int]) -> _Classes:
    return {
        key: number for key, number in classes.items()
        if key[1] & groups or (key[0] is not None and entities.intersection(snapshot.paths.get(key[0], (key[0],))))
    }  # fmt: skip


def _ceiling(snapshot: Snapshot, key: tuple[int | None, frozenset[int]], at: dt.datetime) -> int:
    return cursor.ceiling(snapshot, snapshot.paths.get(key[0], ()) if key[0] is not None else (), at)


def _compare(
    core: Core, was: Snapshot, will: Snapshot, classes: _Classes, names: Mapping[int, tuple[str, str]], at: dt.datetime
) -> list[EntityEffect]:
    required = {key: was.shifts.get(key, int(one.level)) for key, one in core.plugins.capabilities.items()}
    owners = {key: core.plugins.owner(key) or "" for key in required}
    found: dict[int | None, EntityEffect] = defaultdict(lambda: EntityEffect("", ""))
    for (entity, groups), number in classes.items():
        person = PersonFacts(0, entity_id=entity, groups=groups)
        before, after = cursor.effective(was, person, NOWHERE, at), cursor.effective(will, person, NOWHERE, at)
        if before == after:
            continue
        effect = found[entity]
        if entity is not None:
            effect.key, effect.name = names.get(entity, ("", ""))
        effect.people += number
        effect.rises += number * (after > before)
        effect.falls += number * (after < before)
        for key, level in required.items():
            if (before < level) != (after < level) and cursor.plugin_on(was, owners[key], person, NOWHERE)[0]:
                (effect.gains if after >= level else effect.loses)[key] += number
    return sorted(found.values(), key=lambda one: (one.key == "", one.key))
