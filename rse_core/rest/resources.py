"""The core's resources. Plugins bring their own with ``rse_rest_blueprints``."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask.views import MethodView
from flask_smorest import Blueprint

from ..content import ObjectRef
from ..db import utcnow
from ..i18n import current_locale
from ..levels import Level
from ..policy import can
from ..web.identity import current_person_id, require_person
from ..web.state import core, session_read

decisions = Blueprint("decisions", __name__, url_prefix="/decisions", description="May I do this here?")
me = Blueprint("me", __name__, url_prefix="/me", description="Who I am here")


class DecisionQuery(ma.Schema):
    capability = ma.fields.String(required=True, validate=ma.validate.Length(1, 80))
    ref = ma.fields.String(load_default=None, metadata={"description": "TYPE:ID, for example page:/news/12"})
    at = ma.fields.AwareDateTime(load_default=None, default_timezone=None)


class StepSchema(ma.Schema):
    class Meta:
        unknown = ma.INCLUDE

    rule = ma.fields.String()
    passed = ma.fields.Boolean()


class DecisionSchema(ma.Schema):
    """The answer of the rule of the cursor."""

    allowed = ma.fields.Boolean()
    mode = ma.fields.String(metadata={"description": "open, or review: held until a moderator approves"})
    reason = ma.fields.String()
    message = ma.fields.String()
    effective_level = ma.fields.Integer(allow_none=True)
    required_level = ma.fields.Integer(allow_none=True)
    opens_at = ma.fields.String(allow_none=True)
    trail = ma.fields.List(ma.fields.Dict())


@decisions.route("")
class Decisions(MethodView):
    @decisions.arguments(DecisionQuery, location="query")
    @decisions.response(200, DecisionSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The decision for the person who asks, with every rule that was looked at."""
        ref = ObjectRef.parse(query["ref"]) if query["ref"] else None
        with session_read() as session:
            return can(session, current_person_id(), query["capability"], ref, at=query["at"]).as_dict()


class MeSchema(ma.Schema):
    id = ma.fields.Integer()
    username = ma.fields.String()
    display_name = ma.fields.String()
    entity = ma.fields.String()
    job_title = ma.fields.String()
    locale = ma.fields.String()
    level = ma.fields.Integer(metadata={"description": "0 inform … 5 co-create"})
    level_name = ma.fields.String()


@me.route("")
class Me(MethodView):
    @me.response(200, MeSchema)
    def get(self) -> dict[str, Any]:
        """The person who asks."""
        person = require_person()
        with session_read() as session:
            level = core().policy.level_of(session, person.id, None, utcnow())
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


blueprints = (decisions, me)
