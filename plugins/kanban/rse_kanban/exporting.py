"""A board as a file: JSON, which can be read again here, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import access, reading, snapshots
from .models import Card

CARDS_MOST = 20_000


def _cards(session: Session, person_id: int, board_id: int) -> tuple[access.Seat, list[Card]]:
    chair = access.open_board(session, person_id, board_id)
    archived = (Card.state == "archived") & (Card.board_id == board_id)
    query = select(Card).where(Card.board_id == board_id, reading.states(session, chair) | archived)
    return chair, list(session.scalars(query.order_by(Card.column_id, Card.rank, Card.id).limit(CARDS_MOST)))


def as_json(session: Session, person_id: int, board_id: int) -> str:
    """Everything of a board that the person sees."""
    chair, found = _cards(session, person_id, board_id)
    board = chair.board
    parts = snapshots.of_board(session, board, with_cards=False)
    for column in parts["columns"]:
        del column["cards"]
    tree = {
        "format": snapshots.FORMAT, "board": board.id, "title": board.title, **parts,
        "cards": snapshots.of_cards(session, found, whole=True),
    }  # fmt: skip
    return json.dumps(tree, ensure_ascii=False, indent=1)


def as_csv(session: Session, person_id: int, board_id: int) -> str:
    """The cards of a board, a line each. What a spreadsheet would take for a formula is written as text."""
    _chair, found = _cards(session, person_id, board_id)
    rows = snapshots.of_cards(session, found, whole=True)
    out = io.StringIO()
    writer = csv.writer(out)
    head = (
        "Id", "Title", "Column", "Lane", "Assignees", "Labels", "Due", "State", "Checklist", "Description", "Author",
        "Created", "Done",
    )  # fmt: skip
    writer.writerow(head)
    for row in rows:
        items = "\n".join(f"[{'x' if item['done'] else ' '}] {item['text']}" for item in row["checklist"])
        writer.writerow([_safe(str(value or "")) for value in (
            row["id"], row["title"], row["column"], row["lane"], ", ".join(row["assignees"]), ", ".join(row["labels"]),
            row["due_at"], row["state"], items, row["body"], row["author"], row["created_at"], row["done_at"],
        )])  # fmt: skip
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
