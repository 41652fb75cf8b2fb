"""What a card said before: the list of changes, one earlier text, and the button that puts it back."""

from __future__ import annotations

from pathlib import Path

from flask import Response, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core import richtext
from rse_core.api import translator
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read, session_write

from .. import versions
from .base import KEPT, answer, blueprint, card_url, number

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


@blueprint.get("/cards/<int:card_id>/versions")
def card_versions(card_id: int) -> BaseResponse:
    """Who changed the title and the text of a card, and how."""
    person, scope = require_person(), f"kanban.versions:{card_id}"
    text, after = request.args.get("after", ""), None
    if text:
        after = int(decode_cursor(core().settings, text, scope).after[0])
    with session_read() as session:
        found = versions.of_card(session, person.id, card_id, after=after)
        more = None
        if found.after is not None:
            place = encode_cursor(core().settings, Cursor(scope, (found.after,)))
            more = url_for(".card_versions", card_id=card_id, after=place)
        return Response(render_template(
            "rse/kanban/versions.html", found=found, card=found.card, board=found.seat.board, more=more, first=not text,
            lines=versions.LINES,
        ))  # fmt: skip


@blueprint.route("/cards/<int:card_id>/versions/<int:revision_id>", methods=["GET", "POST"])
def card_version(card_id: int, revision_id: int) -> BaseResponse:
    """One earlier text, and what differs from it now; sent, the card says it again."""
    person = require_person()
    error = None
    if request.method == "POST":
        try:
            with session_write() as session:
                card = versions.put_back(session, person.id, card_id, revision_id, version=number("version", needed=True))
                waits = card.state == "pending"
            said = _("The earlier text is back, and waits for a moderator.") if waits else _("The earlier text is back.")
            return answer(said, card_url(card_id))
        except KEPT as refused:
            error = refused
    with session_read() as session:
        card, chair, change = versions.one(session, person.id, card_id, revision_id)
        html = render_template(
            "rse/kanban/version.html", card=card, chair=chair, board=chair.board, change=change, error=error,
            body=richtext.render(change.row.body, {}, rich=True),
            same=(card.title, card.body) == (change.row.title, change.row.body),
        )  # fmt: skip
    return Response(html, status=error.status if error else 200)
