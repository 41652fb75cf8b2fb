"""The core's own pages for everybody: what is open to me, my preferences, the charter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from sqlalchemy import select

from .. import charter as charters
from .. import notify
from ..audiences import of_space, sees
from ..db import utcnow
from ..decision import Decision, Reason
from ..errors import BadInput, NotFound
from ..i18n import _, normalise_locale, use_locale
from ..levels import Level
from ..models.governance import Charter, CharterAcceptance
from ..models.organisation import Space
from ..models.runtime import Preference
from ..policy import can
from . import notices
from .charters import TICKED, all_ticked, markdown
from .identity import SIGNED, current_person, require_person, sign_out
from .language import CHOICE
from .returns import return_to
from .state import core, session_read, session_write
from .templating import entries_of
from .visits import note_visit

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

blueprint = Blueprint("rse_core", __name__, static_folder="../static", static_url_path="/static")
NOTIFICATIONS = 30


@blueprint.get("/")
def home() -> str:
    """What is open to the person who asks."""
    person = current_person()
    if person is None:
        return render_template("rse/home.html", person=None, level=Level.INFORM, open_now=[], later=[])
    open_now: list[tuple[str, Decision]] = []
    later: list[tuple[str, Decision]] = []
    with session_read() as db:
        level = core().policy.level_of(db, person.id, None, utcnow())
        for key, capability in core().plugins.capabilities.items():
            decision = can(db, person.id, key)
            label = str(capability.label)
            if decision.allowed or decision.reason is Reason.CHARTER:
                open_now.append((label, decision))
            elif decision.opens_at is not None:
                later.append((label, decision))
        missing = charters.missing(db, person.id)
    note_visit(person)
    later.sort(key=lambda one: (one[1].opens_at or utcnow(), one[0]))
    return render_template(
        "rse/home.html", person=person, level=level, open_now=sorted(open_now, key=lambda one: one[0]),
        later=later, charter=missing[0] if missing else None,
    )  # fmt: skip


@blueprint.get("/me/")
def me() -> str:
    """My preferences and what was said to me."""
    person = require_person()
    with session_read() as db:
        elsewhere = entries_of(db, person.id, "notices")
        rows = [] if elsewhere else [one for one in notices.lines(db, person.id, limit=NOTIFICATIONS) if not one.read]
        chosen = db.get(Preference, (person.id, CHOICE))
        charter = charters.in_force(db)
        accepted = None if charter is None else db.get(CharterAcceptance, (charter.id, person.id))
    return render_template(
        "rse/me.html", person=person, notifications=rows, chosen=None if chosen is None else chosen.value,
        charter=charter, accepted=accepted, elsewhere=elsewhere, signed=bool(session.get(SIGNED)),
    )  # fmt: skip


@blueprint.post("/me/language")
def language() -> Response:
    """Choose the language; kept with the person, or with the session of somebody unknown."""
    sent = request.form.get("lang", "")
    chosen = normalise_locale(sent)
    if chosen is None and sent:
        raise BadInput(_("RSE does not speak this language."), remedy=_("Choose French or English."))
    person = current_person()
    if person is None:
        session["lang"] = chosen
    else:
        with session_write() as db:
            row = db.get(Preference, (person.id, CHOICE))
            if chosen is None and row is not None:
                db.delete(row)
            elif chosen is not None and row is None:
                db.add(Preference(person_id=person.id, key=CHOICE, value=chosen))
            elif row is not None:
                row.value = chosen
    with use_locale(chosen):
        flash(_("The language is set."))
    return redirect(return_to(url_for("rse_core.me")), 303)


@blueprint.post("/me/notifications")
def notifications_read() -> Response:
    """Mark everything as read."""
    person = require_person()
    with session_write() as db:
        notify.mark_read(db, person.id)
    return redirect(url_for("rse_core.me"), 303)


@blueprint.post("/sign-out")
def leave() -> Response:
    """End the session that a hand-off began, and the intranet's own where its adapter says how."""
    sign_out()
    source = core().plugins.identity_source()
    elsewhere = source.logout_url(url_for("rse_core.home")) if source is not None else None
    return redirect(elsewhere or url_for("rse_core.home"), 303)


@blueprint.get("/charter/")
def charter() -> str:
    """The charter in force, of the site or of a space, and where to accept it."""
    person = current_person()
    with session_read() as db:
        space_id = None
        if key := request.args.get("space"):
            space_id = db.scalar(select(Space.id).where(Space.key == key))
            if space_id is None or not sees(db, person.id if person else None, of_space(db, space_id)):
                raise NotFound(_("No charter has been published."))
        found = charters.in_force(db, space_id=space_id)
        if found is None:
            raise NotFound(_("No charter has been published."))
        accepted = None if person is None else db.get(CharterAcceptance, (found.id, person.id))
    steps = charters.steps(found.body) if charters.has_boxes(found.body) else []
    return render_template(
        "rse/charter.html", charter=found, text=markdown(found.body), accepted=accepted, person=person, box=TICKED,
        steps=[(step, markdown(step.text, of=found.body)) for step in steps], back=return_to(url_for("rse_core.home")),
    )  # fmt: skip


@blueprint.post("/charter/")
def charter_accept() -> Response:
    """Accept the version that was read, then go back to where one was."""
    person = require_person()
    number = request.form.get("charter", type=int)
    if number is None:
        raise BadInput(_("No charter was named."), remedy=_("Read it and accept it at its foot."))
    with session_write() as db:
        found = db.get(Charter, number)
        if found is not None and not all_ticked(found, request.form.getlist(TICKED), implied=False):
            raise BadInput(_("Not every box is ticked."), remedy=_("Read each part and tick its box."))
        charters.accept(db, person.id, number)
    flash(_("The charter is accepted."))
    return redirect(return_to(url_for("rse_core.home")), 303)
