"""Templates: cards, columns and boards that others are made from."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from rse_core.api import NotFound, core_of, open_audiences, translator

from . import access, boards, placing, snapshots
from .access import Seat
from .changes import board_changed
from .models import Board, Card, Column
from .models_more import Template
from .placing import Place
from .texts import check_name

_ = translator(__file__, "rse_kanban").gettext


def _visible(session: Session, person_id: int) -> ColumnElement[bool]:
    mine = and_(Template.audience_id.is_(None), Template.owner_id == person_id)
    return or_(mine, Template.audience_id.in_(open_audiences(session, person_id, access.READ)))


def of_board(session: Session, person_id: int, board_id: int, kind: str, *, chair: Seat | None = None) -> Sequence[Template]:
    """The templates of cards or columns that a board offers.

    :param chair: of who asks, where the board is open already.
    """
    if chair is None or chair.board.id != board_id or chair.person_id != person_id:
        access.open_board(session, person_id, board_id)
    query = select(Template).where(Template.board_id == board_id, Template.kind == kind)
    return session.scalars(query.order_by(Template.name, Template.id)).all()


def of_boards(session: Session, person_id: int) -> Sequence[Template]:
    """The templates of boards that this person may use."""
    query = select(Template).where(Template.kind == "board", _visible(session, person_id))
    return session.scalars(query.order_by(Template.name, Template.id).limit(200)).all()


def keep(session: Session, person_id: int, kind: str, ident: int, name: str, *, with_cards: bool = True) -> Template:
    """Keep a card, a column or a board as a template, under a name.

    :param ident: of the card, the column or the board.
    """
    name = check_name(name, "name", 100)
    if kind == "card":
        card, chair = access.open_card(session, person_id, ident)
        chair.need_write()
        data = snapshots.of_cards(session, [card])[0]
    elif kind == "column":
        column = session.get(Column, ident)
        if column is None:
            raise NotFound(_("This board has no such column."))
        chair = access.open_board(session, person_id, column.board_id)
        chair.need_manage()
        data = snapshots.of_column(session, placing.column_of(session, column.board_id, ident), with_cards=with_cards)
    else:
        chair = access.open_board(session, person_id, ident)
        chair.need_manage()
        data = snapshots.of_board(session, chair.board, with_cards=with_cards)
    board = chair.board
    row = Template(
        kind=kind, name=name, board_id=None if kind == "board" else board.id, audience_id=board.audience_id,
        space_id=board.space_id, owner_id=person_id, data=data,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def remove(session: Session, person_id: int, template_id: int) -> Template:
    """Take a template away: one's own, or one of a board that one runs."""
    row = _get(session, person_id, template_id)
    if row.owner_id != person_id:
        if row.board_id is not None:
            access.open_board(session, person_id, row.board_id).need_manage()
        else:
            facts = core_of(session).policy.person(person_id)
            if facts is None or row.space_id is None or not access.runs_space(facts, row.space_id):
                raise NotFound(_("There is no such template of yours."))
    session.delete(row)
    return row


def card_from(session: Session, person_id: int, template_id: int, place: Place, *, key: str | None = None) -> Card:
    """Make a card from a template."""
    row = _get(session, person_id, template_id, "card")
    return snapshots.make_card(session, person_id, place, row.data, key=key)


def column_from(session: Session, person_id: int, template_id: int, board_id: int) -> Column:
    """Make a column, with its cards, from a template."""
    from .columns import add_column

    row = _get(session, person_id, template_id, "column")
    data = row.data
    column = add_column(session, person_id, board_id, data["name"], phase=data["phase"])
    for one in data["cards"]:
        snapshots.make_card(session, person_id, Place(column.id), one)
    column.wip_limit, column.wip_hard = data["wip_limit"], data["wip_hard"]
    session.flush()
    return column


def board_from(
    session: Session, person_id: int, template_id: int, place: str, title: str, *, key: str | None = None
) -> Board:
    """Make a board from a template, with its cards."""
    row = _get(session, person_id, template_id, "board")
    board = boards.create(session, person_id, place, title, description=row.data.get("description", ""), columns=(), key=key)
    if placing.columns_of(session, board.id):
        # The same form sent twice.
        return board
    made = snapshots.make_parts(session, board, row.data)
    for column, data in zip(made, row.data["columns"], strict=True):
        # Limits hold for what comes, not for what the template has.
        limit, column.wip_limit = column.wip_limit, None
        for one in data["cards"]:
            snapshots.make_card(session, person_id, Place(column.id), one)
        column.wip_limit = limit
    board_changed(session, board)
    return board


def _get(session: Session, person_id: int, template_id: int, kind: str | None = None) -> Template:
    query = select(Template).where(Template.id == template_id, _visible(session, person_id))
    row = session.scalar(query if kind is None else query.where(Template.kind == kind))
    if row is None:
        raise NotFound(_("There is no such template of yours."))
    return row
