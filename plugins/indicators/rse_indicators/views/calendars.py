"""Calendars of working days: those that there are, the form with its preview, and a file of holidays read into it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from rse_core.api import BadInput, Conflict
from rse_core.webapi import actor, core, require_person, session_read, session_write

from .. import calendars, ics
from .base import _, administrator, blueprint, page

#: Bytes of a file that is read: as many as it may have characters, of up to four bytes.
MOST_BYTES = ics.LONGEST * 4


@blueprint.get("/calendars/")
def calendar_list() -> str:
    """The calendars of the site and of the entities that one administers."""
    found = administrator()
    with session_read() as session:
        known = calendars.listing(session, core(), found.person_id)
        entities = calendars.entities(session, core(), found.person_id)
    return page("calendars", calendars=known, entities=entities, site=found.site)


@blueprint.get("/calendars/edit")
def calendar_edit() -> str | tuple[str, int]:
    """The form for the calendar of one entity."""
    found = administrator()
    with session_read() as session:
        shown = calendars.one(session, found.person_id, request.args.get("entity", ""))
    return _form(shown.entity, shown.public, calendars.typed(shown.days), shown.version)


@blueprint.post("/calendars/edit")
def calendar_keep() -> Response | str | tuple[str, int]:
    """A preview of what was typed or read from a file; then keep it, or take the calendar away."""
    person = require_person()
    administrator()
    key, public = request.form.get("entity", ""), request.form.get("public", "")
    text, version, act = request.form.get("days", ""), request.form.get("version", ""), request.form.get("act", "")
    try:
        if act == "remove":
            with session_write() as session:
                calendars.remove(session, person.id, key, actor=actor())
            flash(_("The calendar is taken away."))
            return redirect(url_for(".calendar_list"), 303)
        days = calendars.lines(text)
        if act == "keep":
            with session_write() as session:
                calendars.keep(session, person.id, key, public, days, actor=actor(), version=version)
            flash(_("The calendar is kept. The months before are counted anew in the background."))
            return redirect(url_for(".calendar_list"), 303)
        taken = _uploaded()
        days = taken | days
        with session_read() as session:
            seen = calendars.preview(session, person.id, key, public, days)
    except (BadInput, Conflict) as error:
        return _form(key, public, text, version, error=error)
    return _form(key, public, calendars.typed(days), version, preview=seen, read=len(taken))


def _uploaded() -> dict[Any, str]:
    file = request.files.get("ics")
    if file is None or not file.filename:
        return {}
    raw = file.stream.read(MOST_BYTES + 1)
    try:
        return ics.read(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadInput(_("The file is not in UTF-8."), remedy=_("Export it again as .ics.")) from None


def _form(
    key: str, public: str, text: str, version: str, *, preview: calendars.Preview | None = None,
    error: BadInput | Conflict | None = None, read: int = 0,
) -> str | tuple[str, int]:  # fmt: skip
    found = administrator()
    with session_read() as session:
        shown = calendars.one(session, found.person_id, key)
    html = page(
        "calendar", shown=shown, public=public, text=text, version=version, preview=preview, error=error, read=read,
        choices=list(calendars.PUBLIC.items()), site=found.site,
    )  # fmt: skip
    return html if error is None else (html, error.status)
