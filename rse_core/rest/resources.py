"""The core's resources for everybody: decisions, me, capabilities, entities. Plugins bring their own."""

from __future__ import annotations

from typing import Any

from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy import select

from .. import organisation, sessions
from ..content import ObjectRef
from ..db import utcnow
from ..i18n import current_locale
from ..levels import Level
from ..levelsets import shift
from ..models.organisation import Entity
from ..policy import can, level_of
from ..roles import is_site_admin
from ..web.identity import current_person_id, require_person, session_text
from ..web.state import actor, core, session_read, session_write
from . import schemas
from .administration import blueprints as administration
from .administration import rights, site_only
from .auth import require_scope
from .cursors import Cursor, decode_cursor, encode_cursor
from .files import blueprint as files
from .handover import blueprint as handovers
from .rollout import blueprint as rollout

decisions = Blueprint("decisions", __name__, url_prefix="/decisions", description="May I do this here?")
me = Blueprint("me", __name__, url_prefix="/me", description="Who I am here")
capabilities = Blueprint("capabilities", __name__, url_prefix="/capabilities", description="What people may do")
entities = Blueprint("entities", __name__, url_prefix="/entities", description="The organisation's tree")


@decisions.route("")
class Decisions(MethodView):
    @decisions.arguments(schemas.DecisionQuery, location="query")
    @decisions.response(200, schemas.DecisionSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The decision for the person who asks; administrators of the site get the trail of every rule looked at."""
        ref = ObjectRef.parse(query["ref"]) if query["ref"] else None
        with session_read() as session:
            person_id = current_person_id()
            answer = can(session, person_id, query["capability"], ref, at=query["at"]).as_dict()
            if not is_site_admin(session, person_id):
                # It says who placed which level, and why: not for everybody.
                answer["trail"] = []
            return answer


@me.route("")
class Me(MethodView):
    @me.response(200, schemas.MeSchema)
    def get(self) -> dict[str, Any]:
        """The person who asks."""
        person = require_person()
        with session_read() as session:
            level = level_of(session, person.id, None, utcnow())
        return {
            "id": person.id,
            "username": person.username,
            "display_name": person.display_name,
            "entity": person.entity_name,
            "job_title": person.job_title,
            "locale": current_locale(),
            "level": int(level),
            "level_name": str(Level(level).label),
        }


@me.route("/sessions")
class Sessions(MethodView):
    @me.response(200, schemas.SessionSchema(many=True))
    def get(self) -> list[sessions.Shown]:
        """The browsers in which you are signed in."""
        person = require_person()
        with session_read() as session:
            return sessions.list_for(session, person.id, session_text())

    @me.response(204)
    def delete(self) -> None:
        """End all of them but the one that asks."""
        person = require_person()
        with session_write() as session:
            sessions.end_all(session, person.id, actor=actor(), but=session_text())


@me.route("/sessions/<int:session_id>")
class OneSession(MethodView):
    @me.response(204)
    def delete(self, session_id: int) -> None:
        """End one."""
        person = require_person()
        with session_write() as session:
            sessions.end_one(session, person.id, session_id, actor=actor())


@capabilities.route("")
class Capabilities(MethodView):
    @capabilities.response(200, schemas.CapabilitySchema(many=True))
    def get(self) -> list[dict[str, Any]]:
        """Every capability, with the level from which it opens."""
        require_person()
        return [described(key) for key in sorted(core().plugins.capabilities)]


@capabilities.route("/<string:key>")
class OneCapability(MethodView):
    @capabilities.arguments(schemas.CapabilityBody)
    @capabilities.response(200, schemas.CapabilitySchema)
    def patch(self, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Open it from another level; for site administrators."""
        require_scope("admin")
        site_only(rights())
        with session_write() as session:
            shift(session, core(), key, body["level"], actor=actor())
        return described(key)


def described(key: str) -> dict[str, Any]:
    """One capability, JSON-ready."""
    running = core()
    found = running.plugins.capabilities[key]
    return {
        "key": key,
        "label": str(found.label),
        "description": str(found.description),
        "plugin": running.plugins.owner(key),
        "level": int(running.policy.snapshot().shifts.get(key, found.level)),
        "default_level": int(found.level),
        "writes": found.writes,
        "reviewed": found.reviewed,
    }


@entities.route("")
class Entities(MethodView):
    @entities.arguments(schemas.EntityQuery, location="query")
    @entities.response(200, schemas.EntityPage)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The entities, or those right below one."""
        require_person()
        scope = f"entities:{query['parent'] or ''}"
        rows = select(Entity.id, Entity.key, Entity.name, Entity.parent_id).order_by(Entity.id)
        with session_read() as session:
            if query["parent"]:
                rows = rows.where(Entity.parent_id == organisation.entity_by_key(session, query["parent"]).id)
            if query["cursor"]:
                after = decode_cursor(core().settings, query["cursor"], scope).after[0]
                rows = rows.where(Entity.id > int(after))
            found = session.execute(rows.limit(query["limit"] + 1)).all()
            wanted = {row.parent_id for row in found if row.parent_id is not None}
            names = select(Entity.id, Entity.key).where(Entity.id.in_(wanted))
            keys = {row.id: row.key for row in session.execute(names)} if wanted else {}
        page = found[: query["limit"]]
        more = Cursor(scope, (page[-1].id,)) if len(found) > len(page) else None
        return {
            "items": [{"key": r.key, "name": r.name, "parent": keys.get(r.parent_id)} for r in page],
            "next": encode_cursor(core().settings, more) if more else None,
        }


blueprints = (decisions, me, capabilities, entities, files, *administration, rollout, handovers)
