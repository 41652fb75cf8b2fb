"""What one does to others: confirm their expertise, ask them, report a text; and keeping the vocabulary."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import require
from rse_core.webapi import actor, limit, require_person, session_read, session_write

from .. import access, objects, profiles, skills
from .base import KEPT, Refused, _, blueprint, page, refused


@blueprint.post("/people/<username>/endorse")
def endorse(username: str) -> BaseResponse:
    """Confirm, or take back."""
    me = require_person()
    with session_write() as session:
        limit(session, me.id, "directory.endorse", most=60, seconds=3600)
        skills.endorse(session, me.id, username, request.form.get("skill", ""), on=request.form.get("on") == "1")
    return redirect(url_for(".person", username=username) + "#expertise", 303)


@blueprint.get("/people/<username>/ask")
def ask(username: str) -> Response:
    """The form for a question."""
    return _asking(username)


@blueprint.post("/people/<username>/ask")
def asked(username: str) -> BaseResponse:
    """Ask."""
    me = require_person()
    try:
        with session_write() as session:
            skill = request.form.get("skill", "").replace("\x00", "")
            ident = skills.ask(session, me.id, username, request.form.get("message", ""), skill=skill)
    except KEPT as error:
        return _asking(username, refused(error))
    flash(_("Your question was sent."))
    return redirect(url_for(".question", ident=ident), 303)


def _asking(username: str, no: Refused | None = None) -> Response:
    me = require_person()
    with session_read() as session:
        require(session, me.id, access.ASK)
        found = profiles.page(session, me.id, username)
    skill = request.values.get("skill", "")[: skills.LONGEST]
    return page("ask", no=no, card=found.card, skill=skill, most=skills.MESSAGE)


@blueprint.get("/people/<username>/report")
def report(username: str) -> Response:
    """The form for a report."""
    return _reporting(username)


@blueprint.post("/people/<username>/report")
def reported(username: str) -> BaseResponse:
    """Tell those who moderate."""
    me = require_person()
    try:
        with session_write() as session:
            objects.report(session, me.id, username, request.form.get("reason", ""))
    except KEPT as error:
        return _reporting(username, refused(error))
    flash(_("Thank you. Those who moderate were told."))
    return redirect(url_for(".person", username=username), 303)


def _reporting(username: str, no: Refused | None = None) -> Response:
    me = require_person()
    with session_read() as session:
        found = profiles.page(session, me.id, username)
    return page("report", no=no, card=found.card, most=objects.REASON)


@blueprint.post("/people/<username>/clear")
def clear(username: str) -> BaseResponse:
    """Empty a text; for those who moderate."""
    with session_write() as session:
        objects.clear(session, actor(), username, request.form.get("field", ""), request.form.get("why", ""))
    flash(_("The text was removed, and the person told."))
    return redirect(url_for(".person", username=username), 303)


@blueprint.post("/expertise")
def add_skill() -> BaseResponse:
    """Add a word to the vocabulary."""
    with session_write() as session:
        skills.add(session, actor(), request.form.get("label", ""))
    flash(_("The word was added."))
    return redirect(url_for(".expertise"), 303)


@blueprint.post("/expertise/remove")
def remove_skill() -> BaseResponse:
    """Take a word out of the vocabulary, or merge it into another."""
    with session_write() as session:
        skills.remove(session, actor(), request.form.get("key", ""), into=request.form.get("into", "").strip())
    flash(_("The word was removed."))
    return redirect(url_for(".expertise"), 303)
