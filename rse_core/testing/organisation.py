"""People, entities, groups, spaces and levels for tests, in one line each. All take the core and commit."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import organisation, people, policy
from ..db import utcnow
from ..levels import Level, parse_level
from ..models.levels import LevelRow
from ..models.organisation import Entity, Group, Person, Space

if TYPE_CHECKING:
    from ..runtime import Core

_numbers = itertools.count(1)


def make_entity(core: Core, key: str | None = None, *, name: str | None = None, parent: Entity | None = None) -> Entity:
    """An entity, at the top or below ``parent``."""
    key = key or f"entity-{next(_numbers)}"
    with core.db.write() as session:
        return organisation.add_entity(session, key, name or key.title(), parent.id if parent else None)


def make_person(
    core: Core,
    username: str | None = None,
    *,
    name: str | None = None,
    entity: Entity | None = None,
    groups: Iterable[Group] = (),
    spaces: Iterable[Space] = (),
    level: Level | int | None = None,
    locale: str = "",
    external_id: str | None = None,
    is_manager: bool = False,
    external: bool = False,
) -> Person:
    """A person, with the memberships asked for.

    :param level: also give their entity this level; an entity is made when none is given.
    """
    username = username or f"person{next(_numbers)}"
    if level is not None and entity is None:
        entity = make_entity(core, f"entity-of-{username}")
    with core.db.write() as session:
        person = people.add(
            session,
            external_id=external_id or f"x-{username}",
            username=username,
            display_name=name or username.title(),
            entity_id=entity.id if entity else None,
            locale=locale,
            is_manager=is_manager,
            external=external,
        )
        for group in groups:
            organisation.join_group(session, group.id, person.id)
        for space in spaces:
            organisation.join_space(session, space.id, person.id, "external" if external else "member")
    if level is not None:
        set_level(core, level, entity=entity)
    return person


def make_group(core: Core, key: str | None = None, *, name: str | None = None, members: Iterable[Person] = ()) -> Group:
    """A group with its members."""
    key = key or f"group-{next(_numbers)}"
    with core.db.write() as session:
        group = organisation.add_group(session, key, name or key.title())
        for person in members:
            organisation.join_group(session, group.id, person.id)
    return group


def make_space(
    core: Core,
    key: str | None = None,
    *,
    name: str | None = None,
    visibility: str = "listed",
    members: Iterable[Person] = (),
    managers: Iterable[Person] = (),
) -> Space:
    """A space; ``managers`` own it."""
    key = key or f"space-{next(_numbers)}"
    with core.db.write() as session:
        space = organisation.add_space(session, key, name or key.title(), visibility=visibility)
        for person in members:
            organisation.join_space(session, space.id, person.id)
        for person in managers:
            organisation.join_space(session, space.id, person.id, "owner")
    return space


def set_level(
    core: Core,
    level: Level | int | str | None,
    *,
    entity: Entity | None = None,
    group: Group | None = None,
    space: Space | None = None,
    section: str | None = None,
    kind: str = "level",
    starts_at: dt.datetime | None = None,
    why: str = "",
) -> None:
    """Give the site (nothing named), an entity, a group, a space or a section a level, a ceiling or a cap.

    :param kind: ``level``, ``ceiling`` or ``cap``.
    :param starts_at: from when; by default a moment ago.
    """
    scope, key = "site", ""
    for name, row in (("entity", entity), ("group", group), ("space", space)):
        if row is not None:
            scope, key = name, str(row.id)
    if section is not None:
        scope, key = "section", section
    with core.db.write() as session:
        session.add(
            LevelRow(
                kind=kind,
                scope=scope,
                scope_key=key,
                level=None if level is None else int(parse_level(level)),
                starts_at=starts_at or utcnow() - dt.timedelta(seconds=1),
                created_by="kit",
                why=why,
            )
        )
        policy.touch(session)
