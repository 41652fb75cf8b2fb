"""Moving cards without a script, one or many; putting them away and bringing them back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, translator
from rse_core.webapi import require_person, session_read, session_write

from .. import access, bulk, ending, listing, moving, placing
from ..cards import find_people
from ..changes import CardConflict
from ..models import Card, Column
from ..placing import Place
from .base import KEPT, answer, blueprint, board_url, card_url, moment, number, typed
from .boards import board_page

_t = translator(str(Path(__file__).parent), "rse_kanban")
_ = _t.gettext


@blueprint.route("/cards/<int:card_id>/move", methods=["GET", "POST"])
def move_card(card_id: int) -> BaseResponse:
    """“Move to…”: a column, a lane, a place in it; also to another board."""
    person = require_person()
    form = typed()
    if request.method == "POST":
        try:
            column = number("column", needed=True) or 0
            where = request.form.get("where", "last")
            after = int(where[6:]) if where.startswith("after:") and where[6:].isdecimal() else None
            with session_write() as session:
                place = Place(column, number("lane"), after=after, first=where == "first")
                done = moving.move(session, person.id, card_id, place, version=number("version"), undo=number("undo"))
                board_id, move_id, said = done.card.board_id, done.transition_id, done.said
            if said:
                flash(said)
            moved = move_id if move_id is not None and not request.form.get("undo") else None
            flash(_("The card was moved."))
            return redirect(url_for(".board", board_id=board_id, moved=moved, _anchor=f"c{card_id}"), 303)
        except KEPT as error:
            form = typed(error)
    with session_read() as session:
        card, chair = access.open_card(session, person.id, card_id)
        chair.need_move()
        wanted = request.args.get("board", "")
        board_id = int(wanted) if wanted.isdecimal() and len(wanted) < 19 else card.board_id
        if request.method == "POST" and form.get("board").isdecimal():
            board_id = int(form.get("board"))
        there = chair if board_id == card.board_id else access.open_board(session, person.id, board_id)
        columns, lanes = placing.columns_of(session, board_id), placing.lanes_of(session, board_id)
        rows = session.execute(
            select(Card.id, Card.title, Card.column_id)
            .where(Card.board_id == board_id, Card.state == "open", Card.rank.is_not(None), Card.id != card.id)
            .order_by(Card.rank).limit(500)
        ).all()  # fmt: skip
        others = {column.id: [row for row in rows if row.column_id == column.id] for column in columns}
        boards = [one for one in listing.boards(session, person.id) if one.board.id != board_id]
        html = render_template(
            "rse/kanban/move.html", card=card, chair=chair, there=there, columns=columns, lanes=lanes, others=others,
            boards=boards, form=form, stale=isinstance(form.error, CardConflict), column=session.get(Column, card.column_id),
        )  # fmt: skip
    return Response(html, status=form.error.status if form.error else 200)


@blueprint.post("/boards/<int:board_id>/many")
def many(board_id: int) -> BaseResponse:
    """Do something to many cards at once: move, archive, delete or restore them, give them people, labels, a date."""
    person = require_person()
    chosen = [int(one) for one in request.form.getlist("cards") if one.isdecimal() and len(one) < 19]
    texts = {ident: request.form.get(f"version-{ident}", "") for ident in chosen}
    cards = [(ident, int(text) if text.isdecimal() and len(text) < 9 else None) for ident, text in texts.items()]
    kind = request.form.get("act", "move")
    try:
        if not chosen:
            raise BadInput(_("Choose at least one card."), fields={"cards": _("None is chosen.")})
        with session_write() as session:
            done = _do(session, person.id, board_id, kind, cards)
    except KEPT as error:
        return board_page(board_id, typed(error))
    said, refused, taken = done
    flash(said)
    for left in refused:
        flash(_("“%(card)s” was left as it is: %(reason)s", card=left.title or f"#{left.card_id}", reason=str(left.error)))
    return redirect(url_for(".board", board_id=board_id, back=taken, q=request.form.get("q") or None), 303)


def _do(
    session: Session, person_id: int, board_id: int, kind: str, cards: Sequence[tuple[int, int | None]]
) -> tuple[str, Sequence[moving.Refused], str | None]:
    """Do it to each: what to say, what was left as it was, and what takes it back."""
    if kind == "move":
        place = Place(number("column", needed=True) or 0, number("lane"))
        moved, refused = moving.move_many(session, person_id, cards, place)
        for one in dict.fromkeys(done.said for done in moved if done.said):
            flash(one)
        return _t.ngettext("%(num)s card was moved.", "%(num)s cards were moved.", len(moved)), refused, None
    act, taken = _act(session, person_id, board_id, kind), None
    changed, refused = bulk.apply(session, person_id, cards, act)
    back = bulk.BACK.get(kind) if not request.form.get("undo") else None
    if back is not None and changed:
        detail = ",".join(map(str, act.people)) if act.people else act.label or ""
        taken = f"{back}:{detail}:{','.join(str(card.id) for card in changed)}"
    return _t.ngettext("%(num)s card was changed.", "%(num)s cards were changed.", len(changed)), refused, taken


def _act(session: Session, person_id: int, board_id: int, kind: str) -> bulk.Act:
    """What the form says of an act that is no move."""
    if kind in ("assign", "unassign"):
        ids = [int(one) for one in request.form.getlist("person") if one.isdecimal() and len(one) < 19]
        if not ids:
            chair = access.open_board(session, person_id, board_id)
            ids = find_people(session, chair, request.form.get("people", "").replace(",", " ").split())
        return bulk.Act(kind, people=ids)
    if kind in ("label", "unlabel"):
        return bulk.Act(kind, label=number("label", needed=True))
    return bulk.Act(kind, due_at=moment(request.form.get("due_at", ""), "due_at") if kind == "due" else None)


@blueprint.post("/cards/<int:card_id>/archive")
def archive_card(card_id: int) -> BaseResponse:
    """Put a card away."""
    person = require_person()
    with session_write() as session:
        board_id = ending.archive(session, person.id, card_id, version=number("version")).board_id
    return answer(_("The card was archived."), board_url(board_id))


@blueprint.post("/cards/<int:card_id>/restore")
def restore_card(card_id: int) -> BaseResponse:
    """Bring a card back."""
    person = require_person()
    with session_write() as session:
        ending.restore(session, person.id, card_id, column_id=number("column"))
    return answer(_("The card is on the board again."), card_url(card_id))


@blueprint.post("/cards/<int:card_id>/delete")
def delete_card(card_id: int) -> BaseResponse:
    """Delete a card."""
    person = require_person()
    with session_write() as session:
        board_id = ending.delete(session, person.id, card_id, version=number("version")).board_id
    return answer(_("The card was deleted. Those who run the board can bring it back within 30 days."), board_url(board_id))


@blueprint.get("/boards/<int:board_id>/archive")
def put_away(board_id: int) -> BaseResponse:
    """What was archived on a board; what was deleted, for those who run it."""
    person = require_person()
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        archived = ending.put_away(session, person.id, board_id)
        deleted = ending.put_away(session, person.id, board_id, deleted=True) if chair.manageable else []
        html = render_template(
            "rse/kanban/put_away.html", board=chair.board, chair=chair, archived=archived, deleted=deleted
        )
    return Response(html)
