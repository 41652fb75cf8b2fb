"""The checklist of a card: lines that are ticked off, each with somebody and a day of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, Conflict, NotFound, translator, utcnow

from . import access, cards
from .access import Seat
from .changes import note, touched
from .models import Card, CheckItem
from .texts import check_name

_ = translator(__file__, "rse_kanban").gettext
ITEMS_MOST = 100



def add(
    session: Session, person_id: int, card_id: int, text: str, *, people: Sequence[str] = (), due_on: dt.date | None = None
) -> CheckItem:
    """A further line."""
    card, chair = _open(session, person_id, card_id)
    count = session.scalar(select(func.count()).where(CheckItem.card_id == card.id)) or 0
    if count >= ITEMS_MOST:
        raise BadInput(_("A checklist has at most %(most)s lines.", most=str(ITEMS_MOST)))
    last = session.scalar(select(func.max(CheckItem.position)).where(CheckItem.card_id == card.id))
    item = CheckItem(card_id=card.id, text=check_name(text, "text", 300), position=0 if last is None else last + 1)
    _given(session, chair, item, people, due_on)
    waits = cards.moderated(chair, card, chair.writes)
    session.add(item)
    touched(session, chair.board, card)
    if waits and card.state == "open":
        cards.hold_again(session, chair.board, card)
    return item


def change(
    session: Session, person_id: int, item_id: int, *, text: str | None = None, people: Sequence[str] | None = None,
    due_on: dt.date | bool | None = None, was: str | None = None,
) -> CheckItem:  # fmt: skip
    """Change a line; what is None stays.

    :param was: the text as it was read: another one that stands there now is not overwritten.
    :raises Conflict: when somebody else has changed it since.
    """
    item, card, chair = _item(session, person_id, item_id)
    if text is not None:
        kept = check_name(text, "text", 300)
        if was is not None and was != item.text and kept != item.text:
            raise Conflict(
                _("Somebody else has changed this line meanwhile: “%(text)s”.", text=item.text),
                remedy=_("Send yours again to put it in its place."),
            )
        waits = kept != item.text and cards.moderated(chair, card, chair.writes)
        item.text = kept
        if waits and card.state == "open":
            cards.hold_again(session, chair.board, card)
    if people is not None:
        item.person_id = next(iter(cards.find_people(session, chair, people)), None)
    if due_on is not None:
        item.due_on = due_on if isinstance(due_on, dt.date) else None
    touched(session, chair.board, card)
    return item


def tick(session: Session, person_id: int, item_id: int, on: bool) -> CheckItem:
    """Tick a line off, or not; what it is already stays so."""
    item, card, chair = _item(session, person_id, item_id)
    if (item.done_at is not None) == on:
        return item
    item.done_at, item.done_by = (utcnow(), person_id) if on else (None, None)
    note(session, chair.board, card, person_id, "ticked" if on else "unticked")
    touched(session, chair.board, card)
    if on and card.state == "open":
        left = session.scalar(select(func.count()).where(CheckItem.card_id == card.id, CheckItem.done_at.is_(None)))
        if not left:
            from . import rules

            rules.happened(session, chair.board, card, "checked", None, person_id)
    return item


def remove(session: Session, person_id: int, item_id: int) -> Card:
    """Take a line away."""
    item, card, chair = _item(session, person_id, item_id)
    session.delete(item)
    touched(session, chair.board, card)
    return card


def _open(session: Session, person_id: int, card_id: int) -> tuple[Card, Seat]:
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    if card.state not in access.PLACED:
        raise Conflict(_("“%(title)s” is not on the board any more.", title=card.title), remedy=_("Restore it first."))
    return card, chair


def _item(session: Session, person_id: int, item_id: int) -> tuple[CheckItem, Card, Seat]:
    item = session.get(CheckItem, item_id)
    missing = NotFound(_("This line is not there any more."))
    if item is None:
        raise missing
    try:
        card, chair = _open(session, person_id, item.card_id)
    except NotFound:
        # Of a card of which the person may not know not even that there is such a line is said.
        raise missing from None
    session.refresh(item)
    return item, card, chair


def _given(session: Session, chair: Seat, item: CheckItem, people: Sequence[str], due_on: dt.date | None) -> None:
    item.person_id = next(iter(cards.find_people(session, chair, people)), None)
    item.due_on = due_on
