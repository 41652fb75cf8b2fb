"""A plugin that is switched off for the person is not there: neither its pages nor its markup."""

from __future__ import annotations

from flask import abort, request
from sqlalchemy.orm import Session

from ..content import ObjectRef
from ..cursor import NOWHERE, plugin_on
from .identity import current_person_id
from .state import core


def plugins_on(session: Session, person_id: int | None, subject: ObjectRef | None = None) -> list[str]:
    """The running plugins that are on for this person, here. For nobody, what the site says."""
    running = core()
    policy = running.policy
    names = [name for name, state in running.plugins.states.items() if state.status == "on"]
    snapshot = policy.snapshot()
    person = None if person_id is None else policy.person(person_id)
    if person is None:
        return [name for name in names if snapshot.switches.get(name, {}).get(("site", 0), True)]
    place = NOWHERE if subject is None else policy.resolve(session, subject)[0] or NOWHERE
    return [name for name in names if plugin_on(snapshot, name, person, place)[0]]


def plugin_of_request() -> str | None:
    """The plugin whose blueprint answers this request; None for the core's own pages."""
    found: str | None = plugin_of_blueprint(request.blueprint)
    return found


def plugin_of_blueprint(name: str | None) -> str | None:
    """``rse_likes`` and ``rse_likes_admin`` are of the plugin ``likes``."""
    if not name or not name.startswith("rse_"):
        return None
    plugin = name[4:].split("_", 1)[0]
    return plugin if plugin in core().plugins.states else None


def check() -> None:
    """Refuse with 404 what a plugin serves to somebody for whom it is off.

    Adapters are never gated: without the one that signs people in nobody could switch it on again.
    """
    plugin = plugin_of_request()
    if plugin is None:
        return
    state = core().plugins.states[plugin]
    if state.status != "on":
        abort(404)
    if state.kind == "adapter":
        return
    snapshot = core().policy.snapshot()
    person_id = current_person_id()
    person = None if person_id is None else core().policy.person(person_id)
    on = (
        snapshot.switches.get(plugin, {}).get(("site", 0), True)
        if person is None
        else plugin_on(snapshot, plugin, person, NOWHERE)[0]
    )
    if not on:
        abort(404)
