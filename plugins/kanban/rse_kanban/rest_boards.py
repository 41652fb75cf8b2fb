"""REST: boards, their columns, lanes and labels; one's own cards and a team's."""

from __future__ import annotations

from typing import Any

from flask import request
from flask.views import MethodView
from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from rse_core.api import BadInput, translator
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person, session_read, session_write

from . import access, asking, boards, columns, history, listing, reading, schemas, shapes, templates, workload
from .access import Seat
from .models import Board

_ = translator(__file__, "rse_kanban").gettext
blueprint = Blueprint("rse_kanban_boards_api", __name__, url_prefix="/kanban", description="Boards, columns, lanes, labels")


def _seat(session: Session, person_id: int, board: Board) -> Seat:
    return access.seat(session, person_id, board)


@blueprint.route("/boards")
class Boards(MethodView):
    @blueprint.response(200, schemas.KanbanBoardsSchema)
    def get(self) -> dict[str, Any]:
        """The boards that one sees."""
        person = require_person()
        with session_read() as session:
            found = listing.boards(session, person.id)
            chairs = access.seats(session, person.id, [one.board for one in found])
            return {"items": [shapes.board(chair) for chair in chairs]}

    @blueprint.arguments(schemas.KanbanBoardWriteSchema)
    @blueprint.response(201, schemas.KanbanBoardSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a board, from nothing or from a template; once for an Idempotency-Key."""
        person = require_person()
        key = request.headers.get("Idempotency-Key")
        with session_write() as session:
            if body["template"] is not None:
                board = templates.board_from(session, person.id, body["template"], body["place"], body["title"], key=key)
            else:
                board = boards.create(
                    session, person.id, body["place"], body["title"], description=body["description"], key=key
                )
            return shapes.board(_seat(session, person.id, board))


@blueprint.route("/boards/<int:board_id>")
class OneBoard(MethodView):
    @blueprint.arguments(schemas.KanbanBoardQuery, location="query")
    @blueprint.response(200, schemas.KanbanWholeBoardSchema)
    def get(self, query: dict[str, Any], board_id: int) -> Any:
        """A board with its cards, all or those that a filter finds; its revision is the ETag."""
        person = require_person()
        with session_read() as session:
            where = asking.conditions(session, person.id, asking.parse(query["q"]))
            found = reading.board(session, person.id, board_id, where=where)
            return shapes.page(found), {"ETag": f'"{found.seat.board.revision}"'}

    @blueprint.arguments(schemas.KanbanBoardEditSchema)
    @blueprint.response(200, schemas.KanbanBoardSchema)
    def patch(self, body: dict[str, Any], board_id: int) -> dict[str, Any]:
        """Name it otherwise, archive it or open it again; what is left out stays."""
        person = require_person()
        with session_write() as session:
            if body["state"] is not None:
                board = boards.archive(session, person.id, board_id, body["state"] == "archived")
            if any(body[name] is not None for name in ("title", "description", "default_role")):
                board = boards.change(
                    session, person.id, board_id, version=body["version"], title=body["title"],
                    description=body["description"], default_role=body["default_role"],
                )  # fmt: skip
            elif body["state"] is None:
                raise BadInput(_("There is nothing to change in this."))
            return shapes.board(_seat(session, person.id, board))

    @blueprint.response(204)
    def delete(self, board_id: int) -> None:
        """Delete an archived board."""
        person = require_person()
        with session_write() as session:
            boards.remove(session, person.id, board_id)


@blueprint.route("/boards/<int:board_id>/columns")
class Columns(MethodView):
    @blueprint.arguments(schemas.KanbanColumnWriteSchema)
    @blueprint.response(201, schemas.KanbanColumnSchema)
    def post(self, body: dict[str, Any], board_id: int) -> Any:
        """Add a column."""
        person = require_person()
        with session_write() as session:
            return columns.add_column(
                session, person.id, board_id, body["name"], phase=body["phase"], wip_limit=body["wip_limit"],
                wip_hard=body["wip_hard"],
            )  # fmt: skip


@blueprint.route("/columns/<int:column_id>")
class OneColumn(MethodView):
    @blueprint.arguments(schemas.KanbanColumnWriteSchema)
    @blueprint.response(200, schemas.KanbanColumnSchema)
    def put(self, body: dict[str, Any], column_id: int) -> Any:
        """Change a column, or put it elsewhere."""
        person = require_person()
        with session_write() as session:
            return columns.change_column(
                session, person.id, column_id, name=body["name"], phase=body["phase"], wip_limit=body["wip_limit"],
                wip_hard=body["wip_hard"], position=body["position"],
            )  # fmt: skip

    @blueprint.arguments(schemas.KanbanIntoQuery, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any], column_id: int) -> None:
        """Take it away; its cards go to the column “into”."""
        person = require_person()
        if query["into"] is None:
            message = _("Its cards have to go to another column.")
            raise BadInput(message, fields={"into": message})
        with session_write() as session:
            columns.remove_column(session, person.id, column_id, into=query["into"])


@blueprint.route("/boards/<int:board_id>/lanes")
class Lanes(MethodView):
    @blueprint.arguments(schemas.KanbanLaneWriteSchema)
    @blueprint.response(201, schemas.KanbanLaneSchema)
    def post(self, body: dict[str, Any], board_id: int) -> Any:
        """Add a lane."""
        person = require_person()
        with session_write() as session:
            return columns.add_lane(session, person.id, board_id, body["name"])


@blueprint.route("/lanes/<int:lane_id>")
class OneLane(MethodView):
    @blueprint.arguments(schemas.KanbanLaneWriteSchema)
    @blueprint.response(200, schemas.KanbanLaneSchema)
    def put(self, body: dict[str, Any], lane_id: int) -> Any:
        """Name it otherwise, or put it elsewhere."""
        person = require_person()
        with session_write() as session:
            return columns.change_lane(session, person.id, lane_id, name=body["name"], position=body["position"])

    @blueprint.arguments(schemas.KanbanIntoQuery, location="query")
    @blueprint.response(204)
    def delete(self, query: dict[str, Any], lane_id: int) -> None:
        """Take it away; its cards stay in their columns, in the lane “into” or in none."""
        person = require_person()
        with session_write() as session:
            columns.remove_lane(session, person.id, lane_id, into=query["into"])


@blueprint.route("/boards/<int:board_id>/labels")
class Labels(MethodView):
    @blueprint.arguments(schemas.KanbanLabelWriteSchema)
    @blueprint.response(201, schemas.KanbanLabelSchema)
    def post(self, body: dict[str, Any], board_id: int) -> Any:
        """Add a label."""
        person = require_person()
        with session_write() as session:
            return columns.keep_label(session, person.id, board_id, body["name"], body["hue"])


@blueprint.route("/labels/<int:label_id>")
class OneLabel(MethodView):
    @blueprint.response(204)
    def delete(self, label_id: int) -> None:
        """Take a label away from the board and all its cards."""
        person = require_person()
        with session_write() as session:
            columns.remove_label(session, person.id, label_id)


@blueprint.route("/mine")
class Mine(MethodView):
    @blueprint.arguments(schemas.KanbanBoardQuery, location="query")
    @blueprint.response(200, schemas.KanbanMineSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The cards that one is assigned to, on all boards; those due first."""
        person = require_person()
        with session_read() as session:
            return {"items": [shapes.card(one) for one in workload.mine(session, person.id, query["q"]).cards]}


@blueprint.route("/team")
class Team(MethodView):
    @blueprint.arguments(schemas.KanbanTeamQuery, location="query")
    @blueprint.response(200, schemas.KanbanTeamSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """How much each has on their hands, on a board or on the boards of a space."""
        person = require_person()
        with session_read() as session:
            found = workload.team(session, person.id, board_id=query["board"], space_key=query["space"])
            return {"items": [
                {
                    "person": shapes.person(one.person), "todo": one.todo, "doing": one.doing, "late": one.late,
                    "soon": one.soon,
                }
                for one in found
            ]}  # fmt: skip


@blueprint.route("/boards/<int:board_id>/activity")
class KanbanHistory(MethodView):
    @blueprint.arguments(schemas.KanbanHistoryQuery, location="query")
    @blueprint.response(200, schemas.KanbanHistorySchema)
    def get(self, query: dict[str, Any], board_id: int) -> dict[str, Any]:
        """Who did what on a board, the latest first."""
        person, scope = require_person(), f"kanban.history.rest:{board_id}"
        settings = core().settings
        after = None
        if query["cursor"]:
            moment, number = decode_cursor(settings, query["cursor"], scope).after
            after = (str(moment), int(number))
        with session_read() as session:
            found = history.of_board(session, person.id, board_id, after=after, most=query["limit"])
            return {
                "items": [
                    {
                        "card": line.row.card_id, "title": line.title, "verb": line.row.verb, "data": line.row.data or {},
                        "person": shapes.person(line.who), "at": line.row.at,
                    }
                    for line in found.lines
                ],
                "next": encode_cursor(settings, Cursor(scope, found.after)) if found.after else None,
            }  # fmt: skip
