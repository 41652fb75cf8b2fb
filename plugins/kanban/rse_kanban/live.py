"""What has changed on a board since somebody looked: the order of everything, and the cards that look otherwise.

Whatever tells a page that something happened (a timer today, pushed events tomorrow) makes it ask this: permissions are
looked at anew each time, and what was missed in between is simply there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from . import columns, fields, placing, reading
from .access import Seat
from .models import Card, Lane
from .reading import Pile, Shown


@dataclass(frozen=True, slots=True)
class News:
    """``order``: for each column and lane ("7:0") the ids of the cards shown there, from the top."""

    piles: Sequence[Pile]
    lanes: Sequence[Lane]
    order: Mapping[str, Sequence[int]]
    changed: Sequence[Shown]


def since(session: Session, chair: Seat, revision: int, where: Sequence[ColumnElement[bool]]) -> News:
    """All that differs from a board as it was at a revision; a fixed number of queries."""
    board_id = chair.board.id
    lanes = placing.lanes_of(session, board_id)
    known = {lane.id for lane in lanes}
    counts = reading.counted(session, board_id)
    placed = [Card.board_id == board_id, Card.rank.is_not(None), reading.states(session, chair), *where]
    rows = session.execute(
        select(Card.id, Card.column_id, Card.lane_id).where(*placed).order_by(Card.column_id, Card.rank)
        .limit(reading.CARDS_MOST)
    ).all()  # fmt: skip
    order: dict[str, list[int]] = {}
    for card_id, column_id, lane_id in rows:
        order.setdefault(f"{column_id}:{lane_id if lane_id in known else 0}", []).append(card_id)
    changed = reading.cards(
        session, [*placed, Card.revision > revision], columns.labels_of(session, board_id),
        fields.fields_of(session, board_id), order=(Card.id,),
    )  # fmt: skip
    piles = [Pile(column, {}, counts.get(column.id, 0)) for column in placing.columns_of(session, board_id)]
    return News(piles, lanes, order, changed)
