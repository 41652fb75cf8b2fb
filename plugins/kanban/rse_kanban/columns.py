"""Columns, lanes and labels of a board. Removing any of them moves cards, and never deletes one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from rse_core.api import BadInput, Conflict, NotFound, translator, utcnow

from . import placing
from .boards import managed
from .changes import board_changed, note, passed, touched
from .models import Board, Card, CardLabel, Column, Label, Lane
from .texts import check_name

_ = translator(__file__, "rse_kanban").gettext
PHASES = ("todo", "doing", "done")
COLUMNS_MOST, LANES_MOST, LABELS_MOST = 30, 30, 100
LIMIT_MOST = 9_999
HUES = 12


def add_column(
    session: Session, person_id: int, board_id: int, name: str, *, phase: str = "todo", wip_limit: int | None = None,
    wip_hard: bool = False,
) -> Column:  # fmt: skip
    """A further column, before the last one when that is where cards end."""
    board = managed(session, person_id, board_id)
    present = placing.columns_of(session, board.id)
    if len(present) >= COLUMNS_MOST:
        raise BadInput(_("A board has at most %(most)s columns.", most=str(COLUMNS_MOST)))
    place = len(present)
    if present and present[-1].phase == "done" and phase != "done":
        place -= 1
    column = Column(
        board_id=board.id, name=check_name(name, "name", 100), phase=_phase(phase), wip_limit=_limit(wip_limit),
        wip_hard=wip_hard,
    )  # fmt: skip
    session.add(column)
    _order([*present[:place], column, *present[place:]])
    board_changed(session, board)
    return column


def change_column(
    session: Session, person_id: int, column_id: int, *, name: str, phase: str, wip_limit: int | None, wip_hard: bool,
    position: int | None = None,
) -> Column:  # fmt: skip
    """Change a column. A limit below the number of cards in it removes none; it only lets none in."""
    board, column = _column(session, person_id, column_id)
    column.name, column.phase = check_name(name, "name", 100), _phase(phase)
    column.wip_limit, column.wip_hard = _limit(wip_limit), wip_hard
    if position is not None:
        others = [one for one in placing.columns_of(session, board.id) if one.id != column.id]
        place = min(max(position, 0), len(others))
        _order([*others[:place], column, *others[place:]])
    board_changed(session, board)
    return column


def remove_column(session: Session, person_id: int, column_id: int, *, into: int) -> int:
    """Take a column away; its cards go to the end of another one, archived ones too. How many.

    :raises Full: when that one takes no more.
    :raises Conflict: for the last column.
    """
    board, column = _column(session, person_id, column_id)
    if len(placing.columns_of(session, board.id)) < 2:
        raise Conflict(_("A board keeps one column at least."), remedy=_("Add another one first."))
    target = placing.column_of(session, board.id, into)
    if target.id == column.id:
        message = _("Its cards have to go to another column.")
        raise BadInput(message, fields={"into": message})
    cards = session.scalars(
        select(Card).where(Card.column_id == column.id, Card.rank.is_not(None)).order_by(Card.rank)
    ).all()
    placing.check_room(session, target, len(cards))
    for card in cards:
        placing.put(session, board, card, placing.Place(target.id, card.lane_id))
        placing.enter_phase(card, target)
        passed(session, board, card, person_id, column.id, target.id)
        touched(session, board, card, ["place"])
        note(session, board, card, person_id, "moved", **{"from": column.name, "to": target.name})
    session.execute(
        update(Card).where(Card.column_id == column.id).values(column_id=target.id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    column.removed_at = utcnow()
    board_changed(session, board)
    session.expire_all()
    return len(cards)


def add_lane(session: Session, person_id: int, board_id: int, name: str) -> Lane:
    """A further lane, the last one."""
    board = managed(session, person_id, board_id)
    present = placing.lanes_of(session, board.id)
    if len(present) >= LANES_MOST:
        raise BadInput(_("A board has at most %(most)s lanes.", most=str(LANES_MOST)))
    lane = Lane(board_id=board.id, name=check_name(name, "name", 100), position=len(present))
    session.add(lane)
    board_changed(session, board)
    return lane


def change_lane(session: Session, person_id: int, lane_id: int, *, name: str, position: int | None = None) -> Lane:
    """Name a lane otherwise, or put it elsewhere."""
    board, lane = _lane(session, person_id, lane_id)
    lane.name = check_name(name, "name", 100)
    if position is not None:
        others = [one for one in placing.lanes_of(session, board.id) if one.id != lane.id]
        place = min(max(position, 0), len(others))
        _order([*others[:place], lane, *others[place:]])
    board_changed(session, board)
    return lane


def remove_lane(session: Session, person_id: int, lane_id: int, *, into: int | None = None) -> int:
    """Take a lane away; its cards stay in their columns, in another lane or in none. How many."""
    board, lane = _lane(session, person_id, lane_id)
    if into == lane.id:
        message = _("Its cards have to go to another lane.")
        raise BadInput(message, fields={"into": message})
    placing.lane_of(session, board.id, into)
    cards = session.scalars(select(Card).where(Card.lane_id == lane.id).order_by(Card.id)).all()
    for card in cards:
        card.lane_id = into
        touched(session, board, card, ["place"])
    session.flush()
    session.delete(lane)
    board_changed(session, board)
    return len(cards)


# -- labels --------------------------------------------------------------------------------------------------------------


def labels_of(session: Session, board_id: int) -> list[Label]:
    """The labels of a board, by name."""
    return list(session.scalars(select(Label).where(Label.board_id == board_id).order_by(Label.name, Label.id)))


def keep_label(
    session: Session, person_id: int, board_id: int, name: str, hue: int, *, label_id: int | None = None
) -> Label:
    """Make a label, or change one.

    :raises Conflict: when the board has one of that name.
    """
    board = managed(session, person_id, board_id)
    name, hue = check_name(name, "name", 60), hue % HUES
    same = session.scalar(select(Label).where(Label.board_id == board.id, Label.name == name))
    if same is not None and same.id != label_id:
        raise Conflict(_("This board has a label “%(name)s” already.", name=name))
    if label_id is None:
        count = session.scalar(select(func.count()).where(Label.board_id == board.id)) or 0
        if count >= LABELS_MOST:
            raise BadInput(_("A board has at most %(most)s labels.", most=str(LABELS_MOST)))
        label = Label(board_id=board.id, name=name, hue=hue)
        session.add(label)
    else:
        found = session.get(Label, label_id)
        if found is None or found.board_id != board.id:
            raise NotFound(_("This board has no such label."))
        label = found
        label.name, label.hue = name, hue
        _all_new(session, board, select(CardLabel.card_id).where(CardLabel.label_id == label.id))
    board_changed(session, board)
    return label


def remove_label(session: Session, person_id: int, label_id: int) -> None:
    """Take a label away from the board and all its cards."""
    label = session.get(Label, label_id)
    board = _board_of(session, person_id, label, NotFound(_("This board has no such label.")))
    assert label is not None  # noqa: S101  it has a board
    _all_new(session, board, select(CardLabel.card_id).where(CardLabel.label_id == label.id))
    session.execute(delete(CardLabel).where(CardLabel.label_id == label.id).execution_options(synchronize_session=False))
    session.delete(label)
    board_changed(session, board)


def _all_new(session: Session, board: Board, cards: Select[int]) -> None:
    """All these cards look otherwise from now on: who watches the board gets them anew."""
    session.execute(
        update(Card).where(Card.id.in_(cards)).values(revision=board.revision + 1)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _column(session: Session, person_id: int, column_id: int) -> tuple[Board, Column]:
    found = session.get(Column, column_id)
    board = _board_of(session, person_id, found, NotFound(_("This board has no such column.")))
    assert found is not None  # noqa: S101  it has a board
    session.refresh(found)
    return board, placing.column_of(session, board.id, column_id)


def _lane(session: Session, person_id: int, lane_id: int) -> tuple[Board, Lane]:
    lane = session.get(Lane, lane_id)
    board = _board_of(session, person_id, lane, NotFound(_("This board has no such lane.")))
    assert lane is not None  # noqa: S101  it has a board
    return board, lane


def _board_of(session: Session, person_id: int, part: Column | Lane | Label | None, missing: NotFound) -> Board:
    """The board of a part, held; one of which the person may not know is as missing as one that there is not."""
    if part is None:
        raise missing
    try:
        return managed(session, person_id, part.board_id)
    except NotFound:
        raise missing from None


def _order(rows: Sequence[Column | Lane]) -> None:
    for position, row in enumerate(rows):
        row.position = position


def _phase(phase: str) -> str:
    if phase not in PHASES:
        raise BadInput(_("A column is for what is to do, in progress or done."), fields={"phase": _("Choose one.")})
    return phase


def _limit(limit: int | None) -> int | None:
    if limit is None:
        return None
    if not 1 <= limit <= LIMIT_MOST:
        message = _("Give a number from %(least)s to %(most)s.", least="1", most=str(LIMIT_MOST))
        raise BadInput(message, fields={"wip_limit": message})
    return limit
