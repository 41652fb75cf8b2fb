"""Plugins with their state, the reason for it, and their switches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select

from ... import switches
from ...errors import BadInput, Forbidden
from ...i18n import _
from ...levelsets import SITE, locate
from ...models.organisation import Entity, Group, Space
from ..state import actor, core, session_read, session_write
from .base import blueprint, rights

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

SCOPES = ("site", "entity", "group", "space")


@blueprint.get("/plugins/")
def plugins() -> str:
    """The list."""
    running, found = core(), rights()
    with session_read() as session:
        rows = switches.rows(session)
        names = {}
        for scope, model in (("entity", Entity), ("group", Group), ("space", Space)):
            ids = {row.scope_id for row in rows if row.scope == scope}
            if ids:
                for ident, key, name in session.execute(
                    select(model.id, model.key, model.name).where(model.id.in_(ids))
                ):
                    names[scope, ident] = (key, name)
    by_plugin: dict[str, list[tuple[str, str, str, bool]]] = {}
    off = set()
    for row in rows:
        key, name = names.get((row.scope, row.scope_id), ("", ""))
        by_plugin.setdefault(row.plugin, []).append((row.scope, key, name, row.enabled))
        if row.scope == "site" and not row.enabled:
            off.add(row.plugin)
    return render_template(
        "rse/admin/plugins.html",
        states=list(running.plugins.states.values()),
        switches=by_plugin,
        off=off,
        muted={name: running.plugins.muted(name) for name in running.plugins.states},
        site=found.site,
    )


@blueprint.post("/plugins/")
def plugins_apply() -> Response:
    """Switch one plugin on or off somewhere."""
    running, found = core(), rights()
    name, on = request.form.get("plugin", ""), request.form.get("on")
    scope, key = request.form.get("scope", "site"), request.form.get("key", "").strip()
    if on not in ("0", "1") or scope not in SCOPES:
        raise BadInput(_("The switch was not understood."), remedy=_("Use the buttons of the page."))
    switches.check_name(running.plugins, name)
    with session_write() as session:
        where = SITE if scope == "site" else locate(session, scope, key)
        if not found.site and not (
            where.scope == "entity" and found.over(running.policy.snapshot(), int(where.ident))
        ):
            raise Forbidden(_("You may switch plugins in the entities that you administer, not elsewhere."))
        change = running.plugins.enable if on == "1" else running.plugins.disable
        changed = change(session, name, actor(), scope, int(where.ident))
    label = str(running.plugins.states[name].label)
    place = where.name or where.key or _("the whole site")
    if not changed:
        flash(_("“%(plugin)s” was so already for %(where)s.", plugin=label, where=place))
    elif on == "1":
        flash(_("“%(plugin)s” is switched on for %(where)s.", plugin=label, where=place))
    else:
        flash(_("“%(plugin)s” is switched off for %(where)s. Nothing was deleted.", plugin=label, where=place))
    return redirect(url_for("rse_admin.plugins", _anchor=f"plugin-{name}"), 303)
