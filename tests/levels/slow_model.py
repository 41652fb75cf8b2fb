"""The rule of the cursor once more, slow and obvious: lists, loops, the sentences of the design one after the other.

It shares no code with the core, so that a test can compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

COCREATE = 5


@dataclass
class World:
    parents: dict = field(default_factory=dict)  # entity -> parent or None
    people: dict = field(default_factory=dict)  # person -> (entity or None, {groups}, {spaces})
    public_spaces: set = field(default_factory=set)
    archived_spaces: set = field(default_factory=set)
    rows: list = field(default_factory=list)  # (id, kind, scope, key, level or None, starts_at)


@dataclass
class Thing:
    """``audience``: (kind, id); ``sections``: paths when it is a page."""

    audience: tuple = ("everyone", 0)
    space: int | None = None
    sections: tuple = ()


def in_force(world, kind, scope, key, at):
    best = None
    for row in world.rows:
        ident, its_kind, its_scope, its_key, _level, starts_at = row
        started = starts_at <= at
        if (its_kind, its_scope, its_key) == (kind, scope, key) and started:  # noqa: SIM102
            if best is None or starts_at > best[5] or (starts_at == best[5] and ident > best[0]):
                best = row
    return None if best is None else best[4]


def path(world, entity):
    found = []
    while entity is not None:
        found.append(entity)
        entity = world.parents[entity]
    return found


def sees(world, person, thing):
    entity, groups, spaces = world.people[person]
    kind, ident = thing.audience
    if kind == "everyone":
        return True
    if kind == "entity":
        return ident in path(world, entity)
    if kind == "group":
        return ident in groups
    return ident in spaces


def granted(world, person, thing, at):
    entity, groups, spaces = world.people[person]
    level = None
    for node in path(world, entity):
        if level is None:
            level = in_force(world, "level", "entity", node, at)
    if level is None:
        level = in_force(world, "level", "site", "", at)
    if level is None:
        level = 0
    for group in groups:
        of_group = in_force(world, "level", "group", group, at)
        if of_group is not None and of_group > level:
            level = of_group
    space = space_of(thing)
    if space in spaces:
        of_space = in_force(world, "level", "space", space, at)
        if of_space is not None and of_space > level:
            level = of_space
    ceilings = [in_force(world, "ceiling", "site", "", at)]
    for node in path(world, entity):
        ceilings.append(in_force(world, "ceiling", "entity", node, at))
    for ceiling in ceilings:
        if ceiling is not None and ceiling < level:
            level = ceiling
    return level


def space_of(thing):
    if thing.space is not None:
        return thing.space
    return thing.audience[1] if thing.audience[0] == "space" else None


def under(section, page):
    """Is this page in this section, whole segments counted?"""
    if section == "/":
        return True
    return page == section or page.startswith(section + "/")


def cap(world, thing, at):
    found = [COCREATE]
    kind, ident = thing.audience
    if kind == "entity":
        for node in path(world, ident):
            found.append(in_force(world, "cap", "entity", node, at))
    if kind == "group":
        found.append(in_force(world, "cap", "group", ident, at))
    for space in {space_of(thing), ident if kind == "space" else None}:
        if space is not None:
            found.append(in_force(world, "cap", "space", space, at))
    sections = {row[3] for row in world.rows if row[2] == "section"}
    for section in sections:
        if any(under(section, page) for page in thing.sections):
            found.append(in_force(world, "cap", "section", section, at))
    return min(level for level in found if level is not None)


def effective(world, person, thing, at):
    return min(granted(world, person, thing, at), cap(world, thing, at))


def opens_at(world, person, thing, required, at):
    for moment in sorted({row[5] for row in world.rows if row[5] > at}):
        if effective(world, person, thing, moment) >= required:
            return moment
    return None


def member_sees_space(world, person, thing):
    space = space_of(thing)
    return space is None or space in world.people[person][2] or space in world.public_spaces


def answer(world, person, thing, required, at, writes=False):
    """(reason, effective level, opens at) of a capability that everybody who sees a space may use there."""
    if not sees(world, person, thing):
        return "unknown_object", None, None
    level = effective(world, person, thing, at)
    if level < required:
        return "level", level, opens_at(world, person, thing, required, at)
    if not member_sees_space(world, person, thing):
        return "role", level, None
    if writes and space_of(thing) in world.archived_spaces:
        return "archived", level, None
    return "ok", level, None
