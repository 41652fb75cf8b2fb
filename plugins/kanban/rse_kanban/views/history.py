"""What was done on a board and to a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Response, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import translator
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read

from .. import history
from .base import blueprint
from .cards import told_of

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


def place(scope: str) -> history.Place | None:
    """Where the page that is asked for begins.

    :raises CursorError: for what is no place in this list.
    """
    text = request.args.get("after", "")
    if not text:
        return None
    moment, number = decode_cursor(core().settings, text, scope).after
    return str(moment), int(number)


@blueprint.get("/boards/<int:board_id>/activity")
def board_history(board_id: int) -> BaseResponse:
    """Who did what on a board."""
    scope = f"kanban.history:{board_id}"
    person = require_person()
    with session_read() as session:
        found = history.of_board(session, person.id, board_id, after=place(scope))
        return _page(found, scope, ".board_history", "board_id", board_id)


@blueprint.get("/cards/<int:card_id>/activity")
def card_history(card_id: int) -> BaseResponse:
    """Who did what to a card."""
    scope = f"kanban.history.card:{card_id}"
    person = require_person()
    with session_read() as session:
        found = history.of_card(session, person.id, card_id, after=place(scope))
        return _page(found, scope, ".card_history", "card_id", card_id)


def _page(found: history.History, scope: str, endpoint: str, name: str, ident: int) -> Response:
    more = None
    if found.after is not None:
        values: dict[str, Any] = {name: ident, "after": encode_cursor(core().settings, Cursor(scope, found.after))}
        more = url_for(endpoint, **values)
    return Response(render_template(
        "rse/kanban/history.html", found=found, board=found.seat.board, card=found.card, more=more, told=told_of,
        first=not request.args.get("after"),
    ))  # fmt: skip
