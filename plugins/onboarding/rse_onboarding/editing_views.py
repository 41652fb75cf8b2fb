"""For the site's administrators: its own tutorials, written and changed, and what readers said in numbers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Level, current_locale, translator
from rse_core.webapi import actor, core, require_person, session_read, session_write

from . import editing, shipped, tutorials
from .editing import Draft

_ = translator(__file__, "rse_onboarding").gettext
blueprint = Blueprint("rse_onboarding_editing", __name__, url_prefix="/onboarding/admin")


@blueprint.get("/")
def index() -> str:
    """All of them."""
    person = require_person()
    with session_read() as session:
        own = editing.all_of(session, person.id)
        said = tutorials.feedback(session)
    brought = [(tutorial, shipped.text(tutorial, current_locale()), core().plugins.states[plugin].label)
               for plugin, tutorial in shipped.offered(core()).values()]  # fmt: skip
    return render_template("rse/onboarding/editing.html", own=own, said=said, brought=brought, nothing=tutorials.Feedback())


@blueprint.get("/new")
def new() -> str:
    """An empty form."""
    person = require_person()
    with session_read() as session:
        editing.require_admin(session, person.id)
    return _form({"order": 100, "level": 1}, None)


@blueprint.post("/new")
def add() -> BaseResponse | tuple[str, int]:
    """Write it; a refused form comes back as it was filled in."""
    require_person()
    try:
        with session_write() as session:
            editing.add(session, actor(), _draft())
    except (BadInput, Conflict) as error:
        return _form(dict(request.form), error), error.status
    flash(_("The tutorial is published."))
    return redirect(url_for(".index"), 303)


@blueprint.get("/<int:number>")
def edit(number: int) -> str:
    """The form of one that exists."""
    person = require_person()
    with session_read() as session:
        page = editing.get(session, person.id, number)
    values = {
        "title": page.title, "body": page.body, "level": int(page.level), "locale": page.locale, "order": page.order,
        "video": page.video, "version": page.version,
    }  # fmt: skip
    return _form(values, None, number=number)


@blueprint.post("/<int:number>")
def change(number: int) -> BaseResponse | tuple[str, int]:
    """Change or delete it."""
    require_person()
    try:
        with session_write() as session:
            if request.form.get("act") == "delete":
                editing.remove(session, actor(), number)
                said = _("The tutorial is deleted.")
            else:
                version = _number("version", 0)
                editing.change(session, actor(), number, _draft(), version=version)
                said = _("The tutorial is changed.")
    except (BadInput, Conflict) as error:
        return _form(dict(request.form), error, number=number), error.status
    flash(said)
    return redirect(url_for(".index"), 303)


def _draft() -> Draft:
    form = request.form
    return Draft(
        form.get("title", ""), form.get("body", ""), _number("level", 0), form.get("locale", ""), _number("order", -1),
        form.get("video", ""),
    )  # fmt: skip


def _number(name: str, otherwise: int) -> int:
    text = request.form.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise


def _form(values: dict[str, Any], error: BadInput | Conflict | None, number: int | None = None) -> str:
    problems = error.fields if isinstance(error, BadInput) else {}
    levels = [level for level in Level if level > Level.INFORM]
    return render_template(
        "rse/onboarding/edit.html", values=values, error=error, problems=problems or {}, number=number, levels=levels
    )
