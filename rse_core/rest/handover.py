"""Resources of what leavers leave: looked at, handed over, taken back. The rights are those of the pages."""

from __future__ import annotations

import json
from typing import Any

import marshmallow as ma
from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from .. import handover as service
from .. import handover_acts
from ..idempotency import once
from ..web.identity import require_person
from ..web.state import actor, session_read, session_write
from .auth import require_scope

blueprint = Blueprint("leavers", __name__, url_prefix="/leavers", description="What people who have left leave behind")


class LeaverPortionSchema(ma.Schema):
    kind = ma.fields.String()
    label = ma.fields.String()
    count = ma.fields.Integer()
    allowed = ma.fields.Boolean(metadata={"description": "whether it is yours to hand over"})


class LeaverPersonSchema(ma.Schema):
    username = ma.fields.String()
    display_name = ma.fields.String(data_key="name")


class LeaverPlaceSchema(ma.Schema):
    place = ma.fields.String(attribute="spot.key", metadata={"description": "space:KEY, group:KEY, entity:KEY or everyone"})
    name = ma.fields.String(attribute="spot.name")
    portions = ma.fields.List(ma.fields.Nested(LeaverPortionSchema))
    proposed = ma.fields.List(ma.fields.Nested(LeaverPersonSchema))


class LeaverKeptSchema(ma.Schema):
    id = ma.fields.Integer()
    to = ma.fields.String(attribute="taker.username")
    place = ma.fields.String(attribute="spot.key")
    counts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    at = ma.fields.AwareDateTime(format="iso")
    by = ma.fields.String(attribute="actor")
    why = ma.fields.String()
    taken_back_at = ma.fields.AwareDateTime(attribute="undone_at", format="iso", allow_none=True)


class LeaverSchema(ma.Schema):
    person = ma.fields.Nested(LeaverPersonSchema)
    left_at = ma.fields.AwareDateTime(format="iso", allow_none=True)
    here = ma.fields.Boolean(metadata={"description": "they have not left, or are back"})
    places = ma.fields.List(ma.fields.Nested(LeaverPlaceSchema))
    kept = ma.fields.List(ma.fields.Nested(LeaverKeptSchema))


class LeaverGiveBody(ma.Schema):
    to = ma.fields.String(
        load_default="", validate=ma.validate.Length(max=200),
        metadata={"description": "username of who takes over in every place of which they are"},
    )  # fmt: skip
    places = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.String(), load_default=dict, validate=ma.validate.Length(max=500),
        metadata={"description": "place → username; instead of to"},
    )  # fmt: skip
    why = ma.fields.String(load_default="", validate=ma.validate.Length(max=handover_acts.WHY_MOST))
    dry_run = ma.fields.Boolean(load_default=False)

    @ma.validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        """Either one person for all, or one for each place."""
        if bool(data.get("to")) == bool(data.get("places")):
            raise ma.ValidationError("Give to, or places.", "to")


class LeaverGivenSchema(ma.Schema):
    id = ma.fields.Integer(allow_none=True)
    place = ma.fields.String(attribute="spot.key")
    to = ma.fields.String(attribute="taker.username")
    count = ma.fields.Integer()
    portions = ma.fields.List(ma.fields.Nested(LeaverPortionSchema))
    held_back = ma.fields.List(ma.fields.Nested(LeaverPortionSchema))


class LeaverBackSchema(ma.Schema):
    taken_back = ma.fields.Integer()


@blueprint.route("/<string:username>")
class OneLeaver(MethodView):
    @blueprint.response(200, LeaverSchema)
    def get(self, username: str) -> service.Leaving:
        """What somebody who has left leaves, place by place and kind by kind, in numbers."""
        require_person()
        with session_read() as session:
            return service.leaving(session, username, actor())

    @blueprint.arguments(LeaverGiveBody)
    @blueprint.response(200, LeaverGivenSchema(many=True))
    def post(self, body: dict[str, Any], username: str) -> list[handover_acts.Planned]:
        """Hand it over; ``dry_run`` says only what would go. A second time there is nothing left to go. Takes an
        Idempotency-Key.
        """
        require_scope("admin")
        person = require_person()
        with session_write() if not body["dry_run"] else session_read() as session:
            choices = body["places"]
            if body["to"]:
                choices = handover_acts.for_all(session, username, body["to"], actor=actor())[0]
            if body["dry_run"]:
                return handover_acts.plan(session, username, choices, actor=actor())
            done: list[handover_acts.Planned] = []

            def act() -> str:
                done.extend(handover_acts.give(session, username, choices, actor=actor(), why=body["why"]))
                return username

            sent = username + json.dumps(request.get_json(), sort_keys=True)
            once(session, person.id, request.headers.get("Idempotency-Key"), "leavers", sent, act)
        return done


@blueprint.route("/kept/<int:handover_id>")
class OneHandover(MethodView):
    @blueprint.response(200, LeaverBackSchema)
    def delete(self, handover_id: int) -> dict[str, int]:
        """Take one handover back; what has changed hands since stays."""
        require_scope("admin")
        require_person()
        with session_write() as session:
            return {"taken_back": handover_acts.take_back(session, handover_id, actor=actor())}
