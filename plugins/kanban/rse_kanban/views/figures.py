"""The figures of a board: pictures with the tables beside them."""

from __future__ import annotations

from flask import Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.webapi import require_person, session_read

from .. import access, figures
from .base import blueprint


@blueprint.get("/boards/<int:board_id>/figures")
def figures_page(board_id: int) -> BaseResponse:
    """Flow, times, and what has stood longest."""
    person = require_person()
    asked = request.args.get("days", "")
    days = int(asked) if asked in {str(one) for one in figures.DAYS} else 30
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        found = figures.of_board(session, person.id, board_id, days=days)
        html = render_template(
            "rse/kanban/figures.html", board=chair.board, found=found, picture=figures.picture(found), days=days,
            offered=figures.DAYS, few=figures.FEW, size=(figures.WIDTH, figures.HEIGHT, figures.LEFT),
        )  # fmt: skip
    return Response(html)
