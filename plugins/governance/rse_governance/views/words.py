"""Word rules: kept, changed, tried on a text."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import NotFound
from rse_core.webapi import session_read, session_write

from .. import access, wording
from .base import KEPT, Refused, _, blueprint, done, frame, me, number, refused


@blueprint.route("/words", methods=["GET", "POST"])
def words() -> BaseResponse:
    """The rules of the places that one moderates; a new one; a text to try them on."""
    person_id = me()
    no: Refused | None = None
    tried: list[wording.Trial] | None = None
    form = request.form
    if request.method == "POST":
        try:
            if form.get("act") == "try":
                with session_read() as session:
                    tried = wording.test(session, person_id, form.get("text", ""))
            else:
                with session_write() as session:
                    wording.add(
                        session, person_id, where=form.get("where", ""), act=form.get("what", ""),
                        words=form.get("words", ""), message=form.get("message", ""),
                    )  # fmt: skip
                return done("words", _("The rule holds from now on."))
        except (*KEPT, NotFound) as error:
            no = refused(error, form.get("act", ""))
    with session_read() as session:
        rules = wording.rules(session, person_id)
        return frame(
            session, "words", no=no, rules=rules, acts=wording.ACTS, tried=tried, text=form.get("text", ""),
            of_site=access.of_site(session, person_id),
        )  # fmt: skip


@blueprint.route("/words/<int:rule_id>", methods=["GET", "POST"])
def word(rule_id: int) -> BaseResponse:
    """Change a rule, or take it away."""
    person_id = me()
    no: Refused | None = None
    form = request.form
    if request.method == "POST":
        try:
            with session_write() as session:
                if form.get("act") == "remove":
                    wording.remove(session, person_id, rule_id)
                else:
                    wording.change(
                        session, person_id, rule_id, act=form.get("what", ""), words=form.get("words", ""),
                        message=form.get("message", ""), version=number("version"),
                    )  # fmt: skip
            return done("words", _("Saved."))
        except KEPT as error:
            no = refused(error)
    with session_read() as session:
        found = next((one for one in wording.rules(session, person_id) if one.rule.id == rule_id), None)
        if found is None:
            raise NotFound(_("There is no such rule."))
        return frame(session, "word", no=no, shown=found, acts=wording.ACTS)
