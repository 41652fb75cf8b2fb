"""Pages and forms of comments. Every form works alone; in the intranet's page the script sends it and gets the thread anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Forbidden, ObjectRef, RseError, TooMany, translator
from rse_core.webapi import (
    core,
    current_person_id,
    fragment_response,
    require_person,
    session_read,
    session_write,
    slot_params,
    viewer,
    wants_fragment,
)

from . import access, mentions, reading, service
from .models import Comment
from .slots import thread_item

_ = translator(__file__, "rse_comments").gettext
blueprint = Blueprint(
    "rse_comments", __name__, url_prefix="/comments", template_folder="templates", static_folder="static"
)
#: Errors that a form answers with itself and what was typed; all others have a page of their own.
KEPT = (BadInput, Conflict, Forbidden, TooMany)


@blueprint.get("/thread")
def thread() -> BaseResponse:
    """The comments of one object on a page of their own: what links of the thread lead to without JavaScript."""
    ref = ObjectRef.parse(request.args.get("ref", ""))
    return _thread_page(ref)


@blueprint.post("/write")
def write() -> BaseResponse:
    """Write a comment or an answer."""
    person = require_person()
    ref = ObjectRef.parse(request.form.get("ref", ""))
    parent = request.form.get("parent", "")

    def act() -> Comment:
        with session_write() as session:
            return service.write(
                session, person.id, ref, request.form.get("body", ""), parent_id=_number(parent) if parent else None,
                key=request.form.get("idempotency_key") or None,
            )  # fmt: skip

    return _acted(ref, act, {"parent": parent}, "reply" if parent else None, parent)


@blueprint.post("/<int:comment_id>/edit")
def edit(comment_id: int) -> BaseResponse:
    """Change one's own comment."""
    person = require_person()
    ref = _place(comment_id)

    def act() -> Comment:
        with session_write() as session:
            return service.edit(
                session, person.id, comment_id, request.form.get("body", ""), version=_number(request.form.get("version", ""))
            )

    return _acted(ref, act, {"comment": str(comment_id)}, "edit", str(comment_id))


@blueprint.post("/<int:comment_id>/delete")
def delete(comment_id: int) -> BaseResponse:
    """Delete one's own comment, or another's as a moderator."""
    person = require_person()
    ref = _place(comment_id)

    def act() -> Comment:
        with session_write() as session:
            version = request.form.get("version", "")
            return service.delete(
                session, person.id, comment_id, reason=request.form.get("reason", ""),
                version=_number(version) if version else None,
            )  # fmt: skip

    return _acted(ref, act, {"comment": str(comment_id)}, "delete", str(comment_id))


@blueprint.post("/lock")
def lock() -> BaseResponse:
    """Close the comments of one object, or open them again."""
    person = require_person()
    ref = ObjectRef.parse(request.form.get("ref", ""))
    with session_write() as session:
        service.close(session, person.id, ref, locked=request.form.get("locked") == "1")
    closed = request.form.get("locked") == "1"
    return fragment_response(
        slots=["comments"], refs=[ref], announce=_("Comments are closed.") if closed else _("Comments are open.")
    )


@blueprint.get("/<int:comment_id>")
def permalink(comment_id: int) -> BaseResponse:
    """Where a comment stands: on the intranet's page, scrolled to; or on our own page of its thread."""
    with session_read() as session:
        comment, info = service.visible_comment(session, current_person_id(), comment_id)
    if info.ref.type == "page" and core().settings.legacy_origins:
        return redirect(f"{info.url}#rse-comment-{comment.id}")
    return redirect(url_for(".thread", **{"ref": str(info.ref), "slot.comments.anchor": f"rse-comment-{comment_id}"})
                    + f"#rse-comment-{comment_id}")  # fmt: skip


@blueprint.get("/<int:comment_id>/replies")
def replies(comment_id: int) -> Response:
    """All answers to one comment, by keyset."""
    with session_read() as session:
        person_id = current_person_id()
        comment, info = service.visible_comment(session, person_id, comment_id)
        after = request.args.get("after", "0")
        rows, more = reading.more_replies(session, person_id, info, comment.id, after=_number(after))
        top = reading.one(session, person_id, comment)
    return Response(render_template("rse/comments/replies.html", top=top, rows=rows, more=more, info=info))


@blueprint.get("/<int:comment_id>/history")
def history(comment_id: int) -> Response:
    """What a comment said before."""
    person = require_person()
    with session_read() as session:
        before = service.revisions(session, person.id, comment_id)
        comment = service.get(session, comment_id)
        shown = reading.one(session, person.id, comment)
    return Response(render_template("rse/comments/history.html", before=before, comment=shown))


@blueprint.get("/suggest")
def suggest() -> Response:
    """People to name here, as one types: only those who can read it."""
    person = require_person()
    ref = ObjectRef.parse(request.args.get("ref", ""))
    with session_read() as session:
        info = access.place(session, person.id, ref)
        # Names are for those who may write here; nobody walks the directory through this.
        access.require_open(session, person.id, info)
        cards = mentions.suggest(session, info.audience_id, request.args.get("q", "")[:60])
    answer = jsonify(
        [{"username": card.username, "name": card.display_name, "entity": card.entity_name} for card in cards]
    )
    answer.headers["Cache-Control"] = "private, max-age=30"
    return answer


@blueprint.post("/sort")
def sort() -> BaseResponse:
    """Remember the order in which a person reads comments."""
    person = require_person()
    ref = ObjectRef.parse(request.form.get("ref", ""))
    with session_write() as session:
        reading.remember_sort(session, person.id, request.form.get("sort", ""))
    return fragment_response(slots=["comments"], refs=[ref], announce=_("The order is remembered."))


def _acted(
    ref: ObjectRef, act: Callable[[], Comment], typed: dict[str, str], opened: str | None, number: str
) -> BaseResponse:
    try:
        comment = act()
    except KEPT as error:
        if wants_fragment():
            raise
        sent = {name: request.form.get(name, "") for name in ("body", "version", "reason")}
        params = {opened: number} if opened else {}
        return _thread_page(ref, typed={**sent, **typed}, problem=error, params=params)
    announce = {
        "pending": _("Your comment waits for a moderator."),
        "deleted": _("The comment was deleted."),
    }.get(comment.state, _("Your comment was saved."))
    anchor = f"rse-comment-{comment.id}" if comment.state != "deleted" else ""
    return fragment_response(slots=["comments"], refs=[ref], announce=announce, anchor=anchor)


def _thread_page(
    ref: ObjectRef, *, typed: dict[str, str] | None = None, problem: RseError | None = None,
    params: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    asked = params if params is not None else dict(slot_params("comments"))
    with session_read() as session:
        info = access.place(session, current_person_id(), ref)
        item = thread_item(session, ref, info, viewer(asked, embed=False), typed=typed, problem=problem)
        html = render_template(
            "rse/comments/thread_page.html", info=info, html=item.html if item else "", problem=problem if not item else None
        )
    return Response(html, status=problem.status if problem else 200)


def _place(comment_id: int) -> ObjectRef:
    with session_read() as session:
        comment, _info = service.visible_comment(session, current_person_id(), comment_id)
        return access.ref_of(comment)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise BadInput(_("“%(text)s” is not a number.", text=text[:20]))
    return int(text)


def parse_time(text: str | None) -> dt.datetime | None:
    """An aware time from ISO 8601, None from nothing.

    :raises BadInput: for another text, or a time without a zone.
    """
    if not text:
        return None
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        value = dt.datetime.min
    if value.tzinfo is None:
        raise BadInput(_("“%(text)s” is not a time with a zone.", text=text[:40]), remedy=_("Write 2027-01-12T08:00:00+01:00."))
    return value
