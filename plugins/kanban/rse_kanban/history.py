"""Who did what on a board, and on a card: page by page, the latest first, of what the reader may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from rse_core.people import PersonCard, names

from . import access
from .access import Seat
from .models import Activity, Card

PAGE = 50
#: Where a page begins: the moment and the number of the line before it.
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done. ``title``: of its card; "" for what was done to the board."""

    row: Activity
    title: str
    who: PersonCard | None


@dataclass(frozen=True, slots=True)
class History:
    """A page of them; ``after`` None: there are no earlier ones."""

    seat: Seat
    lines: Sequence[Line]
    after: Place | None
    card: Card | None = None


def of_board(session: Session, person_id: int, board_id: int, *, after: Place | None = None, most: int = PAGE) -> History:
    """What was done on a board; a fixed number of queries."""
    return _page(session, access.open_board(session, person_id, board_id), None, after, most)


def of_card(session: Session, person_id: int, card_id: int, *, after: Place | None = None, most: int = PAGE) -> History:
    """What was done to a card on the board on which it stands."""
    card, chair = access.open_card(session, person_id, card_id)
    return _page(session, chair, card, after, most)


def _page(session: Session, chair: Seat, card: Card | None, after: Place | None, most: int) -> History:
    where = [Activity.board_id == chair.board.id, or_(Activity.card_id.is_(None), _shown(session, chair))]
    if card is not None:
        where.append(Activity.card_id == card.id)
    if after is not None:
        moment, number = dt.datetime.fromisoformat(after[0]), after[1]
        where.append(or_(Activity.at < moment, and_(Activity.at == moment, Activity.id < number)))
    rows = session.execute(
        # A card that has gone to another board is told of there.
        select(Activity, Card.title)
        .outerjoin(Card, and_(Card.id == Activity.card_id, Card.board_id == Activity.board_id))
        .where(*where).order_by(Activity.at.desc(), Activity.id.desc()).limit(most + 1)
    ).all()  # fmt: skip
    known: Mapping[int, PersonCard] = names(session, [row.person_id for row, _title in rows[:most]])
    lines = [Line(row, title or "", known.get(row.person_id or 0)) for row, title in rows[:most]]
    more = len(rows) > most
    return History(chair, lines, (lines[-1].row.at.isoformat(), lines[-1].row.id) if more else None, card)


def _shown(session: Session, chair: Seat) -> ColumnElement[bool]:
    """Cards of which the reader may know, whatever has become of them."""
    states = [*access.OPEN]
    if chair.manageable:
        states.append("deleted")
    if access.moderates(session, chair.person_id, chair.board):
        states += ["pending", "refused", "hidden"]
    own = and_(Card.author_id == chair.person_id, Card.state.in_(("pending", "refused", "hidden")))
    return or_(Card.state.in_(states), own)
