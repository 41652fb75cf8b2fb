"""Cards as they are shown: from rows and what hangs on them to columns, without a query but for what is counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import utcnow
from rse_core.content import ObjectRef
from rse_core.people import PersonCard

from . import access
from .access import Seat
from .hanging import Around, Own, Tag
from .models import Card, Column, Field, Label, Lane


@dataclass(slots=True)
class Shown:
    """One card on a board. ``checks`` and ``children``: done and all. Not frozen: making hundreds would cost three times as
    much."""

    id: int
    board_id: int
    column_id: int
    lane_id: int | None
    title: str
    state: str
    version: int
    due_at: dt.datetime | None
    overdue: bool
    done: bool
    entered_at: dt.datetime
    has_body: bool
    labels: tuple[Tag, ...] = ()
    people: tuple[PersonCard, ...] = ()
    checks: tuple[int, int] = (0, 0)
    children: tuple[int, int] = (0, 0)
    blocked: bool = False
    files: int = 0
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pile:
    """A column as it is shown: its cards by lane (0: of no lane), and how many stand in it, shown or not."""

    column: Column
    cards: Mapping[int, Sequence[Shown]]
    count: int

    @property
    def loose(self) -> bool:
        """Cards that are in no lane are shown."""
        return bool(self.cards.get(0))

    @property
    def over(self) -> bool:
        """More cards than were agreed on."""
        return self.column.wip_limit is not None and self.count > self.column.wip_limit

    @property
    def full(self) -> bool:
        """No further card comes in."""
        return self.column.wip_hard and self.column.wip_limit is not None and self.count >= self.column.wip_limit


@dataclass(frozen=True, slots=True)
class Page:
    """A whole board. ``drawn``: what was made of this very state of it, for whoever draws it; None when it is not kept."""

    seat: Seat
    piles: Sequence[Pile]
    lanes: Sequence[Lane]
    labels: Sequence[Label]
    fields: Sequence[Field]
    shown: int
    cut: bool = False
    by_id: Mapping[int, Shown] = field(default_factory=dict)
    refs: Sequence[ObjectRef] = ()
    drawn: dict[Any, Any] | None = None


def counted(session: Session, board_id: int) -> dict[int, int]:
    """How many cards stand in each column of a board, shown or not."""
    query = select(Card.column_id, func.count()).where(Card.board_id == board_id, Card.rank.is_not(None))
    return {ident: int(count) for ident, count in session.execute(query.group_by(Card.column_id))}


def piled(piles: Sequence[Column], lanes: Sequence[Lane], found: Iterable[Shown], counts: Mapping[int, int]) -> list[Pile]:
    """Cards in their columns and lanes."""
    known = {lane.id for lane in lanes}
    by_place: dict[int, dict[int, list[Shown]]] = {column.id: {} for column in piles}
    for card in found:
        lane = card.lane_id if card.lane_id in known else 0
        by_place.setdefault(card.column_id, {}).setdefault(lane or 0, []).append(card)
    return [Pile(column, by_place[column.id], counts.get(column.id, 0)) for column in piles]


#: A card's own row, as :func:`dress` takes it.
ROW = (
    Card.id, Card.board_id, Card.column_id, Card.lane_id, Card.title, Card.state, Card.version, Card.due_at, Card.done_at,
    Card.entered_at, func.length(Card.body) > 0, Card.author_id,
)  # fmt: skip


def dress(
    rows: Iterable[Any], there: Own, around: Around, tags: Sequence[Tag], known: Mapping[int, PersonCard],
    shown: Sequence[tuple[int, str]],
) -> list[Shown]:  # fmt: skip
    """Cards from their rows and what hangs on them.

    :param rows: of :data:`ROW`; ``tags``: in the order in which cards wear them; ``shown``: ids and names of fields.
    """
    now, nothing = utcnow(), (0, 0)
    place = {tag.id: number for number, tag in enumerate(tags)}
    found = []
    for ident, board_id, column, lane, title, state, version, due, done, entered, has_body, _author in rows:
        values, people, labels = there.values.get(ident), there.people.get(ident), there.labels.get(ident)
        found.append(Shown(
            ident, board_id, column, lane, title, state, version, due, due is not None and due < now and done is None,
            done is not None, entered, bool(has_body),
            tuple([tags[number] for number in sorted([place[one] for one in labels if one in place])]) if labels else (),
            tuple([known[one] for one in people if one in known]) if people else (),
            there.checks.get(ident, nothing), around.parts.get(ident, nothing), ident in around.blocked,
            around.files.get(ident, 0),
            tuple([(name, values[one]) for one, name in shown if one in values]) if values else (),
        ))  # fmt: skip
    return found


def states(session: Session, seat: Seat) -> ColumnElement[bool]:
    if access.moderates(session, seat.person_id, seat.board):
        return Card.state.in_(access.PLACED)
    return or_(Card.state == "open", and_(Card.state == "pending", Card.author_id == seat.person_id))
