"""What ``rse doctor`` looks at: every card that is on a board has a place there, and no other has one."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from rse_core.api import HealthResult, translator

from . import access, placing
from .models import Board, Card, Column
from .placing import Place

_ = translator(__file__, "rse_kanban").gettext


def _lost() -> ColumnElement[bool]:
    """Cards that nobody finds: without a rank, in a column that was removed, or of another board."""
    return and_(
        Card.state.in_(access.PLACED),
        or_(Card.rank.is_(None), Column.removed_at.is_not(None), Column.board_id != Card.board_id),
    )


def check(session: Session) -> HealthResult:
    """Whether every card has its place."""
    lost = session.scalars(
        select(Card.id).join(Column, Column.id == Card.column_id).where(_lost()).limit(10)
    ).all()
    kept = session.scalars(
        select(Card.id).where(Card.state.not_in(access.PLACED), Card.rank.is_not(None)).limit(10)
    ).all()
    if not lost and not kept:
        return HealthResult(True, _("Every card has its place."))
    return HealthResult(
        False, _("Cards without a place, or with one too many: %(cards)s", cards=", ".join(map(str, [*lost, *kept]))),
        _("Run rse doctor --repair: they are put at the end of a column of their board."),
    )  # fmt: skip


def repair(session: Session) -> HealthResult:
    """Put cards without a place at the end of the first column of their board."""
    for card in session.scalars(select(Card).where(Card.state.not_in(access.PLACED), Card.rank.is_not(None))):
        card.rank = None
    session.flush()
    lost = session.scalars(select(Card).join(Column, Column.id == Card.column_id).where(_lost())).all()
    for card in lost:
        board = session.get(Board, card.board_id)
        own = session.get(Column, card.column_id)
        first = placing.columns_of(session, card.board_id)
        if board is None or not first:
            continue
        fine = own is not None and own.removed_at is None and own.board_id == card.board_id
        card.rank = None
        placing.put(session, board, card, Place(card.column_id if fine else first[0].id, card.lane_id))
    return check(session)
