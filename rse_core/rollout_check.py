"""Every fault of a rollout plan, each with its line: between its waves, and against the organisation as it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from .errors import BadInput
from .i18n import _
from .models.organisation import Entity, EntityPath, Group, Person
from .models.rollout import RolloutPlan, RolloutWave
from .rollout_plan import EVERY, Fault, Lines, Plan, near, read


@dataclass(frozen=True, slots=True)
class Targets:
    """The ids that a wave's names stand for, ``*`` resolved."""

    entities: tuple[int, ...]
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A plan without a fault, with its text and what its waves stand for, by name of the wave."""

    plan: Plan
    text: str
    targets: dict[str, Targets]


def faults_of(session: Session, text: str) -> list[Fault]:
    """Every fault, in the order of the lines; none: the plan can be applied."""
    return _look(session, text)[1]


def checked(session: Session, text: str) -> Checked:
    """A plan that can be applied.

    :raises BadInput: names every fault.
    """
    plan, faults = _look(session, text)
    if plan is None or faults:
        raise BadInput(_("The plan cannot be used."), remedy="; ".join(str(fault) for fault in faults))
    return Checked(plan, text, resolve(session, plan))


def _look(session: Session, text: str) -> tuple[Plan | None, list[Fault]]:
    plan, faults, lines = read(text)
    if plan is None:
        return None, faults
    numbers = _numbers(plan, text, faults)
    between = _between(plan, lines, numbers, _taken_by_every(session, plan))
    return plan, sorted({*faults, *between, *_against(session, plan, lines, numbers)})


def _numbers(plan: Plan, text: str, faults: list[Fault]) -> list[int]:
    """The place of each wave of the plan among the tables of the text; one that could not be read was left out."""
    if not faults:
        return list(range(len(plan.waves)))
    import tomllib

    tables = [one for one in tomllib.loads(text).get("wave", []) if isinstance(one, dict)]
    numbers, at = [], 0
    for wave in plan.waves:
        while at < len(tables) and (tables[at].get("starts") != wave.starts or tables[at].get("name", "?") != wave.name):
            at += 1
        numbers.append(min(at, len(tables) - 1))
        at += 1
    return numbers


def _taken_by_every(session: Session, plan: Plan) -> set[str]:
    """The keys of the entities that ``*`` stands for in this plan."""
    targets = resolve(session, plan)
    ids = {one for wave in plan.waves if EVERY in wave.entities for one in targets[wave.name].entities}
    return {key for key, ident in session.execute(select(Entity.key, Entity.id)) if ident in ids}


def _between(plan: Plan, lines: Lines, numbers: list[int], by_every: set[str]) -> list[Fault]:
    found: list[Fault] = []

    def note(index: int, key: str, message: str, section: str = "") -> None:
        found.append(Fault(lines.line(numbers[index], section, key), message))

    names: dict[str, int] = {}
    taken: dict[tuple[str, str], str] = {}
    every = ""
    for index, wave in enumerate(plan.waves):
        if wave.name in names:
            note(index, "name", _("Two waves are called “%(name)s”.", name=wave.name))
        names.setdefault(wave.name, index)
        before = plan.waves[index - 1] if index else None
        if before is not None and wave.starts < before.starts:
            note(index, "starts", _(
                "The dates are out of order: “%(wave)s” starts on %(date)s, before “%(before)s” (%(earlier)s).",
                wave=wave.name, date=wave.starts, before=before.name, earlier=before.starts,
            ))  # fmt: skip
        for kind, keys in (("entities", wave.entities), ("groups", wave.groups)):
            for key in dict.fromkeys(one for number, one in enumerate(keys) if one in keys[:number]):
                note(index, kind, _("The wave “%(wave)s” names “%(key)s” twice.", wave=wave.name, key=key[:80]))
            for key in dict.fromkeys(keys):
                other = taken.get((kind, key)) or (every if kind == "entities" and key in by_every else "")
                if other:
                    what = _("every entity") if key == EVERY else f"“{key}”"
                    note(index, kind, _(
                        "The waves “%(one)s” and “%(other)s” overlap: both name %(key)s.",
                        one=other, other=wave.name, key=what,
                    ))  # fmt: skip
                taken.setdefault((kind, key), wave.name)
        if EVERY in wave.entities:
            every = every or wave.name
        if wave.groups and EVERY in wave.groups:
            note(index, "groups", _("“*” stands for entities, not for groups."))
    for index, wave in enumerate(plan.waves):
        if wave.gate is None or not wave.gate.after:
            continue
        after = plan.wave(wave.gate.after)
        if after is None and len(names) < lines.waves:
            # It may be one of those that could not be read, of which enough is said.
            continue
        if after is None:
            hint = near(wave.gate.after, [one.name for one in plan.waves if one is not wave])
            note(index, "after", _("No wave is called “%(name)s”.", name=wave.gate.after) + hint, "gate")
            continue
        circle = _circle(plan, wave.name)
        if circle:
            note(index, "after", _("The gates go in a circle: %(chain)s.", chain=" → ".join(circle)), "gate")
            continue
        earliest = after.starts + dt.timedelta(weeks=wave.gate.min_weeks)
        if wave.starts < earliest or wave.starts <= after.starts:
            note(index, "starts", _(
                "The dates are out of order: “%(wave)s” starts on %(date)s, and its gate cannot hold before %(earliest)s.",
                wave=wave.name, date=wave.starts, earliest=max(earliest, after.starts + dt.timedelta(days=1)),
            ))  # fmt: skip
    return found


def _circle(plan: Plan, name: str) -> list[str]:
    chain, at = [name], name
    while True:
        wave = plan.wave(at)
        if wave is None or wave.gate is None:
            return []
        at = wave.gate.after
        if at in chain:
            return [*chain[chain.index(at) :], at] if at == name else []
        chain.append(at)


def _against(session: Session, plan: Plan, lines: Lines, numbers: list[int]) -> list[Fault]:
    found: list[Fault] = []
    entities, groups = set(session.scalars(select(Entity.key))), set(session.scalars(select(Group.key)))
    for index, wave in enumerate(plan.waves):
        for key in wave.entities:
            if key != EVERY and key not in entities:
                message = _("There is no entity “%(key)s”.", key=key[:80]) + near(key, entities)
                found.append(Fault(lines.line(numbers[index], "", "entities"), message))
        for key in wave.groups:
            if key not in groups and key != EVERY:
                message = _("There is no group “%(key)s”.", key=key[:80]) + near(key, groups)
                found.append(Fault(lines.line(numbers[index], "", "groups"), message))
    if plan.owners:
        # PostgreSQL refuses the question for a text with a NUL, which is nobody's name.
        asked = [owner for owner in plan.owners if "\x00" not in owner]
        known = set(session.scalars(select(Person.username).where(Person.username.in_(asked))))
        for owner in plan.owners:
            if owner not in known:
                message = _("There is no person with the username “%(name)s”.", name=owner[:80])
                found.append(Fault(lines.line(None, "", "owners"), message))
    return found + _other_plans(session, plan, lines, numbers)


def _other_plans(session: Session, plan: Plan, lines: Lines, numbers: list[int]) -> list[Fault]:
    rows = session.execute(
        select(RolloutWave.name, RolloutWave.entities, RolloutWave.groups, RolloutWave.state, RolloutPlan.name)
        .join(RolloutPlan, RolloutPlan.id == RolloutWave.plan_id).where(RolloutPlan.name != plan.name)
    ).all()  # fmt: skip
    if not rows:
        return []
    found: list[Fault] = []
    targets = resolve(session, plan)
    for index, wave in enumerate(plan.waves):
        for name, entities, groups, state, other in rows:
            if name == wave.name:
                message = _("The plan “%(plan)s” has a wave “%(wave)s” already.", plan=other, wave=name)
                found.append(Fault(lines.line(numbers[index], "", "name"), message))
            if state in ("gone", "rolled_back"):
                continue
            mine = targets[wave.name]
            if set(mine.entities) & set(entities) or set(mine.groups) & set(groups):
                message = _(
                    "“%(other)s” overlaps with the wave “%(one)s” of the plan “%(plan)s”.",
                    one=name, plan=other, other=wave.name,
                )  # fmt: skip
                found.append(Fault(lines.line(numbers[index], "", "entities"), message))
    return found


def resolve(session: Session, plan: Plan) -> dict[str, Targets]:
    """What each wave's names stand for. ``*`` is every entity that no earlier wave names and that stands below none of
    theirs; names that nobody knows are left out."""
    keys = {key: ident for key, ident in session.execute(select(Entity.key, Entity.id))}
    groups = {key: ident for key, ident in session.execute(select(Group.key, Group.id))}
    named: set[int] = set()
    found: dict[str, Targets] = {}
    for wave in plan.waves:
        mine = {keys[key] for key in wave.entities if key in keys}
        if EVERY in wave.entities:
            covered = set(session.scalars(select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(named))))
            mine |= set(keys.values()) - covered
        named |= mine
        found[wave.name] = Targets(tuple(sorted(mine)), tuple(sorted({groups[key] for key in wave.groups if key in groups})))
    return found
