"""Reports, appeals and the recycle bin, for moderators; and the form by which anybody reports."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, ObjectRef
from rse_core.webapi import safe_return_to, session_read, session_write

from .. import appeals, cases, casework
from .. import bin as recycle
from .base import KEPT, Refused, _, after, blueprint, done, frame, me, next_url, number, plain, refused


@blueprint.route("/report", methods=["GET", "POST"])
def report() -> BaseResponse:
    """Report something that one can read."""
    person_id = me()
    ref = ObjectRef.parse(request.values.get("ref", ""))
    no: Refused | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                new = cases.report(
                    session, person_id, ref, kind=request.form.get("kind", ""), text=request.form.get("text", "")
                )
            thanks = _("Thank you. The moderators look at it; you are told what becomes of it.")
            flash(thanks if new else _("You reported this before; the moderators look at it."))
            # It may be taken down by this very report: where it stood is no place to go back to by force.
            return redirect(url_for(".reported", return_to=request.form.get("return_to")), 303)
        except KEPT as error:
            if isinstance(error, Conflict):
                raise
            no = refused(error)
    with session_read() as session:
        info = cases.readable(session, person_id, ref)
        g.rse_return_to = safe_return_to(request.values.get("return_to")) or info.url
        return plain("report", no=no, info=info, ref=ref, kinds=cases.KINDS)


@blueprint.get("/report/done")
def reported() -> Response:
    """What was said on reporting, and the way back."""
    me()
    return plain("reported", back=safe_return_to(request.args.get("return_to")) or url_for("rse_core.home"))


@blueprint.get("/reports")
def reports() -> Response:
    """What was reported where the person who asks moderates."""
    return _reports(None)


def _reports(no: Refused | None) -> Response:
    person_id = me()
    state = request.args.get("state", "open")
    scope = f"cases:{state}"
    with session_read() as session:
        found = casework.page(session, person_id, state=state, after=after(scope))
        return frame(
            session, "reports", no=no, page=found, state=state, kinds=cases.KINDS, more=next_url(scope, found.after),
            me=person_id,
        )


@blueprint.post("/cases/<int:case_id>")
def decide_case(case_id: int) -> BaseResponse:
    """Leave it in place, or take it down."""

    def act(person_id: int) -> str:
        hide = _chosen("hide", "keep")
        with session_write() as session:
            cases.decide(
                session, person_id, case_id, hide=hide, reason=request.form.get("reason", ""), version=number("version")
            )
        return _("It is taken down.") if hide else _("It stays in place.")

    return _acted(case_id, act, "open")


@blueprint.post("/cases/<int:case_id>/appeal-decision")
def decide_appeal(case_id: int) -> BaseResponse:
    """Grant an appeal, or not."""

    def act(person_id: int) -> str:
        grant = _chosen("grant", "confirm")
        with session_write() as session:
            appeals.decide_appeal(session, person_id, case_id, grant=grant, reason=request.form.get("reason", ""))
        return _("The appeal is granted: it is shown again.") if grant else _("It stays taken down.")

    return _acted(case_id, act, "appealed")


@blueprint.route("/bin", methods=["GET", "POST"])
def bin() -> BaseResponse:
    """What was deleted and can be shown again."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                recycle.restore(session, person_id, number("binned"), why=request.form.get("why", ""))
            return done("bin", _("It is shown again."))
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        found, more = recycle.page(session, person_id, after=after("bin"))
        return frame(session, "bin", no=no, lines=found, more=next_url("bin", more))


def _chosen(yes: str, no: str) -> bool:
    act = request.form.get("act", "")
    if act not in (yes, no):
        raise BadInput(_("Choose what becomes of it."))
    return act == yes


def _acted(case_id: int, act: Callable[[int], str], state: str) -> BaseResponse:
    try:
        message = act(me())
    except KEPT as error:
        no = refused(error, str(case_id))
        return _reports(no)
    return done("reports", message, state=state if state != "open" else None)
