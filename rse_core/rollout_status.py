"""Where a rollout stands: each wave with its state, its people, its figures, and the sheet for deciding on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from . import rollout_gates
from .db import utcnow
from .indicators_figures import Asked, Figure, ask
from .levels import Level
from .models.organisation import Entity, EntityPath, Group, GroupMember, Person
from .models.rollout import RolloutPlan, RolloutWave
from .rollout import label, state_of, waves_of
from .rollout_plan import RATES, Gate

if TYPE_CHECKING:
    from .runtime import Core


@dataclass(frozen=True, slots=True)
class WaveStatus:
    """A wave as it stands. ``people``: active people of its entities (and below) and groups, of now."""

    id: int
    name: str
    plan: str
    level: Level
    starts_on: dt.date
    state: str
    opened_at: dt.datetime | None
    people: int
    entities: tuple[str, ...]
    groups: tuple[str, ...]
    gate: Gate | None
    findings: tuple[rollout_gates.Finding, ...]
    checked_at: dt.datetime | None
    who: str
    why: str
    early: str

    @property
    def label(self) -> str:
        """The state in the reader's language."""
        return label(self.state)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "wave": self.name, "plan": self.plan, "level": int(self.level), "level_name": self.level.name.lower(),
            "starts": self.starts_on.isoformat(), "state": self.state,
            "opened_at": self.opened_at.isoformat() if self.opened_at else None, "people": self.people,
            "entities": list(self.entities), "groups": list(self.groups), "gate": rollout_gates.kept(self.gate),
            "findings": [{**finding.as_dict(), "sentence": finding.sentence()} for finding in self.findings],
            "checked_at": self.checked_at.isoformat() if self.checked_at else None, "who": self.who, "why": self.why,
            "early": self.early,
        }  # fmt: skip


def status(session: Session, plan: RolloutPlan, *, now: dt.datetime | None = None) -> list[WaveStatus]:
    """The waves of a plan as they stand."""
    return [wave_status(session, plan, wave, now=now) for wave in waves_of(session, plan)]


def wave_status(
    session: Session, plan: RolloutPlan, wave: RolloutWave, *, now: dt.datetime | None = None
) -> WaveStatus:
    """One wave as it stands."""
    moment = now or utcnow()
    below = select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(wave.entities))
    members = select(GroupMember.person_id).where(GroupMember.group_id.in_(wave.groups))
    people = select(func.count()).select_from(Person).where(
        Person.status == "active", or_(Person.entity_id.in_(below), Person.id.in_(members))
    )
    entities = session.scalars(select(Entity.key).where(Entity.id.in_(wave.entities)).order_by(Entity.key))
    groups = session.scalars(select(Group.key).where(Group.id.in_(wave.groups)).order_by(Group.key))
    state = state_of(wave, moment)
    return WaveStatus(
        wave.id, wave.name, plan.name, Level(wave.level), wave.starts_on, state, wave.opened_at,
        session.scalar(people) or 0, tuple(entities), tuple(groups), rollout_gates.read(wave.gate),
        tuple(rollout_gates.Finding(**one) for one in wave.findings or ()), wave.checked_at, wave.changed_by, wave.why,
        rollout_gates.too_early(wave.opened_at, moment) if state == "open" else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the people who decide on a wave have before them: the wave, and the figures of the one before."""

    wave: WaveStatus
    before: WaveStatus | None
    findings: tuple[rollout_gates.Finding, ...]
    #: indicator → the figure of the wave before, in the window that its gate asks about
    figures: tuple[tuple[str, Figure | None], ...]
    first: dt.date | None
    last: dt.date | None

    @property
    def go(self) -> bool:
        """Whether every condition is met."""
        return all(finding.holds for finding in self.findings)


def sheet(session: Session, core: Core, wave: RolloutWave, *, now: dt.datetime | None = None) -> Sheet:
    """The go or no-go sheet of a wave, from the roll-ups as they are."""
    moment = now or utcnow()
    plan = session.get(RolloutPlan, wave.plan_id)
    assert plan is not None  # noqa: S101  a foreign key
    mine = wave_status(session, plan, wave, now=moment)
    gate = mine.gate
    earlier = [one for one in waves_of(session, plan) if one.position < wave.position and one.state != "gone"]
    name = gate.after if gate is not None else (earlier[-1].name if earlier else None)
    row = session.scalar(select(RolloutWave).where(RolloutWave.name == name)) if name is not None else None
    if row is None:
        return Sheet(mine, None, (), (), None, None)
    before = wave_status(session, plan, row, now=moment)
    findings = tuple(rollout_gates.look(session, core, gate, moment)) if gate is not None else ()
    if row.opened_at is None or row.opened_at > moment:
        return Sheet(mine, before, findings, (), None, None)
    first, last = rollout_gates.window(gate or Gate(row.name), row.opened_at, moment)
    figures = []
    for indicator in RATES:
        answer = ask(session, core, Asked(indicator, first, last, "wave", only=(row.name,)))
        figures.append((indicator, answer.figures[0] if answer.figures else None))
    return Sheet(mine, before, findings, tuple(figures), first, last)
