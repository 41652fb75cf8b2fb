"""What a board and a card show, in a number of queries that does not depend on how many cards there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from rse_core import files
from rse_core.files import FileInfo
from rse_core.people import PersonCard, names

from . import access, columns, fields, hanging, placing, standing
from .access import Seat
from .models import Activity, Card, CardLabel, CardPerson, CheckItem, Column, Field, Label, Lane
from .showing import ROW, Page, Pile, Shown, counted, dress, piled, states

__all__ = ("CARDS_MOST", "Page", "Pile", "Sheet", "Shown", "board", "cards", "counted", "sheet", "states")

#: Cards on one page of a board; more are found by the filter.
CARDS_MOST = 2_000
#: Lines of what happened on a card's own page.
RECENT = 12


def board(
    session: Session, person_id: int, board_id: int, *, where: Sequence[ColumnElement[bool]] = (), chair: Seat | None = None
) -> Page:
    """A board with its cards, narrowed by ``where``; the counts of the columns are of all cards."""
    seat = chair or access.open_board(session, person_id, board_id)
    if not where:
        whole = standing.page(session, seat, CARDS_MOST)
        if whole is not None:
            return whole
    piles = placing.columns_of(session, board_id)
    lanes, labels = placing.lanes_of(session, board_id), columns.labels_of(session, board_id)
    own = fields.fields_of(session, board_id)
    counts = counted(session, board_id)
    found = cards(
        session, [Card.board_id == board_id, Card.rank.is_not(None), states(session, seat), *where], labels, own,
        order=(Card.column_id, Card.rank), most=CARDS_MOST + 1,
    )  # fmt: skip
    cut = len(found) > CARDS_MOST
    found = found[:CARDS_MOST]
    return Page(
        seat, piled(piles, lanes, found, counts), lanes, labels, own, len(found), cut, {card.id: card for card in found},
        [access.card_ref(card.id) for card in found],
    )  # fmt: skip


def cards(
    session: Session, where: Sequence[ColumnElement[bool]], labels: Sequence[Label] | None, own: Sequence[Field] = (), *,
    order: Sequence[Any] = (), most: int = CARDS_MOST,
) -> list[Shown]:  # fmt: skip
    """Cards as they are shown in lists; seven queries at most.

    :param labels: those of the cards' board, when they are all of one; None looks them up.
    """
    session.flush()
    # By the connection: rows of columns need nothing of what a session adds to each of them.
    rows = session.connection().execute(select(*ROW).where(*where).order_by(*order).limit(most)).all()
    if not rows:
        return []
    shown = [(one.id, one.name) for one in own if one.on_board]
    ids = [row[0] for row in rows]
    there = hanging.own(session, ids, [ident for ident, _name in shown])
    known = names(session, {person for some in there.people.values() for person in some})
    return dress(rows, there, hanging.around(session, ids), hanging.tags(session, there, labels), known, shown)


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
