"""The list of boards, a new board, a board, and what has changed on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Response, jsonify, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core import audiences, spaces
from rse_core.api import BadInput, NotFound, ObjectRef, Target, can, current_locale, translator
from rse_core.webapi import core, require_person, session_read, session_write, slot_markup

from .. import access, asking, boards, bulk, filters, listing, live, moving, reading, templates
from ..access import Seat
from ..models import Card, Transition
from ..reading import Page
from . import faces
from .base import KEPT, Typed, answer, blueprint, board_url, typed

_t = translator(str(Path(__file__).parent), "rse_kanban")
_ = _t.gettext


@blueprint.get("/")
def index() -> BaseResponse:
    """The boards that one sees; those of one space with ``?space=KEY``."""
    person = require_person()
    key, archived = request.args.get("space", ""), request.args.get("archived") == "1"
    with session_read() as session:
        space = spaces.by_key(session, key) if key else None
        if key and space is None:
            raise NotFound(_("There is no such space."))
        found = listing.boards(session, person.id, space_id=space.id if space else None, archived=archived)
        if space is not None and not found:
            here = Target(audiences.of_space(session, space.id), space_id=space.id)
            if not can(session, person.id, access.READ, here).allowed:
                raise NotFound(_("There is no such space."))
        if not found:
            _need_reading(session, person.id)
        may_make = bool(boards.places(session, person.id))
    # Of a space in which one reads nothing not even the name is shown.
    shown = space if space is not None and found else None
    return Response(render_template("rse/kanban/index.html", found=found, space=shown, archived=archived, may_make=may_make))


def _need_reading(session: Session, person_id: int) -> None:
    from rse_core.api import Forbidden, open_audiences

    decision = can(session, person_id, access.READ)
    if not decision.allowed and not open_audiences(session, person_id, access.READ):
        raise Forbidden(str(decision.message), decision=decision)


@blueprint.route("/boards/new", methods=["GET", "POST"])
def new_board() -> BaseResponse:
    """Make a board, from nothing or from a template."""
    person = require_person()
    form = typed()
    if request.method == "POST":
        template = request.form.get("template", "")
        try:
            with session_write() as session:
                place, title = request.form.get("place", ""), request.form.get("title", "")
                key = request.form.get("idempotency_key") or None
                if template.isdecimal() and len(template) < 19:
                    board = templates.board_from(session, person.id, int(template), place, title, key=key)
                else:
                    text = request.form.get("description", "")
                    board = boards.create(session, person.id, place, title, description=text, key=key)
                ident = board.id
            return answer(_("The board is there."), board_url(ident))
        except KEPT as error:
            form = typed(error)
    with session_read() as session:
        offered = boards.places(session, person.id)
        if not offered and request.method == "GET":
            decision = can(session, person.id, access.MANAGE)
            from rse_core.api import Forbidden

            raise Forbidden(str(decision.message), decision=decision)
        made = templates.of_boards(session, person.id)
    html = render_template(
        "rse/kanban/new_board.html", form=form, offered=offered, templates=made, place=request.args.get("place", "")
    )
    return Response(html, status=form.error.status if form.error else 200)


@blueprint.get("/boards/<int:board_id>")
def board(board_id: int) -> BaseResponse:
    """A board with its cards."""
    return board_page(board_id)


def board_page(board_id: int, form: Typed | None = None) -> Response:
    """The page of a board.

    :param form: what was to be done with many cards and was refused: they are chosen again, with what was typed.
    """
    person, form = require_person(), form or Typed()
    text, error = request.args.get("q", "") or form.get("q"), form.error
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        try:
            where = asking.conditions(session, person.id, asking.parse(text))
        except BadInput as refused:
            where, error = [], refused
        page = reading.board(session, person.id, board_id, where=where, chair=chair)
        saved = filters.of_board(session, person.id, board_id)
        undo, back = _last_move(session, person.id, page), _many_back(page)
        rows = [(lane.id, lane.name) for lane in page.lanes]
        # Where every card has a lane, the row for those that have none comes last.
        loose = any(pile.loose for pile in page.piles)
        rows = [(0, _("No lane")), *rows] if loose else [*rows, (0, _("No lane"))]
        level, counts = 4 if page.lanes else 3, _comments(session, page.refs)
        select = request.args.get("select") == "1" or form.error is not None
        chosen = frozenset(int(one) for one in form.many.get("cards", ()) if one.isdecimal() and len(one) < 19)
        html = render_template(
            "rse/kanban/board.html", page=page, board=chair.board, chair=chair, query=text, error=error, saved=saved,
            undo=undo, back=back, words=words(chair), select=select, level=level,
            state_url=url_for(".state", board_id=board_id, q=text or None), more_pages=more_pages(),
            api_url=f"{core().settings.url_prefix}/api/v1/kanban", lanes=rows, counts=counts,
            shown=faces.showing(chair, level=level, select=select, counts=counts, chosen=chosen, drawn=page.drawn),
            form=form,
            names={
                "columns": {str(pile.column.id): pile.column.name for pile in page.piles},
                "lanes": {"0": _("No lane"), **{str(lane.id): lane.name for lane in page.lanes}} if page.lanes else {},
            },
            templates=templates.of_board(session, person.id, board_id, "card", chair=chair) if chair.writable else [],
        )  # fmt: skip
    result = Response(html, status=error.status if error else 200)
    result.headers["Cache-Control"] = "private, no-cache"
    return result


@blueprint.get("/boards/<int:board_id>/state")
def state(board_id: int) -> BaseResponse:
    """What has changed on a board since a revision; cheap, and conditional. Whatever wakes the page asks this."""
    person = require_person()
    since, text = request.args.get("since", "0"), request.args.get("q", "")
    since_number = int(since) if since.isdecimal() and len(since) < 18 else 0
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        mark = f"{chair.board.revision}|{chair.role}|{chair.movable}|{current_locale()}|{text}|{since_number}"
        etag = hashlib.blake2b(mark.encode(), digest_size=9).hexdigest()
        if request.if_none_match.contains(etag):
            answered: BaseResponse = Response(status=304)
        else:
            where = asking.conditions(session, person.id, asking.parse(text))
            found = live.since(session, chair, since_number, where)
            counts = _comments(session, [access.card_ref(card.id) for card in found.changed])
            shared = {"chair": chair, "level": 4 if found.lanes else 3, "counts": counts}
            answered = jsonify(
                {
                    "revision": chair.board.revision, "structure": chair.board.version,
                    "columns": {
                        str(pile.column.id): {"count": _count(pile), "over": pile.over, "full": pile.full}
                        for pile in found.piles
                    },
                    "order": found.order,
                    "cards": {
                        str(card.id): {
                            "version": card.version,
                            "html": render_template("rse/kanban/_one.html", card=card, **shared),
                        }
                        for card in found.changed
                    },
                }
            )  # fmt: skip
    answered.headers["ETag"] = f'"{etag}"'
    answered.headers["Cache-Control"] = "private, no-cache"
    return answered


def _comments(session: Session, cards: Sequence[ObjectRef]) -> dict[int, Markup]:
    """What others put beside these cards: how many comments each has; in a fixed number of queries."""
    found = slot_markup(session, "comment_count", cards)
    return {int(ref.id): html for ref, html in found.items()}


def _count(pile: reading.Pile) -> str:
    if pile.column.wip_limit is None:
        return str(pile.count)
    return _("%(count)s of %(limit)s", count=pile.count, limit=pile.column.wip_limit)


def _last_move(session: Session, person_id: int, page: Page) -> dict[str, Any] | None:
    """The move that the person has just made by a form, to be taken back without JavaScript."""
    text = request.args.get("moved", "")
    if not text.isdecimal() or len(text) > 18 or not page.seat.movable:
        return None
    row = session.get(Transition, int(text))
    if row is None or row.person_id != person_id or row.undone or row.from_id is None or row.board_id != page.seat.board.id:
        return None
    last = session.scalar(
        select(Transition.id).where(Transition.card_id == row.card_id).order_by(Transition.id.desc()).limit(1)
    )
    card = session.get(Card, row.card_id)
    if last != row.id or card is None:
        return None
    return {"move": row.id, "card": card.id, "title": card.title, "column": row.from_id, "version": card.version}


def _many_back(page: Page) -> dict[str, Any] | None:
    """What takes back what the person has just done to many cards; the form asks the same rights again."""
    kind, _colon, rest = request.args.get("back", "").partition(":")
    detail, _colon, ids = rest.partition(":")
    numbers = [int(one) for one in ids.split(",") if one.isdecimal() and len(one) < 19]
    if kind not in bulk.ACTS or not page.seat.writable or not 0 < len(numbers) <= moving.MOST:
        return None
    details = [one for one in detail.split(",") if one.isdecimal() and len(one) < 19]
    versions = {ident: page.by_id[ident].version for ident in numbers if ident in page.by_id}
    field = "person" if kind in ("assign", "unassign") else "label" if kind in ("label", "unlabel") else ""
    return {"act": kind, "ids": numbers, "versions": versions, "field": field, "details": details}


def more_pages() -> list[tuple[str, str, str]]:
    """Pages about a board: endpoint, words, icon."""
    return [
        ("rse_kanban.figures_page", _("Figures"), "chart-line"),
        ("rse_kanban.board_history", _("What happened"), "clock"),
        ("rse_kanban.sharing", _("Calendar and screen"), "monitor"),
        ("rse_kanban.transfer", _("Import and export"), "download"),
        ("rse_kanban.keeping", _("Templates and recurring cards"), "repeat"),
    ]


def words(chair: Seat) -> dict[str, str]:
    """What the board's script says, in the reader's language."""
    return {
        "help": _("Press Space to pick the card up, Enter to open it."),
        "picked": _("“%(card)s” is picked up. Arrow keys move it, Space drops it, Escape puts it back.", card="%c"),
        "at": _("“%(card)s”: %(column)s, place %(place)s of %(count)s", card="%c", column="%k", place="%p", count="%n"),
        "dropped": _("“%(card)s” was dropped in %(column)s, place %(place)s.", card="%c", column="%k", place="%p"),
        "cancelled": _("“%(card)s” is back where it was.", card="%c"),
        "moved": _("“%(card)s” was moved to %(column)s.", card="%c", column="%k"),
        "undo": _("Take it back"),
        "undone": _("“%(card)s” is back in %(column)s.", card="%c", column="%k"),
        "refused": _("“%(card)s” was not moved: %(reason)s", card="%c", reason="%r"),
        "conflict": _("Somebody else has moved “%(card)s” to %(column)s meanwhile.", card="%c", column="%k"),
        "anyway": _("Move it all the same"),
        "leave": _("Leave it there"),
        "offline": _("No connection: moves that wait: %(count)s. They are sent as soon as there is one.", count="%n"),
        "sign": _("You are signed out: sign in again, then your moves are sent."),
        "changed": _("Others have changed this list."),
        "show": _("Show it now"),
        "structure": _("The columns of this board have changed."),
        "reload": _("Reload the board"),
        "gone": _("This board is no longer open to you."),
        "choose": _("Move “%(card)s” to…", card="%c"),
        "close": _("Close"),
        "collapse": _("Fold"),
        "expand": _("Unfold"),
        "shown": _("Cards shown: %(count)s", count="%n"),
    }  # fmt: skip
