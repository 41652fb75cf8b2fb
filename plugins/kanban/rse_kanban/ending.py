"""The ends of a card: archived (put away, found again), deleted (its board's managers can still bring it back), restored.

Done is none of these: it is a column.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import files, mentions, moderation
from rse_core.api import Conflict, Forbidden, discard, translator, utcnow

from . import access, cards, placing, telling
from .changes import note, passed, tell, touched
from .models import Board, Card, Column
from .placing import Place

_ = translator(__file__, "rse_kanban").gettext


def archive(session: Session, person_id: int, card_id: int, *, version: int | None = None) -> Card:
    """Put a card away: it leaves its column and is kept as it is.

    :raises Conflict: when it is not on the board, or has changed since ``version``.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    _fresh(card, version)
    if card.state != "open":
        raise Conflict(_("“%(title)s” is not on the board any more.", title=card.title))
    _leave(session, card, person_id, "archived")
    tell(session, chair.board, card, person_id, "archived")
    note(session, chair.board, card, person_id, "archived")
    touched(session, chair.board, card, ["state", "place"])
    return card


def delete(session: Session, person_id: int, card_id: int, *, version: int | None = None) -> Card:
    """Delete a card: one's own, or as somebody who runs the board. Its managers can restore it.

    :raises Forbidden: for everybody else.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    own = card.author_id == person_id
    if not own and not chair.manageable and not access.moderates(session, person_id, chair.board):
        chair.need_write()
        raise Forbidden(_("A card is deleted by who made it, or by those who run the board. You can archive it."))
    _fresh(card, version)
    if card.state == "deleted":
        return card
    if card.rank is not None:
        passed(session, chair.board, card, person_id, card.column_id, None)
    tell(session, chair.board, card, person_id, "deleted")
    ref = access.card_ref(card.id)
    card.was = card.state
    card.state, card.rank, card.ended_at, card.ended_by, card.remind_at = "deleted", None, utcnow(), person_id, None
    telling.untell(session, card)
    mentions.forget(session, ref)
    moderation.withdraw(session, ref)
    # What nobody else was ever shown, and what stands on somebody's own board, is no moderator's to restore.
    card.kept = (
        card.was in ("open", "archived", "hidden")
        and chair.board.audience_id is not None
        and discard(session, ref, author_id=card.author_id, by_id=person_id, target=access.target_of(chair.board))
    )
    note(session, chair.board, card, person_id, "deleted")
    touched(session, chair.board, card, ["state", "place"])
    return card


def restore(session: Session, person_id: int, card_id: int, *, column_id: int | None = None) -> Card:
    """Bring a card back to the end of its column; of the first one, where its own is gone.

    :raises Full: when the column takes no further card.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    if card.state not in ("archived", "deleted"):
        raise Conflict(_("“%(title)s” is on the board.", title=card.title))
    if card.state == "deleted":
        chair.need_manage()
        if card.was == "hidden":
            raise Forbidden(_("A moderator had taken this card down: only a moderator can show it again."))
    column = session.get(Column, column_id or card.column_id)
    if column is None or column.removed_at is not None or column.board_id != card.board_id:
        column = placing.columns_of(session, card.board_id)[0]
    placing.check_passage(session, chair, card, None, column.id)
    placing.check_room(session, column)
    if card.state == "deleted" and card.was in ("pending", "refused"):
        # Nobody has approved it: it waits again.
        card.state, card.ended_at, card.ended_by, card.was = "refused", None, None, ""
        note(session, chair.board, card, person_id, "restored", to=column.name)
        cards.hold_again(session, chair.board, card)
        touched(session, chair.board, card, ["state", "place"])
        return card
    put_back(session, chair.board, card, column, person_id)
    return card


def put_back(session: Session, board: Board, card: Card, column: Column, person_id: int | None) -> None:
    """Show a card again, at the end of a column that has room for it; nobody is told anew."""
    card.state, card.ended_at, card.ended_by, card.was, card.kept, card.reason = "open", None, None, "", False, ""
    placing.put(session, board, card, Place(column.id, card.lane_id))
    placing.enter_phase(card, column)
    passed(session, board, card, person_id, None, column.id)
    cards.plan_reminder(card)
    mentions.keep(session, access.card_ref(card.id), card.body, board.audience_id)
    note(session, board, card, person_id, "restored", to=column.name)
    touched(session, board, card, ["state", "place"])
    tell(session, board, card, person_id, "restored")


def put_away(session: Session, person_id: int, board_id: int, *, deleted: bool = False) -> list[Card]:
    """What was archived on a board, the last first; what was deleted, to those who run it."""
    chair = access.open_board(session, person_id, board_id)
    if deleted:
        chair.need_manage()
    state = "deleted" if deleted else "archived"
    query = select(Card).where(Card.board_id == board_id, Card.state == state)
    return list(session.scalars(query.order_by(Card.ended_at.desc(), Card.id.desc()).limit(200)))


def purge(session: Session) -> None:
    """The job: what was deleted 30 days ago goes for good, files and all; not what is kept elsewhere, and emptied there."""
    import datetime as dt

    old = session.scalars(
        select(Card)
        .where(Card.state == "deleted", Card.kept.is_(False), Card.ended_at < utcnow() - dt.timedelta(days=30))
        .limit(200)
    ).all()
    for card in old:
        files.forget(session, access.card_ref(card.id))
        session.delete(card)


def _leave(session: Session, card: Card, person_id: int | None, state: str) -> None:
    board = session.get(Board, card.board_id)
    assert board is not None  # noqa: S101  a card has a board
    passed(session, board, card, person_id, card.column_id, None)
    card.state, card.rank, card.ended_at, card.ended_by, card.remind_at = state, None, utcnow(), person_id, None


def _fresh(card: Card, version: int | None) -> None:
    if version is not None and version != card.version:
        raise Conflict(_("This card has changed since you opened it."), remedy=_("Look at it again, then decide."))
