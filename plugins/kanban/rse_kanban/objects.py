"""Cards and boards as objects of the core: commented on, found, moderated, told of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import files, richtext
from rse_core.api import ContentInfo, ObjectRef, SearchDocument, core_of
from rse_core.people import names

from . import access
from .models import Board, Card, CardLabel, CardPerson, CheckItem, Label

STATES = {
    "open": "published", "pending": "pending", "refused": "draft", "hidden": "pending", "archived": "archived",
    "deleted": "deleted",
}  # fmt: skip
BOARD_STATES = {"open": "published", "archived": "archived", "deleted": "deleted"}


def _numbers(ids: Sequence[str]) -> list[int]:
    return [int(ident) for ident in ids if ident.isdecimal() and len(ident) < 19]


def cards(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Cards by id, in one query. What stands on somebody's own board is for nobody else; on one put away it is archived."""
    prefix, found = core_of(session).settings.url_prefix, {}
    rows = session.execute(
        select(
            Card.id, Card.title, Card.state, Card.author_id, Card.created_at, Card.board_id, Board.audience_id,
            Board.space_id, Board.owner_id, Board.state.label("board"),
        ).join(Board, Board.id == Card.board_id).where(Card.id.in_(_numbers(ids)))
    )  # fmt: skip
    for row in rows:
        state = STATES[row.state]
        if row.board == "deleted":
            state = "deleted"
        elif row.board == "archived" and state == "published":
            state = "archived"
        own = row.audience_id is None
        if own and state in ("published", "archived"):
            state = "draft"
        found[str(row.id)] = ContentInfo(
            access.card_ref(row.id), row.title if state != "deleted" else "", f"{prefix}/kanban/cards/{row.id}",
            row.audience_id, space_id=row.space_id, author_id=row.owner_id if own else row.author_id, state=state,
            created_at=row.created_at, parent=access.board_ref(row.board_id),
        )  # fmt: skip
    return found


def texts(session: Session, ids: Sequence[str]) -> Mapping[str, str]:
    """What these cards say, as it was typed; one query."""
    rows = session.execute(select(Card.id, Card.title, Card.body).where(Card.id.in_(_numbers(ids))))
    return {str(ident): f"{title}\n\n{body}".strip() for ident, title, body in rows}


def boards(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Boards by id, in one query."""
    prefix, found = core_of(session).settings.url_prefix, {}
    for row in session.scalars(select(Board).where(Board.id.in_(_numbers(ids)))):
        own = row.audience_id is None
        state = BOARD_STATES[row.state]
        found[str(row.id)] = ContentInfo(
            access.board_ref(row.id), row.title if state != "deleted" else "", f"{prefix}/kanban/boards/{row.id}",
            row.audience_id, space_id=row.space_id, author_id=row.owner_id if own else row.created_by,
            state="draft" if own and state != "deleted" else state, created_at=row.created_at,
        )  # fmt: skip
    return found


def documents(session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
    """What may be found: cards that are shown, archived ones too, and boards; nothing of somebody's own board."""
    yield from _boards_found(session, _numbers([ref.id for ref in refs if ref.type == access.BOARD]))
    numbers = _numbers([ref.id for ref in refs if ref.type == access.CARD])
    if not numbers:
        return
    rows = session.execute(
        select(
            Card.id, Card.title, Card.body, Card.author_id, Card.updated_at, Card.board_id, Board.audience_id,
            Board.space_id, Board.entity_id,
        ).join(Board, Board.id == Card.board_id).where(
            Card.id.in_(numbers), Card.state.in_(access.OPEN), Board.state != "deleted", Board.audience_id.is_not(None)
        )
    ).all()  # fmt: skip
    ids = [row.id for row in rows]
    words: dict[int, list[str]] = {}
    for card_id, name in session.execute(
        select(CardLabel.card_id, Label.name).join(Label, Label.id == CardLabel.label_id).where(CardLabel.card_id.in_(ids))
    ):
        words.setdefault(card_id, []).append(name)
    for card_id, text in session.execute(select(CheckItem.card_id, CheckItem.text).where(CheckItem.card_id.in_(ids))):
        words.setdefault(card_id, []).append(text)
    workers = session.execute(select(CardPerson.card_id, CardPerson.person_id).where(CardPerson.card_id.in_(ids))).all()
    known = names(session, {row.person_id for row in workers})
    for card_id, person_id in workers:
        if person_id in known:
            words.setdefault(card_id, []).append(known[person_id].display_name)
    attached = files.of(session, [access.card_ref(ident) for ident in ids])
    for row in rows:
        ref = access.card_ref(row.id)
        more = words.get(row.id, []) + [part for info in attached.get(ref, []) for part in (info.name, info.alt) if part]
        yield SearchDocument(
            ref, row.title, richtext.plain(row.body, 20_000), row.audience_id, row.author_id, row.updated_at, row.space_id,
            row.entity_id, kind="card", words=" ".join(more)[:5_000], parent=access.board_ref(row.board_id),
        )  # fmt: skip


def _boards_found(session: Session, numbers: list[int]) -> Iterable[SearchDocument]:
    if not numbers:
        return
    for row in session.scalars(
        select(Board).where(Board.id.in_(numbers), Board.state != "deleted", Board.audience_id.is_not(None))
    ):
        if row.audience_id is not None:
            yield SearchDocument(
                access.board_ref(row.id), row.title, row.description, row.audience_id, row.created_by, row.updated_at,
                row.space_id, row.entity_id, kind="board",
            )  # fmt: skip


def card_ids(session: Session, after: str | None, limit: int) -> Sequence[str]:
    """Ids of cards that may be found, by keyset, for rebuilding an index."""
    last = int(after) if after and after.isdecimal() else 0
    query = select(Card.id).where(Card.id > last, Card.state.in_(access.OPEN)).order_by(Card.id).limit(limit)
    return [str(ident) for ident in session.scalars(query)]


def board_ids(session: Session, after: str | None, limit: int) -> Sequence[str]:
    """Ids of boards that may be found, by keyset."""
    last = int(after) if after and after.isdecimal() else 0
    query = select(Board.id).where(Board.id > last, Board.state != "deleted").order_by(Board.id).limit(limit)
    return [str(ident) for ident in session.scalars(query)]


def cards_below(session: Session, ref: ObjectRef, after: str | None, limit: int) -> Sequence[str]:
    """Ids of the cards of a board, by keyset."""
    last = int(after) if after and after.isdecimal() else 0
    board = int(ref.id) if ref.id.isdecimal() and len(ref.id) < 19 else 0
    query = select(Card.id).where(Card.board_id == board, Card.id > last).order_by(Card.id).limit(limit)
    return [str(ident) for ident in session.scalars(query)]
