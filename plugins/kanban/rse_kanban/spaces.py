"""A space whose content is for other people now, or stands in another space: boards and templates follow, set by set."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rse_core.api import SpaceChange
from rse_core.models.organisation import Membership

from .models import Board, Card, CardPerson
from .models_more import Template


def changed(session: Session, change: SpaceChange) -> None:
    """In the transaction of the change. Who sees the space no longer works on nothing there."""
    quietly = {"synchronize_session": False}
    for table in (Board, Template):
        values: dict[str, object] = {"audience_id": change.audience_after}
        if change.into is not None:
            values["space_id"] = change.into
        if table is Board:
            values["revision"] = Board.revision + 1
        session.execute(update(table).where(table.space_id == change.space_id).values(values).execution_options(**quietly))
    inside = select(Membership.person_id).where(Membership.audience_id == change.audience_after)
    boards = (Board.space_id == (change.into or change.space_id)) & (Board.audience_id == change.audience_after)
    here = select(Card.id).join(Board, Board.id == Card.board_id).where(boards)
    session.execute(
        delete(CardPerson).where(CardPerson.card_id.in_(here), CardPerson.person_id.not_in(inside))
        .execution_options(**quietly)
    )  # fmt: skip
    if change.into is not None:
        # Also those that stood there before: somebody may work on nothing there any more.
        session.execute(update(Board).where(boards).values(revision=Board.revision + 1).execution_options(**quietly))
    session.expire_all()
