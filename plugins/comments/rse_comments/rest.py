"""REST: read a thread by cursor; write (once for an idempotency key), edit by version, delete, close."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import ObjectRef, can
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

from . import access, counting, reading, schemas, service

blueprint = Blueprint("rse_comments_api", __name__, url_prefix="/comments", description="Comments on objects and pages")


@blueprint.route("")
class Comments(MethodView):
    @blueprint.arguments(schemas.CommentsQuery, location="query")
    @blueprint.response(200, schemas.CommentPageSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """A page of the comments of one object, with the first answers to each."""
        require_person()
        ref = ObjectRef.parse(query["ref"])
        settings = core().settings
        with session_read() as session:
            person_id = current_person_id()
            info = access.place(session, person_id, ref)
            sort = reading.sort_of(session, person_id, query["sort"])
            scope = f"comments:{info.ref}:{sort}"[:200]
            after = decode_cursor(settings, query["cursor"], scope).after if query["cursor"] else None
            page = reading.page(session, person_id, info, sort=sort, after=after, most=query["limit"])
            decision = can(session, person_id, access.WRITE, access.target_of(info))
            count = counting.counts(session, [info.ref]).get(info.ref, 0)
        return {
            "items": page.comments,
            "next": encode_cursor(settings, Cursor(scope, page.after)) if page.after else None,
            "count": count,
            "sort": sort,
            "closed": page.closed,
            "may_write": decision.allowed and not page.closed,
            "reason": str(decision.reason),
        }

    @blueprint.arguments(schemas.CommentWriteSchema)
    @blueprint.response(201, schemas.CommentSchema)
    def post(self, body: dict[str, Any]) -> reading.Shown:
        """Write a comment. With the header Idempotency-Key a repeated call writes once."""
        person = require_person()
        with session_write() as session:
            comment = service.write(
                session, person.id, ObjectRef.parse(body["ref"]), body["body"], parent_id=body["parent"],
                key=request.headers.get("Idempotency-Key"),
            )  # fmt: skip
            return reading.one(session, person.id, comment)


@blueprint.route("/<int:comment_id>")
class OneComment(MethodView):
    @blueprint.response(200, schemas.CommentSchema)
    def get(self, comment_id: int) -> reading.Shown:
        """One comment."""
        person = require_person()
        with session_read() as session:
            comment, _info = service.visible_comment(session, person.id, comment_id)
            return reading.one(session, person.id, comment)

    @blueprint.arguments(schemas.CommentEditSchema)
    @blueprint.response(200, schemas.CommentSchema)
    def patch(self, body: dict[str, Any], comment_id: int) -> reading.Shown:
        """Change one's own comment; another version in the database answers 409."""
        person = require_person()
        with session_write() as session:
            comment = service.edit(session, person.id, comment_id, body["body"], version=body["version"])
            return reading.one(session, person.id, comment)

    @blueprint.arguments(schemas.CommentDeleteQuery, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any], comment_id: int) -> None:
        """Delete one's own comment, or another's as a moderator with a reason."""
        person = require_person()
        with session_write() as session:
            service.delete(session, person.id, comment_id, reason=query["reason"])


@blueprint.route("/thread")
class ThreadState(MethodView):
    @blueprint.arguments(schemas.ThreadStateSchema)
    @blueprint.response(200, schemas.ThreadStateSchema)
    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """Close the comments of one object, open them, or say between which times they are open."""
        person = require_person()
        ref = ObjectRef.parse(body["ref"])
        with session_write() as session:
            thread = service.close(
                session, person.id, ref, locked=body["locked"], opens_at=body["opens_at"], closes_at=body["closes_at"]
            )
            return {
                "ref": str(ref),
                "locked": thread.locked_at is not None,
                "opens_at": thread.opens_at,
                "closes_at": thread.closes_at,
            }
