"""Resources for those who administer: levels, plugins, the audit log. The rights are those of the pages."""

from __future__ import annotations

import json
from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from .. import audit, switches
from ..cursor import rows_on
from ..db import utcnow
from ..delegation import Rights, place_as, rights_of
from ..errors import Forbidden, NotFound
from ..i18n import _
from ..idempotency import once
from ..levelsets import KINDS, SITE, Where, locate
from ..preview import Change, describe, preview
from ..web.identity import require_person
from ..web.state import actor, core, session_read, session_write
from . import schemas
from .auth import require_scope
from .cursors import Cursor, decode_cursor, encode_cursor

levels = Blueprint("levels", __name__, url_prefix="/levels", description="The cursor")
plugins = Blueprint("plugins", __name__, url_prefix="/plugins", description="Plugins and their switches")
journal = Blueprint("audit", __name__, url_prefix="/audit", description="The audit log")


def rights() -> Rights:
    """What the person who asks administers.

    :raises Forbidden: when that is nothing.
    """
    person = require_person()
    with session_read() as session:
        found = rights_of(session, person.id)
    if not found:
        raise Forbidden(_("This is for those who administer the site or an entity."))
    return found


def site_only(found: Rights) -> None:
    """:raises Forbidden: for an administrator of an entity."""
    if not found.site:
        raise Forbidden(_("This is for site administrators."))


def _within(found: Rights, where: Where) -> None:
    if found.site:
        return
    if where.scope != "entity" or not found.over(core().policy.snapshot(), int(where.ident)):
        raise Forbidden(_("You do not administer this part of the site."))


@levels.route("")
class Levels(MethodView):
    @levels.arguments(schemas.PlaceQuery, location="query")
    @levels.response(200, schemas.LevelRowSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """What is in force on one place and what is still to come."""
        found, now = rights(), utcnow()
        with session_read() as session:
            where = locate(session, query["scope"], query["key"])
        _within(found, where)
        kinds = [kind for kind, scopes in KINDS.items() if where.scope in scopes]
        snapshot = core().policy.snapshot()
        return [row for kind in kinds for row in rows_on(snapshot, where.spot(kind), now)]

    @levels.arguments(schemas.LevelBody)
    @levels.response(200, schemas.EffectSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Place a level, a ceiling or a cap; answers its effect. ``dry_run`` places nothing. Takes an Idempotency-Key."""
        require_scope("admin")
        found, running = rights(), core()
        with session_read() as session:
            where = locate(session, body["scope"], body["key"])
            _within(found, where)
            change = Change(body["kind"], where, body["level"], body["starts_at"])
            effect = preview(session, running, change)
            answer = {**effect.as_dict(), "sentence": describe(effect, running), "placed": False, "id": None}
        if body["dry_run"]:
            return answer

        def act() -> str:
            row = place_as(
                session, found, running.policy.snapshot(), where, body["level"], actor=actor(),
                kind=body["kind"], starts_at=body["starts_at"], why=body["why"],
            )  # fmt: skip
            return str(row.id)

        sent = json.dumps(request.get_json(), sort_keys=True)
        with session_write() as session:
            number, _fresh = once(
                session, found.person_id, request.headers.get("Idempotency-Key"), "levels", sent, act
            )
        return {**answer, "placed": True, "id": int(number)}


@plugins.route("")
class Plugins(MethodView):
    @plugins.response(200, schemas.PluginSchema(many=True))
    def get(self) -> list[dict[str, Any]]:
        """Every installed plugin with its state and switches."""
        rights()
        with session_read() as session:
            rows = switches.rows(session)
            keys = switches.keys(session, rows)
        return [described(name, rows, keys) for name in core().plugins.states]


@plugins.route("/<string:name>")
class OnePlugin(MethodView):
    @plugins.arguments(schemas.SwitchBody)
    @plugins.response(200, schemas.PluginSchema)
    def put(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        """Switch it on or off for the site, an entity, a group or a space."""
        require_scope("admin")
        found, running = rights(), core()
        switches.check_name(running.plugins, name)
        with session_write() as session:
            where = SITE if body["scope"] == "site" else locate(session, body["scope"], body["key"])
            _within(found, where)
            change = running.plugins.enable if body["enabled"] else running.plugins.disable
            change(session, name, actor(), where.scope, int(where.ident))
            rows = switches.rows(session, name)
            keys = switches.keys(session, rows)
        return described(name, rows, keys)


def described(name: str, rows: list[Any], keys: dict[tuple[str, int], str]) -> dict[str, Any]:
    """One plugin, JSON-ready."""
    state = core().plugins.states.get(name)
    if state is None:
        raise NotFound(_("No plugin named “%(name)s” is installed.", name=name[:80]))
    return {
        "name": name,
        "label": str(state.label),
        "version": state.version,
        "kind": state.kind,
        "status": state.status,
        "reason": str(state.reason),
        "remedy": str(state.remedy),
        "requires": list(state.requires),
        "switches": [
            {"scope": row.scope, "key": keys.get((row.scope, row.scope_id), ""), "enabled": row.enabled}
            for row in rows
            if row.plugin == name
        ],
    }


@journal.route("")
class Journal(MethodView):
    @journal.arguments(schemas.AuditQuery, location="query")
    @journal.response(200, schemas.AuditPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The latest acts first; for site administrators."""
        require_scope("admin")
        site_only(rights())
        scope = f"audit:{query['act'] or ''}:{query['subject'] or ''}"
        before = None
        if query["cursor"]:
            before = int(decode_cursor(core().settings, query["cursor"], scope).after[0])
        with session_read() as session:
            rows = audit.entries(
                session, act=query["act"], subject=query["subject"], before_id=before, limit=query["limit"] + 1
            )
        page = rows[: query["limit"]]
        more = Cursor(scope, (page[-1].id,)) if len(rows) > len(page) else None
        return {"items": page, "next": encode_cursor(core().settings, more) if more else None}


blueprints = (levels, plugins, journal)
