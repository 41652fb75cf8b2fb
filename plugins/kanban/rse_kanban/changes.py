"""What every change of a card leaves behind: its version, the board's revision, a line of activity, an event.

All in the transaction of the change, under the lock of the board.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from rse_core.api import Conflict, Event, emit, say_changed, translator, utcnow

from . import access
from .models import Activity, Board, Card, Transition

_ = translator(__file__, "rse_kanban").gettext


class CardConflict(Conflict):
    """Somebody else changed the same field of the card since it was read; nothing was written.

    ``card_id`` and ``late`` say which; the caller answers with the state as it is now.
    """

    code = "stale"

    def __init__(self, card: Card, fields: Iterable[str]) -> None:
        super().__init__(
            _("Somebody else has changed this card since you opened it."),
            remedy=_("Nothing of yours is lost: choose between both, field by field."),
            current={
                "id": card.id, "version": card.version, "fields": list(fields), "title": card.title, "body": card.body,
                "due_at": card.due_at.isoformat() if card.due_at else None, "remind": card.remind, "parent": card.parent_id,
                "board": card.board_id, "column": card.column_id, "lane": card.lane_id, "state": card.state,
            },
        )  # fmt: skip
        self.card_id = card.id
        self.late = tuple(fields)


class Full(Conflict):
    """A column takes no further card."""

    code = "full"


def touched(session: Session, board: Board, card: Card, fields: Iterable[str] = ()) -> None:
    """A new version of the card, in which these fields are new."""
    board.revision += 1
    board.updated_at = card.updated_at = utcnow()
    card.version += 1
    card.revision = board.revision
    card.stamps = {**(card.stamps or {}), **dict.fromkeys(fields, card.version)}
    session.flush()
    say_changed(session, access.topic(board.id))


def board_changed(session: Session, board: Board) -> None:
    """Something of the board itself is new."""
    board.revision += 1
    board.version += 1
    board.updated_at = utcnow()
    session.flush()
    say_changed(session, access.topic(board.id))


def stale(card: Card, version: int | None, fields: Iterable[str]) -> list[str]:
    """Those of these fields that changed after the given version; None compares nothing."""
    if version is None:
        return []
    stamps = card.stamps or {}
    return [field for field in fields if stamps.get(field, 1) > version]


def note(session: Session, board: Board, card: Card | None, person_id: int | None, verb: str, **data: Any) -> None:
    """One line of activity."""
    session.add(Activity(board_id=board.id, card_id=card.id if card else None, person_id=person_id, verb=verb, data=data))


def tell(
    session: Session, board: Board, card: Card, person_id: int | None, name: str, data: Mapping[str, Any] | None = None
) -> None:
    """An event about the card. What waits for a moderator, was taken down, and what is nobody else's, is told to nobody."""
    if card.state in ("pending", "refused", "hidden") or board.audience_id is None:
        return
    emit(
        session,
        Event(
            f"kanban.{name}", person_id, access.card_ref(card.id), board.audience_id,
            {"board": board.id, "space": board.space_id, **(data or {})},
        ),
    )  # fmt: skip


def passed(
    session: Session, board: Board, card: Card, person_id: int | None, from_id: int | None, to_id: int | None
) -> Transition:
    """The card went from one column to another, came, or left. It has a number once the change is :func:`touched`."""
    row = Transition(board_id=board.id, card_id=card.id, from_id=from_id, to_id=to_id, person_id=person_id, at=utcnow())
    session.add(row)
    return row
