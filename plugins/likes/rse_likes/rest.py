"""REST: read the reactions of many objects at once, set or withdraw one's own, list who reacted."""

from __future__ import annotations

from typing import Any

from flask import g
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import ObjectRef, seen
from rse_core.policy import can_many
from rse_core.webapi import (
    Cursor,
    core,
    current_person_id,
    decode_cursor,
    encode_cursor,
    require_person,
    session_read,
    session_write,
)

from . import schemas, service

blueprint = Blueprint(
    "rse_likes_api", __name__, url_prefix="/reactions", description="Reactions on objects and pages"
)


def _state(refs: list[ObjectRef]) -> list[dict[str, Any]]:
    person_id = current_person_id()
    with session_read() as session:
        infos = seen(session, person_id, refs)
        shown = [ref for ref in refs if ref in infos]
        own = [infos[ref].ref for ref in shown]
        counts, mine = service.counts(session, own), service.mine(session, person_id, own)
        decisions = can_many(session, person_id, service.CAPABILITY, [infos[ref] for ref in shown])
    return [
        {
            "ref": str(ref),
            "counts": counts.get(infos[ref].ref, {}),
            "total": sum(counts.get(infos[ref].ref, {}).values()),
            "mine": mine.get(infos[ref].ref),
            "may_react": decision.allowed and infos[ref].state == "published",
            "reason": str(decision.reason),
        }
        for ref, decision in zip(shown, decisions, strict=True)
    ]


@blueprint.route("")
class Reactions(MethodView):
    @blueprint.arguments(schemas.ReactionsQuery, location="query")
    @blueprint.response(200, schemas.ReactionCountsSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """Counts and my own reaction for up to 100 objects; those I may not see are left out."""
        require_person()
        return _state([ObjectRef.parse(text) for text in query["ref"]])

    @blueprint.arguments(schemas.ReactionPutSchema)
    @blueprint.response(200, schemas.ReactionCountsSchema)
    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """React, or change one's reaction. Sending it again changes nothing."""
        person = require_person()
        ref = ObjectRef.parse(body["ref"])
        with session_write() as session:
            service.react(session, person.id, ref, body["reaction"], via="api" if g.get("rse_token_person_id") else "web")
        return _state([ref])[0]

    @blueprint.arguments(schemas.ReactionRefQuery, location="query")
    @blueprint.response(200, schemas.ReactionCountsSchema)
    def delete(self, query: dict[str, Any]) -> dict[str, Any]:
        """Withdraw one's reaction. Where there is none, nothing changes."""
        person = require_person()
        ref = ObjectRef.parse(query["ref"])
        with session_write() as session:
            service.unreact(session, person.id, ref)
        return _state([ref])[0]


@blueprint.route("/people")
class Reactors(MethodView):
    @blueprint.arguments(schemas.ReactorsQuery, location="query")
    @blueprint.response(200, schemas.ReactorsSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Who reacted to one object, newest first."""
        person = require_person()
        ref = ObjectRef.parse(query["ref"])
        scope = f"likes.who:{ref}:{query['reaction']}"
        settings = core().settings
        before = int(decode_cursor(settings, query["cursor"], scope).after[0]) if query["cursor"] else None
        with session_read() as session:
            rows = service.who(
                session, person.id, ref, kind=query["reaction"], before=before, most=service.PAGE + 1
            )
        page = rows[: service.PAGE]
        more = encode_cursor(settings, Cursor(scope, (page[-1].row,))) if len(rows) > service.PAGE else None
        return {
            "items": [
                {
                    "reaction": row.kind,
                    "at": row.at,
                    "person": None if row.person is None else {"id": row.person.id, "name": row.person.display_name},
                }
                for row in page
            ],
            "next": more,
        }
