"""Where on a board a card stands: ranks in a column, limits on work in progress, who may pass from where to where."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rse_core.api import BadInput, Forbidden, translator, utcnow

from . import ranks
from .access import Seat
from .changes import Full
from .models import Board, Card, CardPerson, Column, Lane, Passage

_t = translator(__file__, "rse_kanban")
_ = _t.gettext


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card is to stand: in a column and a lane (None: the first row), after or before another card there.

    A neighbour that is no longer there is passed over; without one it is ``first`` or, by default, last.
    """

    column_id: int
    lane_id: int | None = None
    after: int | None = None
    before: int | None = None
    first: bool = False


def column_of(session: Session, board_id: int, column_id: int) -> Column:
    """:raises BadInput: when the board has no such column any more."""
    column = session.get(Column, column_id)
    if column is None or column.board_id != board_id or column.removed_at is not None:
        message = _("This board has no such column.")
        raise BadInput(message, remedy=_("It may have been removed; choose another one."), fields={"column": message})
    return column


def lane_of(session: Session, board_id: int, lane_id: int | None) -> int | None:
    """:raises BadInput: when the board has no such lane any more."""
    if lane_id is None:
        return None
    lane = session.get(Lane, lane_id)
    if lane is None or lane.board_id != board_id:
        message = _("This board has no such lane.")
        raise BadInput(message, remedy=_("It may have been removed; choose another one."), fields={"lane": message})
    return lane.id


def columns_of(session: Session, board_id: int) -> list[Column]:
    """The columns of a board, in order."""
    query = select(Column).where(Column.board_id == board_id, Column.removed_at.is_(None))
    return list(session.scalars(query.order_by(Column.position, Column.id)))


def lanes_of(session: Session, board_id: int) -> list[Lane]:
    """The lanes of a board, in order."""
    return list(session.scalars(select(Lane).where(Lane.board_id == board_id).order_by(Lane.position, Lane.id)))


def count_in(session: Session, column_id: int) -> int:
    """How many cards stand in the column: all of them, whatever the lane, and those that nobody is shown."""
    return session.scalar(select(func.count()).where(Card.column_id == column_id, Card.rank.is_not(None))) or 0


def check_room(session: Session, column: Column, more: int = 1) -> str:
    """Whether so many further cards may come into the column.

    :returns: what to say when a limit that does not bind is passed; "" mostly.
    :raises Full: when the limit binds.
    """
    if column.wip_limit is None or more <= 0:
        return ""
    count = count_in(session, column.id)
    if count + more <= column.wip_limit:
        return ""
    if column.wip_hard:
        raise Full(
            _t.ngettext(
                "“%(column)s” takes at most %(num)s card, and holds %(count)s.",
                "“%(column)s” takes at most %(num)s cards, and holds %(count)s.",
                column.wip_limit, column=column.name, count=count,
            ),
            remedy=_("Move a card out of it first."),
        )  # fmt: skip
    return _(
        "“%(column)s” now holds %(count)s cards; %(limit)s were agreed on.", column=column.name, count=count + more,
        limit=column.wip_limit,
    )  # fmt: skip


def check_passage(session: Session, chair: Seat, card: Card | None, from_id: int | None, to_id: int) -> None:
    """Whether this person may take the card from there to here, by the board's own rules on passages.

    The rule that names both columns decides; else, of those that name one, the strictest.

    :raises Forbidden: with the reason.
    """
    rows = session.scalars(select(Passage).where(Passage.board_id == chair.board.id)).all()
    fitting = [
        row for row in rows if row.from_id in (None, from_id) and row.to_id in (None, to_id) and (row.from_id or row.to_id)
    ]
    exact = [row for row in fitting if row.from_id is not None and row.to_id is not None]
    strictness = ("editors", "assignees", "managers", "nobody")
    who = max((row.who for row in exact or fitting), key=strictness.index, default="editors")
    if who == "editors" or (who != "nobody" and chair.role == "manager"):
        return
    if who == "assignees" and card is not None:
        assigned = session.get(CardPerson, (card.id, chair.person_id))
        if assigned is not None:
            return
    sentences = {
        "assignees": _("Only those who are assigned to the card may move it there."),
        "managers": _("Only those who run this board may move a card there."),
        "nobody": _("Cards do not go from there to here on this board."),
    }
    raise Forbidden(sentences[who])


def put(session: Session, board: Board, card: Card, place: Place) -> None:
    """Give the card its rank; the caller has checked everything and holds the lock. Written with what else is new of it."""
    low, high = _gap(session, card.id, place)
    rank = ranks.between(low, high)
    if len(rank) > ranks.LONGEST:
        _spread(session, board, place.column_id)
        rank = ranks.between(*_gap(session, card.id, place))
    if card.column_id != place.column_id:
        card.entered_at = utcnow()
    card.column_id, card.lane_id, card.rank = place.column_id, place.lane_id, rank


def enter_phase(card: Card, column: Column) -> None:
    """What coming into a column means: work began, or is done."""
    now = utcnow()
    if column.phase in ("doing", "done") and card.started_at is None:
        card.started_at = now
    if column.phase == "done":
        card.done_at = card.done_at or now
    else:
        card.done_at = None


def _gap(session: Session, card_id: int, place: Place) -> tuple[str | None, str | None]:
    """The ranks between which the card is to stand."""
    others = select(Card.rank).where(Card.column_id == place.column_id, Card.rank.is_not(None), Card.id != card_id)
    for neighbour, after in ((place.after, True), (place.before, False)):
        if neighbour is None:
            continue
        rank = session.scalar(others.where(Card.id == neighbour))
        if rank is None:
            continue
        if after:
            return rank, session.scalar(others.where(Card.rank > rank).order_by(Card.rank).limit(1))
        return session.scalar(others.where(Card.rank < rank).order_by(Card.rank.desc()).limit(1)), rank
    if place.first:
        return None, session.scalar(others.order_by(Card.rank).limit(1))
    return session.scalar(others.order_by(Card.rank.desc()).limit(1)), None


def _spread(session: Session, board: Board, column_id: int) -> None:
    """Ranks of a column anew, evenly: once in hundreds of moves into one gap."""
    ids = session.scalars(
        select(Card.id).where(Card.column_id == column_id, Card.rank.is_not(None)).order_by(Card.rank)
    ).all()
    quietly = {"synchronize_session": False}
    session.execute(
        update(Card).where(Card.column_id == column_id, Card.rank.is_not(None)).values(rank=None)
        .execution_options(**quietly)
    )  # fmt: skip
    for ident, rank in zip(ids, ranks.spread(len(ids)), strict=True):
        session.execute(update(Card).where(Card.id == ident).values(rank=rank).execution_options(**quietly))
    for loaded in session.identity_map.values():
        if isinstance(loaded, Card) and loaded.column_id == column_id:
            session.expire(loaded, ["rank"])
