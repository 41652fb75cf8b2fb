"""What a card can refer to, offered while somebody types: other cards, posts, pages of the intranet; of what they may see.

Where a search plugin keeps an index, it is asked for everything but the cards of the same board and of one's own boards,
which it does not hold, or not yet. Without one there are the cards of all boards that the person reads, by their titles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, ContentInfo, ObjectRef, core_of, seen, translator
from rse_core.search import SearchQuery, scopes

from . import about, access
from .about import NOT_THESE
from .models import Board, Card

_ = translator(__file__, "rse_kanban").gettext
MOST, CARDS_MOST, WORDS_MOST = 8, 5, 6
LENGTH_MOST = 100
_NUMBERED = re.compile(r"#?(\d{1,18})\Z")


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to refer to. ``kind``: what it is, in words; ``where``: the board of a card, else ""."""

    ref: ObjectRef
    title: str
    kind: str
    where: str = ""


def suggest(session: Session, person_id: int, card_id: int, text: str, *, only_cards: bool = False) -> list[Offer]:
    """What a card may refer to that goes by these words, or a card by its number; at most :data:`MOST`.

    :raises NotFound: for a card of which the person may not know.
    :raises Forbidden: for who may not change it.
    """
    card, chair = access.open_card(session, person_id, card_id)
    chair.need_write()
    text = " ".join(text.split())[:LENGTH_MOST]
    if len(text) < 2 and not text.isdecimal():
        return []
    core = core_of(session)
    backend = core.plugins.search_backend()
    found = _cards(session, person_id, card, text, everywhere=backend is None)
    if backend is not None and len(text) > 1:
        types = {access.CARD}
        if not only_cards:
            types |= {name for name, kind in core.plugins.content_types.items() if kind.likable or kind.commentable}
        sight = [
            replace(scope, types=tuple(name for name in scope.types if name in types))
            for scope in scopes(session, person_id) if types.intersection(scope.types)
        ]  # fmt: skip
        if sight:
            answer = backend.find(session, sight, SearchQuery(text, limit=2 * MOST))
            wanted = [hit.ref for hit in answer.hits if hit.ref.type in types]
            # The index follows a moment later: what is for others since is not offered.
            infos = seen(session, person_id, wanted)
            found += _offers(session, [infos[ref] for ref in wanted if ref in infos])
    own = access.card_ref(card.id)
    return list({one.ref: one for one in found if one.ref != own}.values())[:MOST]


def other_card(session: Session, text: str, *, ref: str = "", host: str = "") -> int:
    """The number of the card that somebody chose (``ref``), or typed as a number or an address.

    Whether they may see it is asked afterwards.

    :raises BadInput: for anything else.
    """
    if ref:
        chosen = ObjectRef.parse(ref)
    else:
        numbered = _NUMBERED.match(text.strip())
        if numbered is not None:
            return int(numbered[1])
        chosen = about.find(session, text, host=host) if "/" in text else ObjectRef("page", text or "-")
    if chosen.type != access.CARD or not chosen.id.isdecimal() or len(chosen.id) > 18:
        message = _("This is no card.")
        raise BadInput(
            message, remedy=_("Choose one that is offered, or give its number or its address."), fields={"other": message}
        )
    return int(chosen.id)


def _cards(session: Session, person_id: int, card: Card, text: str, *, everywhere: bool) -> list[Offer]:
    """Cards whose titles have these words, those that begin so first; one query."""
    numbered = _NUMBERED.match(text)
    words = [_has(word) for word in text.split()[:WORDS_MOST]]
    named: ColumnElement[bool] = words[0]
    for word in words[1:]:
        named = named & word
    if numbered is not None:
        named = or_(named, Card.id == int(numbered[1]))
    where = [access.visible_cards(session, person_id), named, Card.id != card.id]
    if not everywhere:
        near = or_(Card.board_id == card.board_id, Board.audience_id.is_(None))
        where.append(near if numbered is None else or_(near, Card.id == int(numbered[1])))
    first = case(
        (Card.id == int(numbered[1] if numbered else 0), 0),
        (func.lower(Card.title).startswith(text.lower(), autoescape=True), 1), else_=2,
    )  # fmt: skip
    rows = session.execute(
        select(Card.id, Card.title, Board.title.label("board")).join(Board, Board.id == Card.board_id).where(*where)
        .order_by(first, Card.updated_at.desc(), Card.id.desc()).limit(CARDS_MOST)
    ).all()  # fmt: skip
    kind = str(core_of(session).plugins.content_types[access.CARD].label)
    return [Offer(access.card_ref(row.id), row.title, kind, row.board) for row in rows]


def _has(word: str) -> ColumnElement[bool]:
    # SQLite lowers ASCII alone: an accented capital is found as it was typed.
    lowered = func.lower(Card.title).contains(word.lower(), autoescape=True)
    return or_(lowered, Card.title.contains(word, autoescape=True))


def _offers(session: Session, infos: Iterable[ContentInfo]) -> list[Offer]:
    found: Sequence[ContentInfo] = [info for info in infos if info.ref.type == access.CARD or info.ref.type not in NOT_THESE]
    ids = [int(info.parent.id) for info in found if info.ref.type == access.CARD and info.parent is not None]
    boards: dict[int, str] = {}
    if ids:
        boards = {ident: title for ident, title in session.execute(select(Board.id, Board.title).where(Board.id.in_(ids)))}
    kinds = core_of(session).plugins.content_types
    return [
        Offer(
            info.ref, info.title or info.url, str(kinds[info.ref.type].label),
            boards.get(int(info.parent.id), "") if info.ref.type == access.CARD and info.parent is not None else "",
        )
        for info in found
    ]  # fmt: skip
