"""The list of tutorials, each as a page, and what a reader notes of it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Level, require, translator
from rse_core.richtext import plain, render
from rse_core.roles import is_site_admin
from rse_core.webapi import require_person, session_read, session_write

from . import tutorials
from .standing import TOUR

_ = translator(__file__, "rse_onboarding").gettext
blueprint = Blueprint("rse_onboarding_tutorials", __name__, url_prefix="/onboarding/tutorials")


@blueprint.get("/")
def index() -> str:
    """Those open to whoever asks, by level."""
    person = require_person()
    with session_read() as session:
        require(session, person.id, TOUR)
        found = tutorials.listed(session, person.id)
        site_admin = is_site_admin(session, person.id)
    levels = [(level, some) for level in Level if (some := [one for one in found if one.level == level])]
    return render_template("rse/onboarding/tutorials.html", levels=levels, plain=plain, site_admin=site_admin)


@blueprint.get("/<key>")
def page(key: str) -> str:
    """One of them."""
    person = require_person()
    with session_read() as session:
        found = tutorials.one(session, person.id, key)
    return render_template("rse/onboarding/tutorial.html", page=found, body=render(found.body, {}, rich=True))


@blueprint.post("/<key>")
def note(key: str) -> BaseResponse:
    """The reader's own mark, and whether it was useful to them."""
    person = require_person()
    acts = {"done": {"done": True}, "undone": {"done": False}, "useful": {"useful": True}, "useless": {"useful": False}}
    values = acts.get(request.form.get("act", ""))
    if values is None:
        raise BadInput(_("This form says nothing that can be done."))
    with session_write() as session:
        tutorials.note(session, person.id, key, **values)
    flash(_("Thank you. Only the number of answers is shown to others.") if "useful" in values else _("Noted."))
    return redirect(url_for(".page", key=key), 303)
