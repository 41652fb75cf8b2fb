"""The small forms on a card's page: its checklist, its links, what it is a part of."""

from __future__ import annotations

from pathlib import Path

from flask import Response, jsonify, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, NotFound, ObjectRef, translator
from rse_core.webapi import require_person, session_read, session_write

from .. import about, access, checklist, links, reading, referring
from ..models import CheckItem
from .base import answer, blueprint, card_url, day, typed
from .cards import card_page

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


@blueprint.post("/cards/<int:card_id>/items")
def add_item(card_id: int) -> BaseResponse:
    """Add a line to the checklist."""
    person = require_person()
    people = request.form.get("person", "").split()
    with session_write() as session:
        checklist.add(
            session, person.id, card_id, request.form.get("text", ""), people=people,
            due_on=day(request.form.get("due_on", ""), "due_on"),
        )  # fmt: skip
    return redirect(f"{card_url(card_id)}#checklist", 303)


@blueprint.post("/items/<int:item_id>/tick")
def tick_item(item_id: int) -> BaseResponse:
    """Tick a line off, or not."""
    person = require_person()
    with session_write() as session:
        card_id = checklist.tick(session, person.id, item_id, request.form.get("done") == "1").card_id
    return redirect(f"{card_url(card_id)}#checklist", 303)


@blueprint.route("/items/<int:item_id>/edit", methods=["GET", "POST"])
def edit_item(item_id: int) -> BaseResponse:
    """Change a line of a checklist, or take it away."""
    person = require_person()
    error: BadInput | Conflict | None = None
    if request.method == "POST":
        try:
            with session_write() as session:
                if request.form.get("act") == "remove":
                    card_id = checklist.remove(session, person.id, item_id).id
                else:
                    due = day(request.form.get("due_on", ""), "due_on")
                    card_id = checklist.change(
                        session, person.id, item_id, text=request.form.get("text", ""),
                        people=request.form.get("person", "").split(), due_on=due or False, was=request.form.get("was"),
                    ).card_id  # fmt: skip
            return redirect(f"{card_url(card_id)}#checklist", 303)
        except (BadInput, Conflict) as refused:
            error = refused
    with session_read() as session:
        item, found = _item(session, person.id, item_id)
        html = render_template("rse/kanban/item.html", item=item, found=found, card=found.card, error=error)
    return Response(html, status=error.status if error else 200)


def _item(session: Session, person_id: int, item_id: int) -> tuple[CheckItem, reading.Sheet]:
    item = session.get(CheckItem, item_id)
    if item is None:
        raise access.missing_card()
    found = reading.sheet(session, person_id, item.card_id)
    found.seat.need_write()
    return item, found


@blueprint.get("/cards/<int:card_id>/offers")
def offers(card_id: int) -> Response:
    """What the card may refer to that goes by what somebody types; with ``of=cards`` other cards alone."""
    person = require_person()
    with session_read() as session:
        only = request.args.get("of") == "cards"
        found = referring.suggest(session, person.id, card_id, request.args.get("q", ""), only_cards=only)
    answered = jsonify([
        {"ref": str(one.ref), "title": one.title, "label": " · ".join(filter(None, (one.kind, one.where)))} for one in found
    ])  # fmt: skip
    answered.headers["Cache-Control"] = "private, no-store"
    return answered


@blueprint.post("/cards/<int:card_id>/about")
def about_card(card_id: int) -> BaseResponse:
    """Say what the card is about, as it was chosen or by its address, or no longer. Another card is linked to it."""
    person, chosen = require_person(), request.form.get("ref", "")
    try:
        with session_write() as session:
            if request.form.get("act") == "remove":
                about.remove(session, person.id, card_id, ObjectRef.parse(chosen))
            else:
                found = ObjectRef.parse(chosen) if chosen else None
                found = found or about.find(session, request.form.get("link", ""), host=request.host)
                if found.type == access.CARD:
                    links.link(session, person.id, card_id, referring.other_card(session, "", ref=str(found)), "relates")
                else:
                    about.add(session, person.id, card_id, found)
    except (BadInput, Conflict, NotFound) as error:
        return card_page(card_id, typed(error))
    return answer(_("Saved."), f"{card_url(card_id)}#links")


@blueprint.post("/cards/<int:card_id>/link")
def link_card(card_id: int) -> BaseResponse:
    """Say what the card has to do with another, or no longer; what it is a part of."""
    person, kind, gone = require_person(), request.form.get("kind", ""), request.form.get("act") == "remove"
    try:
        with session_write() as session:
            text, chosen = request.form.get("other", ""), request.form.get("ref", "")
            other = referring.other_card(session, text, ref=chosen, host=request.host)
            if kind in ("parent", "child"):
                part, whole = (card_id, other) if kind == "parent" else (other, card_id)
                links.set_parent(session, person.id, part, None if gone else whole)
            elif gone:
                links.unlink(session, person.id, card_id, other, kind)
            else:
                links.link(session, person.id, card_id, other, kind)
    except (BadInput, Conflict, NotFound) as error:
        return card_page(card_id, typed(error))
    return answer(_("Saved."), f"{card_url(card_id)}#links")
