"""What a card has to do with others: what it waits for, what it belongs to.

Cards on different boards may be linked; each reader sees of these only what they may see.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, case, delete, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, dialect_insert, translator

from . import access
from .changes import CardConflict, note, stale, touched
from .models import Board, Card, CardLink

_ = translator(__file__, "rse_kanban").gettext
MOST = 50
#: Cards above one another: more is a mistake.
DEEP = 10


@dataclass(frozen=True, slots=True)
class Other:
    """Another card, as it stands beside this one. ``done``: in a column of what is done, or put away."""

    id: int
    title: str
    board_id: int
    done: bool


@dataclass(frozen=True, slots=True)
class Around:
    """The cards around one, as far as the reader sees them. ``children_done`` counts those not seen as well."""

    parent: Other | None
    children: tuple[Other, ...]
    blockers: tuple[Other, ...]
    blocks: tuple[Other, ...]
    related: tuple[Other, ...]
    children_done: int
    children_all: int
    #: cards that hold this one up and are not shown to the reader
    hidden_blockers: int


def link(session: Session, person_id: int, card_id: int, other_id: int, kind: str) -> None:
    """Say what a card has to do with another: ``blocks``, ``blocked`` (by it) or ``relates``.

    :raises NotFound: for a card of which the person may not know.
    :raises BadInput: for a circle.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    other, _seat = access.open_card(session, person_id, other_id)
    if kind not in ("blocks", "blocked", "relates"):
        raise BadInput(_("A card blocks another, waits for it, or has to do with it."), fields={"kind": _("Choose one.")})
    first, second = (other.id, card.id) if kind == "blocked" else (card.id, other.id)
    stored = "relates" if kind == "relates" else "blocks"
    if first == second or (stored == "blocks" and _reaches(session, second, first)):
        message = _("Two cards cannot wait for each other.")
        raise BadInput(message, fields={"other": message})
    count = session.scalar(select(func.count()).where(or_(CardLink.card_id == card.id, CardLink.other_id == card.id)))
    if (count or 0) >= MOST:
        raise BadInput(_("At most %(most)s links start from one card.", most=str(MOST)))
    if stored == "relates" and first > second:
        first, second = second, first
    session.execute(
        dialect_insert(session, CardLink).values(card_id=first, other_id=second, kind=stored).on_conflict_do_nothing()
    )
    note(session, chair.board, card, person_id, "linked")
    touched(session, chair.board, card)


def unlink(session: Session, person_id: int, card_id: int, other_id: int, kind: str) -> None:
    """Take such a link away; nothing happens when there is none."""
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    first, second = (other_id, card.id) if kind == "blocked" else (card.id, other_id)
    stored = "relates" if kind == "relates" else "blocks"
    if stored == "relates" and first > second:
        first, second = second, first
    session.execute(
        delete(CardLink).where(CardLink.card_id == first, CardLink.other_id == second, CardLink.kind == stored)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    note(session, chair.board, card, person_id, "unlinked")
    touched(session, chair.board, card)


def set_parent(session: Session, person_id: int, card_id: int, parent_id: int | None, *, version: int | None = None) -> None:
    """Make a card a part of another one, or of none.

    :raises BadInput: when that one is a part of this one.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    if card.parent_id == parent_id:
        return
    if stale(card, version, ["parent"]):
        raise CardConflict(card, ["parent"])
    if parent_id is not None:
        access.open_card(session, person_id, parent_id)
        above: int | None = parent_id
        for _step in range(DEEP):
            if above is None:
                break
            if above == card.id:
                message = _("A card cannot be a part of itself.")
                raise BadInput(message, fields={"parent": message})
            above = session.scalar(select(Card.parent_id).where(Card.id == above))
        if above is not None:
            raise BadInput(_("Parts go at most %(most)s deep.", most=str(DEEP)))
    card.parent_id = parent_id
    note(session, chair.board, card, person_id, "parent")
    touched(session, chair.board, card, ["parent"])


def around(session: Session, person_id: int, card: Card) -> Around:
    """The cards around one; two queries."""
    shown = access.visible_cards(session, person_id)
    done = or_(Card.done_at.is_not(None), Card.state == "archived")
    visible = case((shown, 1), else_=0)
    columns = (Card.id, Card.title, Card.board_id, done.label("done"), visible.label("shown"))
    family = session.execute(
        select(*columns, Card.parent_id).join(Board, Board.id == Card.board_id).where(
            or_(Card.parent_id == card.id, Card.id == (card.parent_id or 0)), Card.state.in_(("open", "archived"))
        ).order_by(Card.id)
    ).all()  # fmt: skip
    linked = session.execute(
        select(*columns, CardLink.card_id, CardLink.kind)
        .join(Board, Board.id == Card.board_id)
        .join(CardLink, or_(
            and_(CardLink.card_id == card.id, CardLink.other_id == Card.id),
            and_(CardLink.other_id == card.id, CardLink.card_id == Card.id),
        ))
        .where(Card.state.in_(("open", "archived")))
        .order_by(Card.id)
    ).all()  # fmt: skip

    def other(row: object) -> Other:
        return Other(row.id, row.title, row.board_id, bool(row.done))  # type: ignore[attr-defined]

    children = [row for row in family if row.parent_id == card.id]
    parent = [other(row) for row in family if row.id == card.parent_id and row.shown]
    blockers = [row for row in linked if row.kind == "blocks" and row.card_id != card.id]
    return Around(
        parent[0] if parent else None,
        tuple(other(row) for row in children if row.shown),
        tuple(other(row) for row in blockers if row.shown),
        tuple(other(row) for row in linked if row.kind == "blocks" and row.card_id == card.id and row.shown),
        tuple(other(row) for row in linked if row.kind == "relates" and row.shown),
        sum(1 for row in children if row.done), len(children),
        sum(1 for row in blockers if not row.shown and not row.done),
    )  # fmt: skip


def _reaches(session: Session, start: int, goal: int) -> bool:
    """Whether ``start`` holds up ``goal``, over any number of cards."""
    seen_ids, edge = {start}, [start]
    while edge and len(seen_ids) < 1_000:
        if goal in edge:
            return True
        found = session.scalars(select(CardLink.other_id).where(CardLink.kind == "blocks", CardLink.card_id.in_(edge))).all()
        edge = [ident for ident in set(found) if ident not in seen_ids]
        seen_ids |= set(edge)
    return goal in edge
