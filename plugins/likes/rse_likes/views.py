"""Pages and forms: react, who reacted, my reactions."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, ObjectRef, seen, translator
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
from .paging import cursor_scope
from .slots import SLOT, anchor

_ = translator(__file__, "rse_likes").gettext
blueprint = Blueprint("rse_likes", __name__, url_prefix="/likes", template_folder="templates", static_folder="static")


@blueprint.post("/react")
def react() -> BaseResponse:
    """The bar's form: ``act`` is ``react:<kind>`` or ``withdraw:<kind>``, so that sending it twice does one thing."""
    person = require_person()
    ref = ObjectRef.parse(request.form.get("ref", ""))
    act, _sep, kind = request.form.get("act", "").partition(":")
    if act not in ("react", "withdraw"):
        raise BadInput(_("The reaction is missing."), remedy=_("Choose one of the buttons."))
    with session_write() as session:
        if act == "react":
            done = service.react(session, person.id, ref, kind)
            announce = _("Your reaction was changed.") if done == "changed" else _("Your reaction was added.")
        else:
            service.unreact(session, person.id, ref)
            announce = _("Your reaction was withdrawn.")
    return fragment_response(slots=[SLOT], refs=[ref], announce=announce, anchor=anchor(ref))


@blueprint.get("/who")
def who() -> Response:
    """Who reacted to an object, newest first."""
    person = require_person()
    ref = ObjectRef.parse(request.args.get("ref", ""))
    kind = request.args.get("kind") or None
    scope = cursor_scope("likes.who", ref, kind)
    before = _before(scope)
    with session_read() as session:
        rows = service.who(session, person.id, ref, kind=kind, before=before, most=service.PAGE + 1)
        info = seen(session, person.id, [ref])[ref]
        counts = service.counts(session, [info.ref]).get(info.ref, {})
        kinds = {k.key: k for k in service.kinds(session)}
    more = _more(scope, [row.row for row in rows])
    return Response(
        render_template(
            "rse/likes/who.html", info=info, rows=rows[: service.PAGE], counts=counts, kinds=kinds, kind=kind, more=more
        )
    )


@blueprint.get("/mine")
def mine() -> Response:
    """What I reacted to, newest first."""
    person = require_person()
    before = _before("likes.mine")
    with session_read() as session:
        rows = service.my_reactions(session, person.id, before=before, most=service.PAGE + 1)
        refs = [ObjectRef(row.ref_type, row.ref_id) for row in rows]
        infos = seen(session, person.id, refs)
        kinds = {k.key: k for k in service.kinds(session)}
    entries = [(row, infos.get(ref), kinds.get(row.kind)) for row, ref in zip(rows, refs, strict=True)][: service.PAGE]
    return Response(render_template("rse/likes/mine.html", entries=entries, more=_more("likes.mine", [r.id for r in rows])))


def _before(scope: str) -> int | None:
    text = request.args.get("after")
    return int(decode_cursor(core().settings, text, scope).after[0]) if text else None


def _more(scope: str, rows: list[int]) -> str | None:
    """The cursor of the next page, None on the last."""
    if len(rows) <= service.PAGE:
        return None
    return encode_cursor(core().settings, Cursor(scope, (rows[service.PAGE - 1],)))
