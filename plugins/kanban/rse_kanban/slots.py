"""Boards inside other pages: those of a space on that space's page; under any object a way to make a card of it, and the
cards that were made."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import ContentType, ObjectRef, SlotItem, Target, Viewer, can, core_of, open_audiences, resolve
from rse_core.audiences import of_space
from rse_core.refs import among
from rse_core.statements import Statement
from rse_core.webapi import KeptMarkup

from . import access, listing
from .models import Board, Card, CardRef

SPACE = "communities.space"
#: Objects that are a card, or the place of cards.
NOT_THESE = frozenset({access.CARD, access.BOARD, SPACE})
#: Cards named under one object.
MOST = 5
_CARDS = Statement(
    "SELECT DISTINCT ref_type, ref_id FROM rse_kanban_ref WHERE ref_type IN :types AND ref_id IN :ids", types=str, ids=str
)
_kept = KeptMarkup()


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup of the slots ``space`` and ``reactions`` (the row of actions under an object)."""
    if viewer.person_id is None or not refs:
        return []
    if slot == "space":
        return _of_space(session, viewer.person_id, [ref for ref in refs if ref.type == SPACE][:1])
    if slot == "reactions":
        return _makers(session, viewer.person_id, [ref for ref in refs if ref.type not in NOT_THESE])
    return []


def _of_space(session: Session, person_id: int, refs: Sequence[ObjectRef]) -> list[SlotItem]:
    info = resolve(session, refs).get(refs[0]) if refs else None
    if info is None or info.space_id is None:
        return []
    found = listing.boards(session, person_id, space_id=info.space_id, most=20)
    audience = core_of(session).policy.snapshot().spaces.get(info.space_id)
    may_make = audience is not None and can(session, person_id, access.MANAGE, _target(session, info.space_id)).allowed
    if not found and not may_make:
        return []
    key = info.extra.get("key", audience.key if audience is not None else "")
    html = render_template("rse/kanban/space.html", found=found, may_make=may_make, space_key=key)
    return [SlotItem(refs[0], html, order=20)]


def _target(session: Session, space_id: int) -> Target:
    return Target(of_space(session, space_id), space_id=space_id)


def _makers(session: Session, person_id: int, refs: Sequence[ObjectRef]) -> list[SlotItem]:
    """A link for each object; two queries at most for the cards of all of them."""
    kinds: dict[str, ContentType] = dict(core_of(session).plugins.content_types)
    wanted = [ref for ref in refs if ref.type in kinds]
    if not wanted:
        return []
    may = bool(open_audiences(session, person_id, access.WRITE)) or can(session, person_id, access.WRITE).allowed
    reads = may or bool(open_audiences(session, person_id, access.READ))
    if not reads:
        return []
    made = _made_of(session, person_id, wanted)
    return [
        SlotItem(ref, _make(ref, may, tuple(made.get(ref, ())[:MOST])), order=90) for ref in wanted if may or made.get(ref)
    ]


def _make(ref: ObjectRef, may: bool, made: tuple[tuple[int, str], ...]) -> str:
    return _kept((ref, may, made), lambda: render_template("rse/kanban/make.html", ref=ref, may=may, made=made))


def _made_of(session: Session, person_id: int, refs: Sequence[ObjectRef]) -> dict[ObjectRef, list[tuple[int, str]]]:
    """The cards about these objects that the person sees. Most objects have none, which a short statement tells."""
    asked = set(refs)
    some = _CARDS(session, types=sorted({ref.type for ref in refs}), ids=sorted({ref.id for ref in refs}))
    with_cards = [ref for ref in {ObjectRef(kind, ident) for kind, ident in some} if ref in asked]
    made: dict[ObjectRef, list[tuple[int, str]]] = {}
    if not with_cards:
        return made
    rows = session.execute(
        select(CardRef.ref_type, CardRef.ref_id, Card.id, Card.title)
        .join(Card, Card.id == CardRef.card_id).join(Board, Board.id == Card.board_id)
        .where(among(CardRef.ref_type, CardRef.ref_id, with_cards), access.visible_cards(session, person_id))
        .order_by(Card.id)
    )  # fmt: skip
    for kind, ident, card_id, title in rows:
        made.setdefault(ObjectRef(kind, ident), []).append((card_id, title))
    return made
