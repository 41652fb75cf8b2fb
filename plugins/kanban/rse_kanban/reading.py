"""What a board and a card show, in a number of queries that does not depend on how many cards there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from rse_core import files
from rse_core.api import utcnow
from rse_core.files import FileInfo
from rse_core.models.content import File
from rse_core.people import PersonCard, names

from . import access, columns, fields, placing
from .access import Seat
from .models import Activity, Card, CardLabel, CardLink, CardPerson, CheckItem, Column, Field, Label, Lane

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
    """Cards as they are shown in lists; eight queries at most.

    :param labels: those of the cards' board, when they are all of one; None looks them up.
    """
    rows = session.execute(
        select(
            Card.id, Card.board_id, Card.column_id, Card.lane_id, Card.title, Card.state, Card.version, Card.due_at,
            Card.done_at, Card.entered_at, (func.length(Card.body) > 0).label("has_body"),
        ).where(*where).order_by(*order).limit(most)
    ).all()  # fmt: skip
    # Looked up by the same condition and not by a list of thousands of numbers.
    these = select(Card.id).where(*where).order_by(*order).limit(most)
    if not rows:
        return []
    carried = _labels(session, these, labels)
    people = _people(session, these)
    checks = _counts(session, CheckItem.card_id, CheckItem.done_at.is_not(None), CheckItem.card_id.in_(these))
    child = aliased(Card)
    children = _counts(
        session, child.parent_id, or_(child.done_at.is_not(None), child.state == "archived"), child.parent_id.in_(these),
        child.state.in_(("open", "archived")),
    )  # fmt: skip
    held = set(session.scalars(
        select(CardLink.other_id).join(child, child.id == CardLink.card_id)
        .where(CardLink.kind == "blocks", CardLink.other_id.in_(these), child.state == "open", child.done_at.is_(None))
    ))  # fmt: skip
    attached: dict[str | None, int] = {
        ident: int(count)
        for ident, count in session.execute(
            select(File.ref_id, func.count()).where(
                File.ref_type == access.CARD, File.ref_id.in_([str(row.id) for row in rows])
            ).group_by(File.ref_id)
        )
    }  # fmt: skip
    shown = [one for one in own if one.on_board]
    values = fields.values_of(session, [row.id for row in rows]) if shown else {}
    now = utcnow()
    return [
        Shown(
            row.id, row.board_id, row.column_id, row.lane_id, row.title, row.state, row.version, row.due_at,
            row.due_at is not None and row.due_at < now and row.done_at is None, row.done_at is not None, row.entered_at,
            bool(row.has_body), tuple(carried.get(row.id, ())), tuple(people.get(row.id, ())),
            checks.get(row.id, (0, 0)), children.get(row.id, (0, 0)), row.id in held, attached.get(str(row.id), 0),
            tuple((one.name, values[row.id][one.id]) for one in shown if one.id in values.get(row.id, {})),
        )
        for row in rows
    ]  # fmt: skip


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


def _labels(session: Session, these: Any, labels: Sequence[Label] | None) -> dict[int, list[Label]]:
    found: dict[int, list[Label]] = {}
    query = select(CardLabel.card_id, CardLabel.label_id).where(CardLabel.card_id.in_(these))
    rows = session.execute(query).all()
    if labels is None:
        labels = session.scalars(
            select(Label).where(Label.id.in_({row.label_id for row in rows})).order_by(Label.name)
        ).all()
    by_id = {label.id: (place, label) for place, label in enumerate(labels)}
    for card_id, label_id in sorted(rows, key=lambda row: by_id.get(row.label_id, (0, None))[0]):
        if label_id in by_id:
            found.setdefault(card_id, []).append(by_id[label_id][1])
    return found


def _people(session: Session, these: Any) -> dict[int, list[PersonCard]]:
    query = select(CardPerson.card_id, CardPerson.person_id).where(CardPerson.card_id.in_(these))
    rows = session.execute(query.order_by(CardPerson.at, CardPerson.person_id)).all()
    known = names(session, {row.person_id for row in rows})
    found: dict[int, list[PersonCard]] = {}
    for card_id, person_id in rows:
        if person_id in known:
            found.setdefault(card_id, []).append(known[person_id])
    return found


def _counts(session: Session, by: Any, done: ColumnElement[bool], *where: ColumnElement[bool]) -> dict[int, tuple[int, int]]:
    query = select(by, func.sum(case((done, 1), else_=0)), func.count())
    rows = session.execute(query.where(*where).group_by(by))
    return {ident: (int(ended or 0), int(count)) for ident, ended, count in rows}
