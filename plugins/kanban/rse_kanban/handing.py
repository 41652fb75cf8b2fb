"""What somebody who has left had on their hands on shared boards: cards, lines of checklists, boards that they run. It goes
to somebody else of the same place, without a notification for each card: the handover says so once.

Somebody's own boards are nobody else's to see; they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, select, update
from sqlalchemy.orm import Session

from rse_core.api import Left, Passing, Responsibility, dialect_insert, say_changed, translator, utcnow

from . import access, telling
from .changes import board_changed
from .models import Board, BoardRole, Card, CardPerson, CheckItem

_t = translator(__file__, "rse_kanban")
lazy = _t.lazy
QUIETLY = {"synchronize_session": False}
#: Shared, and worked on.
_SHARED = and_(Board.state == "open", Board.audience_id.is_not(None))
_PLACE = case((Board.space_id.is_not(None), None), else_=Board.audience_id)
_OPEN = and_(Card.state.in_(access.PLACED), Card.done_at.is_(None))


def _here(passing: Passing) -> ColumnElement[bool]:
    if passing.space_id is not None:
        return and_(_SHARED, Board.space_id == passing.space_id)
    return and_(_SHARED, Board.space_id.is_(None), Board.audience_id == passing.audience_id)


def _counted(session: Session, query: Select[*tuple[int | None, int | None, int]]) -> Iterable[Left]:
    return [Left(*row) for row in session.execute(query.group_by(Board.space_id, _PLACE))]


# -- cards ---------------------------------------------------------------------------------------------------------------


def cards_left(session: Session, person_id: int) -> Iterable[Left]:
    """Cards that they work on and that are not done; one query."""
    return _counted(session, (
        select(Board.space_id, _PLACE, func.count())
        .select_from(CardPerson).join(Card, Card.id == CardPerson.card_id).join(Board, Board.id == Card.board_id)
        .where(CardPerson.person_id == person_id, _OPEN, _SHARED)
    ))  # fmt: skip


def give_cards(session: Session, passing: Passing) -> Mapping[str, str]:
    """The taker works on them in place of the leaver; ``both`` was said of a card on which both did."""
    theirs = select(CardPerson.card_id).where(CardPerson.person_id == passing.person_id)
    cards = _locked(session, select(Card).join(Board).where(_here(passing), _OPEN, Card.id.in_(theirs)))
    both = _assigned(session, cards, passing.to_id)
    _replace(session, cards, passing.person_id, passing.to_id)
    return {str(card.id): "both" if card.id in both else "" for card in cards}


def take_cards_back(session: Session, passing: Passing, items: Mapping[str, str]) -> int:
    """The leaver works on them again, where the taker still does and they are not done."""
    count = 0
    for ids in _chunks(items):
        still = select(CardPerson.card_id).where(CardPerson.person_id == passing.to_id)
        cards = _locked(session, select(Card).join(Board).where(_SHARED, _OPEN, Card.id.in_(ids), Card.id.in_(still)))
        stay = [card.id for card in cards if items[str(card.id)] == "both"]
        _replace(session, cards, passing.to_id, passing.person_id, stay=stay)
        count += len(cards)
    return count


def _locked(session: Session, query: Select[Card]) -> Sequence[Card]:
    """The cards as they are once their boards are held, so that nobody changes them meanwhile."""
    boards = session.scalars(query.with_only_columns(Card.board_id).distinct()).all()
    access.lock_boards(session, boards)
    return session.scalars(query.order_by(Card.id).execution_options(populate_existing=True)).all()


def _assigned(session: Session, cards: Sequence[Card], person_id: int) -> set[int]:
    ids = [card.id for card in cards]
    query = select(CardPerson.card_id).where(CardPerson.person_id == person_id, CardPerson.card_id.in_(ids))
    return set(session.scalars(query))


def _replace(session: Session, cards: Sequence[Card], before: int, after: int, *, stay: Sequence[int] = ()) -> None:
    """``after`` works on the cards, ``before`` no longer, but on those of ``stay``."""
    if not cards:
        return
    rows = [{"card_id": card.id, "person_id": after, "at": utcnow()} for card in cards]
    new = dialect_insert(session, CardPerson).on_conflict_do_nothing(index_elements=["card_id", "person_id"])
    session.execute(new, rows)
    gone = [card.id for card in cards if card.id not in set(stay)]
    session.execute(
        delete(CardPerson).where(CardPerson.person_id == before, CardPerson.card_id.in_(gone)).execution_options(**QUIETLY)
    )
    for card in cards:
        if card.id in set(gone):
            telling.unassigned(session, card, before)
    _touch(session, cards)


def _touch(session: Session, cards: Sequence[Card]) -> None:
    """A new version of each card and one of each board, as :func:`~rse_kanban.changes.touched` does for a single one."""
    by_board: dict[int, list[Card]] = {}
    for card in cards:
        by_board.setdefault(card.board_id, []).append(card)
    for board_id, some in by_board.items():
        board, now = session.get_one(Board, board_id), utcnow()
        board.revision += 1
        board.updated_at = now
        for card in some:
            card.version, card.revision, card.updated_at = card.version + 1, board.revision, now
            card.stamps = {**(card.stamps or {}), "people": card.version}
        session.flush()
        say_changed(session, access.topic(board_id))


# -- lines of checklists ---------------------------------------------------------------------------------------------------


def lines_left(session: Session, person_id: int) -> Iterable[Left]:
    """Lines of checklists that are theirs and not done, on cards that are not; one query."""
    return _counted(session, (
        select(Board.space_id, _PLACE, func.count())
        .select_from(CheckItem).join(Card, Card.id == CheckItem.card_id).join(Board, Board.id == Card.board_id)
        .where(CheckItem.person_id == person_id, CheckItem.done_at.is_(None), _OPEN, _SHARED)
    ))  # fmt: skip


def give_lines(session: Session, passing: Passing) -> Mapping[str, str]:
    """They are the taker's."""
    cards = select(Card.id).join(Board).where(_here(passing), _OPEN)
    return {str(ident): "" for ident in _lines(session, passing.person_id, passing.to_id, CheckItem.card_id.in_(cards))}


def take_lines_back(session: Session, passing: Passing, items: Mapping[str, str]) -> int:
    """They are the leaver's again, those that the taker has not done."""
    return sum(
        len(_lines(session, passing.to_id, passing.person_id, CheckItem.id.in_(ids))) for ids in _chunks(items)
    )


def _lines(session: Session, before: int, after: int, where: ColumnElement[bool]) -> Sequence[int]:
    query = select(Card).where(Card.id.in_(
        select(CheckItem.card_id).where(CheckItem.person_id == before, CheckItem.done_at.is_(None), where)
    ))  # fmt: skip
    cards = _locked(session, query)
    changed = session.scalars(
        update(CheckItem).where(CheckItem.person_id == before, CheckItem.done_at.is_(None), where)
        .values(person_id=after).returning(CheckItem.id).execution_options(**QUIETLY)
    ).all()  # fmt: skip
    _touch(session, cards)
    return changed


# -- boards ----------------------------------------------------------------------------------------------------------------


def boards_left(session: Session, person_id: int) -> Iterable[Left]:
    """Boards that they are named to run; one query."""
    return _counted(session, (
        select(Board.space_id, _PLACE, func.count()).select_from(BoardRole).join(Board, Board.id == BoardRole.board_id)
        .where(*_runs(person_id), _SHARED)
    ))  # fmt: skip


def give_boards(session: Session, passing: Passing) -> Mapping[str, str]:
    """The taker runs them; what they were there before is kept for taking it back."""
    ids = session.scalars(
        select(Board.id).join(BoardRole, BoardRole.board_id == Board.id).where(*_runs(passing.person_id), _here(passing))
    ).all()
    went: dict[str, str] = {}
    for board in access.lock_boards(session, ids).values():
        row = session.get(BoardRole, (board.id, "person", passing.to_id))
        went[str(board.id)] = "" if row is None else row.role
        _name(session, board, passing.to_id, "manager")
        _name(session, board, passing.person_id, "")
        board_changed(session, board)
    return went


def take_boards_back(session: Session, passing: Passing, items: Mapping[str, str]) -> int:
    """The leaver runs them again, where the taker still does."""
    there = select(Board.id).join(BoardRole, BoardRole.board_id == Board.id).where(*_runs(passing.to_id), _SHARED)
    ids = [ident for some in _chunks(items) for ident in session.scalars(there.where(Board.id.in_(some)))]
    for board in access.lock_boards(session, ids).values():
        _name(session, board, passing.person_id, "manager")
        _name(session, board, passing.to_id, items[str(board.id)])
        board_changed(session, board)
    return len(ids)


def _runs(person_id: int) -> tuple[ColumnElement[bool], ...]:
    return (BoardRole.kind == "person", BoardRole.target_id == person_id, BoardRole.role == "manager")


def _name(session: Session, board: Board, person_id: int, role: str) -> None:
    row = session.get(BoardRole, (board.id, "person", person_id))
    if role and row is None:
        session.add(BoardRole(board_id=board.id, kind="person", target_id=person_id, role=role))
    elif row is not None and role:
        row.role = role
    elif row is not None:
        session.delete(row)


def _chunks(items: Mapping[str, str]) -> Iterable[list[int]]:
    ids = sorted(int(ident) for ident in items)
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]


def responsibilities() -> list[Responsibility]:
    """What is handed over, the boards first."""
    return [
        Responsibility("kanban.boards", lazy("Boards to run"), boards_left, give_boards, take_boards_back),
        Responsibility("kanban.cards", lazy("Cards to work on"), cards_left, give_cards, take_cards_back),
        Responsibility("kanban.lines", lazy("Lines of checklists"), lines_left, give_lines, take_lines_back),
    ]
