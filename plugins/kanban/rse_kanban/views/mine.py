"""One's own cards on all boards, and what a team has on its hands."""

from __future__ import annotations

from pathlib import Path

from flask import Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, NotFound, translator
from rse_core.webapi import require_person, session_read

from .. import access, workload
from .base import blueprint

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


@blueprint.get("/mine")
def mine() -> BaseResponse:
    """The cards that one works on."""
    person = require_person()
    text, error = request.args.get("q", ""), None
    with session_read() as session:
        try:
            found = workload.mine(session, person.id, text)
        except BadInput as refused:
            error, found = refused, workload.mine(session, person.id)
        html = render_template("rse/kanban/mine.html", found=found, query=text, error=error)
    return Response(html, status=422 if error else 200)


@blueprint.get("/team")
def team() -> BaseResponse:
    """How much each has on their hands, on a board or on the boards of a space."""
    person = require_person()
    board, space = request.args.get("board", ""), request.args.get("space", "")
    if not space and (not board.isdecimal() or len(board) > 18):
        raise NotFound(_("Say of which board or space."), remedy=_("Open it from a board."))
    with session_read() as session:
        board_id = int(board) if board.isdecimal() else None
        loads = workload.team(session, person.id, board_id=board_id, space_key=space)
        shown = access.open_board(session, person.id, board_id).board if board_id is not None else None
        most = max((load.all for load in loads), default=0)
        html = render_template("rse/kanban/team.html", loads=loads, board=shown, space=space, most=most)
    return Response(html)
