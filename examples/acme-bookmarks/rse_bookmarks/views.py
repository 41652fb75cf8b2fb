"""The button's form, and the page that lists what was kept."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, ObjectRef, translator
from rse_core.webapi import (
    Cursor,
    core,
    decode_cursor,
    encode_cursor,
    fragment_response,
    require_person,
    session_read,
    session_write,
)

from . import service

_ = translator(__file__, "rse_bookmarks").gettext
blueprint = Blueprint(
    "rse_bookmarks", __name__, url_prefix="/bookmarks", template_folder="templates", static_folder="static"
)
SCOPE = "bookmarks.mine"


@blueprint.post("/keep")
def keep() -> BaseResponse:
    """``act`` says which way, so that a form that is sent twice does one thing."""
    person = require_person()
    ref = ObjectRef.parse(request.form.get("ref", ""))
    act = request.form.get("act")
    if act not in ("keep", "drop"):
        raise BadInput(_("The button is missing."), remedy=_("Choose keep or remove."))
    with session_write() as session:
        if act == "keep":
            service.keep(session, person.id, ref)
            announce = _("The page is among your bookmarks.")
        else:
            service.drop(session, person.id, ref)
            announce = _("The page is no longer among your bookmarks.")
    return fragment_response(slots=["bookmarks"], refs=[ref], announce=announce)


@blueprint.get("/")
def index() -> Response:
    """What I kept, newest first."""
    person = require_person()
    text = request.args.get("after")
    before = int(decode_cursor(core().settings, text, SCOPE).after[0]) if text else None
    with session_read() as session:
        entries, last = service.mine(session, person.id, before=before)
    more = encode_cursor(core().settings, Cursor(SCOPE, (last,))) if last else None
    return Response(render_template("rse/bookmarks/index.html", entries=entries, more=more))
