"""Cards across boards: one's own, and how much a team has on its hands. Nobody is ranked: it is for sharing the work out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import DigestLine, NotFound, core_of, translator, utcnow
from rse_core.models.organisation import Space, SpaceMember
from rse_core.people import PersonCard, names

from . import access, asking, reading
from .models import Board, Card, CardPerson, CheckItem, Column
from .reading import Shown

_t = translator(__file__, "rse_kanban")
_, lazy = _t.gettext, _t.lazy
MINE_MOST = 500
PEOPLE_MOST = 300


@dataclass(frozen=True, slots=True)
class Mine:
    """One's own cards, those due first, with the board and the column of each; and lines of checklists."""

    cards: Sequence[Shown]
    boards: Mapping[int, Board]
    columns: Mapping[int, str]
    items: Sequence[tuple[CheckItem, int, str]]
    cut: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What one person has on their hands on the boards that the reader sees."""

    person: PersonCard
    todo: int
    doing: int
    late: int
    soon: int

    @property
    def all(self) -> int:
        """Cards that are not done."""
        return self.todo + self.doing


def mine(session: Session, person_id: int, query: str = "") -> Mine:
    """The cards that one is assigned to and that are not done, on every board that one sees."""
    assigned = exists().where(CardPerson.card_id == Card.id, CardPerson.person_id == person_id)
    terms = asking.parse(query)
    done = [] if any(term.key == "is" for term in terms) else [Card.done_at.is_(None)]
    boards = select(Board.id).where(Board.state == "open", access.readable_boards(session, person_id))
    where = [
        Card.board_id.in_(boards), assigned, *done, *asking.conditions(session, person_id, terms),
        or_(Card.state == "open", and_(Card.state == "pending", Card.author_id == person_id)),
    ]  # fmt: skip
    found = reading.cards(session, where, None, order=(Card.due_at.is_(None), Card.due_at, Card.id), most=MINE_MOST + 1)
    items = session.execute(
        select(CheckItem, Card.id, Card.title)
        .join(Card, Card.id == CheckItem.card_id).join(Board, Board.id == Card.board_id)
        .where(CheckItem.person_id == person_id, CheckItem.done_at.is_(None), access.visible_cards(session, person_id))
        .order_by(CheckItem.due_on.is_(None), CheckItem.due_on, CheckItem.id).limit(100)
    ).all()  # fmt: skip
    homes = session.scalars(select(Board).where(Board.id.in_({card.board_id for card in found}))).all()
    names_of = session.execute(select(Column.id, Column.name).where(Column.id.in_({card.column_id for card in found})))
    return Mine(
        found[:MINE_MOST], {board.id: board for board in homes}, {ident: name for ident, name in names_of},
        [(item, card_id, title) for item, card_id, title in items], len(found) > MINE_MOST,
    )  # fmt: skip


def team(session: Session, person_id: int, *, board_id: int | None = None, space_key: str = "") -> list[Load]:
    """How much each has on their hands: on one board, or on all boards of a space. Two queries.

    Everybody of the space who works on nothing is there too: they may have room.
    """
    where = [access.visible_cards(session, person_id), Card.done_at.is_(None)]
    members: list[int] = []
    if board_id is not None:
        access.open_board(session, person_id, board_id)
        where.append(Card.board_id == board_id)
    else:
        space = session.scalar(select(Space).where(Space.key == space_key))
        readable = access.readable_boards(session, person_id)
        if space is None or session.scalar(
            select(Board.id).where(Board.space_id == space.id, Board.state != "deleted", readable).limit(1)
        ) is None:  # fmt: skip
            raise NotFound(_("There is no such space, or no board in it."))
        where.append(Board.space_id == space.id)
        members = list(session.scalars(
            select(SpaceMember.person_id).where(SpaceMember.space_id == space.id).limit(PEOPLE_MOST)
        ))  # fmt: skip
    now = utcnow()
    rows = session.execute(
        select(
            CardPerson.person_id,
            func.sum(case((Column.phase == "todo", 1), else_=0)), func.sum(case((Column.phase != "todo", 1), else_=0)),
            func.sum(case((Card.due_at < now, 1), else_=0)),
            func.sum(case((and_(Card.due_at >= now, Card.due_at < now + dt.timedelta(days=7)), 1), else_=0)),
        )
        .join(Card, Card.id == CardPerson.card_id).join(Board, Board.id == Card.board_id)
        .join(Column, Column.id == Card.column_id)
        .where(*where).group_by(CardPerson.person_id).limit(PEOPLE_MOST)
    ).all()  # fmt: skip
    counts = {row[0]: tuple(int(value or 0) for value in row[1:]) for row in rows}
    known = names(session, {*counts, *members})
    found = [Load(known[one], *counts.get(one, (0, 0, 0, 0))) for one in known if known[one].active or one in counts]
    return sorted(found, key=lambda load: load.person.display_name.casefold())


def digest(session: Session, person_id: int, since: dt.datetime) -> Iterable[DigestLine]:
    """For a digest: one's cards that are late, or due within two days. One query and the names of boards."""
    soon = utcnow() + dt.timedelta(days=2)
    rows = session.execute(
        select(Card.id, Card.title, Card.due_at, Board.title)
        .join(Board, Board.id == Card.board_id)
        .join(CardPerson, and_(CardPerson.card_id == Card.id, CardPerson.person_id == person_id))
        .where(access.visible_cards(session, person_id), Card.done_at.is_(None), Card.due_at < soon)
        .order_by(Card.due_at, Card.id).limit(5)
    ).all()  # fmt: skip
    prefix = core_of(session).settings.url_prefix
    for card_id, title, due_at, board in rows:
        yield DigestLine(
            access.card_ref(card_id), title, f"{prefix}/kanban/cards/{card_id}", lazy("Cards that are due"),
            due_at or since, board, 80,
        )  # fmt: skip
