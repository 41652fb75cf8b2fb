"""Cards, columns and boards as plain data: what templates and recurring cards are made from, and what is exported.

Labels, fields, columns and lanes go by their names, so that what was taken from one board can be put on another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.people import names

from . import cards, columns, fields, placing
from .models import Board, Card, CardLabel, CardLink, CardPerson, CheckItem, Column, Field, Label, Lane
from .placing import Place

FORMAT = "rse-kanban-1"


def of_cards(session: Session, found: Sequence[Card], *, whole: bool = False) -> list[dict[str, Any]]:
    """Cards as data, in order; a fixed number of queries.

    :param whole: with people, dates, column and lane: an export, and not something to make others from.
    """
    ids = [card.id for card in found]
    labels: dict[int, list[str]] = {}
    for card_id, name in session.execute(
        select(CardLabel.card_id, Label.name).join(Label, Label.id == CardLabel.label_id)
        .where(CardLabel.card_id.in_(ids)).order_by(Label.name)
    ):  # fmt: skip
        labels.setdefault(card_id, []).append(name)
    items: dict[int, list[CheckItem]] = {}
    for item in session.scalars(
        select(CheckItem).where(CheckItem.card_id.in_(ids)).order_by(CheckItem.position, CheckItem.id)
    ):
        items.setdefault(item.card_id, []).append(item)
    values = fields.values_of(session, ids)
    titles = {
        ident: name
        for ident, name in session.execute(
            select(Field.id, Field.name).where(Field.board_id.in_({card.board_id for card in found}))
        )
    }
    more = _whole(session, found, items) if whole else {}
    return [
        {
            "title": card.title, "body": card.body, "labels": labels.get(card.id, []), "remind": card.remind,
            "checklist": [
                {"text": item.text, **({"done": item.done_at is not None, **_item(item, more)} if whole else {})}
                for item in items.get(card.id, [])
            ],
            "fields": {titles[ident]: value for ident, value in values.get(card.id, {}).items() if ident in titles},
            **more.get(card.id, {}),
        }
        for card in found
    ]  # fmt: skip


def _item(item: CheckItem, more: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "assignee": more["people"].get(item.person_id or 0, ""), "due_on": item.due_on.isoformat() if item.due_on else None,
    }  # fmt: skip


def _whole(session: Session, found: Sequence[Card], items: Mapping[int, Sequence[CheckItem]]) -> dict[Any, Any]:
    ids = [card.id for card in found]
    workers: dict[int, list[int]] = {}
    for card_id, person_id in session.execute(
        select(CardPerson.card_id, CardPerson.person_id).where(CardPerson.card_id.in_(ids)).order_by(CardPerson.at)
    ):
        workers.setdefault(card_id, []).append(person_id)
    blockers: dict[int, list[int]] = {}
    for first, second in session.execute(
        select(CardLink.card_id, CardLink.other_id).where(
            CardLink.kind == "blocks", CardLink.other_id.in_(ids), CardLink.card_id.in_(ids)
        )
    ):
        blockers.setdefault(second, []).append(first)
    own = {
        ident: name
        for table in (Column, Lane)
        for ident, name in ((f"{table.__tablename__}:{one}", name) for one, name in session.execute(
            select(table.id, table.name).where(table.board_id.in_({card.board_id for card in found}))
        ))
    }  # fmt: skip
    people = names(session, [
        *(one for some in workers.values() for one in some), *(card.author_id for card in found),
        *(item.person_id for some in items.values() for item in some),
    ])  # fmt: skip
    username = {ident: card.username for ident, card in people.items()}
    made: dict[Any, Any] = {"people": username}
    for card in found:
        made[card.id] = {
            "id": card.id, "column": own.get(f"{Column.__tablename__}:{card.column_id}", ""),
            "lane": own.get(f"{Lane.__tablename__}:{card.lane_id}", ""), "state": card.state,
            "assignees": [username[one] for one in workers.get(card.id, []) if one in username],
            "author": username.get(card.author_id or 0, ""), "parent": card.parent_id,
            "blocked_by": blockers.get(card.id, []), "due_at": _time(card.due_at), "created_at": _time(card.created_at),
            "started_at": _time(card.started_at), "done_at": _time(card.done_at),
        }  # fmt: skip
    return made


def of_column(session: Session, column: Column, *, with_cards: bool = True) -> dict[str, Any]:
    """A column as data, with what could be made of its cards."""
    found = session.scalars(
        select(Card).where(Card.column_id == column.id, Card.state == "open").order_by(Card.rank).limit(200)
    ).all() if with_cards else []  # fmt: skip
    return {
        "name": column.name, "phase": column.phase, "wip_limit": column.wip_limit, "wip_hard": column.wip_hard,
        "cards": of_cards(session, found),
    }  # fmt: skip


def of_board(session: Session, board: Board, *, with_cards: bool) -> dict[str, Any]:
    """A board as data: what it is made of and, with ``with_cards``, what could be made of its cards."""
    return {
        "description": board.description,
        "labels": [{"name": label.name, "hue": label.hue} for label in columns.labels_of(session, board.id)],
        "fields": [
            {"name": one.name, "kind": one.kind, "choices": one.choices, "on_board": one.on_board}
            for one in fields.fields_of(session, board.id)
        ],
        "lanes": [lane.name for lane in placing.lanes_of(session, board.id)],
        "columns": [of_column(session, one, with_cards=with_cards) for one in placing.columns_of(session, board.id)],
    }  # fmt: skip


def written_of(session: Session, board_id: int, data: Mapping[str, Any]) -> cards.Written:
    """What a card made from this data says; labels and fields that the board has not are left out."""
    labels = {label.name: label.id for label in columns.labels_of(session, board_id)}
    own = {one.name: one.id for one in fields.fields_of(session, board_id)}
    return cards.Written(
        title=str(data.get("title", "")), body=str(data.get("body", "")), remind=data.get("remind") or False,
        labels=[labels[name] for name in data.get("labels", ()) if name in labels],
        values={own[name]: str(value) for name, value in dict(data.get("fields", {})).items() if name in own},
    )  # fmt: skip


def make_card(
    session: Session, person_id: int, place: Place, data: Mapping[str, Any], *, origin: str | None = None,
    key: str | None = None,
) -> Card:  # fmt: skip
    """Make a card from data, with its checklist, by the service that makes all others."""
    column = session.get(Column, place.column_id)
    written = written_of(session, column.board_id if column is not None else 0, data)
    card = cards.create(session, person_id, place, written, key=key, origin=origin)
    if not session.scalar(select(CheckItem.id).where(CheckItem.card_id == card.id).limit(1)):
        for position, item in enumerate(_items(data)):
            session.add(CheckItem(card_id=card.id, text=item, position=position))
    session.flush()
    return card


def make_parts(session: Session, board: Board, data: Mapping[str, Any]) -> list[Column]:
    """Give an empty board the labels, fields, lanes and columns of the data; its caller may do so."""
    for label in data.get("labels", ()):
        session.add(Label(board_id=board.id, name=str(label["name"])[:60], hue=int(label["hue"]) % columns.HUES))
    for position, one in enumerate(data.get("fields", ())):
        session.add(
            Field(
                board_id=board.id, name=str(one["name"])[:60], kind=str(one["kind"]), choices=list(one["choices"]),
                on_board=bool(one["on_board"]), position=position,
            )
        )  # fmt: skip
    for position, name in enumerate(data.get("lanes", ())):
        session.add(Lane(board_id=board.id, name=str(name)[:100], position=position))
    made = []
    for position, one in enumerate(data.get("columns", ())):
        column = Column(
            board_id=board.id, name=str(one["name"])[:100], phase=str(one["phase"]), wip_limit=one["wip_limit"],
            wip_hard=bool(one["wip_hard"]), position=position,
        )  # fmt: skip
        session.add(column)
        made.append(column)
    session.flush()
    return made


def _items(data: Mapping[str, Any]) -> Iterable[str]:
    return [str(item["text"])[:300] for item in data.get("checklist", ())][:100]


def _time(when: dt.datetime | None) -> str | None:
    return when.isoformat() if when is not None else None
