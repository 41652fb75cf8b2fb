"""Switching a plugin on or off while the site runs: for everybody, for an entity and below, for a group,
in a space.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .audit import Actor, record
from .db import utcnow
from .errors import BadInput, NotFound
from .i18n import _
from .models.levels import PluginSwitch
from .models.organisation import Entity, Group, Space

if TYPE_CHECKING:
    from .manager import PluginManager

SCOPES: Mapping[str, type[Entity] | type[Group] | type[Space]] = {
    "entity": Entity,
    "group": Group,
    "space": Space,
}


def switch(manager: PluginManager, session: Session, name: str, on: bool, actor: Actor, scope: str, scope_id: int) -> bool:
    """Write the switch, its audit line and a new version of the policy; False when nothing changed.

    :raises NotFound: for a plugin that is not installed, or an entity, group or space that does not exist.
    """
    check_name(manager, name)
    subject = _subject(session, scope, scope_id)
    row = session.get(PluginSwitch, (name, scope, scope_id))
    before = None if row is None else row.enabled
    if before is on or (before is None and scope == "site" and on):
        return False
    if row is None:
        session.add(PluginSwitch(plugin=name, scope=scope, scope_id=scope_id, enabled=on, changed_by=actor.label))
    else:
        row.enabled, row.changed_at, row.changed_by = on, utcnow(), actor.label
    act = "plugin.enable" if on else "plugin.disable"
    record(session, actor, act, f"plugin:{name}", before=before, after={"enabled": on, "scope": subject})
    session.flush()
    _touch(session)
    if scope == "site":
        manager.notify_switched(session, name, on)
    return True


def check_name(manager: PluginManager, name: str) -> None:
    """:raises NotFound: names the nearest installed plugin."""
    if name in manager.states:
        return
    near = difflib.get_close_matches(name, manager.states, n=1, cutoff=0.5)
    installed = ", ".join(manager.states) or _("none")
    raise NotFound(
        _("No plugin named “%(name)s” is installed.", name=name),
        remedy=_("Did you mean “%(near)s”?", near=near[0]) if near else _("Installed: %(names)s.", names=installed),
    )


def rows(session: Session, name: str | None = None) -> list[PluginSwitch]:
    """The switches of one plugin, or of all."""
    query = select(PluginSwitch).order_by(PluginSwitch.plugin, PluginSwitch.scope, PluginSwitch.scope_id)
    if name is not None:
        query = query.where(PluginSwitch.plugin == name)
    return list(session.scalars(query))


def keys(session: Session, switches: list[PluginSwitch]) -> dict[tuple[str, int], str]:
    """(scope, id) → the external key that people know it by."""
    found: dict[tuple[str, int], str] = {("site", 0): ""}
    for scope, model in SCOPES.items():
        ids = {s.scope_id for s in switches if s.scope == scope}
        if ids:
            for ident, key in session.execute(select(model.id, model.key).where(model.id.in_(ids))):
                found[(scope, ident)] = key
    return found


def _subject(session: Session, scope: str, scope_id: int) -> str:
    if scope == "site" and scope_id == 0:
        return "site"
    if scope not in SCOPES:
        raise BadInput(
            _("“%(scope)s” is not a scope of a switch.", scope=scope),
            remedy=_("Use site, entity, group or space."),
        )
    row: Any = session.get(SCOPES[scope], scope_id)
    if row is None:
        raise NotFound(_("No %(scope)s has the id %(id)s.", scope=scope, id=scope_id))
    return f"{scope}:{row.key}"


def _touch(session: Session) -> None:
    from .policy import touch

    touch(session)
