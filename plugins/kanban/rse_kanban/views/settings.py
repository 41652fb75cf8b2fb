"""How a board is set up: columns, lanes, labels, fields, who works on it, passages, rules. Few pages, many small forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, NotFound, translator
from rse_core.webapi import require_person, session_read, session_write

from .. import access, boards, columns, fields, placing, reading, roles, rules
from .base import KEPT, Typed, answer, blueprint, board_url, number, typed

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext
Act = Callable[[Session, int, int], Any]
PARTS = ("board", "columns", "people", "fields", "rules")


@blueprint.get("/boards/<int:board_id>/settings")
@blueprint.get("/boards/<int:board_id>/settings/<part>")
def board_settings(board_id: int, part: str = "board") -> BaseResponse:
    """One part of the settings."""
    return _page(board_id, part, Typed())


@blueprint.post("/boards/<int:board_id>/settings/<part>/<act>")
def change_settings(board_id: int, part: str, act: str) -> BaseResponse:
    """One of the forms."""
    person = require_person()
    run = ACTS.get((part, act))
    if run is None:
        raise NotFound(_("There is no such form."))
    try:
        with session_write() as session:
            run(session, person.id, board_id)
    except KEPT as error:
        form = typed(error)
        form.values = {**form.values, "act": act}
        return _page(board_id, part, form)
    where = url_for(".index") if act == "delete" and part == "board" else url_for(
        ".board_settings", board_id=board_id, part=part
    )
    return answer(_("Saved."), where)


def _page(board_id: int, part: str, form: Typed) -> Response:
    person = require_person()
    if part not in PARTS:
        raise NotFound(_("There is no such page."))
    with session_read() as session:
        chair = access.open_board(session, person.id, board_id)
        chair.need_manage()
        board = chair.board
        values: dict[str, Any] = {
            "columns": placing.columns_of(session, board_id), "labels": columns.labels_of(session, board_id),
        }  # fmt: skip
        if part == "columns":
            found = reading.board(session, person.id, board_id, where=(), chair=chair)
            values |= {"piles": found.piles, "lanes": found.lanes}
        elif part == "people":
            values |= {"roles": roles.of_board(session, board_id), "passages": roles.passages_of(session, board_id)}
        elif part == "fields":
            values |= {"fields": fields.fields_of(session, board_id)}
        elif part == "rules":
            values |= {
                "rules": rules.rules_of(session, board_id), "runs": rules.runs_of(session, board_id),
                "people": roles.workers(session, board),
            }  # fmt: skip
        html = render_template(
            f"rse/kanban/settings_{part}.html", board=board, chair=chair, part=part, form=form, error=form.error,
            triggers=rules.TRIGGERS, acts=rules.ACTS, kinds=fields.KINDS, board_url=board_url(board_id), **values,
        )  # fmt: skip
    return Response(html, status=form.error.status if form.error else 200)


# -- what each form does -------------------------------------------------------------------------------------------------


def _own(session: Session, board_id: int, table: Any, ident: int | None) -> int:
    """A part of this very board. :raises NotFound: for another's."""
    row = session.get(table, ident or 0)
    if row is None or row.board_id != board_id:
        raise NotFound(_("This board has no such part."))
    return int(row.id)


def _board(session: Session, person_id: int, board_id: int) -> None:
    boards.change(
        session, person_id, board_id, version=number("version"), title=request.form.get("title", ""),
        description=request.form.get("description", ""), default_role=request.form.get("default_role") or None,
    )  # fmt: skip


def _add_column(session: Session, person_id: int, board_id: int) -> None:
    columns.add_column(
        session, person_id, board_id, request.form.get("name", ""), phase=request.form.get("phase", "todo"),
        wip_limit=number("wip_limit"), wip_hard=request.form.get("wip_hard") == "1",
    )  # fmt: skip


def _change_column(session: Session, person_id: int, board_id: int) -> None:
    from ..models import Column

    position = number("position")
    columns.change_column(
        session, person_id, _own(session, board_id, Column, number("id")), name=request.form.get("name", ""),
        phase=request.form.get("phase", ""), wip_limit=number("wip_limit"), wip_hard=request.form.get("wip_hard") == "1",
        position=None if position is None else position - 1,
    )  # fmt: skip


def _remove_column(session: Session, person_id: int, board_id: int) -> None:
    from ..models import Column

    columns.remove_column(
        session, person_id, _own(session, board_id, Column, number("id")), into=number("into", needed=True) or 0
    )


def _add_lane(session: Session, person_id: int, board_id: int) -> None:
    columns.add_lane(session, person_id, board_id, request.form.get("name", ""))


def _change_lane(session: Session, person_id: int, board_id: int) -> None:
    from ..models import Lane

    position = number("position")
    columns.change_lane(
        session, person_id, _own(session, board_id, Lane, number("id")), name=request.form.get("name", ""),
        position=None if position is None else position - 1,
    )  # fmt: skip


def _remove_lane(session: Session, person_id: int, board_id: int) -> None:
    from ..models import Lane

    columns.remove_lane(session, person_id, _own(session, board_id, Lane, number("id")), into=number("into"))


def _keep_label(session: Session, person_id: int, board_id: int) -> None:
    columns.keep_label(
        session, person_id, board_id, request.form.get("name", ""), number("hue") or 0, label_id=number("id")
    )


def _remove_label(session: Session, person_id: int, board_id: int) -> None:
    from ..models import Label

    columns.remove_label(session, person_id, _own(session, board_id, Label, number("id")))


def _keep_field(session: Session, person_id: int, board_id: int) -> None:
    fields.keep(
        session, person_id, board_id, name=request.form.get("name", ""), kind=request.form.get("kind", ""),
        choices=request.form.get("choices", "").splitlines(), on_board=request.form.get("on_board") == "1",
        field_id=number("id"),
    )  # fmt: skip


def _remove_field(session: Session, person_id: int, board_id: int) -> None:
    from ..models import Field

    fields.remove(session, person_id, _own(session, board_id, Field, number("id")))


def _role(session: Session, person_id: int, board_id: int) -> None:
    roles.give(session, person_id, board_id, request.form.get("who", ""), request.form.get("role", ""))


def _no_role(session: Session, person_id: int, board_id: int) -> None:
    roles.take(session, person_id, board_id, request.form.get("kind", ""), number("id", needed=True) or 0)


def _passage(session: Session, person_id: int, board_id: int) -> None:
    roles.allow(
        session, person_id, board_id, from_id=number("from"), to_id=number("to"), who=request.form.get("who", "")
    )


def _no_passage(session: Session, person_id: int, board_id: int) -> None:
    roles.disallow(session, person_id, board_id, number("id", needed=True) or 0)


def _rule(session: Session, person_id: int, board_id: int) -> None:
    trigger, act = request.form.get("trigger", ""), request.form.get("act_kind", "")
    what = rules.TRIGGER_KINDS.get(trigger, "")
    done = rules.ACT_KINDS.get(act, "")
    if trigger not in rules.TRIGGERS or act not in rules.ACTS:
        raise BadInput(_("A rule says what happens, and what is done then."), fields={"trigger": _("Choose one.")})
    rules.keep(
        session, person_id, board_id, name=request.form.get("name", ""), trigger=trigger,
        trigger_id=number(f"trigger_{what}") if what else None, act=act,
        act_id=number(f"act_{done}") if done else None, rule_id=number("id"), active=request.form.get("active", "1") == "1",
    )  # fmt: skip


def _no_rule(session: Session, person_id: int, board_id: int) -> None:
    rules.remove(session, person_id, board_id, number("id", needed=True) or 0)


ACTS: dict[tuple[str, str], Act] = {
    ("board", "change"): _board,
    ("board", "archive"): lambda s, p, b: boards.archive(s, p, b, True),
    ("board", "open"): lambda s, p, b: boards.archive(s, p, b, False),
    ("board", "delete"): boards.remove,
    ("columns", "add-column"): _add_column,
    ("columns", "change-column"): _change_column,
    ("columns", "remove-column"): _remove_column,
    ("columns", "add-lane"): _add_lane,
    ("columns", "change-lane"): _change_lane,
    ("columns", "remove-lane"): _remove_lane,
    ("fields", "keep-label"): _keep_label,
    ("fields", "remove-label"): _remove_label,
    ("fields", "keep-field"): _keep_field,
    ("fields", "remove-field"): _remove_field,
    ("people", "give"): _role,
    ("people", "take"): _no_role,
    ("people", "allow"): _passage,
    ("people", "disallow"): _no_passage,
    ("rules", "keep"): _rule,
    ("rules", "remove"): _no_rule,
}
