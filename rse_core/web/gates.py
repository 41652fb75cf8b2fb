"""Pages of a plugin that is switched off for the person are not there."""

from __future__ import annotations

from flask import abort, request

from .identity import current_person_id
from .state import core, session_read


def plugin_of_request() -> str | None:
    """The plugin whose blueprint answers this request; None for the core's own pages."""
    name = request.blueprint
    if not name or not name.startswith("rse_"):
        return None
    plugin = name[4:].split("_", 1)[0]
    return plugin if plugin in core().plugins.states else None


def check() -> None:
    """Refuse with 404 what a plugin serves to somebody for whom it is off; adapters (sign-in) are never gated."""
    plugin = plugin_of_request()
    if plugin is None or core().plugins.states[plugin].kind == "adapter":
        return
    if core().plugins.states[plugin].status != "on":
        abort(404)
    with session_read() as session:
        if not core().policy.plugin_on(session, plugin, current_person_id()):
            abort(404)
