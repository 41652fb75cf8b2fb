"""REST: read a thread by cursor; write (once for an idempotency key), edit by version, delete, close."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint

from rse_core.api import BadInput, ObjectRef, can, translator
from rse_core.people import PersonCard
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

from . import access, counting, reading, schemas, service, slots

_ = translator(__file__, "rse_comments").gettext
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
            info = access.readable(session, person_id, ref)
            sort = reading.sort_of(session, person_id, query["sort"])
            scope = slots.scope(info.ref, sort)
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
    def post(self, body: dict[str, Any]) -> Any:
        """Write a comment. With the header Idempotency-Key a repeated call writes once."""
        person = require_person()
        with session_write() as session:
            comment = service.write(
                session, person.id, ObjectRef.parse(body["ref"]), body["body"], parent_id=body["parent"],
                key=request.headers.get("Idempotency-Key"),
            )  # fmt: skip
            return tagged(reading.one(session, person.id, comment))


@blueprint.route("/<int:comment_id>")
class OneComment(MethodView):
    @blueprint.response(200, schemas.CommentSchema)
    def get(self, comment_id: int) -> Any:
        """One comment; its version is the ETag."""
        person = require_person()
        with session_read() as session:
            comment, _info = service.visible_comment(session, person.id, comment_id)
            return tagged(reading.one(session, person.id, comment))

    @blueprint.arguments(schemas.CommentEditSchema)
    @blueprint.response(200, schemas.CommentSchema)
    def patch(self, body: dict[str, Any], comment_id: int) -> Any:
        """Change one's own comment. The version that was read comes in the body or in If-Match; another one in the
        database answers 409.
        """
        person = require_person()
        version = body["version"] or matched()
        if version is None:
            raise BadInput(
                _("The version that you read is missing."), remedy=_("Send it as version, or as the header If-Match."),
                fields={"version": _("Missing.")},
            )  # fmt: skip
        with session_write() as session:
            comment = service.edit(session, person.id, comment_id, body["body"], version=version)
            return tagged(reading.one(session, person.id, comment))

    @blueprint.arguments(schemas.CommentDeleteQuery, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any], comment_id: int) -> None:
        """Delete one's own comment, or another's as a moderator with a reason."""
        person = require_person()
        with session_write() as session:
            service.delete(session, person.id, comment_id, reason=query["reason"], version=matched())


@blueprint.route("/mentions")
class Mentions(MethodView):
    @blueprint.arguments(schemas.MentionsQuery, location="query")
    @blueprint.response(200, schemas.MentionSchema(many=True))
    def get(self, query: dict[str, Any]) -> list[PersonCard]:
        """People who may be named in a comment there: those who can read it."""
        person = require_person()
        with session_read() as session:
            info = access.place(session, person.id, ObjectRef.parse(query["ref"]))
            # Names are for those who may write here; nobody walks the directory through this.
            access.require_open(session, person.id, info)
            return access.suggest(session, info, query["q"], viewer_id=person.id)


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


def tagged(shown: reading.Shown) -> tuple[reading.Shown, dict[str, str]]:
    """The comment with its version as ETag."""
    return shown, {"ETag": f'"{shown.version}"'}


def matched() -> int | None:
    """The version in the header ``If-Match``; None when there is none.

    :raises BadInput: for a header that is no version of ours.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    number = header.removeprefix("W/").strip('"')
    if not number.isdecimal() or len(number) > 9:
        raise BadInput(_("If-Match is not a version of a comment."), remedy=_("Send the ETag that came with it."))
    return int(number)
