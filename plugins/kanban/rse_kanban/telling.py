"""Who is told of a card: those assigned to it, named in it, reminded; and what a moderator's decision brings about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import mentions, moderation
from rse_core.api import Event, LazyText, notify, translator, utcnow, withdraw
from rse_core.notify import notify_many

from . import access
from .models import Board, Card, CardPerson, Column, Transition

_t = translator(__file__, "rse_kanban")
_ = _t.gettext
Render = Callable[[int, Mapping[str, Any]], LazyText]
#: Reminders written by one run of the job.
BATCH = 200


def _cause(card: Card, what: str, person_id: int) -> str:
    return f"kanban.{what}:{card.id}:{person_id}"


def assigned(session: Session, card: Card, people: Sequence[int], by: int | None) -> None:
    """These people work on the card from now on."""
    for person_id in people:
        notify(
            session, person_id, "kanban.assigned", access.card_ref(card.id), actor_id=by,
            cause=_cause(card, "assigned", person_id), data={"title": card.title},
        )  # fmt: skip


def unassigned(session: Session, card: Card, person_id: int) -> None:
    """Who no longer works on it and has not read of it need not."""
    withdraw(session, _cause(card, "assigned", person_id))
    withdraw(session, _cause(card, "due", person_id))


def tell_mentioned(session: Session, card: Card) -> None:
    """Whom the text names, each once."""
    for person_id in mentions.people_of(session, access.card_ref(card.id)):
        notify(
            session, person_id, "kanban.mentioned", access.card_ref(card.id), actor_id=card.author_id,
            cause=_cause(card, "mentioned", person_id), data={"title": card.title},
        )  # fmt: skip


def untell(session: Session, card: Card) -> None:
    """The card is not there any more: what nobody has read of it goes with it."""
    people = session.scalars(select(CardPerson.person_id).where(CardPerson.card_id == card.id)).all()
    for person_id in people:
        for what in ("assigned", "due", "mentioned"):
            withdraw(session, _cause(card, what, person_id))
    for person_id in mentions.people_of(session, access.card_ref(card.id)):
        withdraw(session, _cause(card, "mentioned", person_id))


def moved_by(transition_id: int) -> str:
    """What notifications of a move are caused by."""
    return f"kanban.move:{transition_id}"


def moved(session: Session, event: Event) -> None:
    """Tell those who work on a card, and its author, where somebody else has put it; not of a move taken back meanwhile."""
    row = session.get(Transition, event.data.get("move") or 0)
    if row is None or row.undone:
        return
    card, column = session.get(Card, row.card_id), session.get(Column, row.to_id or 0)
    if card is None or card.state != "open" or column is None or column.board_id != card.board_id:
        return
    people = set(session.scalars(select(CardPerson.person_id).where(CardPerson.card_id == card.id)))
    if card.author_id is not None:
        people.add(card.author_id)
    notify_many(
        session, people - {row.person_id}, "kanban.moved", access.card_ref(card.id), actor_id=row.person_id,
        cause=moved_by(row.id), data={"title": card.title, "to": column.name},
    )  # fmt: skip


def refused(session: Session, card: Card, by: int | None) -> None:
    """A moderator refused the card."""
    if card.author_id is not None:
        notify(
            session, card.author_id, "kanban.refused", access.card_ref(card.id), actor_id=by,
            cause=f"kanban.refused:{card.id}:{card.version}", data={"title": card.title, "reason": card.reason},
        )  # fmt: skip


def remind(session: Session) -> None:
    """The job: those who work on a card are told that it is due, once; its author where nobody does."""
    from rse_core.api import defer

    due = session.scalars(
        select(Card).join(Board, Board.id == Card.board_id)
        .where(Card.remind_at <= utcnow(), Card.state == "open", Card.done_at.is_(None), Board.state == "open")
        .order_by(Card.remind_at).limit(BATCH).with_for_update(skip_locked=True, of=Card)
    ).all()  # fmt: skip
    for card in due:
        people = list(session.scalars(select(CardPerson.person_id).where(CardPerson.card_id == card.id)))
        if not people and card.author_id is not None:
            people = [card.author_id]
        at = card.due_at or utcnow()
        for person_id in people:
            # A due date that was moved reminds anew.
            withdraw(session, _cause(card, "due", person_id))
            notify(
                session, person_id, "kanban.due", access.card_ref(card.id), actor_id=None,
                cause=_cause(card, "due", person_id), data={"title": card.title, "at": at.isoformat()},
            )  # fmt: skip
        card.remind_at = None
    if len(due) == BATCH:
        defer(session, "kanban.remind")


def decided(session: Session, event: Event) -> None:
    """A moderator decided on a card: on the text that stands there, not on one that was edited since."""
    from . import cards

    if event.ref is None or event.ref.type != access.CARD or not event.ref.id.isdecimal():
        return
    card = session.get(Card, int(event.ref.id))
    held = moderation.states(session, [event.ref]).get(event.ref)
    if card is None or held is None or held.id != event.data.get("held"):
        return
    board = session.scalar(select(Board).where(Board.id == card.board_id).with_for_update())
    if board is None:
        return
    session.refresh(card)
    if event.name == "moderation.approved":
        cards.approved(session, card, board)
    else:
        cards.refused(session, card, board, held.reason, event.actor_id)


# -- one line of each kind -----------------------------------------------------------------------------------------------


def _title(data: Mapping[str, Any]) -> str:
    return str(data.get("title", ""))


def render_assigned(count: int, data: Mapping[str, Any]) -> LazyText:
    """“You work on a card”."""
    return LazyText(lambda: _t.gettext("You are assigned to the card: %(title)s", title=_title(data)))


def render_mentioned(count: int, data: Mapping[str, Any]) -> LazyText:
    """“You are named in a card”."""
    return LazyText(lambda: _t.gettext("You are named in the card: %(title)s", title=_title(data)))


def render_due(count: int, data: Mapping[str, Any]) -> LazyText:
    """“A card is due”."""
    return LazyText(lambda: _t.gettext("Soon due: %(title)s", title=_title(data)))


def render_moved(count: int, data: Mapping[str, Any]) -> LazyText:
    """“A card was moved”: where it is now, however often it moved."""
    return LazyText(
        lambda: _t.gettext("“%(title)s” is now in “%(column)s”", title=_title(data), column=str(data.get("to", "")))
    )


def render_refused(count: int, data: Mapping[str, Any]) -> LazyText:
    """“Your card was not published”, with the reason."""
    reason = str(data.get("reason", "")) or "–"
    return LazyText(
        lambda: _t.gettext("Your card “%(title)s” was not published. Reason: %(reason)s", title=_title(data), reason=reason)
    )
