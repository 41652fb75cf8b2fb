"""The rule of the cursor: pure functions over a frozen :class:`Snapshot`; no clock, no database.

    granted(person) = min(every ceiling on the person's entity path and the site,
                          max(level of the nearest entity that has one, else the site's;
                              level of each of the person's groups;
                              level of the space the object stands in, for its members))
    cap(object)     = the lowest cap on the object's audience, its space and its section; none = COCREATE
    effective       = min(granted(person), cap(object))

Assignments are dated: in force at a moment is the one with the greatest ``(starts_at, id)`` among those that have
started; one without a level withdraws what stood there before it, so that what is above shows through again.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from .levels import Level

#: Where an assignment stands: ``("level", "entity", 12)``, ``("cap", "section", "/rh")``, ``("ceiling", "site", 0)``.
Spot = tuple[str, str, int | str]

#: Left as they are in a section, as in a page's address.
_SAFE = "/:@!$&'()*+,;=-._~"
MANAGING_ROLES = frozenset({"owner", "admin", "moderator"})


class Assignment(NamedTuple):
    """One dated row; sorts by what decides which row is in force."""

    starts_at: dt.datetime
    id: int
    level: int | None
    by: str = ""
    why: str = ""


class Awaited(NamedTuple):
    """A wave of a rollout plan whose levels are not placed: it waits for its start and its gate.

    ``closed``: its start has come, and the gate does not hold.
    """

    starts_at: dt.datetime
    name: str
    level: int
    closed: bool
    entities: frozenset[int]
    groups: frozenset[int]


class CharterVersion(NamedTuple):
    """One published version of a charter that must be accepted; ``space_id`` None for the site's."""

    published_at: dt.datetime
    id: int
    title: str
    space_id: int | None


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """A space as the rules see it; ``rules`` maps a capability to nobody, managers, members or all."""

    key: str
    visibility: str
    rules: Mapping[str, str] = field(default_factory=dict)
    #: what is in it can be read, and nothing can be written there
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that decisions are made from but the facts of each person; replaced whole, never changed."""

    version: int
    #: entity → itself, its parent, … the root
    paths: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    #: (scope, id) → the external key, for trails
    keys: Mapping[tuple[str, int], str] = field(default_factory=dict)
    assignments: Mapping[Spot, tuple[Assignment, ...]] = field(default_factory=dict)
    #: plugin → (scope, id) → switched on?
    switches: Mapping[str, Mapping[tuple[str, int], bool]] = field(default_factory=dict)
    shifts: Mapping[str, int] = field(default_factory=dict)
    #: versions to accept, by space (None: the site), in order of publication
    charters: Mapping[int | None, tuple[CharterVersion, ...]] = field(default_factory=dict)
    reviewed: frozenset[tuple[str, int]] = frozenset()
    spaces: Mapping[int, SpaceFacts] = field(default_factory=dict)
    #: audience → (kind, target)
    audiences: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    #: the rows that a wave of a rollout plan has placed → its name
    waves: Mapping[int, str] = field(default_factory=dict)
    awaited: tuple[Awaited, ...] = ()
    #: every moment at which a decision may change by the clock alone, sorted
    boundaries: tuple[dt.datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the rules need to know of one person."""

    id: int
    entity_id: int | None = None
    groups: frozenset[int] = frozenset()
    #: space → role there
    spaces: Mapping[int, str] = field(default_factory=dict)
    audiences: frozenset[int] = frozenset()
    #: charter version → when accepted
    accepted: Mapping[int, dt.datetime] = field(default_factory=dict)
    #: (starts, ends, lifted)
    suspensions: tuple[tuple[dt.datetime, dt.datetime | None, dt.datetime | None], ...] = ()
    #: (role, scope, scope id)
    roles: frozenset[tuple[str, str, int]] = frozenset()
    disabled_at: dt.datetime | None = None
    locale: str = ""
    username: str = ""
    #: from outside the organisation: in no audience but those of groups and spaces
    external: bool = False
    #: of an onlooker (:mod:`rse_core.onlookers`): the level chosen to look at, in place of what the entity is granted
    chosen: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the object of a question stands. ``page``: it is a page of the existing intranet.
    ``hidden``: only its author and those who moderate there see it."""

    audience_id: int | None = None
    sections: tuple[str, ...] = ()
    space_id: int | None = None
    page: bool = False
    hidden: bool = False
    author_id: int | None = None


NOWHERE = Place()


def in_force(rows: Sequence[Assignment], at: dt.datetime) -> Assignment | None:
    """The row in force at this moment, or None before the first has started."""
    index = bisect_right(rows, (at, math.inf))
    return rows[index - 1] if index else None


def level_at(snapshot: Snapshot, spot: Spot, at: dt.datetime) -> int | None:
    """The level in force on a spot; None when none is, or it was withdrawn."""
    rows = snapshot.assignments.get(spot)
    row = in_force(rows, at) if rows else None
    return None if row is None else row.level


def space_of(snapshot: Snapshot, place: Place) -> int | None:
    """The space an object stands in: its own, else the one that its audience is."""
    if place.space_id is not None:
        return place.space_id
    kind, target = snapshot.audiences.get(place.audience_id or 0, ("", 0))
    return target if kind == "space" else None


def ceiling(snapshot: Snapshot, path: Sequence[int], at: dt.datetime) -> int:
    """The lowest ceiling on an entity path and the site; COCREATE when there is none."""
    found = [level_at(snapshot, ("ceiling", "entity", entity), at) for entity in path]
    found.append(level_at(snapshot, ("ceiling", "site", 0), at))
    return min((level for level in found if level is not None), default=int(Level.COCREATE))


def base_level(snapshot: Snapshot, path: Sequence[int], at: dt.datetime) -> int:
    """The level of the nearest entity that has one, else the site's, else INFORM."""
    for entity in path:
        level = level_at(snapshot, ("level", "entity", entity), at)
        if level is not None:
            return level
    site = level_at(snapshot, ("level", "site", 0), at)
    return int(Level.INFORM) if site is None else site


def granted(
    snapshot: Snapshot, path: Sequence[int], groups: frozenset[int], space_id: int | None, at: dt.datetime
) -> int:
    """The level granted to a person of this path and these groups.

    :param space_id: the space the object stands in, only when the person is one of its members.
    """
    level = base_level(snapshot, path, at)
    for group in groups:
        level = max(level, level_at(snapshot, ("level", "group", group), at) or 0)
    if space_id is not None:
        level = max(level, level_at(snapshot, ("level", "space", space_id), at) or 0)
    return min(level, ceiling(snapshot, path, at))


def normal_section(section: str) -> str:
    """One spelling of a section: leading slash, no trailing or double one, percent-encoding as in addresses.

    >>> normal_section("/rh/congés/")
    '/rh/cong%C3%A9s'
    """
    parts = [part for part in section.split("/") if part]
    return quote(unquote_to_bytes("/" + "/".join(parts)), safe=_SAFE)


@lru_cache(maxsize=4096)
def section_prefixes(sections: tuple[str, ...]) -> tuple[str, ...]:
    """``("/rh/x",)`` → ``/``, ``/rh``, ``/rh/x``: where a cap may stand. Case matters, borders are slashes."""
    prefixes = {"/": None}
    for section in sections:
        parts = [part for part in normal_section(section).split("/") if part]
        for end in range(1, len(parts) + 1):
            prefixes["/" + "/".join(parts[:end])] = None
    return tuple(prefixes)


def cap_spots(snapshot: Snapshot, place: Place) -> list[Spot]:
    """Where a cap on this object may stand."""
    spots: list[Spot] = []
    kind, target = snapshot.audiences.get(place.audience_id or 0, ("", 0))
    if kind == "entity":
        spots += [("cap", "entity", entity) for entity in snapshot.paths.get(target, (target,))]
    elif kind == "group":
        spots.append(("cap", "group", target))
    space = space_of(snapshot, place)
    if space is not None:
        spots.append(("cap", "space", space))
    if kind == "space" and target != space:
        spots.append(("cap", "space", target))
    if place.page or place.sections:
        spots += [("cap", "section", prefix) for prefix in section_prefixes(place.sections)]
    return spots


def cap(snapshot: Snapshot, place: Place, at: dt.datetime) -> int:
    """The lowest cap on an object; COCREATE when there is none."""
    found = [level_at(snapshot, spot, at) for spot in cap_spots(snapshot, place)]
    return min((level for level in found if level is not None), default=int(Level.COCREATE))


def path_of(snapshot: Snapshot, person: PersonFacts) -> tuple[int, ...]:
    """The person's entity and all above it; empty for somebody in none."""
    if person.entity_id is None:
        return ()
    return snapshot.paths.get(person.entity_id, (person.entity_id,))


def member_space(snapshot: Snapshot, person: PersonFacts, place: Place) -> int | None:
    """The space the object stands in, when the person is one of its members."""
    space = space_of(snapshot, place)
    return space if space in person.spaces else None


def effective(snapshot: Snapshot, person: PersonFacts, place: Place, at: dt.datetime) -> int:
    """The level that counts for this person on this object at this moment."""
    return min(granted_to(snapshot, person, place, at), cap(snapshot, place, at))


def granted_to(snapshot: Snapshot, person: PersonFacts, place: Place, at: dt.datetime) -> int:
    """The level granted to this person here; to an onlooker the chosen one, below the ceilings like any other."""
    path = path_of(snapshot, person)
    if person.chosen is not None:
        return min(person.chosen, ceiling(snapshot, path, at))
    return granted(snapshot, path, person.groups, member_space(snapshot, person, place), at)


def spots_that_matter(snapshot: Snapshot, person: PersonFacts, place: Place) -> Iterator[Spot]:
    """Every spot whose assignments enter into this person's effective level here, in the order of the rule."""
    path = path_of(snapshot, person)
    yield from (("level", "entity", entity) for entity in path)
    yield ("level", "site", 0)
    yield from (("level", "group", group) for group in sorted(person.groups))
    space = member_space(snapshot, person, place)
    if space is not None:
        yield ("level", "space", space)
    yield from (("ceiling", "entity", entity) for entity in path)
    yield ("ceiling", "site", 0)
    yield from cap_spots(snapshot, place)


class Opening(NamedTuple):
    """When a level will pass: the moment, the scopes of the rows that start then, and the waves that placed them."""

    at: dt.datetime
    scopes: frozenset[str]
    waves: tuple[str, ...] = ()


def opens_at(
    snapshot: Snapshot, person: PersonFacts, place: Place, required: int, at: dt.datetime
) -> Opening | None:
    """When a dated assignment will let this level pass: the earliest start after ``at`` at which it does.

    :returns: None when no assignment made so far does it.
    """
    starts: dict[dt.datetime, list[tuple[str, str]]] = {}
    for spot in spots_that_matter(snapshot, person, place):
        for row in snapshot.assignments.get(spot, ()):
            if row.starts_at > at:
                starts.setdefault(row.starts_at, []).append((spot[1], snapshot.waves.get(row.id, "")))
    for moment in sorted(starts):
        if effective(snapshot, person, place, moment) >= required:
            waves = tuple(dict.fromkeys(wave for _scope, wave in starts[moment] if wave))
            return Opening(moment, frozenset(scope for scope, _wave in starts[moment]), waves)
    return None


def awaits(
    snapshot: Snapshot, person: PersonFacts, place: Place, required: int, at: dt.datetime
) -> Awaited | None:
    """The first wave that waits for its gate and would let this level pass here; None when no plan foresees it."""
    path = path_of(snapshot, person)
    for wave in snapshot.awaited:
        mine = bool(wave.groups & person.groups or wave.entities.intersection(path))
        limit = min(ceiling(snapshot, path, wave.starts_at), cap(snapshot, place, wave.starts_at))
        if mine and min(wave.level, limit) >= required:
            return wave._replace(closed=wave.closed or wave.starts_at <= at)
    return None


def rows_on(snapshot: Snapshot, spot: Spot, at: dt.datetime) -> Iterator[dict[str, Any]]:
    """What is in force on a spot and what is still to come, JSON-ready; what was replaced is history."""
    rows = snapshot.assignments.get(spot, ())
    present = in_force(rows, at)
    kind, scope, ident = spot
    key = str(ident) if scope == "section" else "" if scope == "site" else snapshot.keys.get((scope, int(ident)), "")
    for row in rows:
        if row is present or row.starts_at > at:
            yield {
                "kind": kind, "scope": scope, "key": key, "level": row.level,
                "starts_at": row.starts_at.isoformat(), "in_force": row is present, "who": row.by, "why": row.why,
            }  # fmt: skip


def plugin_on(snapshot: Snapshot, plugin: str, person: PersonFacts, place: Place) -> tuple[bool, str]:
    """Is a plugin on for this person here? And which switch says so: its scope and key, or ``default``.

    One of the person's groups off, then one on, then the nearest entity, then the site; a space switched off
    switches it off there whatever else holds.
    """
    switches = snapshot.switches.get(plugin)
    if not switches:
        return True, "default"
    space = space_of(snapshot, place)
    if space is not None and switches.get(("space", space)) is False:
        return False, _named(snapshot, "space", space)
    by_group = {group: switches[("group", group)] for group in person.groups if ("group", group) in switches}
    for wanted in (False, True):
        for group in sorted(by_group):
            if by_group[group] is wanted:
                return wanted, _named(snapshot, "group", group)
    for entity in path_of(snapshot, person):
        if ("entity", entity) in switches:
            return switches[("entity", entity)], _named(snapshot, "entity", entity)
    if ("site", 0) in switches:
        return switches[("site", 0)], "site"
    return True, "default"


def _named(snapshot: Snapshot, scope: str, ident: int) -> str:
    return f"{scope}:{snapshot.keys.get((scope, ident), str(ident))}"


def moderates(snapshot: Snapshot, person: PersonFacts, scope: str, ident: int) -> bool:
    """Does this person moderate a scope: ``site``, ``entity`` (or one above it), ``group`` or ``space``?"""
    roles = person.roles
    if ("site_admin", "site", 0) in roles or ("moderator", "site", 0) in roles:
        return True
    if scope == "entity":
        return any(
            (role, "entity", above) in roles
            for above in snapshot.paths.get(ident, (ident,))
            for role in ("moderator", "entity_admin")
        )
    if scope == "space" and (person.spaces.get(ident) in MANAGING_ROLES or ("animator", "space", ident) in roles):
        return True
    return ("moderator", scope, ident) in roles
