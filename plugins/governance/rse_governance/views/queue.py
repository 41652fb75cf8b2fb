"""The queue: what waits for a moderator, and what was decided."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput
from rse_core.webapi import core, session_read, session_write

from .. import lines
from .. import queue as waiting
from .base import KEPT, Refused, _, _t, after, blueprint, done, frame, me, next_url, refused


@blueprint.get("/")
def queue() -> Response:
    """What waits for the person who asks; with ``state`` what was approved or refused."""
    return _queue(None)


@blueprint.post("/")
def decide() -> BaseResponse:
    """Approve or refuse one, or all that are ticked."""
    person_id = me()
    approve = request.form.get("act") == "approve"
    chosen = [int(one) for one in request.form.getlist("held") if one.isdecimal() and len(one) < 19]
    try:
        if request.form.get("act") not in ("approve", "refuse"):
            raise BadInput(_("Choose to approve or to refuse."))
        with session_write() as session:
            result = waiting.decide_many(
                session, person_id, chosen, approve=approve, reason=request.form.get("reason", "")
            )  # fmt: skip
    except KEPT as error:
        return _queue(refused(error, request.form.get("form", "")))
    if approve:
        flash(_t.ngettext("%(num)s text approved.", "%(num)s texts approved.", result.done))
    else:
        flash(_t.ngettext("%(num)s text refused.", "%(num)s texts refused.", result.done))
    for problem in dict.fromkeys(result.problems):
        flash(problem)
    return redirect(url_for(".queue", kind=request.args.get("kind") or None), 303)


def _queue(no: Refused | None) -> Response:
    person_id = me()
    state, kind = request.args.get("state", "pending"), request.args.get("kind", "")
    scope = f"held:{state}:{kind}"
    with session_read() as session:
        found = waiting.page(session, person_id, state=state, kind=kind, after=after(scope))
        kinds = {
            name: str(one.label) for name, one in core().plugins.content_types.items() if one.moderated and name != "page"
        }
        return frame(
            session, "queue", no=no, page=found, state=state, kind=kind, kinds=kinds, more=next_url(scope, found.after)
        )


@blueprint.route("/held/<int:held_id>", methods=["GET", "POST"])
def edit(held_id: int) -> BaseResponse:
    """Correct what waits; its author is told."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                waiting.amend(
                    session, person_id, held_id, request.form.get("body", ""), seen=request.form.get("seen", "")
                )
                if request.form.get("act") == "approve":
                    waiting.decide(session, person_id, held_id, approve=True)
            return done("queue", _("The text is corrected; its author is told."))
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        held = waiting.one(session, person_id, held_id)
        return frame(session, "edit", no=no, line=lines.of(session, [held])[0])
