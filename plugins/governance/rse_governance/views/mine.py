"""One's own side of moderation: what became of one's texts, why, and the appeal."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.webapi import session_read, session_write

from .. import appeals, casework, suspending
from .. import queue as waiting
from .base import KEPT, Refused, _, after, blueprint, done, me, next_url, plain, refused


@blueprint.route("/mine", methods=["GET"])
def mine() -> BaseResponse:
    """My texts that were held or taken down."""
    return _mine(None)


@blueprint.post("/cases/<int:case_id>/appeal")
def appeal(case_id: int) -> BaseResponse:
    """Ask that it be looked at again."""
    try:
        with session_write() as session:
            case = appeals.appeal(
                session, me(), case_id, request.form.get("text", ""), disclose=bool(request.form.get("disclose"))
            )
            site = case.escalated
    except KEPT as error:
        return _mine(refused(error, str(case_id)))
    return done("mine", _("Your appeal is sent; a moderator of the whole site decides.") if site else
                _("Your appeal is sent; another moderator decides."))  # fmt: skip


@blueprint.post("/cases/<int:case_id>/disclosure")
def disclose(case_id: int) -> BaseResponse:
    """Let the moderators of the whole site read what was taken down."""
    try:
        with session_write() as session:
            appeals.disclose(session, me(), case_id)
    except KEPT as error:
        return _mine(refused(error, str(case_id)))
    return done("mine", _("The moderators of the whole site can read it until they have decided."))


def _mine(no: Refused | None) -> BaseResponse:
    person_id = me()
    with session_read() as session:
        held = waiting.of_author(session, person_id, after=after("my-held", "held"))
        found = casework.own(session, person_id, after=after("my-cases", "cases"))
        return plain(
            "mine", no=no, held=held, cases=found, suspensions=suspending.own(session, person_id),
            more_held=next_url("my-held", held.after, "held"), more_cases=next_url("my-cases", found.after, "cases"),
        )  # fmt: skip
