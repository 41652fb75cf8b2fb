"""What a board and a card show, in a number of queries that does not depend on how many cards there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from rse_core import files
from rse_core.api import utcnow
from rse_core.files import FileInfo
from rse_core.people import PersonCard, names

from . import access, columns, fields, hanging, placing
from .access import Seat
from .models import Activity, Card, CardLabel, CardPerson, CheckItem, Column, Field, Label, Lane

#: Cards on one page of a board; more are found by the filter.
CARDS_MOST = 2_000
#: Lines of what happened on a card's own page.
RECENT = 12


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
    labels: tuple[Label, ...] = ()
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
    """A whole board."""

    seat: Seat
    piles: Sequence[Pile]
    lanes: Sequence[Lane]
    labels: Sequence[Label]
    fields: Sequence[Field]
    shown: int
    cut: bool = False
    by_id: Mapping[int, Shown] = field(default_factory=dict)


def board(
    session: Session, person_id: int, board_id: int, *, where: Sequence[ColumnElement[bool]] = (), chair: Seat | None = None
) -> Page:
    """A board with its cards, narrowed by ``where``; the counts of the columns are of all cards."""
    seat = chair or access.open_board(session, person_id, board_id)
    piles = placing.columns_of(session, board_id)
    lanes, labels = placing.lanes_of(session, board_id), columns.labels_of(session, board_id)
    own = fields.fields_of(session, board_id)
    counts = {
        ident: int(count)
        for ident, count in session.execute(
            select(Card.column_id, func.count()).where(Card.board_id == board_id, Card.rank.is_not(None))
            .group_by(Card.column_id)
        )
    }  # fmt: skip
    found = cards(
        session, [Card.board_id == board_id, Card.rank.is_not(None), states(session, seat), *where], labels, own,
        order=(Card.column_id, Card.rank), most=CARDS_MOST + 1,
    )  # fmt: skip
    cut = len(found) > CARDS_MOST
    found = found[:CARDS_MOST]
    known = {lane.id for lane in lanes}
    by_place: dict[int, dict[int, list[Shown]]] = {column.id: {} for column in piles}
    for card in found:
        lane = card.lane_id if card.lane_id in known else 0
        by_place.setdefault(card.column_id, {}).setdefault(lane or 0, []).append(card)
    made = [Pile(column, by_place[column.id], counts.get(column.id, 0)) for column in piles]
    return Page(seat, made, lanes, labels, own, len(found), cut, {card.id: card for card in found})


def cards(
    session: Session, where: Sequence[ColumnElement[bool]], labels: Sequence[Label] | None, own: Sequence[Field] = (), *,
    order: Sequence[Any] = (), most: int = CARDS_MOST,
) -> list[Shown]:  # fmt: skip
    """Cards as they are shown in lists; seven queries at most.

    :param labels: those of the cards' board, when they are all of one; None looks them up.
    """
    query = select(
        Card.id, Card.board_id, Card.column_id, Card.lane_id, Card.title, Card.state, Card.version, Card.due_at,
        Card.done_at, Card.entered_at, func.length(Card.body) > 0,
    ).where(*where).order_by(*order).limit(most)  # fmt: skip
    session.flush()
    # By the connection: rows of columns need nothing of what a session adds to each of them.
    rows = session.connection().execute(query).all()
    if not rows:
        return []
    shown = [(one.id, one.name) for one in own if one.on_board]
    there = hanging.on(session, [row[0] for row in rows], labels, [ident for ident, _name in shown])
    checks, parts, blocked, attached = there.numbers
    now, nothing = utcnow(), (0, 0)
    found = []
    for ident, board_id, column, lane, title, state, version, due, done, entered, has_body in rows:
        values = there.values.get(ident)
        found.append(Shown(
            ident, board_id, column, lane, title, state, version, due, due is not None and due < now and done is None,
            done is not None, entered, bool(has_body), tuple(there.labels.get(ident, ())),
            tuple(there.people.get(ident, ())), checks.get(ident, nothing), parts.get(ident, nothing), ident in blocked,
            attached.get(ident, nothing)[1],
            tuple([(name, values[one]) for one, name in shown if one in values]) if values else (),
        ))  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything of one card that stands in its own tables."""

    card: Card
    seat: Seat
    column: Column | None
    lane: Lane | None
    labels: Sequence[Label]
    people: Sequence[PersonCard]
    author: PersonCard | None
    items: Sequence[CheckItem]
    names: Mapping[int, PersonCard]
    fields: Sequence[tuple[Field, str]]
    files: Sequence[FileInfo]
    activity: Sequence[Activity]


def sheet(session: Session, person_id: int, card_id: int) -> Sheet:
    """One card, whole."""
    card, seat = access.open_card(session, person_id, card_id)
    labels = session.scalars(
        select(Label).join(CardLabel, CardLabel.label_id == Label.id)
        .where(CardLabel.card_id == card_id).order_by(Label.name)
    ).all()  # fmt: skip
    workers = list(session.scalars(
        select(CardPerson.person_id).where(CardPerson.card_id == card_id).order_by(CardPerson.at, CardPerson.person_id)
    ))  # fmt: skip
    items = session.scalars(
        select(CheckItem).where(CheckItem.card_id == card_id).order_by(CheckItem.position, CheckItem.id)
    ).all()
    activity = session.scalars(
        select(Activity)
        .where(Activity.card_id == card_id, Activity.board_id == card.board_id)
        .order_by(Activity.at.desc(), Activity.id.desc())
        .limit(RECENT)
    ).all()
    known = names(
        session, [*workers, card.author_id, *(item.person_id for item in items), *(line.person_id for line in activity)]
    )
    values = fields.values_of(session, [card_id]).get(card_id, {})
    ref = access.card_ref(card_id)
    lane = session.get(Lane, card.lane_id) if card.lane_id is not None else None
    return Sheet(
        card, seat, session.get(Column, card.column_id), lane, labels, [known[one] for one in workers if one in known],
        known.get(card.author_id or 0), items, known,
        [(one, values.get(one.id, "")) for one in fields.fields_of(session, card.board_id)],
        files.of(session, [ref]).get(ref, []), activity,
    )  # fmt: skip


def states(session: Session, seat: Seat) -> ColumnElement[bool]:
    if access.moderates(session, seat.person_id, seat.board):
        return Card.state.in_(access.PLACED)
    return or_(Card.state == "open", and_(Card.state == "pending", Card.author_id == seat.person_id))
