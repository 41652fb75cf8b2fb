"""What a plan would do, one line for each person, entity and group: the preview of an import."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .existing import Existing, PersonNow
from .planning import Plan, facts
from .rows import PersonRow

_FACTS = (
    "username", "display_name", "email", "entity", "job_title", "manager", "is_manager", "locale", "phone", "site",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would change. ``act``: create, update, return (of somebody who had left) or disable; ``what``: each
    field that differs, with what it is and what it would be."""

    kind: str
    act: str
    key: str
    name: str
    what: dict[str, tuple[object, object]] = field(default_factory=dict)


def changes_of(plan: Plan, existing: Existing) -> list[Change]:
    """Entities first, then people, then groups; each in the order in which it was read."""
    return [*_entities(plan, existing), *_people(plan), *_groups(plan, existing)]


def _entities(plan: Plan, existing: Existing) -> Iterator[Change]:
    for row in plan.new_entities:
        yield Change("entity", "create", row.key, row.name)
    for row in plan.changed_entities:
        now = existing.entities[row.key]
        pairs = {"name": (now.name, row.name), "parent": (now.parent, row.parent)}
        yield Change("entity", "update", row.key, row.name, {k: v for k, v in pairs.items() if v[0] != v[1]})


def _people(plan: Plan) -> Iterator[Change]:
    for row in plan.new_people:
        yield Change("person", "create", row.external_id, row.display_name)
    for now, row in plan.changed_people:
        act = "update" if now.status == "active" else "return"
        yield Change("person", act, row.external_id, row.display_name, _differing(now, row))
    for now in plan.disabled:
        yield Change("person", "disable", now.external_id, str(now.facts[1]))


def _differing(now: PersonNow, row: PersonRow) -> dict[str, tuple[object, object]]:
    pairs = zip(_FACTS, now.facts, facts(row), strict=True)
    found: dict[str, tuple[object, object]] = {name: (before, after) for name, before, after in pairs if before != after}
    for name in ("others", "assistants"):
        given = getattr(row, name)
        if given is not None and frozenset(given) != getattr(now, name):
            found[name] = (sorted(getattr(now, name)), sorted(given))
    return found


def _groups(plan: Plan, existing: Existing) -> Iterator[Change]:
    for row in plan.new_groups:
        yield Change("group", "create", row.key, row.name, {"members": (0, len(row.members))})
    for row in plan.changed_groups:
        now = existing.groups[row.key]
        pairs: dict[str, tuple[object, object]] = {
            "name": (now.name, row.name), "members": (len(now.members), len(row.members)),
        }  # fmt: skip
        yield Change("group", "update", row.key, row.name, {k: v for k, v in pairs.items() if v[0] != v[1]})
    for key in plan.emptied_groups:
        yield Change("group", "update", key, existing.groups[key].name, {"members": (len(existing.groups[key].members), 0)})
