"""My data: what is kept about me, exported as a file, erased."""

from __future__ import annotations

import json

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import option
from rse_core.webapi import require_person, session_read, session_write, sign_out

from .. import mydata
from .base import KEPT, Refused, _, blueprint, me, plain, refused


@blueprint.get("/data")
def data() -> Response:
    """What is kept, and the two forms."""
    return _data(None)


@blueprint.post("/data/export")
def export() -> Response:
    """Everything about me, as a file."""
    person_id = me()
    with session_write() as session:
        found = mydata.export(session, person_id)
    answer = Response(json.dumps(found, ensure_ascii=False, indent=2, default=str), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/data/erase")
def erase() -> BaseResponse:
    """Erase my account, for good."""
    person_id = me()
    try:
        with session_write() as session:
            mydata.erase(session, person_id, typed=request.form.get("username", ""))
    except KEPT as error:
        return _data(refused(error, "erase"))
    sign_out()
    flash(_("Your account is erased. What others answered to stays readable, without your name."))
    return redirect(url_for("rse_core.home"), 303)


def _data(no: Refused | None) -> Response:
    person = require_person()
    with session_read() as session:
        return plain(
            "mydata", no=no, kinds=mydata.kinds(session), may_erase=option(session, mydata.SELF_ERASE),
            username=person.username,
        )  # fmt: skip
