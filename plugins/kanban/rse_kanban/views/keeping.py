"""What is kept of boards to be used again: filters, templates, cards that repeat."""

from __future__ import annotations

from pathlib import Path

from flask import Response, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, translator
from rse_core.webapi import core, require_person, session_read, session_write

from .. import access, filters, placing, recurring, templates
from .base import KEPT, Typed, answer, blueprint, board_url, card_url, moment, number, typed

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


@blueprint.get("/boards/<int:board_id>/filters")
def filter_help(board_id: int) -> BaseResponse:
    """How a filter is written, and those that were saved."""
    return _filters(board_id, Typed({"q": request.args.get("q", "")}))


@blueprint.post("/boards/<int:board_id>/filters")
def save_filter(board_id: int) -> BaseResponse:
    """Save a filter, or take one away."""
    person = require_person()
    gone = number("remove")
    try:
        with session_write() as session:
            if gone is not None:
                filters.remove(session, person.id, gone)
                return answer(_("The filter was removed."), url_for(".filter_help", board_id=board_id))
            kept = filters.keep(
                session, person.id, board_id, request.form.get("name", ""), request.form.get("q", ""),
                shared=request.form.get("shared") == "1",
            )  # fmt: skip
            query = kept.query
    except KEPT as error:
        return _filters(board_id, typed(error))
    return answer(_("Saved."), url_for(".board", board_id=board_id, q=query))


def _filters(board_id: int, form: Typed) -> Response:
    person = require_person()
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        saved = filters.of_board(session, person.id, board_id)
        html = render_template(
            "rse/kanban/filters.html", board=chair.board, chair=chair, saved=saved, form=form, me=person.id
        )
    return Response(html, status=form.error.status if form.error else 200)


@blueprint.get("/boards/<int:board_id>/templates")
def keeping(board_id: int) -> BaseResponse:
    """The templates of a board, and its cards that repeat."""
    person = require_person()
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        html = render_template(
            "rse/kanban/keeping.html", board=chair.board, chair=chair, me=person.id,
            cards=templates.of_board(session, person.id, board_id, "card"),
            columns=templates.of_board(session, person.id, board_id, "column"),
            repeated=recurring.of_board(session, person.id, board_id),
            present=placing.columns_of(session, board_id),
        )  # fmt: skip
    return Response(html)


@blueprint.get("/cards/<int:card_id>/keep")
def keep_card(card_id: int) -> BaseResponse:
    """Repeat a card, or keep it as a template."""
    return _keep(card_id, Typed())


@blueprint.post("/cards/<int:card_id>/keep")
def kept_card(card_id: int) -> BaseResponse:
    """Either of the two forms."""
    person = require_person()
    try:
        with session_write() as session:
            if request.form.get("act") == "template":
                row = templates.keep(session, person.id, "card", card_id, request.form.get("name", ""))
                board_id = row.board_id
            else:
                starts = moment(request.form.get("starts_at", ""), "starts_at")
                if starts is None:
                    message = _("Say when the first one is made.")
                    raise BadInput(message, fields={"starts_at": message})
                again = recurring.repeat(
                    session, person.id, card_id, every=request.form.get("every", ""), times=number("times") or 1,
                    starts_at=starts, zone=core().settings.timezone, column_id=number("column", needed=True) or 0,
                )  # fmt: skip
                board_id = again.board_id
    except KEPT as error:
        return _keep(card_id, typed(error))
    return answer(_("Saved."), url_for(".keeping", board_id=board_id))


def _keep(card_id: int, form: Typed) -> Response:
    person = require_person()
    with session_read() as session:
        card, chair = access.open_card(session, person.id, card_id)
        chair.need_write()
        html = render_template(
            "rse/kanban/keep_card.html", card=card, chair=chair, board=chair.board, form=form, url=card_url(card_id),
            columns=placing.columns_of(session, card.board_id),
        )  # fmt: skip
    return Response(html, status=form.error.status if form.error else 200)


@blueprint.post("/columns/<int:column_id>/keep")
def keep_column(column_id: int) -> BaseResponse:
    """Keep a column as a template."""
    person = require_person()
    with session_write() as session:
        board_id = templates.keep(session, person.id, "column", column_id, request.form.get("name", "")).board_id
    return answer(_("Saved."), url_for(".keeping", board_id=board_id))


@blueprint.post("/boards/<int:board_id>/keep")
def keep_board(board_id: int) -> BaseResponse:
    """Keep a board as a template."""
    person = require_person()
    with session_write() as session:
        templates.keep(
            session, person.id, "board", board_id, request.form.get("name", ""),
            with_cards=request.form.get("with_cards") == "1",
        )  # fmt: skip
    return answer(_("The template is offered for new boards."), url_for(".board_settings", board_id=board_id))


@blueprint.post("/boards/<int:board_id>/templates")
def use_template(board_id: int) -> BaseResponse:
    """Make a column or a card from a template, take one away, or stop a card from repeating."""
    person = require_person()
    act, ident = request.form.get("act", ""), number("id", needed=True) or 0
    with session_write() as session:
        if act == "column":
            templates.column_from(session, person.id, ident, board_id)
        elif act == "card":
            place = placing.Place(number("column", needed=True) or 0)
            templates.card_from(session, person.id, ident, place, key=request.form.get("idempotency_key") or None)
        elif act == "remove":
            templates.remove(session, person.id, ident)
        elif act == "stop":
            recurring.stop(session, person.id, ident)
        else:
            raise BadInput(_("There is no such form."))
    where = board_url(board_id) if act in ("column", "card") else url_for(".keeping", board_id=board_id)
    return answer(_("Saved."), where)
