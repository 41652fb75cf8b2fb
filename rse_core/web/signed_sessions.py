"""``me/sessions``: the browsers in which a person is signed in, and how to end that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for

from .. import sessions
from ..errors import BadInput
from ..i18n import _, ngettext
from .identity import require_person, session_text
from .pages import blueprint
from .state import actor, session_read, session_write

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


@blueprint.get("/me/sessions")
def own_sessions() -> str:
    """Where one is signed in."""
    person = require_person()
    with session_read() as db:
        found = sessions.list_for(db, person.id, session_text())
    return render_template("rse/sessions.html", found=found, ambient=not session_text())


@blueprint.post("/me/sessions")
def end_sessions() -> Response:
    """End one, or all but this one."""
    person = require_person()
    asked = request.form.get("session", "")
    with session_write() as db:
        if asked == "others":
            count = sessions.end_all(db, person.id, actor=actor(), but=session_text())
            message = ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", count)
        elif asked.isdecimal() and len(asked) < 19:
            sessions.end_one(db, person.id, int(asked), actor=actor())
            message = _("The session was ended.")
        else:
            raise BadInput(_("“%(text)s” is not a session.", text=asked[:20]))
    flash(message)
    return redirect(url_for("rse_core.own_sessions"), 303)
