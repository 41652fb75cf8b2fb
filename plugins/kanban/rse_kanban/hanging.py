"""What hangs on many cards at once: labels, people, fields, and how much there is of the rest; each by one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.people import PersonCard, names
from rse_core.statements import Statement

from . import access
from .models import Label

_LABELS = Statement("SELECT card_id, label_id FROM rse_kanban_card_label WHERE card_id IN :cards", cards=int)
_PEOPLE = Statement(
    "SELECT card_id, person_id FROM rse_kanban_card_person WHERE card_id IN :cards ORDER BY at, person_id", cards=int
)
_VALUES = Statement(
    "SELECT card_id, field_id, value FROM rse_kanban_value WHERE card_id IN :cards AND field_id IN :fields",
    cards=int, fields=int,
)  # fmt: skip
#: What is counted of a card, as the statement below numbers it.
CHECKS, PARTS, BLOCKED, FILES = range(4)
_NUMBERS = Statement(
    "SELECT 0 AS what, card_id AS card, SUM(CASE WHEN done_at IS NULL THEN 0 ELSE 1 END) AS done, COUNT(*) AS many "
    "FROM rse_kanban_check WHERE card_id IN :cards GROUP BY card_id "
    "UNION ALL SELECT 1, parent_id, SUM(CASE WHEN done_at IS NOT NULL OR state = 'archived' THEN 1 ELSE 0 END), "
    "COUNT(*) FROM rse_kanban_card WHERE parent_id IN :cards AND state IN ('open', 'archived') GROUP BY parent_id "
    "UNION ALL SELECT 2, l.other_id, 0, COUNT(*) FROM rse_kanban_link l "
    "JOIN rse_kanban_card c ON c.id = l.card_id WHERE l.kind = 'blocks' AND l.other_id IN :cards "
    "AND c.state = 'open' AND c.done_at IS NULL GROUP BY l.other_id "
    "UNION ALL SELECT 3, CAST(ref_id AS BIGINT), 0, COUNT(*) FROM rse_core_file "
    "WHERE ref_type = :type AND ref_id IN :refs GROUP BY ref_id",
    cards=int, refs=str,
)  # fmt: skip


@dataclass(slots=True)
class Hanging:
    """By card. ``numbers``: by :data:`CHECKS`, :data:`PARTS`, :data:`BLOCKED` and :data:`FILES`, how many are done and how
    many there are."""

    labels: Mapping[int, Sequence[Label]] = field(default_factory=dict)
    people: Mapping[int, Sequence[PersonCard]] = field(default_factory=dict)
    numbers: Sequence[Mapping[int, tuple[int, int]]] = ()
    values: Mapping[int, Mapping[int, str]] = field(default_factory=dict)


def on(session: Session, cards: list[int], labels: Sequence[Label] | None, own: list[int]) -> Hanging:
    """What hangs on these cards; six queries at most.

    :param labels: those of the cards' board, in their order, when they are all of one; None looks them up.
    :param own: the ids of the fields that are wanted.
    """
    numbers: list[dict[int, tuple[int, int]]] = [{}, {}, {}, {}]
    for what, card, done, many in _NUMBERS(session, cards=cards, type=access.CARD, refs=[str(card) for card in cards]):
        numbers[what][card] = int(done), int(many)
    values: dict[int, dict[int, str]] = defaultdict(dict)
    if own:
        for card, ident, value in _VALUES(session, cards=cards, fields=own):
            values[card][ident] = value
    return Hanging(_labels(session, cards, labels), _people(session, cards), numbers, values)


def _labels(session: Session, cards: list[int], labels: Sequence[Label] | None) -> dict[int, list[Label]]:
    rows = _LABELS(session, cards=cards) if labels is None or labels else []
    if labels is None:
        wanted = {label for _card, label in rows}
        labels = session.scalars(select(Label).where(Label.id.in_(wanted)).order_by(Label.name)).all() if wanted else []
    places = {label.id: place for place, label in enumerate(labels)}
    found: dict[int, list[Label]] = defaultdict(list)
    for place, card in sorted((places[label], card) for card, label in rows if label in places):
        found[card].append(labels[place])
    return found


def _people(session: Session, cards: list[int]) -> dict[int, list[PersonCard]]:
    rows = _PEOPLE(session, cards=cards)
    known = names(session, {person for _card, person in rows})
    found: dict[int, list[PersonCard]] = defaultdict(list)
    for card, person in rows:
        if person in known:
            found[card].append(known[person])
    return found
