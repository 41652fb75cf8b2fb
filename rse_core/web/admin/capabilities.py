"""All capabilities with the levels from which they open, in one table; a site may shift each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for

from ...i18n import _
from ...levels import Level, parse_level
from ...levelsets import shift
from ..state import actor, core, session_write
from .base import blueprint, site_only

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


@blueprint.get("/capabilities/")
def capabilities() -> str:
    """The table."""
    site_only()
    running = core()
    shifts = running.policy.snapshot().shifts
    rows = [
        (key, capability, running.plugins.owner(key), Level(shifts.get(key, capability.level)), key in shifts)
        for key, capability in running.plugins.capabilities.items()
    ]
    rows.sort(key=lambda row: (row[3], row[0]))
    return render_template("rse/admin/capabilities.html", rows=rows, levels=list(Level))


@blueprint.post("/capabilities/")
def capabilities_apply() -> Response:
    """Shift one."""
    site_only()
    running = core()
    key, level = request.form.get("capability", ""), request.form.get("level", "")
    with session_write() as session:
        number = shift(session, running, key, None if level == "own" else parse_level(level), actor=actor())
    label = running.plugins.capabilities[key].label
    flash(_("“%(what)s” opens from “%(level)s”.", what=label, level=Level(number).label))
    return redirect(url_for("rse_admin.capabilities", _anchor=f"cap-{key}"), 303)
