"""Rollout plans carried out: saved, applied, held, resumed, rolled back; a job that looks at the gates of waves when due.

A wave places dated levels (:mod:`rse_core.rollout_places`), so that one without a gate begins by itself. One with a gate is
placed when it is due and its gate holds; until then it stays closed, its owners are told, and it is looked at every day.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import indicators_frame, indicators_roll, rollout_gates, rollout_notices
from .audit import Actor, record
from .contributions import Job
from .db import dialect_insert, utcnow
from .errors import BadInput, Conflict, NotFound
from .freshness import touch
from .i18n import _
from .levelsets import MAX_WHY
from .models.rollout import RolloutPlan, RolloutWave
from .rollout_check import Checked, Targets, checked, faults_of
from .rollout_places import Steps, carry_out, spots_of, steps
from .rollout_plan import Plan, Wave, parse, write

if TYPE_CHECKING:
    from .runtime import Core

#: Who acts when the clock does.
CLOCK = Actor("rollout")
#: States in which a wave's levels stand, or will without anybody doing more.
PLACED = ("planned", "open")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done with a wave: its state after it, how many levels were placed and taken back."""

    wave: str
    state: str
    placed: int = 0
    taken_back: int = 0
    #: (condition, wanted, found, holds) of its gate, where it was looked at
    findings: tuple[rollout_gates.Finding, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether any level was."""
        return bool(self.placed or self.taken_back)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "wave": self.wave, "state": self.state, "placed": self.placed, "taken_back": self.taken_back,
            "gate": [finding.as_dict() for finding in self.findings],
        }  # fmt: skip


def starts_at(day: dt.date, zone: str) -> dt.datetime:
    """Midnight of a day in the site's time zone, UTC and aware."""
    return dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)


def plan_of(session: Session, name: str) -> RolloutPlan:
    """A saved plan by its name, or by that of one of its waves.

    :raises NotFound: names the nearest.
    """
    # PostgreSQL refuses the question for a text with a NUL, which is no name.
    name = name.replace("\x00", "�")
    found = session.scalar(select(RolloutPlan).where(RolloutPlan.name == name))
    if found is None:
        wave = session.scalar(select(RolloutWave).where(RolloutWave.name == name))
        found = session.get(RolloutPlan, wave.plan_id) if wave is not None else None
    if found is None:
        known = [*session.scalars(select(RolloutPlan.name)), *session.scalars(select(RolloutWave.name))]
        raise NotFound(_("There is no plan and no wave called “%(name)s”.", name=name[:80]), remedy=_nearest(name, known))
    return found


def wave_of(session: Session, name: str) -> RolloutWave:
    """A wave of an applied plan by its name.

    :raises NotFound: names the nearest.
    """
    name = name.replace("\x00", "�")
    found = session.scalar(select(RolloutWave).where(RolloutWave.name == name).with_for_update())
    if found is None:
        known = list(session.scalars(select(RolloutWave.name)))
        raise NotFound(_("There is no wave called “%(name)s”.", name=name[:80]), remedy=_nearest(name, known))
    return found


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return _("Did you mean “%(near)s”?", near=near[0]) if near else _("See rse rollout status.")


def waves_of(session: Session, plan: RolloutPlan) -> list[RolloutWave]:
    """The waves of a plan, in order; those that left it last."""
    rows = session.scalars(select(RolloutWave).where(RolloutWave.plan_id == plan.id).order_by(RolloutWave.position))
    return sorted(rows, key=lambda wave: (wave.state == "gone", wave.position))


def reason(why: str) -> str:
    """A reason that can be kept.

    :raises BadInput: for one that is too long, or not a text.
    """
    if len(why) > MAX_WHY or "\x00" in why:
        message = _("The reason is longer than %(max)s characters, or not a text.", max=str(MAX_WHY))
        raise BadInput(message, fields={"why": _("Shorten it.")})
    return why


def save(session: Session, text: str, *, actor: Actor, expect: int | None = None) -> RolloutPlan:
    """Keep a plan, without carrying it out.

    :param expect: the version that was read, 0 for a plan that is new; another one since is a conflict, unless it says the
        same.
    :raises BadInput: names every fault.
    :raises Conflict: when somebody else has saved it meanwhile, or has a plan of that name.
    """
    found = checked(session, text)
    return _save(session, found, actor, expect)


def _save(session: Session, found: Checked, actor: Actor, expect: int | None = None) -> RolloutPlan:
    new = {"name": found.plan.name, "text": found.text, "version": 1, "saved_at": utcnow(), "saved_by": actor.label}
    # Of two who write the first text of a plan at the same moment one waits here, then finds that of the other.
    made = dialect_insert(session, RolloutPlan).values(**new, applied_version=0, applied_by="").on_conflict_do_nothing()
    first = bool(session.scalar(made.returning(RolloutPlan.id)))
    query = select(RolloutPlan).where(RolloutPlan.name == found.plan.name).with_for_update()
    plan = session.scalars(query.execution_options(populate_existing=True)).one()
    if not first:
        if plan.text == found.text:
            return plan
        if expect == 0:
            raise Conflict(
                _("There is a plan called “%(name)s” already.", name=plan.name), remedy=_("Open it, or choose another name.")
            )
        if expect is not None and plan.version != expect:
            raise Conflict(_("Somebody else has changed this plan meanwhile."), remedy=_("Open it again, then change it."))
        plan.text, plan.version = found.text, plan.version + 1
        plan.saved_at, plan.saved_by = utcnow(), actor.label
    record(session, actor, "rollout.save", f"plan:{plan.name}", after={"version": plan.version})
    session.flush()
    return plan


def change_wave(session: Session, plan: RolloutPlan, wave: Wave, *, replaces: str | None, actor: Actor, expect: int) -> None:
    """Put a wave into the text of a plan: in place of another, or at its end."""
    now = parse(plan.text)
    if replaces is not None and now.wave(replaces) is None:
        raise Conflict(
            _("The plan has no wave “%(wave)s” any more.", wave=replaces[:80]), remedy=_("Open it again, then change it.")
        )
    waves = [wave if one.name == replaces else one for one in now.waves]
    if replaces is None:
        waves.append(wave)
    text = write(Plan(now.name, tuple(waves), now.owners))
    faults = faults_of(session, text)
    if faults:
        # Whoever fills in a form has not seen the text whose lines these are.
        raise BadInput(_("The plan cannot be used."), remedy=" ".join(fault.message for fault in faults))
    save(session, text, actor=actor, expect=expect)


def apply(session: Session, core: Core, text: str, *, actor: Actor, why: str = "") -> list[Outcome]:
    """Carry out a plan; doing it again changes nothing.

    :raises BadInput: names every fault; nothing is written then.
    :raises Conflict: when the plan no longer has a wave that is open.
    """
    touch(session)
    now, why = utcnow(), reason(why)
    found = checked(session, text)
    plan = _save(session, found, actor)
    known = {wave.name: wave for wave in waves_of(session, plan)}
    left = [wave for wave in known.values() if found.plan.wave(wave.name) is None and wave.state != "gone"]
    for wave in left:
        if _is_open(wave, now):
            raise Conflict(
                _("The wave “%(wave)s” is open, and the plan does not have it any more.", wave=wave.name),
                remedy=_("Roll it back first, or leave it in the plan."),
            )
    outcomes = [_settle(session, core, wave, "gone", actor, why, now) for wave in left]
    session.flush()
    looked = False
    for position, one in enumerate(found.plan.waves):
        row = _define(session, core, plan, known.get(one.name), one, found.targets[one.name], position)
        asks = row.gate is not None and row.state not in (*PLACED, "held", "rolled_back")
        if asks and not looked and row.starts_at <= now:
            indicators_roll.roll_up(session, now=now)
            looked = True
        outcomes.append(_go_on(session, core, plan, row, actor, why, now))
    if plan.applied_version != plan.version or any(outcome.changed for outcome in outcomes):
        plan.applied_version, plan.applied_at, plan.applied_by = plan.version, now, actor.label
        after = {"version": plan.version, "waves": {outcome.wave: outcome.state for outcome in outcomes}}
        record(session, actor, "rollout.apply", f"plan:{plan.name}", after=after, why=why)
    session.flush()
    return outcomes


def _define(
    session: Session, core: Core, plan: RolloutPlan, row: RolloutWave | None, wave: Wave, targets: Targets, position: int
) -> RolloutWave:
    if row is None:
        row = RolloutWave(plan_id=plan.id, name=wave.name, state="new", findings=[])
        session.add(row)
    if row.state == "gone":
        row.state = "new"
    row.position, row.level, row.starts_on = position, int(wave.level), wave.starts
    row.starts_at = starts_at(wave.starts, core.settings.timezone)
    row.entities, row.groups = list(targets.entities), list(targets.groups)
    row.gate = rollout_gates.kept(wave.gate)
    session.flush()
    indicators_frame.forget(session)
    return row


def _is_open(wave: RolloutWave, now: dt.datetime) -> bool:
    return wave.state == "open" or (wave.state == "planned" and wave.opened_at is not None and wave.opened_at <= now)


def state_of(wave: RolloutWave, now: dt.datetime) -> str:
    """The state as it is at this moment: a planned wave is open once its levels have begun."""
    return "open" if _is_open(wave, now) else wave.state


def _go_on(
    session: Session, core: Core, plan: RolloutPlan, wave: RolloutWave, actor: Actor, why: str, now: dt.datetime
) -> Outcome:
    """Bring a wave to where its definition, the date and its gate say it should be."""
    if wave.state in ("held", "rolled_back"):
        return Outcome(wave.name, wave.state)
    if _is_open(wave, now):
        return _settle(session, core, wave, "open", actor, why, now)
    gate = rollout_gates.read(wave.gate)
    if gate is None:
        return _settle(session, core, wave, "open" if wave.starts_at <= now else "planned", actor, why, now)
    if wave.starts_at > now:
        return _settle(session, core, wave, "waiting", actor, why, now)
    findings = tuple(rollout_gates.look(session, core, gate, now))
    wave.checked_at, wave.findings = now, [finding.as_dict() for finding in findings]
    holds = all(finding.holds for finding in findings)
    outcome = _settle(session, core, wave, "open" if holds else "closed", actor, why, now, findings)
    owners = parse(plan.text).owners
    if holds or wave.told_at is None:
        wave.told_at = None if holds else now
        rollout_notices.tell(session, wave, owners, outcome.state)
    return outcome


def _settle(
    session: Session, core: Core, wave: RolloutWave, state: str, actor: Actor, why: str, now: dt.datetime,
    findings: tuple[rollout_gates.Finding, ...] = (),
) -> Outcome:  # fmt: skip
    """Place and take back what the state asks for; a line in the log when anything of it is new."""
    spots = spots_of(Targets(tuple(wave.entities), tuple(wave.groups))) if state in PLACED else []
    todo: Steps = steps(session, wave, spots, wave.level, wave.starts_at, now)
    before = wave.state
    if todo.empty and before == state:
        return Outcome(wave.name, state, findings=findings)
    carry_out(session, wave, todo, actor=actor, why=why or f"wave {wave.name}", now=now)
    if state not in PLACED:
        wave.opened_at = None
    elif not _is_open(wave, now):
        wave.opened_at = max(wave.starts_at, now)
    if before != state:
        wave.state, wave.changed_at, wave.changed_by, wave.why = state, now, actor.label, why
    touch(session)
    indicators_frame.forget(session)
    acts = {"held": "hold", "rolled_back": "rollback", "closed": "closed", "gone": "removed", "waiting": "wait"}
    record(
        session, actor, f"rollout.{acts.get(state, 'place')}", f"wave:{wave.name}", why=why,
        before={"state": before}, after={
            "state": state, "level": wave.level, "placed": len(todo.forth), "taken_back": len(todo.back),
            **({"from": wave.opened_at.isoformat()} if wave.opened_at is not None else {}),
            **({"gate": [finding.as_dict() for finding in findings]} if findings else {}),
        },
    )  # fmt: skip
    session.flush()
    return Outcome(wave.name, state, len(todo.forth), len(todo.back), findings)


def hold(session: Session, core: Core, name: str, *, actor: Actor, why: str = "") -> Outcome:
    """Keep a wave that has not opened from opening; what it placed for later is taken back.

    :raises Conflict: when it is open.
    """
    touch(session)
    wave, now, why = wave_of(session, name), utcnow(), reason(why)
    if _is_open(wave, now):
        raise Conflict(
            _("The wave “%(wave)s” is open and cannot be held.", wave=name), remedy=_("Roll it back to close it.")
        )
    _must_be(wave, ("planned", "waiting", "closed", "held"))
    return _settle(session, core, wave, "held", actor, why, now)


def resume(session: Session, core: Core, name: str, *, actor: Actor, why: str = "") -> Outcome:
    """Let a wave go on that was held or rolled back: by its date and its gate, as the plan says.

    :raises Conflict: when it was neither.
    """
    touch(session)
    wave, now, why = wave_of(session, name), utcnow(), reason(why)
    _must_be(wave, ("held", "rolled_back"))
    plan = session.get(RolloutPlan, wave.plan_id)
    assert plan is not None  # noqa: S101  a foreign key
    before, wave.state, wave.told_at = wave.state, "new", None
    record(session, actor, "rollout.resume", f"wave:{name}", before={"state": before}, why=why)
    if wave.gate is not None and wave.starts_at <= now:
        indicators_roll.roll_up(session, now=now)
    return _go_on(session, core, plan, wave, actor, why, now)


def rollback(session: Session, core: Core, name: str, *, actor: Actor, why: str = "") -> Outcome:
    """Return to the levels of before a wave; what was written stays, and what a hand placed since too.

    :raises Conflict: when it has placed nothing.
    """
    touch(session)
    wave, now, why = wave_of(session, name), utcnow(), reason(why)
    if wave.state == "rolled_back":
        return Outcome(name, "rolled_back")
    _must_be(wave, PLACED)
    return _settle(session, core, wave, "rolled_back", actor, why, now)


def _must_be(wave: RolloutWave, states: tuple[str, ...]) -> None:
    if wave.state in states:
        return
    remedies: Mapping[str, str] = {
        "open": _("Roll it back to close it."),
        "planned": _("Hold it, or roll it back."),
        "waiting": _("Hold it to keep it closed."),
        "closed": _("Hold it to keep it closed."),
        "held": _("Resume it to let it go on."),
        "rolled_back": _("Resume it to let it go on."),
        "gone": _("Put it back into the plan first."),
    }
    raise Conflict(
        _("The wave “%(wave)s” is %(state)s.", wave=wave.name, state=label(wave.state)), remedy=remedies.get(wave.state)
    )


def label(state: str) -> str:
    """A state in the reader's language."""
    return {
        "planned": _("planned"), "waiting": _("waiting for its date"), "closed": _("closed: its conditions are not met"),
        "open": _("open"), "held": _("held"), "rolled_back": _("rolled back"), "gone": _("no longer in the plan"),
    }.get(state, state)  # fmt: skip


def advance(session: Session, core: Core, *, now: dt.datetime | None = None) -> list[Outcome]:
    """What the clock does: planned waves that have begun are open; those that are due have their gate looked at daily."""
    moment = now or utcnow()
    due = session.execute(
        select(RolloutWave, RolloutPlan).join(RolloutPlan, RolloutPlan.id == RolloutWave.plan_id)
        .where(RolloutWave.state.in_(("planned", "waiting", "closed")), RolloutWave.starts_at <= moment)
        .order_by(RolloutWave.starts_at, RolloutWave.position)
    ).all()  # fmt: skip
    found = []
    rolled = False
    for wave, plan in due:
        if wave.state == "planned":
            wave.state, wave.changed_at, wave.changed_by = "open", moment, CLOCK.label
            record(session, CLOCK, "rollout.open", f"wave:{wave.name}", before={"state": "planned"}, after={"state": "open"})
            rollout_notices.tell(session, wave, parse(plan.text).owners, "open")
            found.append(Outcome(wave.name, "open"))
            continue
        if wave.checked_at is not None and wave.checked_at.date() == moment.date():
            continue
        if not rolled:
            touch(session)
            indicators_roll.roll_up(session, now=moment)
            rolled = True
        found.append(_go_on(session, core, plan, wave, CLOCK, "", moment))
    session.flush()
    return found


def _run(session: Session) -> None:
    from .runtime import core_of

    advance(session, core_of(session))


JOB = Job("core.rollout", _run, every=900)
