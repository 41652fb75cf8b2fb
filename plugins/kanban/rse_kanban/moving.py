"""Moving cards: one service for dragging, touch, keyboard, menu and many at once.

Rights are asked on the board that the card leaves and on the one that it comes to, then the passage, then the limit of the
column. Everything that can refuse comes before anything is written, so that one of many that is refused leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rse_core.api import BadInput, Conflict, Mode, NotFound, RseError, say_changed, translator, withdraw
from rse_core.notify import moved as stands_elsewhere
from rse_core.ratelimit import limit

from . import access, placing, telling
from .access import Seat
from .changes import CardConflict, note, passed, stale, tell, touched
from .models import Board, Card, CardLabel, CardPerson, CardValue, CheckItem, Column, Transition
from .placing import Place

_ = translator(__file__, "rse_kanban").gettext
#: Cards in one request.
MOST = 200
PER_MINUTE = 300


@dataclass(frozen=True, slots=True)
class Moved:
    """A card that was moved: its board's revision, what to say of a limit that was passed, and where it stood before."""

    card: Card
    revision: int
    said: str = ""
    before: Place | None = None
    transition_id: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """One of many that could not be moved, and why."""

    card_id: int
    title: str
    error: RseError


def move(
    session: Session, person_id: int, card_id: int, place: Place, *, version: int | None, undo: int | None = None
) -> Moved:
    """Move a card within its board or to another.

    :param version: of the card as it was read; None moves it whatever has happened since.
    :param undo: the number of the transition that this takes back: neither counts, and who was told is told no longer.
    :raises CardConflict: when somebody else has moved it since.
    :raises Full: when the column takes no further card.
    :raises Forbidden: with the reason.
    """
    limit(session, person_id, access.MOVE, most=PER_MINUTE, seconds=60)
    # The session forgets what nobody holds, and asks anew.
    card, chair, there, _column = _held(session, person_id, card_id, place)
    return _move(session, chair, there, card, place, version, undo)


def move_many(
    session: Session, person_id: int, cards: Sequence[tuple[int, int | None]], place: Place
) -> tuple[list[Moved], list[Refused]]:
    """Move many cards, in the given order, to the same place; those that cannot be are named and the others go.

    :param cards: number and version of each.
    """
    if not cards:
        raise BadInput(_("Choose at least one card."), fields={"cards": _("None is chosen.")})
    if len(cards) > MOST:
        raise BadInput(_("At most %(most)s cards can be moved at once.", most=str(MOST)))
    limit(session, person_id, "kanban.move_many", most=60, seconds=60)
    # All boards at once and in their order: two who move between the same boards must not wait for each other.
    column = session.get(Column, place.column_id)
    homes = set(session.scalars(select(Card.board_id).where(Card.id.in_([ident for ident, _version in cards]))))
    if column is None:
        raise placing_gone()
    open_there(session, person_id, column)
    homes.add(column.board_id)
    for ident in sorted(homes):
        # A board that was deleted is found missing card by card.
        session.scalar(select(Board.id).where(Board.id == ident).with_for_update())
    moved: list[Moved] = []
    refused: list[Refused] = []
    for card_id, version in dict(cards).items():
        title = ""
        try:
            card, chair = access.open_card(session, person_id, card_id, lock=True, held=homes)
            title = card.title
            there = (
                chair
                if column.board_id == card.board_id
                else access.open_board(session, person_id, column.board_id, lock=True)
            )
            done = _move(session, chair, there, card, place, version, None)
        except RseError as error:
            refused.append(Refused(card_id, title, error))
            continue
        moved.append(done)
        place = replace(place, after=card_id, before=None)
    return moved, refused


def placing_gone() -> BadInput:
    """The answer for a column that is nowhere."""
    message = _("This board has no such column.")
    return BadInput(message, remedy=_("It may have been removed; choose another one."), fields={"column": message})


def _held(session: Session, person_id: int, card_id: int, place: Place) -> tuple[Card, Seat, Seat, Column]:
    """The card, the person's seats on both boards, held, and the column to which it goes."""
    card = access.get_card(session, card_id)
    column = session.get(Column, place.column_id)
    if column is None:
        access.open_card(session, person_id, card_id)
        raise placing_gone()
    both = {card.board_id, column.board_id}
    try:
        boards = access.lock_boards(session, both)
    except NotFound:
        access.open_card(session, person_id, card_id)
        raise
    card, chair = access.open_held(session, person_id, card_id, boards)
    if column.board_id == card.board_id:
        return card, chair, chair, column
    return card, chair, open_there(session, person_id, column, lock=True), column


def open_there(session: Session, person_id: int, column: Column, *, lock: bool = False) -> Seat:
    """The seat on the board of a column. :raises BadInput: when the person may not know of it, as for no column at all."""
    try:
        return access.open_board(session, person_id, column.board_id, lock=lock)
    except NotFound:
        raise placing_gone() from None


def _move(
    session: Session, chair: Seat, there: Seat, card: Card, place: Place, version: int | None, undo: int | None
) -> Moved:
    if card.rank is None:
        raise Conflict(_("“%(title)s” is not on the board any more.", title=card.title), remedy=_("Restore it first."))
    column = placing.column_of(session, there.board.id, place.column_id)
    placing.lane_of(session, there.board.id, place.lane_id)
    chair.need_move()
    abroad = there.board.id != chair.board.id
    if abroad and card.state != "open":
        raise Conflict(_("A card that waits for a moderator stays on its board."))
    if abroad:
        there.need_move()
        there.need_write()
        chair.need_write()
    if stale(card, version, ["place"]):
        raise CardConflict(card, ["place"])
    elsewhere = card.column_id != column.id
    if elsewhere:
        placing.check_passage(session, chair, card, card.column_id, column.id)
        if abroad:
            placing.check_passage(session, there, card, None, column.id)
    said = placing.check_room(session, column) if elsewhere else ""
    before = _stands(session, card)
    taken = None
    if undo is not None:
        taken = _taken_back(session, card, column, undo)
    from_id, source = card.column_id, chair.board
    if abroad:
        _leave(session, card, source, there.board)
    placing.put(session, there.board, card, place)
    transition = None
    if elsewhere:
        placing.enter_phase(card, column)
        transition = passed(session, there.board, card, chair.person_id, None if abroad else from_id, column.id)
        if taken is not None:
            taken.undone = transition.undone = True
            withdraw(session, telling.moved_by(taken.id))
            _as_before(session, card, column)
    touched(session, there.board, card, ["place"])
    if abroad and there.writes.mode is Mode.REVIEW:
        # Read by other people from now on: their moderators see it first.
        from .cards import hold_again

        hold_again(session, there.board, card)
    if elsewhere:
        _told(session, there.board, card, column, chair.person_id, transition, from_id, quiet=taken is not None)
    number = transition.id if transition is not None else None
    return Moved(card, there.board.revision, said, before, number)


def _told(
    session: Session, board: Board, card: Card, column: Column, person_id: int, transition: Transition | None, from_id: int,
    *, quiet: bool,
) -> None:  # fmt: skip
    from . import rules

    known = session.get(Column, from_id)
    # Of another board, which not everybody here sees, no column is named.
    came = known.name if known is not None and known.board_id == board.id else ""
    note(session, board, card, person_id, "moved", **{"from": came, "to": column.name})
    # Who works on it hears of it by the worker: whoever drags a card does not wait for that.
    told = {"move": transition.id} if transition is not None and not quiet else {}
    data = {"from": from_id, "to": column.id, "done": column.phase == "done", **told}
    tell(session, board, card, person_id, "moved", data)
    if column.phase == "done" and not quiet:
        tell(session, board, card, person_id, "done")
    if not quiet:
        rules.happened(session, board, card, "moved", column.id, person_id)


def _stands(session: Session, card: Card) -> Place:
    """Where the card stands, so that it can be put back there."""
    above = session.scalar(
        select(Card.id).where(Card.column_id == card.column_id, Card.rank < card.rank).order_by(Card.rank.desc()).limit(1)
    )
    return Place(card.column_id, card.lane_id, after=above, first=above is None)


def _taken_back(session: Session, card: Card, column: Column, undo: int) -> Transition:
    """The transition that is taken back. :raises Conflict: when it is not the card's last one, back to where it was."""
    last = session.scalar(select(Transition).where(Transition.card_id == card.id).order_by(Transition.id.desc()).limit(1))
    if last is None or last.id != undo or last.from_id != column.id:
        raise Conflict(_("This can no longer be taken back."), remedy=_("Move the card where you want it."))
    return last


def _as_before(session: Session, card: Card, column: Column) -> None:
    """The times of the card as they were before a move that was taken back."""
    session.flush()
    rows = session.execute(
        select(Transition.at, Column.phase).join(Column, Column.id == Transition.to_id)
        .where(Transition.card_id == card.id, Transition.undone.is_(False)).order_by(Transition.id)
    ).all()  # fmt: skip
    begun = [row.at for row in rows if row.phase != "todo"]
    card.started_at = begun[0] if begun else None
    if rows:
        card.entered_at = rows[-1].at
        card.done_at = rows[-1].at if column.phase == "done" else None


def _leave(session: Session, card: Card, source: Board, board: Board) -> None:
    """The card goes to another board: what belongs to the one it leaves stays there."""
    quietly = {"synchronize_session": False}
    passed(session, source, card, None, card.column_id, None)
    for table in (CardLabel, CardValue):
        session.execute(delete(table).where(table.card_id == card.id).execution_options(**quietly))
    source.revision += 1
    say_changed(session, access.topic(source.id))
    card.rank, card.board_id, card.lane_id, card.origin = None, board.id, None, None
    session.flush()
    # What was told of it is for those who see the board that it stands on now.
    stands_elsewhere(session, access.card_ref(card.id), board.audience_id, board.space_id)
    if source.audience_id != board.audience_id and board.audience_id is not None:
        from rse_core.models.organisation import Membership

        inside = select(Membership.person_id).where(Membership.audience_id == board.audience_id)
        session.execute(
            delete(CardPerson)
            .where(CardPerson.card_id == card.id, CardPerson.person_id.not_in(inside))
            .execution_options(**quietly)
        )
        session.execute(
            update(CheckItem).where(CheckItem.card_id == card.id, CheckItem.person_id.not_in(inside)).values(person_id=None)
            .execution_options(**quietly)
        )  # fmt: skip
    session.execute(update(Card).where(Card.parent_id == card.id).values(parent_id=None).execution_options(**quietly))
    card.parent_id = None
