"""The boards that a person sees, with where each stands; in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from rse_core.models.organisation import Entity, Space

from . import access
from .models import Board, Card

MOST = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """One board. ``place``: the name of its space or entity, "" for one's own; ``cards``: those on it that are not done."""

    board: Board
    place: str
    space_key: str
    cards: int


def boards(
    session: Session, person_id: int, *, space_id: int | None = None, archived: bool = False, most: int = MOST
) -> Sequence[Listed]:
    """Boards, one's own first, then by space and title. One query."""
    state = "archived" if archived else "open"
    where = [Board.state == state, access.readable_boards(session, person_id)]
    if space_id is not None:
        where.append(Board.space_id == space_id)
    count = (
        select(func.count()).where(Card.board_id == Board.id, Card.rank.is_not(None), Card.done_at.is_(None))
        .correlate(Board).scalar_subquery()
    )  # fmt: skip
    rows = session.execute(
        select(Board, Space.name, Space.key, Entity.name, count)
        .outerjoin(Space, Space.id == Board.space_id)
        .outerjoin(Entity, and_(Entity.id == Board.entity_id, Board.space_id.is_(None)))
        .where(*where)
        .order_by(Board.audience_id.is_not(None), Space.name, Entity.name, Board.title, Board.id)
        .limit(most)
    )
    return [
        Listed(board, space or entity or "", key or "", int(cards or 0)) for board, space, key, entity, cards in rows
    ]
