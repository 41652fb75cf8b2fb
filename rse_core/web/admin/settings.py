"""Settings of plugins that may be changed while the site runs."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select

from ...contributions import Setting
from ...errors import BadInput, NotFound
from ...i18n import _
from ...models.runtime import SettingRow
from ..state import actor, core, session_read, session_write
from .base import blueprint, site_only

if TYPE_CHECKING:
    from werkzeug.wrappers import Response


@blueprint.get("/settings/")
def settings() -> str:
    """Every setting, by plugin."""
    site_only()
    return _page()


@blueprint.post("/settings/")
def settings_apply() -> Response | tuple[str, int]:
    """Change one."""
    site_only()
    key = request.form.get("key", "")
    known = core().options.known()
    if key not in known:
        raise NotFound(_("No setting is called “%(key)s”.", key=key[:80]))
    try:
        value = read_value(known[key], request.form.get("value"))
        with session_write() as session:
            core().options.set(session, key, value, actor(), why=" ".join(request.form.get("why", "").split()))
    except BadInput as error:
        # The page again, with what was typed.
        return _page(wrong=(key, request.form.get("value", ""), str(error))), error.status
    flash(_("Saved: %(what)s.", what=known[key].label))
    return redirect(url_for("rse_admin.settings", _anchor=f"setting-{key}"), 303)


def read_value(setting: Setting, text: str | None) -> Any:
    """What the form sent for a setting, as its ``parse`` wants it.

    :raises BadInput: for text that is no number, or no JSON.
    """
    if setting.kind == "boolean":
        return text == "1"
    text = (text or "").strip()
    try:
        if setting.kind == "number":
            return int(text)
        if setting.kind == "json":
            return json.loads(text)
    except ValueError:
        message = _("Write a whole number.") if setting.kind == "number" else _("This is not valid JSON.")
        raise BadInput(message) from None
    return text


def _page(wrong: tuple[str, str, str] | None = None) -> str:
    with session_read() as session:
        stored = {row.key: row for row in session.scalars(select(SettingRow))}
    by_plugin: dict[str, list[dict[str, Any]]] = {}
    states = core().plugins.states
    for plugin, setting in core().plugins.contributions(Setting):
        row = stored.get(setting.key)
        value = setting.default if row is None else row.value
        by_plugin.setdefault(str(states[plugin].label), []).append(
            {
                "setting": setting,
                "value": shown(setting, value),
                "changed": row,
                "error": wrong[2] if wrong and wrong[0] == setting.key else "",
                "typed": wrong[1] if wrong and wrong[0] == setting.key else None,
            }
        )
    return render_template("rse/admin/settings.html", by_plugin=by_plugin)


def shown(setting: Setting, value: Any) -> Any:
    """A value as its field shows it."""
    if setting.kind == "json":
        return json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    return value


def _plain(value: Any) -> Any:
    # A default may be made of the plugin's own dataclasses; its fields are what the JSON of a site names.
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
