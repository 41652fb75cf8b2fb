"""What I can do, the tour as a page, the forms of the bar, and the page for those who accompany their colleagues."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core import charter
from rse_core.api import BadInput, Level, ObjectRef, can, require, translator
from rse_core.richtext import render
from rse_core.roles import is_site_admin
from rse_core.webapi import fragment_response, require_person, return_to, session_read, session_write, wants_fragment

from . import accompanying, openings, standing
from .slots import SLOT
from .standing import TOUR

_ = translator(__file__, "rse_onboarding").gettext
blueprint = Blueprint(
    "rse_onboarding", __name__, url_prefix="/onboarding", template_folder="templates", static_folder="static"
)
ACTS = ("done", "later", "keep", "again")


@blueprint.get("/")
def index() -> str:
    """Everything that is open, what opens later and when, what a lowering closed; at INFORM in plain words."""
    person = require_person()
    with session_read() as session:
        where = standing.of(session, person.id)
        everything = openings.all_of(session, person.id)
        values = {
            "standing": where,
            "levels": [
                (level, found) for level in Level
                if level <= where.level and (found := [one for one in everything if one.level == level and one.open])
            ],
            "later": [one for one in everything if not one.open and one.decision.opens_at is not None],
            "closed": openings.closed(session, person.id, where),
            "steps": openings.steps(session, person.id, where.since, where.level) if where.level else [],
            "accompanies": where.level and accompanying.scope_of(session, person.id) is not None,
            "tour": bool(can(session, person.id, TOUR)), "site_admin": is_site_admin(session, person.id),
            "charter": charter.in_force(session),
        }  # fmt: skip
    return render_template("rse/onboarding/index.html", **values)


@blueprint.get("/tour")
def tour() -> str:
    """All steps on one page: what the bar opens where there is no script, and where the tour is found again."""
    person = require_person()
    with session_read() as session:
        require(session, person.id, TOUR)
        where = standing.of(session, person.id)
        every = request.args.get("from") == "start"
        steps = openings.steps(session, person.id, Level.INFORM if every else where.since, where.level)
        more = not every and where.since > Level.INFORM
        example = openings.example(session)
    return render_template("rse/onboarding/tour.html", standing=where, steps=steps, more=more, example=example)


@blueprint.post("/shown")
def shown() -> BaseResponse:
    """The bar's forms: the tour is done, is left for later, or was closed in its middle."""
    person = require_person()
    act, step = request.form.get("act", ""), request.form.get("step", "")
    if act not in ACTS or len(step) > 80:
        raise BadInput(_("This form says nothing that can be done."))
    with session_write() as session:
        require(session, person.id, TOUR)
        if act == "keep":
            standing.keep_place(session, person.id, step)
        else:
            standing.acknowledge(session, person.id, step=step if act == "later" else "")
    said = "" if act == "keep" else _("You find it again under “What I can do”.")
    if wants_fragment():
        ref = ObjectRef.parse(request.form.get("ref", ""))
        return fragment_response(slots=[SLOT], refs=[ref] if ref.type == "page" else [], announce=said)
    if said:
        flash(said)
    return redirect(return_to(url_for(".index")), 303)


@blueprint.get("/wave")
def wave() -> str:
    """For ambassadors and managers: the figures of their people, in numbers alone, and what to do next."""
    person = require_person()
    with session_read() as session:
        found = accompanying.progress(session, person.id)
    advice = [(one, render(one.text, {})) for one in found.advice]
    return render_template("rse/onboarding/wave.html", progress=found, advice=advice)
