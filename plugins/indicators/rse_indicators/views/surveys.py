"""The answers of surveys, taken over from a file by a site administrator."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rse_core.api import BadInput, Forbidden
from rse_core.webapi import actor, core, session_read, session_write

from .. import survey
from .base import _, administrator, blueprint, ngettext, page


def _site_only() -> None:
    if not administrator().site:
        raise Forbidden(_("This is for site administrators."))


@blueprint.get("/survey/")
def surveys() -> str:
    """The surveys, and the form for another."""
    _site_only()
    return _page()


@blueprint.post("/survey/")
def surveyed() -> Response | tuple[str, int]:
    """Take over what was pasted."""
    _site_only()
    text = request.form.get("text", "")
    try:
        with session_write() as session:
            number = survey.load(session, text, actor=actor())
    except BadInput as error:
        return _page(text, error), error.status
    flash(ngettext("%(num)s line was taken over.", "%(num)s lines were taken over.", number))
    return redirect(url_for(".surveys"), 303)


def _page(text: str = "", error: BadInput | None = None) -> str:
    with session_read() as session:
        answers = survey.shown(session)
        measured = survey.measured(session, core(), answers)
    return page("survey", answers=answers, measured=measured, text=text, error=error, columns=", ".join(survey.COLUMNS))
