"""The rollout: plans with their waves, a plan's text checked and previewed before it is applied, a form for one wave."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select

from ... import rollout as service
from ... import rollout_check, rollout_preview, rollout_status
from ...db import utcnow
from ...errors import BadInput, Conflict, NotFound, RseError
from ...i18n import _
from ...levels import Level, parse_level
from ...models.organisation import Entity, Group
from ...models.rollout import RolloutPlan, RolloutWave
from ...rollout_gates import LABELS, share, too_early
from ...rollout_plan import EVERY, RATES, WINDOW_WEEKS, Gate, Plan, Wave, parse, read
from ..state import actor, core, session_read, session_write
from .base import blueprint, site_only

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from werkzeug.wrappers import Response

ACTS = {"hold": service.hold, "resume": service.resume, "rollback": service.rollback}
#: Of a number of weeks: more are a slip.
_DIGITS = 6
_SAMPLE = 'name = ""\n\n[[wave]]\nname = ""\nstarts = 2027-01-01\nlevel = "react"\nentities = [""]\n'


@blueprint.get("/rollout/")
def rollout() -> str:
    """Every plan with its waves as they stand."""
    site_only()
    with session_read() as session:
        rows = session.scalars(select(RolloutPlan).order_by(RolloutPlan.id))
        plans = [(plan, rollout_status.status(session, plan)) for plan in rows]
    return render_template("rse/admin/rollout.html", plans=plans, share=share)


@blueprint.get("/rollout/edit")
def rollout_edit() -> str:
    """The text of a plan."""
    site_only()
    name = request.args.get("plan", "")
    with session_read() as session:
        plan = service.plan_of(session, name) if name else None
        return _editor(session, plan.text if plan else _SAMPLE, plan)


@blueprint.post("/rollout/edit")
def rollout_edit_apply() -> Response | tuple[str, int] | str:
    """Check the text, see what it would do, keep it, or carry it out; what was typed is never lost."""
    site_only()
    text = request.form.get("text", "").replace("\r\n", "\n")
    act, why = request.form.get("act", "check"), request.form.get("why", "").strip()
    version = request.form.get("version", type=int)
    with session_read() as session:
        name = request.form.get("plan", "")
        plan = service.plan_of(session, name) if name else None
        faults = rollout_check.faults_of(session, text)
        if faults:
            return _editor(session, text, plan, faults=faults), BadInput.status
        if act not in ("save", "apply"):
            effects = rollout_preview.preview(session, core(), text) if act == "preview" else None
            return _editor(session, text, plan, effects=effects, fine=True)
    try:
        with session_write() as session:
            # A plan that was begun here is new: one of the same name is somebody's, and stays.
            service.save(session, text, actor=actor(), expect=0 if plan is None else version or -1)
            if act == "apply":
                service.apply(session, core(), text, actor=actor(), why=why)
    except (BadInput, Conflict) as error:
        with session_read() as session:
            return _editor(session, text, plan, error=error), error.status
    flash(_("The plan was applied.") if act == "apply" else _("The plan was saved. Nothing was opened yet."))
    return redirect(url_for("rse_admin.rollout"), 303)


def _editor(session: Session, text: str, plan: RolloutPlan | None, **more: Any) -> str:
    shape = read(text)[0]
    more = {"error": None, "faults": (), "effects": None, "fine": False, **more}
    return render_template(
        "rse/admin/rollout_edit.html", text=text, plan=plan, lines=max(12, min(60, text.count("\n") + 3)),
        waves=shape.waves if shape is not None and not more["faults"] else (), Level=Level,
        labels={key: str(one.label) for key, one in core().plugins.capabilities.items()}, **more,
    )  # fmt: skip


@blueprint.get("/rollout/wave")
def rollout_wave() -> str:
    """One wave as a form; what is saved here is written into the text of the plan."""
    site_only()
    with session_read() as session:
        plan = service.plan_of(session, request.args.get("plan", ""))
        found = parse(plan.text)
        wave = found.wave(request.args.get("wave", ""))
        if wave is None and request.args.get("wave"):
            raise NotFound(_("There is no wave called “%(name)s”.", name=request.args["wave"][:80]))
        return _wave_form(session, plan, found, wave, wave.name if wave else "", _typed(wave))


@blueprint.post("/rollout/wave")
def rollout_wave_apply() -> Response | tuple[str, int]:
    """Write the form's wave into the plan."""
    site_only()
    form = {key: request.form.get(key, "").strip() for key in (*_FIELDS, *RATES)}
    name, replaces = request.form.get("plan", ""), request.form.get("wave", "") or None
    with session_read() as session:
        plan = service.plan_of(session, name)
        found = parse(plan.text)
    try:
        wave = _wave(form)
        with session_write() as session:
            service.change_wave(
                session, plan, wave, replaces=replaces, actor=actor(), expect=request.form.get("version", -1, type=int)
            )
    except (BadInput, Conflict) as error:
        with session_read() as session:
            page = _wave_form(session, plan, found, found.wave(replaces or ""), replaces or "", form, error=error)
        return page, error.status
    flash(_("The plan was saved. Nothing was opened yet."))
    return redirect(url_for("rse_admin.rollout_edit", plan=plan.name), 303)


_FIELDS = ("name", "starts", "level", "entities", "groups", "after", "min_weeks", "window_weeks")


def _typed(wave: Wave | None) -> dict[str, str]:
    if wave is None:
        return {"level": "1"}
    typed = {
        "name": wave.name, "starts": wave.starts.isoformat(), "level": str(int(wave.level)),
        "entities": "\n".join(wave.entities), "groups": "\n".join(wave.groups),
    }  # fmt: skip
    if wave.gate is not None:
        typed |= {"after": wave.gate.after, "min_weeks": str(wave.gate.min_weeks)}
        typed["window_weeks"] = str(wave.gate.window_weeks)
        typed |= {key: f"{rate * 100:g}" for key, rate in wave.gate.rates.items()}
    return typed


def _wave(form: dict[str, str]) -> Wave:
    try:
        starts = dt.date.fromisoformat(form["starts"])
    except ValueError:
        message = _("Write it as 2027-01-31.")
        raise BadInput(_("“%(date)s” is not a date.", date=form["starts"][:40]), fields={"starts": message}) from None
    gate = None
    if form["after"]:
        rates = {}
        for key in RATES:
            if form[key]:
                rates[key] = _number(form[key].replace(",", "."), key) / 100
        weeks, window = _whole(form["min_weeks"] or "0", "min_weeks"), form["window_weeks"] or str(WINDOW_WEEKS)
        gate = Gate(form["after"], weeks, _whole(window, "window_weeks"), rates)
    keys = [tuple(dict.fromkeys(form[key].replace(",", "\n").split())) for key in ("entities", "groups")]
    return Wave(form["name"], starts, parse_level(form["level"]), keys[0], keys[1], gate)


def _whole(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise BadInput(_("“%(text)s” is not a number.", text=text[:40]), fields={field: _("Give a whole number.")})
    return int(text)


def _number(text: str, field: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadInput(_("“%(text)s” is not a number.", text=text[:40]), fields={field: _("Give a number.")})
    return found


def _wave_form(
    session: Session, plan: RolloutPlan, found: Plan, wave: Wave | None, name: str, form: dict[str, str], *,
    error: RseError | None = None,
) -> str:  # fmt: skip
    return render_template(
        "rse/admin/rollout_wave.html", plan=plan, wave=wave, name=name, error=error, rates=RATES,
        form=dict.fromkeys((*_FIELDS, *RATES), "") | form,
        rate_labels=LABELS, levels=list(Level), every=EVERY, window=WINDOW_WEEKS,
        others=[one.name for one in found.waves if one.name != name],
        entities=session.execute(select(Entity.key, Entity.name).order_by(Entity.name).limit(500)).all(),
        groups=session.execute(select(Group.key, Group.name).order_by(Group.name).limit(500)).all(),
    )  # fmt: skip


@blueprint.post("/rollout/act")
def rollout_act() -> Response:
    """Hold, resume or roll back a wave."""
    site_only()
    act = ACTS.get(request.form.get("act", ""))
    if act is None:
        raise BadInput(_("There is nothing of that kind to do."))
    with session_write() as session:
        outcome = act(
            session, core(), request.form.get("wave", ""), actor=actor(), why=request.form.get("why", "").strip()
        )
    flash(_("The wave “%(wave)s” is %(state)s.", wave=outcome.wave, state=service.label(outcome.state)))
    return redirect(url_for("rse_admin.rollout", _anchor=f"wave-{outcome.wave}"), 303)


@blueprint.get("/rollout/<int:wave>/sheet")
def rollout_sheet(wave: int) -> str:
    """The go or no-go sheet of a wave, to be read on screen or printed."""
    site_only()
    now = utcnow()
    with session_read() as session:
        row = session.get(RolloutWave, wave)
        if row is None:
            raise NotFound(_("There is no such wave."))
        sheet = rollout_status.sheet(session, core(), row, now=now)
        plan = session.get(RolloutPlan, row.plan_id)
        effect = None
        if plan is not None and sheet.wave.state != "open":
            try:
                effects = rollout_preview.preview(session, core(), plan.text)
                effect = next((one for one in effects if one.wave == row.name), None)
            except BadInput:
                # The organisation has changed since: the plan's own page says what is wrong with it.
                effect = None
    early = too_early(sheet.before.opened_at, now) if sheet.before is not None else ""
    return render_template(
        "rse/admin/rollout_sheet.html", sheet=sheet, effect=effect, early=early, now=now, share=share, labels=LABELS,
        capabilities={key: str(one.label) for key, one in core().plugins.capabilities.items()},
    )  # fmt: skip
