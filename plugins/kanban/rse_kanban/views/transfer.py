"""A board taken elsewhere, and cards that come from elsewhere."""

from __future__ import annotations

from pathlib import Path

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, translator
from rse_core.webapi import allow_files, require_person, session_read, session_write

from .. import access, exporting, importing
from ..importing import Report
from .base import KEPT, blueprint

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext
MEGABYTES = 8


@blueprint.get("/boards/<int:board_id>/transfer")
def transfer(board_id: int) -> BaseResponse:
    """Both ways."""
    return _page(board_id)


@blueprint.post("/boards/<int:board_id>/transfer")
@allow_files
def take_in(board_id: int) -> BaseResponse:
    """Take cards from a file; the answer says what was not taken."""
    person = require_person()
    try:
        sent = request.files.get("file")
        data = sent.stream.read(MEGABYTES * 1_048_576 + 1) if sent is not None else b""
        if not data:
            message = _("Choose a file.")
            raise BadInput(message, fields={"file": message})
        if len(data) > MEGABYTES * 1_048_576:
            message = _("This file is larger than %(most)s MB.", most=MEGABYTES)
            raise BadInput(message, fields={"file": message})
        with session_read() as session:
            access.open_board(session, person.id, board_id).need_write()
        parsed = importing.read(data)
        with session_write() as session:
            if len(parsed.cards) > importing.AT_ONCE:
                ident = importing.later.keep(session, person.id, board_id, parsed).id
                return redirect(url_for(".one_import", board_id=board_id, import_id=ident), 303)
            report = importing.apply(session, person.id, board_id, parsed)
    except KEPT as error:
        return _page(board_id, error=error)
    return _page(board_id, report=report)


@blueprint.get("/boards/<int:board_id>/imports/<int:import_id>")
def one_import(board_id: int, import_id: int) -> BaseResponse:
    """How far a large file has come, and what was not taken; made anew while it goes on."""
    person = require_person()
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        row = importing.later.of_person(session, person.id, board_id, import_id)
        html = render_template("rse/kanban/import.html", board=chair.board, row=row)
        waits = row.state == "waiting"
    result = Response(html)
    if waits:
        result.headers["Refresh"] = "5"
    result.headers["Cache-Control"] = "no-store"
    return result


def _page(board_id: int, *, report: Report | None = None, error: Exception | None = None) -> Response:
    person = require_person()
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        html = render_template(
            "rse/kanban/transfer.html", board=chair.board, chair=chair, report=report, error=error, most=MEGABYTES,
            imports=importing.later.of_board(session, person.id, board_id), at_once=importing.AT_ONCE,
        )
    return Response(html, status=getattr(error, "status", 200))


@blueprint.get("/boards/<int:board_id>/export.<kind>")
def export(board_id: int, kind: str) -> BaseResponse:
    """The board as a file: json or csv."""
    person = require_person()
    if kind not in ("json", "csv"):
        raise access.missing_board()
    with session_read() as session:
        text = (exporting.as_json if kind == "json" else exporting.as_csv)(session, person.id, board_id)
    # Spreadsheets take a file for UTF-8 by its first bytes.
    data = text.encode("utf-8-sig" if kind == "csv" else "utf-8")
    answer = Response(data, content_type="application/json" if kind == "json" else "text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="board-{board_id}.{kind}"'
    return answer
