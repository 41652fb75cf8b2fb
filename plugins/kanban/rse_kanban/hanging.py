"""What hangs on many cards at once: labels, people, fields, and how much there is of the rest; each by one statement.

In two parts. What is a card's :class:`Own` changes with its board alone, and the board's revision tells of it; what is
:class:`Around` it is changed from other boards too, and is always asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.statements import Statement

from . import access
from .models import Label

#: Labels, and done and all lines of checklists, as :data:`LABELS` and :data:`CHECKS` number them.
LABELS, CHECKS = range(2)
_OWN = Statement(
    "SELECT 0 AS what, card_id AS card, label_id AS one, 0 AS two FROM rse_kanban_card_label WHERE card_id IN :cards "
    "UNION ALL SELECT 1, card_id, SUM(CASE WHEN done_at IS NULL THEN 0 ELSE 1 END), COUNT(*) "
    "FROM rse_kanban_check WHERE card_id IN :cards GROUP BY card_id",
    cards=int,
)
_PEOPLE = Statement(
    "SELECT card_id, person_id FROM rse_kanban_card_person WHERE card_id IN :cards ORDER BY at, person_id", cards=int
)
_VALUES = Statement(
    "SELECT card_id, field_id, value FROM rse_kanban_value WHERE card_id IN :cards AND field_id IN :fields",
    cards=int, fields=int,
)  # fmt: skip
#: What is counted of a card, as the statement below numbers it.
PARTS, BLOCKED, FILES = range(3)
_COUNTED = (
    "SELECT 0 AS what, parent_id AS card, SUM(CASE WHEN done_at IS NOT NULL OR state = 'archived' THEN 1 ELSE 0 END) "
    "AS done, COUNT(*) AS many FROM rse_kanban_card WHERE parent_id {cards} AND state IN ('open', 'archived') "
    "GROUP BY parent_id "
    "UNION ALL SELECT 1, l.other_id, 0, COUNT(*) FROM rse_kanban_link l "
    "JOIN rse_kanban_card c ON c.id = l.card_id WHERE l.kind = 'blocks' AND l.other_id {cards} "
    "AND c.state = 'open' AND c.done_at IS NULL GROUP BY l.other_id "
    "UNION ALL SELECT 2, CAST(ref_id AS BIGINT), 0, COUNT(*) FROM rse_core_file "
    "WHERE ref_type = :type AND ref_id {refs} GROUP BY ref_id"
)
_AROUND = Statement(_COUNTED.format(cards="IN :cards", refs="IN :refs"), cards=int, refs=str)
_ON_BOARD = "IN (SELECT {0} FROM rse_kanban_card WHERE board_id = :board AND rank IS NOT NULL)"
_AROUND_BOARD = Statement(_COUNTED.format(cards=_ON_BOARD.format("id"), refs=_ON_BOARD.format("CAST(id AS TEXT)")))


class Tag(NamedTuple):
    """A label as cards wear it."""

    id: int
    name: str
    hue: int


@dataclass(frozen=True, slots=True)
class Own:
    """By card: ids of its labels and of who works on it, done and all lines of its checklist, values by field."""

    labels: Mapping[int, Sequence[int]] = field(default_factory=dict)
    people: Mapping[int, Sequence[int]] = field(default_factory=dict)
    checks: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    values: Mapping[int, Mapping[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Around:
    """By card: done and all of its parts, by how many others it is blocked, how many files it has."""

    parts: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    blocked: Mapping[int, int] = field(default_factory=dict)
    files: Mapping[int, int] = field(default_factory=dict)


def own(session: Session, cards: list[int], wanted: list[int]) -> Own:
    """What these cards have for themselves; three statements at most.

    :param wanted: the ids of the fields whose values are.
    """
    labels: dict[int, list[int]] = defaultdict(list)
    checks: dict[int, tuple[int, int]] = {}
    for what, card, one, two in _OWN(session, cards=cards):
        if what == LABELS:
            labels[card].append(one)
        else:
            checks[card] = int(one), int(two)
    people: dict[int, list[int]] = defaultdict(list)
    for card, person in _PEOPLE(session, cards=cards):
        people[card].append(person)
    values: dict[int, dict[int, str]] = defaultdict(dict)
    if wanted:
        for card, ident, value in _VALUES(session, cards=cards, fields=wanted):
            values[card][ident] = value
    return Own(labels, people, checks, values)


def around(session: Session, cards: list[int]) -> Around:
    """What other cards and their files say of these; one statement."""
    return _around(_AROUND(session, cards=cards, type=access.CARD, refs=[str(card) for card in cards]))


def around_board(session: Session, board_id: int) -> Around:
    """The same of all cards that stand on a board."""
    return _around(_AROUND_BOARD(session, board=board_id, type=access.CARD))


def _around(rows: Sequence[Any]) -> Around:
    numbers: list[dict[int, tuple[int, int]]] = [{}, {}, {}]
    for what, card, done, many in rows:
        numbers[what][card] = int(done), int(many)
    blocked, files = ({card: many for card, (_done, many) in numbers[what].items()} for what in (BLOCKED, FILES))
    return Around(numbers[PARTS], blocked, files)


def tags(session: Session, found: Own, labels: Sequence[Label] | None) -> list[Tag]:
    """The labels in the order in which cards wear them; one statement if they are to be looked up.

    :param labels: those of the cards' board, in their order, when they are all of one; None looks them up.
    """
    if labels is None:
        wanted = {label for some in found.labels.values() for label in some}
        labels = session.scalars(select(Label).where(Label.id.in_(wanted)).order_by(Label.name)).all() if wanted else []
    return [Tag(label.id, label.name, label.hue) for label in labels]
