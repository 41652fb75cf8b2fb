"""The core's own pages for everybody: home, my preferences, the charter."""

from __future__ import annotations

from flask import Blueprint, render_template

from ..db import utcnow
from .identity import current_person, require_person
from .state import core, session_read
from .visits import note_visit

blueprint = Blueprint("rse_core", __name__, static_folder="../static", static_url_path="/static")


@blueprint.get("/")
def home() -> str:
    """What is open to the person who asks."""
    person = current_person()
    level = None
    if person is not None:
        with session_read() as session:
            level = core().policy.level_of(session, person.id, None, utcnow())
        note_visit(person)
    return render_template("rse/home.html", person=person, level=level)


@blueprint.get("/me/")
def me() -> str:
    """My preferences."""
    return render_template("rse/me.html", person=require_person())
