"""Who has left, what they leave, and who takes it over: for those who administer, and those who run a space."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from .. import handover, handover_acts
from ..audit import Actor
from ..errors import BadInput, Conflict, Forbidden, NotFound, RseError
from ..handover_places import Power, power_over
from ..i18n import _, ngettext
from ..models.handover import Handover
from ..models.organisation import Person
from ..people import card
from ..rest.cursors import Cursor, decode_cursor, encode_cursor
from .identity import require_person
from .state import actor, core, session_read, session_write

blueprint = Blueprint("rse_leavers", __name__, url_prefix="/leavers")
PAGE = 50
SCOPE = "leavers"
#: In the form of a page, whom one types instead of choosing.
OTHER = "other"
_KEPT = (BadInput, Conflict, Forbidden)


@blueprint.get("/")
def page() -> str:
    """Who has left, the latest first; ``space`` narrows to one space."""
    person = require_person()
    key, text = request.args.get("space", "")[:200], request.args.get("after", "")
    scope = f"{SCOPE}:{person.id}:{key}"
    before = None
    if text:
        at, ident = decode_cursor(core().settings, text, scope).after
        before = (dt.datetime.fromisoformat(str(at)), int(ident))
    with session_read() as session:
        found = handover.leavers(session, person.id, space_key=key, before=before, most=PAGE + 1)
    last = found[PAGE - 1] if len(found) > PAGE else None
    more = "" if last is None else encode_cursor(
        core().settings, Cursor(scope, (last.left_at.isoformat(), last.person.id))
    )  # fmt: skip
    return render_template("rse/leavers/list.html", found=found[:PAGE], more=more, space=key, after=text)


@blueprint.get("/<username>")
def leaver(username: str) -> BaseResponse:
    """What one of them leaves, place by place."""
    require_person()
    with session_read() as session:
        return _page(session, username)


@blueprint.post("/<username>/preview")
def preview(username: str) -> BaseResponse:
    """Who would take over what; nothing is written."""
    require_person()
    choices = _choices()
    with session_read() as session:
        try:
            if not choices:
                raise BadInput(_("Nobody was chosen."), remedy=_("Say for at least one place who takes over."))
            planned = handover_acts.plan(session, username, choices, actor=actor())
        except _KEPT as error:
            return _page(session, username, error=error)
        found = handover.leaving(session, username, actor())
        why = request.form.get("why", "")
        html = render_template("rse/leavers/preview.html", person=found.person, planned=planned, why=why)
    return Response(html)


@blueprint.post("/<username>/give")
def give(username: str) -> BaseResponse:
    """Hand it over."""
    require_person()
    try:
        with session_write() as session:
            done = handover_acts.give(
                session, username, _choices(), actor=actor(), why=request.form.get("why", "")
            )
    except _KEPT as error:
        with session_read() as session:
            return _page(session, username, error=error)
    count = sum(one.count for one in done)
    if count:
        flash(ngettext("%(num)s thing was handed over.", "%(num)s things were handed over.", count))
    else:
        flash(_("There was nothing left to hand over there."))
    return redirect(url_for(".leaver", username=username), 303)


@blueprint.get("/kept/<int:handover_id>")
def kept(handover_id: int) -> str:
    """One handover, for who took over and for who may take it back."""
    person = require_person()
    with session_read() as session:
        row, one, may = _kept(session, handover_id, person.id)
        leaver_card = card(session, row.person_id)
        words = handover.counts_in_words(session, one.counts)
        return render_template(
            "rse/leavers/kept.html", one=one, person=leaver_card, words=words, may=may, mine=person.id == row.taker_id
        )


@blueprint.post("/kept/<int:handover_id>/back")
def back(handover_id: int) -> BaseResponse:
    """Take it back."""
    require_person()
    with session_write() as session:
        count = handover_acts.take_back(session, handover_id, actor=actor(), why=request.form.get("why", "")[:500])
        row = session.get_one(Handover, handover_id)
        username = session.get_one(Person, row.person_id).username
    if count:
        flash(ngettext("%(num)s thing was taken back.", "%(num)s things were taken back.", count))
    else:
        flash(_("There was nothing left to take back."))
    return redirect(url_for(".leaver", username=username), 303)


def _kept(session: Session, handover_id: int, person_id: int) -> tuple[Handover, handover.Kept, bool]:
    """The row, as it is shown, and whether who asks may take it back.

    :raises NotFound: for who neither took over nor may take it back.
    """
    row = session.get(Handover, handover_id) if handover_id < 2**63 else None
    leaver_row = None if row is None else session.get(Person, row.person_id)
    if row is not None and leaver_row is not None:
        who = actor()
        power = power_over(session, leaver_row, who)
        found = () if power is None else handover.kept_rows(session, power, [row])
        if found:
            return row, found[0], row.undone_at is None
        if row.taker_id == person_id:
            # What one keeps, and where, one may know whatever one runs.
            mine = handover.kept_rows(session, Power(Actor(who.label, person_id), site=True), [row])
            if mine:
                return row, mine[0], False
    raise NotFound(_("There is no such handover."))


def _choices() -> dict[str, str]:
    """Place → username, as the form has them: chosen, or typed where “somebody else” was."""
    found: dict[str, str] = {}
    for name, value in request.form.items():
        if name.startswith("to:") and value != OTHER and value.strip():
            found[name[3:]] = value.strip()
        elif name.startswith("other:") and value.strip() and request.form.get(f"to:{name[6:]}") == OTHER:
            found[name[6:]] = value.strip()
    return found


def _page(session: Session, username: str, *, error: RseError | None = None) -> Response:
    found = handover.leaving(session, username, actor())
    fields: Mapping[str, Any] = getattr(error, "fields", None) or {}
    html = render_template(
        "rse/leavers/leaver.html", found=found, error=error, fields=fields, typed=request.form,
        words={one.id: handover.counts_in_words(session, one.counts) for one in found.kept}, other=OTHER,
    )  # fmt: skip
    return Response(html, status=error.status if error else 200)
