"""What is kept about a person on boards: exported whole; without a name once the account is erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, case, delete, or_, select, update
from sqlalchemy.orm import Session

from rse_core import files, mentions, moderation

from . import access
from .changes import tell, touched
from .models import Activity, Board, BoardRole, Card, CardPerson, CardRevision, CheckItem, Transition
from .models_more import Address, Import, Recurrence, Rule, SavedFilter, Template

QUIETLY = {"synchronize_session": False}


def export_cards(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Cards that the person made or works on, and lines of checklists that are theirs; of those that they made, also what
    was written on them before each edit of theirs."""
    mine = select(CardPerson.card_id).where(CardPerson.person_id == person_id)
    items: dict[int, list[str]] = {}
    for item in session.scalars(
        select(CheckItem).where(or_(CheckItem.person_id == person_id, CheckItem.done_by == person_id))
    ):
        items.setdefault(item.card_id, []).append(item.text)
    assigned = set(session.scalars(mine))
    before: dict[int, list[dict[str, str]]] = {}
    for row in session.scalars(
        select(CardRevision).join(Card, Card.id == CardRevision.card_id)
        .where(Card.author_id == person_id, CardRevision.by_id == person_id).order_by(CardRevision.id)
    ):  # fmt: skip
        before.setdefault(row.card_id, []).append({"title": row.title, "body": row.body, "until": row.at.isoformat()})
    shown = and_(access.readable_boards(session, person_id), Board.state != "deleted", Card.state.in_(access.OPEN))
    rows = session.execute(
        select(Card, Board.title, case((shown, 1), else_=0))
        .join(Board, Board.id == Card.board_id)
        .where(or_(Card.author_id == person_id, Card.id.in_(mine), Card.id.in_(items)))
        .order_by(Card.id)
    )
    for card, board, seen in rows:
        own = card.author_id == person_id
        # Of a card of somebody else that the person does not see any more: that it was theirs to do, and no word of it.
        yield {
            "card": card.id, "board": board if own or seen else "", "title": card.title if own or seen else "", "made": own,
            "assigned": card.id in assigned, "body": card.body if own else "", "state": card.state if own or seen else "",
            "checklist": items.get(card.id, []) if own or seen else [], "before": before.get(card.id, []),
            "due_at": card.due_at.isoformat() if card.due_at else None, "created_at": card.created_at.isoformat(),
        }  # fmt: skip


def erase_cards(session: Session, person_id: int) -> int:
    """Take the name off cards, lines and histories; a board of one's own goes whole, and what never was shown."""
    own = list(session.scalars(select(Board.id).where(Board.owner_id == person_id, Board.audience_id.is_(None))))
    gone = list(session.scalars(select(Card.id).where(or_(
        Card.board_id.in_(own), (Card.author_id == person_id) & Card.state.in_(("pending", "refused", "hidden", "deleted")),
    ))))  # fmt: skip
    # Open pages, and what is kept of boards, show the name no longer. Held in the order in which everybody holds several.
    mine = select(CardPerson.card_id).where(CardPerson.person_id == person_id)
    shown = Board.id.in_(select(Card.board_id).where(or_(Card.author_id == person_id, Card.id.in_(mine))))
    session.scalars(select(Board.id).where(shown).order_by(Board.id).with_for_update()).all()
    session.execute(update(Board).where(shown).values(revision=Board.revision + 1).execution_options(**QUIETLY))
    for card_id in gone:
        files.forget(session, access.card_ref(card_id))
        moderation.withdraw(session, access.card_ref(card_id))
    for chunk in (gone[start : start + 500] for start in range(0, len(gone), 500)):
        session.execute(delete(Card).where(Card.id.in_(chunk)).execution_options(**QUIETLY))
    session.execute(delete(Board).where(Board.id.in_(own)).execution_options(**QUIETLY))
    changed = len(gone) + len(own)
    for column in (
        Card.author_id, Card.ended_by, CheckItem.person_id, CheckItem.done_by, Transition.person_id, Activity.person_id,
        CardRevision.by_id, Board.created_by, Board.owner_id, Rule.created_by,
    ):  # fmt: skip
        table = column.class_
        found = session.execute(
            update(table).where(column == person_id).values({column.key: None}).returning(table.id)
            .execution_options(**QUIETLY)
        )  # fmt: skip
        changed += len(found.all())
    for statement in (
        delete(CardPerson).where(CardPerson.person_id == person_id),
        delete(BoardRole).where(BoardRole.kind == "person", BoardRole.target_id == person_id),
    ):
        session.execute(statement.execution_options(**QUIETLY))
    _unname(session, person_id)
    # A rule that assigns to somebody who is gone would fail for ever.
    session.execute(
        update(Rule).where(Rule.act == "assign", Rule.act_id == person_id).values(active=False, act_id=None)
        .execution_options(**QUIETLY)
    )  # fmt: skip
    session.execute(
        update(Recurrence).where(Recurrence.person_id == person_id).values(person_id=None, next_at=None)
        .execution_options(**QUIETLY)
    )  # fmt: skip
    session.expire_all()
    return changed


def _unname(session: Session, person_id: int) -> None:
    """Take ``@username`` out of what stands on cards, now and before; open pages and the index hear of it."""
    mentions.unname(session, person_id, CardRevision.title, CardRevision.body, CheckItem.text)
    changed = sorted(mentions.unname(session, person_id, Card.title, Card.body), key=lambda card: (card.board_id, card.id))
    for card in changed:
        board = session.get(Board, card.board_id)
        if board is not None:
            touched(session, board, card, ["title", "body"])
            tell(session, board, card, None, "edited", {"fields": ["body", "title"]})


def export_own(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """What the person set up for themselves: filters, templates, addresses, recurring cards, roles."""
    for saved in session.scalars(select(SavedFilter).where(SavedFilter.person_id == person_id).order_by(SavedFilter.id)):
        yield {"kind": "filter", "name": saved.name, "query": saved.query, "shared": saved.shared}
    for made in session.scalars(select(Template).where(Template.owner_id == person_id).order_by(Template.id)):
        yield {"kind": "template", "name": made.name, "content": made.data}
    for row in session.scalars(select(Address).where(Address.person_id == person_id).order_by(Address.id)):
        used = row.last_used_on.isoformat() if row.last_used_on else None
        yield {"kind": row.kind, "name": row.name, "used": used, "revoked": row.revoked_at is not None}
    for again in session.scalars(select(Recurrence).where(Recurrence.person_id == person_id).order_by(Recurrence.id)):
        yield {"kind": "recurring", "name": again.name, "every": f"{again.times} {again.every}"}
    for taken in session.scalars(select(Import).where(Import.person_id == person_id).order_by(Import.id)):
        yield {"kind": "import", "name": taken.source, "cards": taken.total, "state": taken.state, "report": taken.left}
    for role in session.scalars(
        select(BoardRole).where(BoardRole.kind == "person", BoardRole.target_id == person_id).order_by(BoardRole.board_id)
    ):
        yield {"kind": "role", "board": role.board_id, "role": role.role}


def erase_own(session: Session, person_id: int) -> int:
    """Filters, addresses and own templates go."""
    changed = 0
    for table, column in (
        (SavedFilter, SavedFilter.person_id), (Address, Address.person_id), (Template, Template.owner_id),
        (Import, Import.person_id),
    ):  # fmt: skip
        found = session.execute(delete(table).where(column == person_id).returning(table.id).execution_options(**QUIETLY))
        changed += len(found.all())
    session.expire_all()
    return changed
