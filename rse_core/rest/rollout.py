"""Resources of the rollout: plans checked, previewed and applied; waves with their state; for site administrators."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy import select

from .. import rollout as service
from .. import rollout_check, rollout_preview, rollout_status
from ..models.rollout import RolloutPlan
from ..rollout_plan import MAX_TEXT
from ..web.state import actor, core, session_read, session_write
from .administration import rights, site_only
from .auth import require_scope

blueprint = Blueprint("rollout", __name__, url_prefix="/rollout", description="Rollout plans and their waves")
_ACTS = {"hold": service.hold, "resume": service.resume, "rollback": service.rollback}


class PlanBody(ma.Schema):
    text = ma.fields.String(
        required=True, validate=ma.validate.Length(1, MAX_TEXT), metadata={"description": "the plan, in TOML"}
    )
    why = ma.fields.String(load_default="", validate=ma.validate.Length(max=2_000))


class PlanTextBody(ma.Schema):
    text = ma.fields.String(required=True, validate=ma.validate.Length(1, MAX_TEXT))


class FaultSchema(ma.Schema):
    line = ma.fields.Integer()
    message = ma.fields.String()


class RolloutFaultsSchema(ma.Schema):
    ok = ma.fields.Boolean()
    faults = ma.fields.List(ma.fields.Nested(FaultSchema))


class WaveEffectSchema(ma.Schema):
    wave = ma.fields.String()
    level = ma.fields.Integer()
    at = ma.fields.String()
    gated = ma.fields.Boolean()
    state = ma.fields.String()
    people = ma.fields.Integer()
    held_back = ma.fields.Integer(metadata={"description": "people whom a ceiling keeps below the level"})
    rises = ma.fields.Integer()
    falls = ma.fields.Integer()
    gains = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    loses = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    entities = ma.fields.List(ma.fields.Dict())


class WaveSchema(ma.Schema):
    wave = ma.fields.String()
    plan = ma.fields.String()
    level = ma.fields.Integer()
    level_name = ma.fields.String()
    starts = ma.fields.String()
    state = ma.fields.String(metadata={"description": "planned, waiting, closed, open, held, rolled_back or gone"})
    opened_at = ma.fields.String(allow_none=True)
    people = ma.fields.Integer()
    entities = ma.fields.List(ma.fields.String())
    groups = ma.fields.List(ma.fields.String())
    gate = ma.fields.Dict(allow_none=True)
    findings = ma.fields.List(ma.fields.Dict())
    checked_at = ma.fields.String(allow_none=True)
    who = ma.fields.String()
    why = ma.fields.String()
    early = ma.fields.String(metadata={"description": "why its figures are no verdict yet; empty after six months"})


class OutcomeSchema(ma.Schema):
    wave = ma.fields.String()
    state = ma.fields.String()
    placed = ma.fields.Integer()
    taken_back = ma.fields.Integer()
    gate = ma.fields.List(ma.fields.Dict())


class ActBody(ma.Schema):
    act = ma.fields.String(required=True, validate=ma.validate.OneOf(tuple(_ACTS)))
    why = ma.fields.String(load_default="", validate=ma.validate.Length(max=2_000))


def _administrator() -> None:
    require_scope("admin")
    site_only(rights())


@blueprint.route("/waves")
class Waves(MethodView):
    @blueprint.response(200, WaveSchema(many=True))
    def get(self) -> list[dict[str, Any]]:
        """Every wave of every plan as it stands."""
        _administrator()
        with session_read() as session:
            plans = session.scalars(select(RolloutPlan).order_by(RolloutPlan.id))
            return [wave.as_dict() for plan in plans for wave in rollout_status.status(session, plan)]


@blueprint.route("/waves/<string:name>")
class OneWave(MethodView):
    @blueprint.arguments(ActBody)
    @blueprint.response(200, OutcomeSchema)
    def post(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        """Hold, resume or roll back a wave."""
        _administrator()
        with session_write() as session:
            return _ACTS[body["act"]](session, core(), name, actor=actor(), why=body["why"]).as_dict()


@blueprint.route("/check")
class Check(MethodView):
    @blueprint.arguments(PlanTextBody)
    @blueprint.response(200, RolloutFaultsSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Every fault of a plan, with its line. Nothing is written."""
        _administrator()
        with session_read() as session:
            faults = rollout_check.faults_of(session, body["text"])
        return {"ok": not faults, "faults": [{"line": one.line, "message": one.message} for one in faults]}


@blueprint.route("/preview")
class Preview(MethodView):
    @blueprint.arguments(PlanTextBody)
    @blueprint.response(200, WaveEffectSchema(many=True))
    def post(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Who would gain and lose what, wave by wave and entity by entity. Nothing is written."""
        _administrator()
        with session_read() as session:
            return [one.as_dict() for one in rollout_preview.preview(session, core(), body["text"])]


@blueprint.route("/apply")
class Apply(MethodView):
    @blueprint.arguments(PlanBody)
    @blueprint.response(200, OutcomeSchema(many=True))
    def post(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Carry out a plan; a second time changes nothing."""
        _administrator()
        with session_write() as session:
            found = service.apply(session, core(), body["text"], actor=actor(), why=body["why"])
        return [outcome.as_dict() for outcome in found]
