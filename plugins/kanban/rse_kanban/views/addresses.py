"""Addresses that read without signing in: made and revoked; what they give."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Response, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import TooMany, translator, use_locale
from rse_core.webapi import actor, core, require_person, session_read, session_write

from .. import access, addresses, ical
from .base import KEPT, answer, blueprint, number

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


@blueprint.get("/addresses")
def addresses_page() -> BaseResponse:
    """One's addresses."""
    return _own()


@blueprint.post("/addresses")
def change_addresses() -> BaseResponse:
    """Make a calendar of all that one works on, or revoke an address."""
    return _change(None)


@blueprint.get("/boards/<int:board_id>/sharing")
def sharing(board_id: int) -> BaseResponse:
    """The calendar and the screens of a board."""
    return _own(board_id)


@blueprint.post("/boards/<int:board_id>/sharing")
def change_sharing(board_id: int) -> BaseResponse:
    """Make or revoke one."""
    return _change(board_id)


def _change(board_id: int | None) -> BaseResponse:
    require_person()
    gone = number("revoke")
    if gone is not None:
        with session_write() as session:
            addresses.revoke(session, actor(), gone)
        here = url_for(".addresses_page") if board_id is None else url_for(".sharing", board_id=board_id)
        return answer(_("The address was revoked."), here)
    kind = "calendar" if board_id is None else request.form.get("kind", "")
    try:
        with session_write() as session:
            row, token = addresses.create(session, actor(), kind, request.form.get("name", ""), board_id=board_id)
            made = (row.kind, row.name, token)
    except KEPT as error:
        return _own(board_id, error=error)
    return _own(board_id, made=made)


def _own(
    board_id: int | None = None, *, made: tuple[str, str, str] | None = None, error: Exception | None = None
) -> Response:
    person = require_person()
    with session_read() as session:
        board = access.open_board(session, person.id, board_id) if board_id is not None else None
        owned = addresses.of_person(session, person.id, board_id)
        others = addresses.of_board(session, person.id, board.board.id) if board is not None and board.manageable else []
    link = ""
    if made is not None:
        link = url_for(".calendar" if made[0] == "calendar" else ".screen", token=made[2], _external=True)
    result = Response(render_template(
        "rse/kanban/addresses.html", owned=owned, others=others, made=made, link=link, error=error, most=addresses.MOST,
        board=board.board if board is not None else None, name=request.form.get("name", "") if error else "",
    ), status=getattr(error, "status", 200))  # fmt: skip
    result.headers["Cache-Control"] = "no-store"
    return result


@blueprint.get("/calendar/<token>.ics")
def calendar(token: str) -> Response:
    """What is due, for a program that reads calendars."""
    found = _admit(token, "calendar")
    if isinstance(found, Response):
        return found
    with session_read() as session:
        entries = addresses.due(session, found)
    if entries is None:
        return _closed()
    base = url_for(".card", card_id=0, _external=True).removesuffix("0")
    body = ical.calendar(entries, name=found.name, host=request.host.partition(":")[0], base=base)
    result = Response(body, content_type="text/calendar; charset=utf-8")
    result.set_etag(hashlib.blake2b(body, digest_size=12).hexdigest())
    return _private(result.make_conditional(request))  # type: ignore[arg-type]


@blueprint.get("/screen/<token>")
def screen(token: str) -> Response:
    """A board for a screen on a wall: to be looked at and nothing else; made anew each minute."""
    found = _admit(token, "screen")
    if isinstance(found, Response):
        return found
    with session_read() as session, use_locale(found.locale or core().settings.default_locale):
        page = addresses.screen(session, found)
        if page is None:
            return _closed()
        html = render_template("rse/kanban/screen.html", page=page, board=page.seat.board, level=4 if page.lanes else 3)
    result = Response(html)
    result.headers["Refresh"] = "60"
    result.set_etag(hashlib.blake2b(html.encode(), digest_size=12).hexdigest())
    return _private(result.make_conditional(request))  # type: ignore[arg-type]


def _admit(token: str, kind: str) -> addresses.Admitted | Response:
    """Whatever closes an address, it answers as one that never was."""
    try:
        with session_write() as session:
            found = addresses.admit(session, token, kind)
    except TooMany as error:
        refused = Response(status=429, mimetype="text/plain")
        refused.headers["Retry-After"] = str(error.retry_after)
        return _private(refused)
    return found if found is not None else _closed()


def _closed() -> Response:
    return _private(Response(status=404, mimetype="text/plain"))


def _private(result: Response) -> Response:
    result.headers["Cache-Control"] = "private, no-cache"
    result.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    result.headers["Referrer-Policy"] = "no-referrer"
    return result


