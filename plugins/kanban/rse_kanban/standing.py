"""Whole boards, kept in each process for as long as nothing on them changes.

A board's revision grows with every change of anything on it, in the transaction of the change, so that what was read of it
at a revision may be shown again at the same one. What a revision does not tell of is asked for each time: what cards of
other boards say of these, their files, the names of people, what is late by now, and what this person may see of it.
"""

from __future__ import annotations

import datetime as dt
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, utcnow
from rse_core.people import names
from rse_core.runtime import Core, core_of

from . import access, columns, fields, hanging, placing
from .access import Seat
from .hanging import Own, Tag
from .models import Card, Column, Field, Label, Lane
from .showing import ROW, Page, Pile, Shown, counted, dress, piled

#: Cards of all boards that a process keeps; a kilobyte or two each. What was not looked at for the longest time goes.
MOST = 20_000
#: Views of the same revision of a board that are kept: of its moderators, of who has a card that waits, before and after a
#: file came.
VIEWS = 4
#: Of which state of a board something was read: its revision, and the times at which it was made and changed, as a backup
#: that is put back may give a revision a second time.
Stamp = tuple[int, dt.datetime, dt.datetime]


@dataclass(frozen=True, slots=True)
class View:
    """A board as it is shown to some. ``mark``: all on which that depends, beside the board's revision."""

    mark: tuple[Any, ...]
    piles: Sequence[Pile]
    by_id: Mapping[int, Shown]
    refs: Sequence[ObjectRef]
    drawn: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Kept:
    """All of a board that its revision tells of."""

    stamp: Stamp
    columns: Sequence[Column]
    lanes: Sequence[Lane]
    labels: Sequence[Label]
    fields: Sequence[Field]
    counts: Mapping[int, int]
    rows: Sequence[Any]
    own: Own
    tags: Sequence[Tag]
    people: frozenset[int]
    #: Cards that wait for a moderator, with their authors.
    waiting: Sequence[tuple[int, int | None]]
    #: When what is not done is due, the soonest first.
    due: Sequence[dt.datetime]
    views: list[View] = field(default_factory=list)


class _Shelf:
    """The boards of one site."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boards: OrderedDict[int, Kept] = OrderedDict()
        self._cards = 0

    def get(self, board_id: int, stamp: Stamp) -> Kept | None:
        with self._lock:
            kept = self._boards.get(board_id)
            if kept is None or kept.stamp != stamp:
                return None
            self._boards.move_to_end(board_id)
            return kept

    def put(self, board_id: int, kept: Kept) -> None:
        with self._lock:
            before = self._boards.pop(board_id, None)
            self._cards += len(kept.rows) - (len(before.rows) if before else 0)
            self._boards[board_id] = kept
            while self._cards > MOST and len(self._boards) > 1:
                self._cards -= len(self._boards.popitem(last=False)[1].rows)


_shelves: WeakKeyDictionary[Core, _Shelf] = WeakKeyDictionary()


def page(session: Session, seat: Seat, most: int) -> Page | None:
    """The board before which somebody sits, whole; None if more than ``most`` cards stand on it."""
    board = seat.board
    stamp = (board.revision, board.created_at, board.updated_at)
    # What a transaction has written may be taken back, and its revision be given to something else.
    shared = session.info.get("rse_reading", False)
    shelf = _shelves.setdefault(core_of(session), _Shelf())
    kept = shelf.get(board.id, stamp) if shared else None
    if kept is None:
        kept = _read(session, board.id, stamp, most)
        if kept is None:
            return None
        if shared:
            shelf.put(board.id, kept)
    view = _view(session, seat, kept)
    return Page(
        seat, view.piles, kept.lanes, kept.labels, kept.fields, len(view.by_id), False, view.by_id, view.refs, view.drawn
    )


def _read(session: Session, board_id: int, stamp: Stamp, most: int) -> Kept | None:
    session.flush()
    placed = [Card.board_id == board_id, Card.rank.is_not(None), Card.state.in_(access.PLACED)]
    rows = session.connection().execute(
        select(*ROW).where(*placed).order_by(Card.column_id, Card.rank).limit(most + 1)
    ).all()  # fmt: skip
    if len(rows) > most:
        return None
    labels, own_fields = columns.labels_of(session, board_id), fields.fields_of(session, board_id)
    own = hanging.own(session, [row.id for row in rows], [one.id for one in own_fields if one.on_board])
    return Kept(
        stamp, placing.columns_of(session, board_id), placing.lanes_of(session, board_id), labels, own_fields,
        counted(session, board_id), rows, own, hanging.tags(session, own, labels),
        frozenset(person for some in own.people.values() for person in some),
        [(row.id, row.author_id) for row in rows if row.state == "pending"],
        sorted(row.due_at for row in rows if row.due_at is not None and row.done_at is None),
    )  # fmt: skip


def _view(session: Session, seat: Seat, kept: Kept) -> View:
    """The board as this person sees it now; two statements."""
    hidden: frozenset[int] = frozenset()
    if kept.waiting and not access.moderates(session, seat.person_id, seat.board):
        hidden = frozenset(ident for ident, author in kept.waiting if author != seat.person_id)
    around, known = hanging.around_board(session, seat.board.id), names(session, kept.people)
    mark = (around, known, hidden, bisect_left(kept.due, utcnow()))
    for view in kept.views:
        if view.mark == mark:
            return view
    rows = [row for row in kept.rows if row.id not in hidden] if hidden else kept.rows
    shown = [(one.id, one.name) for one in kept.fields if one.on_board]
    found = dress(rows, kept.own, around, kept.tags, known, shown)
    refs = [access.card_ref(card.id) for card in found]
    view = View(mark, piled(kept.columns, kept.lanes, found, kept.counts), {card.id: card for card in found}, refs)
    kept.views = [view, *kept.views[: VIEWS - 1]]
    return view
