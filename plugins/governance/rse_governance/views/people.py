"""Suspensions, the log, the register of tools, and the record of processing."""

from __future__ import annotations

import datetime as dt

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, NotFound
from rse_core.roles import is_site_admin
from rse_core.webapi import session_read, session_write

from .. import access, keeping, suspending
from .. import log as journal
from .. import tools as register
from .base import KEPT, Refused, _, after, blueprint, done, frame, me, next_url, number, refused, table


@blueprint.route("/suspensions", methods=["GET", "POST"])
def suspensions() -> BaseResponse:
    """Whose writing is suspended; suspend somebody, or lift it."""
    person_id = me()
    no: Refused | None = None
    form = request.form
    if request.method == "POST":
        try:
            with session_write() as session:
                if form.get("act") == "lift":
                    suspending.lift(session, person_id, form.get("person", ""), why=form.get("why", ""))
                    message = _("The suspension is lifted.")
                else:
                    suspending.suspend(
                        session, person_id, form.get("person", ""), days=number("days"), reason=form.get("reason", "")
                    )
                    message = _("Writing is suspended; the person is told.")
            return done("suspensions", message)
        except (*KEPT, NotFound) as error:
            no = refused(error, form.get("act", ""))
    with session_read() as session:
        found, more = suspending.page(session, person_id, after=after("suspensions"))
        return frame(session, "suspensions", no=no, found=found, more=next_url("suspensions", more))


@blueprint.get("/log")
def log() -> Response:
    """Every act of moderation, the latest first."""
    asked = _asked()
    with session_read() as session:
        rows, more = journal.page(session, me(), asked, after=after(asked.scope))
        return frame(session, "log", rows=rows, asked=asked, plain=journal.plain, more=next_url(asked.scope, more))


@blueprint.get("/log.csv")
def log_csv() -> Response:
    """The same, whole, as CSV."""
    with session_read() as session:
        rows = [
            (row.at.isoformat(), row.actor, row.act, row.subject, row.before, row.after, row.why)
            for row in journal.stream(session, me(), _asked())
        ]
    return table("moderation-log", ("when", "who", "act", "on", "before", "after", "why"), rows)


@blueprint.route("/tools", methods=["GET", "POST"])
def tools() -> BaseResponse:
    """The register “which tool for which use”: for everybody to read, for site administrators to change."""
    person_id = me()
    no: Refused | None = None
    form = request.form
    if request.method == "POST":
        try:
            with session_write() as session:
                if form.get("act") == "remove":
                    register.remove(session, person_id, number("tool_id"))
                else:
                    register.save(
                        session, person_id, tool_id=number("tool_id") if form.get("tool_id") else None,
                        use=form.get("use", ""), tool=form.get("tool", ""), address=form.get("address", ""),
                        note=form.get("note", ""), position=number("position", 0), shown=form.get("shown") == "1",
                    )  # fmt: skip
            return done("tools", _("Saved."))
        except KEPT as error:
            no = refused(error, form.get("tool_id") or "new")
    with session_read() as session:
        admin = is_site_admin(session, person_id)
        return frame(session, "tools", no=no, tools=register.register(session), admin=admin)


@blueprint.route("/processing", methods=["GET", "POST"])
def processing() -> BaseResponse:
    """The record of processing, and how long each kind of data stays."""
    person_id = me()
    no: Refused | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                keeping.set_term(session, person_id, request.form.get("name", ""), number("days"))
            return done("processing", _("Saved."))
        except (*KEPT, NotFound) as error:
            no = refused(error, request.form.get("name", ""))
    with session_read() as session:
        access.require_admin(session, person_id)
        return frame(session, "processing", no=no, rows=keeping.processing(session))


@blueprint.get("/processing.csv")
def processing_csv() -> Response:
    """The same as CSV."""
    with session_read() as session:
        access.require_admin(session, me())
        rows = [
            (row.owner, row.name, row.label, row.purpose, row.retention, row.days or "")
            for row in keeping.processing(session)
        ]
    return table("processing", ("kept by", "name", "data", "purpose", "retention", "days"), rows)


def _asked() -> journal.Asked:
    act, actor, subject = (request.args.get(name, "").strip()[:200] for name in ("act", "actor", "subject"))
    since = None
    if text := request.args.get("since", "").strip():
        try:
            since = dt.date.fromisoformat(text)
        except ValueError:
            raise BadInput(_("“%(text)s” is not a date.", text=text[:20])) from None
    return journal.Asked(act, actor, subject, since)
