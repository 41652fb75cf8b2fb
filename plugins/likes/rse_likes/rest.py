"""REST: read the reactions of many objects at once, set or withdraw one's own, list who reacted."""

from __future__ import annotations

from typing import Any

from flask import g
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import NotFound, ObjectRef, seen, translator
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
from .paging import cursor_scope

_ = translator(__file__, "rse_likes").gettext
blueprint = Blueprint("rse_likes_api", __name__, url_prefix="/reactions", description="Reactions on objects and pages")
MINE = "likes.mine"


def _states(refs: list[ObjectRef]) -> list[dict[str, Any]]:
    with session_read() as session:
        found = service.states(session, current_person_id(), refs)
    return [
        {
            "ref": str(ref),
            "counts": state.counts,
            "total": state.total,
            "mine": state.mine,
            "may_react": state.open,
            "reason": state.reason,
            "offered": [kind.key for kind in state.kinds if not kind.retired],
        }
        for ref, state in found.items()
    ]


def _state(ref: ObjectRef) -> dict[str, Any]:
    found = _states([ref])
    if not found:  # closed to this person since the reaction was written
        raise NotFound(_("There is nothing to react to here."))
    return found[0]


def _before(text: str | None, scope: str) -> int | None:
    return int(decode_cursor(core().settings, text, scope).after[0]) if text else None


def _next(scope: str, rows: list[int]) -> str | None:
    if len(rows) <= service.PAGE:
        return None
    return encode_cursor(core().settings, Cursor(scope, (rows[service.PAGE - 1],)))


@blueprint.route("")
class Reactions(MethodView):
    @blueprint.arguments(schemas.ReactionsQuery, location="query")
    @blueprint.response(200, schemas.ReactionCountsSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """Counts and my own reaction for up to 100 objects; those I may not see are left out."""
        require_person()
        return _states([ObjectRef.parse(text) for text in query["ref"]])

    @blueprint.arguments(schemas.ReactionPutSchema)
    @blueprint.response(200, schemas.ReactionCountsSchema)
    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """React, or change one's reaction. Sending it again changes nothing."""
        person = require_person()
        ref = ObjectRef.parse(body["ref"])
        with session_write() as session:
            service.react(session, person.id, ref, body["reaction"], via="api" if g.get("rse_token_person_id") else "web")
        return _state(ref)

    @blueprint.arguments(schemas.ReactionRefQuery, location="query")
    @blueprint.response(200, schemas.ReactionCountsSchema)
    def delete(self, query: dict[str, Any]) -> dict[str, Any]:
        """Withdraw one's reaction. Where there is none, nothing changes."""
        person = require_person()
        ref = ObjectRef.parse(query["ref"])
        with session_write() as session:
            service.unreact(session, person.id, ref)
        return _state(ref)


@blueprint.route("/people")
class Reactors(MethodView):
    @blueprint.arguments(schemas.ReactorsQuery, location="query")
    @blueprint.response(200, schemas.ReactorsSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Who reacted to one object, newest first."""
        person = require_person()
        ref, kind = ObjectRef.parse(query["ref"]), query["reaction"]
        scope = cursor_scope("likes.people", ref, kind)
        before = _before(query["cursor"], scope)
        with session_read() as session:
            rows = service.who(session, person.id, ref, kind=kind, before=before, most=service.PAGE + 1)
        return {
            "items": [
                {
                    "reaction": row.kind,
                    "at": row.at,
                    "person": None if row.person is None else {"id": row.person.id, "name": row.person.display_name},
                }
                for row in rows[: service.PAGE]
            ],
            "next": _next(scope, [row.row for row in rows]),
        }


@blueprint.route("/mine")
class Mine(MethodView):
    @blueprint.arguments(schemas.MyReactionsQuery, location="query")
    @blueprint.response(200, schemas.MyReactionsSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """What I reacted to, newest first."""
        person = require_person()
        before = _before(query["cursor"], MINE)
        with session_read() as session:
            rows = service.my_reactions(session, person.id, before=before, most=service.PAGE + 1)
            refs = [ObjectRef(row.ref_type, row.ref_id) for row in rows[: service.PAGE]]
            infos = seen(session, person.id, refs)
        return {
            "items": [
                {
                    "ref": str(ref),
                    "title": infos[ref].title if ref in infos else None,
                    "url": infos[ref].url if ref in infos else None,
                    "reaction": row.kind,
                    "at": row.created_at,
                }
                for row, ref in zip(rows, refs, strict=False)
            ],
            "next": _next(MINE, [row.id for row in rows]),
        }
