"""What a card said before: kept at each change of its title or text, read with what differs, and put back.

*Who reads it.* Those who may write on the board, those who run it, the card's author, and those who moderate there. What
waited for a moderator, or was refused, is for the author and the moderators alone; what the card said on another board is
told on none but that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from rse_core.api import Conflict, Forbidden, NotFound, translator, utcnow
from rse_core.people import PersonCard, names

from . import access
from .access import Seat
from .differences import Line, between
from .models import Card, CardRevision

_ = translator(__file__, "rse_kanban").gettext
PAGE = 10
#: Lines of each difference in a list of them.
LINES = 40


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what the card said before it (``row``), who made it, and what differs.

    ``title`` and ``lines``: of the title and of the text; empty where it stayed the same.
    """

    row: CardRevision
    who: PersonCard | None
    title: Sequence[Line]
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Versions:
    """A page of changes, the latest first; ``after``: where the next page begins, None when this is the last."""

    card: Card
    seat: Seat
    changes: Sequence[Change]
    after: int | None


def keep(session: Session, card: Card, person_id: int | None, title: str, body: str) -> None:
    """Keep what the card said until now, when it says something else."""
    if (title, body) != (card.title, card.body):
        session.add(CardRevision(
            card_id=card.id, board_id=card.board_id, version=card.version, title=title, body=body, by_id=person_id,
            unpublished=card.state in ("pending", "refused"), at=utcnow(),
        ))  # fmt: skip


def may_read(session: Session, chair: Seat, card: Card) -> bool:
    """Whether this person reads what the card said before."""
    if chair.writable or chair.manageable or card.author_id == chair.person_id:
        return True
    return access.moderates(session, chair.person_id, chair.board)


def are_there(session: Session, chair: Seat, card: Card) -> bool:
    """Whether there is an earlier text that this person reads; one query at most."""
    if not may_read(session, chair, card):
        return False
    return bool(session.scalar(select(exists().where(*_of(session, chair, card)))))


def of_card(session: Session, person_id: int, card_id: int, *, after: int | None = None, most: int = PAGE) -> Versions:
    """How a card's text changed; a fixed number of queries.

    :raises NotFound: for a card of which the person may not know.
    :raises Forbidden: for who only looks at the board.
    """
    card, chair = _opened(session, person_id, card_id)
    query = select(CardRevision).where(*_of(session, chair, card)).order_by(CardRevision.id.desc())
    if after is not None:
        query = query.where(CardRevision.id < after)
    rows = session.scalars(query.limit(most + 1)).all()
    later = card.title, card.body
    if after is not None and rows:
        # What the first of this page became stands on the page before.
        following = session.execute(
            select(CardRevision.title, CardRevision.body)
            .where(CardRevision.card_id == card.id, CardRevision.id > rows[0].id, *_of(session, chair, card))
            .order_by(CardRevision.id).limit(1)
        ).first()  # fmt: skip
        later = (following.title, following.body) if following is not None else later
    people = names(session, [row.by_id for row in rows[:most]])
    changes = []
    for row in rows[:most]:
        title, body = later
        lines = between(row.body, body, most=LINES)
        changes.append(Change(row, people.get(row.by_id or 0), between(row.title, title), lines))
        later = row.title, row.body
    return Versions(card, chair, changes, rows[most - 1].id if len(rows) > most else None)


def one(session: Session, person_id: int, card_id: int, revision_id: int) -> tuple[Card, Seat, Change]:
    """An earlier text, with what differs between it and the card as it is now.

    :raises NotFound: when there is none of this number that the person may read.
    """
    card, chair = _opened(session, person_id, card_id)
    row = session.scalar(select(CardRevision).where(CardRevision.id == revision_id, *_of(session, chair, card)))
    if row is None:
        raise NotFound(_("There is no such earlier text."), remedy=_("Look at the list of what changed."))
    who = names(session, [row.by_id]).get(row.by_id or 0)
    return card, chair, Change(row, who, between(row.title, card.title), between(row.body, card.body))


def put_back(session: Session, person_id: int, card_id: int, revision_id: int, *, version: int | None) -> Card:
    """Let the card say again what it said then. It is a change like any other: looked at, told of, and kept.

    :param version: of the card as it was read.
    :raises CardConflict: when its title or text has changed since.
    :raises Forbidden: with the reason, for who may not write.
    """
    from . import cards

    card, chair, change = one(session, person_id, card_id, revision_id)
    chair.need_write()
    if (card.title, card.body) == (change.row.title, change.row.body):
        raise Conflict(_("The card says just that."), remedy=_("There is nothing to restore."))
    written = cards.Written(title=change.row.title, body=change.row.body)
    return cards.edit(session, person_id, card_id, written, version=version)


def _opened(session: Session, person_id: int, card_id: int) -> tuple[Card, Seat]:
    card, chair = access.open_card(session, person_id, card_id)
    if not may_read(session, chair, card):
        raise Forbidden(_("What a card said before is shown to those who may change it."))
    return card, chair


def _of(session: Session, chair: Seat, card: Card) -> list[ColumnElement[bool]]:
    where = [CardRevision.card_id == card.id, CardRevision.board_id == card.board_id]
    if card.author_id != chair.person_id and not access.moderates(session, chair.person_id, chair.board):
        where.append(CardRevision.unpublished.is_(False))
    return where
