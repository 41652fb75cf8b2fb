"""Loads what decisions are made from: the structure (:class:`~rse_core.cursor.Snapshot`) and the facts of people.

Both read the version first and the rows afterwards: what is loaded may be newer than its version says, never older.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .cursor import Assignment, Awaited, CharterVersion, PersonFacts, Snapshot, SpaceFacts, Spot, normal_section
from .db import CoreBase
from .models.governance import Charter, CharterAcceptance, ReviewRule, Suspension
from .models.levels import CapabilityShift, LevelRow, PluginSwitch, PolicyVersion
from .models.organisation import (
    Audience,
    Entity,
    Group,
    GroupMember,
    Membership,
    Person,
    RoleGrant,
    Space,
    SpaceMember,
    SpaceRule,
)
from .models.rollout import RolloutPlace, RolloutWave
from .onlookers import facts as onlookers
from .onlookers import is_onlooker

#: Bound parameters in one IN list; SQLite's default limit is higher, and the planner likes short ones.
_CHUNK = 500
VERSION_ROW = 1


def read_version(session: Session) -> int:
    """The version of all that decisions are made from; 0 on a fresh database."""
    return session.scalar(select(PolicyVersion.value).where(PolicyVersion.id == VERSION_ROW)) or 0


def load_snapshot(session: Session) -> Snapshot:
    """The structure as it is now, in thirteen queries whatever the number of people."""
    version = read_version(session)
    parents: dict[int, int | None] = {}
    keys: dict[tuple[str, int], str] = {}
    for ident, key, parent in session.execute(select(Entity.id, Entity.key, Entity.parent_id)):
        parents[ident] = parent
        keys["entity", ident] = key
    for ident, key in session.execute(select(Group.id, Group.key)):
        keys["group", ident] = key
    rows = load_assignments(session)
    awaited = _awaited(session)
    charters = _charters(session)
    spaces = _spaces(session)
    keys |= {("space", ident): space.key for ident, space in spaces.items()}
    switches: dict[str, dict[tuple[str, int], bool]] = defaultdict(dict)
    for plugin, scope, ident, enabled in session.execute(
        select(PluginSwitch.plugin, PluginSwitch.scope, PluginSwitch.scope_id, PluginSwitch.enabled)
    ):
        switches[plugin][scope, ident] = enabled
    reviewed = session.execute(select(ReviewRule.scope, ReviewRule.scope_id))
    return Snapshot(
        version=version,
        paths=_paths(parents),
        keys=keys,
        assignments=rows,
        waves=_waves(session),
        awaited=awaited,
        switches=dict(switches),
        shifts=_shifts(session),
        charters=charters,
        reviewed=frozenset((scope, ident) for scope, ident in reviewed),
        spaces=spaces,
        audiences={
            ident: (kind, target)
            for ident, kind, target in session.execute(select(Audience.id, Audience.kind, Audience.target_id))
        },
        boundaries=_boundaries(rows, charters, awaited),
    )


def _shifts(session: Session) -> dict[str, int]:
    rows = session.execute(select(CapabilityShift.capability, CapabilityShift.level))
    return {capability: level for capability, level in rows}


def _paths(parents: Mapping[int, int | None]) -> dict[int, tuple[int, ...]]:
    paths: dict[int, tuple[int, ...]] = {}
    for entity in parents:
        path: list[int] = []
        step: int | None = entity
        # A loop cannot be written by the services; if a hand made one, the path ends where it closes.
        while step is not None and step not in path:
            path.append(step)
            step = parents.get(step)
        paths[entity] = tuple(path)
    return paths


def load_assignments(session: Session) -> dict[Spot, tuple[Assignment, ...]]:
    """Every level, ceiling and cap by its spot, in the order of their starts."""
    rows: dict[Spot, list[Assignment]] = defaultdict(list)
    columns = (
        LevelRow.kind, LevelRow.scope, LevelRow.scope_key, LevelRow.starts_at, LevelRow.id, LevelRow.level,
        LevelRow.created_by, LevelRow.why,
    )  # fmt: skip
    for kind, scope, key, starts_at, row, level, by, why in session.execute(select(*columns)):
        ident: int | str = normal_section(key) if scope == "section" else int(key or 0)
        rows[kind, scope, ident].append(Assignment(starts_at, row, level, by, why))
    return {spot: tuple(sorted(found)) for spot, found in rows.items()}


def _waves(session: Session) -> dict[int, str]:
    rows = session.execute(
        select(RolloutPlace.level_row_id, RolloutWave.name)
        .join(RolloutWave, RolloutWave.id == RolloutPlace.wave_id).where(RolloutPlace.undone_by.is_(None))
    )  # fmt: skip
    return {row: name for row, name in rows}


def _awaited(session: Session) -> tuple[Awaited, ...]:
    query = select(
        RolloutWave.name, RolloutWave.starts_at, RolloutWave.level, RolloutWave.state, RolloutWave.entities,
        RolloutWave.groups,
    ).where(RolloutWave.state.in_(("waiting", "closed")))  # fmt: skip
    return tuple(
        Awaited(starts, name, level, state == "closed", frozenset(entities), frozenset(groups))
        for name, starts, level, state, entities, groups in session.execute(query.order_by(RolloutWave.starts_at))
    )


def _charters(session: Session) -> dict[int | None, tuple[CharterVersion, ...]]:
    found: dict[int | None, list[CharterVersion]] = defaultdict(list)
    query = select(Charter.published_at, Charter.id, Charter.title, Charter.space_id).where(Charter.kind == "use")
    for row in session.execute(query):
        version = CharterVersion(*row)
        found[version.space_id].append(version)
    return {space: tuple(sorted(versions, key=lambda v: (v.published_at, v.id))) for space, versions in found.items()}


def _spaces(session: Session) -> dict[int, SpaceFacts]:
    rules: dict[int, dict[str, str]] = defaultdict(dict)
    for space, capability, who in session.execute(select(SpaceRule.space_id, SpaceRule.capability, SpaceRule.who)):
        rules[space][capability] = who
    return {
        ident: SpaceFacts(key, visibility, rules.get(ident, {}), archived is not None)
        for ident, key, visibility, archived in session.execute(
            select(Space.id, Space.key, Space.visibility, Space.archived_at)
        )
    }


def _boundaries(
    assignments: Mapping[Spot, tuple[Assignment, ...]], charters: Mapping[int | None, tuple[CharterVersion, ...]],
    awaited: tuple[Awaited, ...],
) -> tuple[dt.datetime, ...]:
    moments = {row.starts_at for rows in assignments.values() for row in rows}
    moments |= {version.published_at for versions in charters.values() for version in versions}
    return tuple(sorted(moments | {wave.starts_at for wave in awaited}))


def load_people(session: Session, ids: Iterable[int]) -> dict[int, PersonFacts]:
    """The facts of these people, seven queries for every 500; those who do not exist are left out."""
    asked = set(ids)
    wanted = sorted(ident for ident in asked if not is_onlooker(ident))
    found: dict[int, PersonFacts] = onlookers(session, (ident for ident in asked if is_onlooker(ident)))
    for start in range(0, len(wanted), _CHUNK):
        found |= _load_chunk(session, wanted[start : start + _CHUNK])
    return found


def _load_chunk(session: Session, ids: list[int]) -> dict[int, PersonFacts]:
    groups = _pairs(session, GroupMember, ids, GroupMember.group_id)
    audiences = _pairs(session, Membership, ids, Membership.audience_id)
    spaces: dict[int, dict[int, str]] = defaultdict(dict)
    for person, space, role in _rows(session, SpaceMember, ids, SpaceMember.space_id, SpaceMember.role):
        spaces[person][space] = role
    accepted: dict[int, dict[int, dt.datetime]] = defaultdict(dict)
    for person, charter, moment in _rows(
        session, CharterAcceptance, ids, CharterAcceptance.charter_id, CharterAcceptance.accepted_at
    ):
        accepted[person][charter] = moment
    suspensions: dict[int, list[Any]] = defaultdict(list)
    for person, *span in _rows(
        session, Suspension, ids, Suspension.starts_at, Suspension.ends_at, Suspension.lifted_at
    ):
        suspensions[person].append(tuple(span))
    roles: dict[int, list[Any]] = defaultdict(list)
    for person, *grant in _rows(session, RoleGrant, ids, RoleGrant.role, RoleGrant.scope, RoleGrant.scope_id):
        roles[person].append(tuple(grant))
    people = select(
        Person.id, Person.entity_id, Person.status, Person.disabled_at, Person.locale, Person.username, Person.external
    ).where(Person.id.in_(ids))
    none: Mapping[int, Any] = {}
    return {
        ident: PersonFacts(
            id=ident,
            entity_id=entity,
            groups=frozenset(groups.get(ident, ())),
            spaces=spaces.get(ident, none),
            audiences=frozenset(audiences.get(ident, ())),
            accepted=accepted.get(ident, none),
            suspensions=tuple(suspensions.get(ident, ())),
            roles=frozenset(roles.get(ident, ())),
            # One who left at a time that nobody noted was never here as far as decisions go.
            disabled_at=None if status == "active" else disabled or dt.datetime.min.replace(tzinfo=dt.UTC),
            locale=locale,
            username=username,
            external=external,
        )
        for ident, entity, status, disabled, locale, username, external in session.execute(people)
    }


def _rows(session: Session, table: Any, ids: list[int], *columns: Any) -> Iterable[Any]:
    return session.execute(select(table.person_id, *columns).where(table.person_id.in_(ids)))


def _pairs(session: Session, table: type[CoreBase], ids: list[int], column: Any) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for person, value in _rows(session, table, ids, column):
        found[person].append(value)
    return found
