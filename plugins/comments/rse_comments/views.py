"""Pages and forms of comments. Every form works alone; in the intranet's page the script sends it and gets the thread
anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Forbidden, ObjectRef, TooMany, translator
from rse_core.webapi import (
    core,
    current_person_id,
    fragment_response,
    require_person,
    safe_return_to,
    session_read,
    session_write,
    slot_params,
    viewer,
    wants_fragment,
)

from . import access, reading, service
from .models import Comment
from .slots import Refused, thread_item

_ = translator(__file__, "rse_comments").gettext
blueprint = Blueprint("rse_comments", __name__, url_prefix="/comments", template_folder="templates", static_folder="static")
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
    parent = _number(request.form["parent"]) if request.form.get("parent") else None

    def act() -> tuple[str, str]:
        with session_write() as session:
            comment = service.write(
                session, person.id, ref, request.form.get("body", ""), parent_id=parent,
                key=request.form.get("idempotency_key") or None,
            )  # fmt: skip
        return _saved(comment)

    return _acted(ref, act, "new" if parent is None else "reply", parent)


@blueprint.post("/<int:comment_id>/edit")
def edit(comment_id: int) -> BaseResponse:
    """Change one's own comment."""
    person = require_person()

    def act() -> tuple[str, str]:
        with session_write() as session:
            comment = service.edit(
                session,
                person.id,
                comment_id,
                request.form.get("body", ""),
                version=_number(request.form.get("version", "")),
            )
        return _saved(comment)

    return _acted(_place(person.id, comment_id), act, "edit", comment_id)


@blueprint.post("/<int:comment_id>/delete")
def delete(comment_id: int) -> BaseResponse:
    """Delete one's own comment, or another's as a moderator."""
    person = require_person()

    def act() -> tuple[str, str]:
        with session_write() as session:
            version = request.form.get("version", "")
            service.delete(
                session, person.id, comment_id, reason=request.form.get("reason", ""),
                version=_number(version) if version else None,
            )  # fmt: skip
        return _("The comment was deleted."), ""

    return _acted(_place(person.id, comment_id), act, "delete", comment_id)


@blueprint.post("/lock")
def lock() -> BaseResponse:
    """Close the comments of one object, open them again, or say between which times they are open."""
    person = require_person()
    ref = ObjectRef.parse(request.form.get("ref", ""))

    def act() -> tuple[str, str]:
        locked = request.form.get("locked") == "1"
        opens_at, closes_at = (_time(name) for name in ("opens_at", "closes_at"))
        with session_write() as session:
            service.close(session, person.id, ref, locked=locked, opens_at=opens_at, closes_at=closes_at)
        return (_("Comments are closed.") if locked else _("Saved.")), ""

    return _acted(ref, act, "close", None)


@blueprint.get("/<int:comment_id>")
def permalink(comment_id: int) -> BaseResponse:
    """Where a comment stands: on the intranet's page, scrolled to; or on our own page of its thread."""
    with session_read() as session:
        comment, info = service.visible_comment(session, current_person_id(), comment_id)
    if info.ref.type == "page" and core().settings.legacy_origins:
        return redirect(f"{info.url}#rse-comment-{comment.id}")
    anchor = f"rse-comment-{comment_id}"
    values: dict[str, Any] = {"ref": str(info.ref), "slot.comments.anchor": anchor}
    return redirect(f"{url_for('.thread', **values)}#{anchor}")


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
        cards = access.suggest(session, info, request.args.get("q", "")[:60], viewer_id=person.id)
    answer = jsonify([{"username": card.username, "name": card.display_name, "entity": card.entity_name} for card in cards])
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


def _saved(comment: Comment) -> tuple[str, str]:
    pending = comment.state == "pending"
    announce = _("Your comment waits for a moderator.") if pending else _("Your comment was saved.")
    return announce, f"rse-comment-{comment.id}"


def _acted(ref: ObjectRef, act: Callable[[], tuple[str, str]], form: str, number: int | None) -> BaseResponse:
    """Do what a form asks, and answer it; a refusal shows the form again with what was typed."""
    try:
        announce, anchor = act()
    except KEPT as error:
        if wants_fragment():
            raise
        names = ("body", "parent", "reason", "opens_at", "closes_at")
        typed = {name: request.form.get(name, "") for name in names}
        params = {form: str(number)} if number else {}
        return _thread_page(ref, refused=Refused(error, typed, form, number), params=params)
    return fragment_response(slots=["comments"], refs=[ref], announce=announce, anchor=anchor)


def _thread_page(ref: ObjectRef, *, refused: Refused | None = None, params: dict[str, str] | None = None) -> Response:
    asked = params if params is not None else dict(slot_params("comments"))
    with session_read() as session:
        # A refused form is answered even where nothing is shown any more: the text must not be lost.
        place = access.place if refused else access.readable
        info = place(session, current_person_id(), ref)
        # The forms lead back to the thread without the form that was open, or to where the person came from.
        g.rse_return_to = safe_return_to(request.values.get("return_to")) or url_for(".thread", ref=str(ref))
        item = thread_item(session, ref, info, viewer(asked, embed=False), refused=refused)
        html = render_template(
            "rse/comments/thread_page.html", info=info, html=item.html if item else "", unsent=refused if not item else None
        )
    return Response(html, status=refused.error.status if refused else 200)


def _place(person_id: int, comment_id: int) -> ObjectRef:
    with session_read() as session:
        return service.object_of(session, person_id, comment_id)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise BadInput(_("“%(text)s” is not a number.", text=text[:20]))
    return int(text)


def _time(name: str) -> dt.datetime | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        # What a browser's field for a time sends; it has no zone, so it is the site's.
        when = dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(core().settings.timezone))
        return when.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        message = _("“%(text)s” is not a time.", text=text[:40])
        raise BadInput(message, remedy=_("Write 2027-01-12T08:00."), fields={name: message}) from None
