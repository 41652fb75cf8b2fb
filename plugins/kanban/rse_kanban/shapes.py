"""Boards and cards as programs get them."""

from __future__ import annotations

from typing import Any

from rse_core.people import PersonCard

from .access import Seat
from .models import CheckItem
from .reading import Page, Sheet, Shown


def person(card: PersonCard | None) -> dict[str, Any] | None:
    """Somebody, in short."""
    return None if card is None else {"id": card.id, "username": card.username, "name": card.display_name}


def board(seat: Seat) -> dict[str, Any]:
    """A board, in short, for one person."""
    row = seat.board
    place = "space" if row.space_id is not None else "entity" if row.entity_id is not None else "me"
    return {
        "id": row.id, "title": row.title, "description": row.description, "state": row.state, "place": place,
        "role": seat.role, "version": row.version, "revision": row.revision,
    }  # fmt: skip


def page(found: Page) -> dict[str, Any]:
    """A whole board."""
    return board(found.seat) | {
        "columns": [
            {
                "id": pile.column.id, "name": pile.column.name, "phase": pile.column.phase,
                "wip_limit": pile.column.wip_limit, "wip_hard": pile.column.wip_hard, "count": pile.count,
            }
            for pile in found.piles
        ],
        "lanes": list(found.lanes), "labels": list(found.labels), "cards": [card(one) for one in found.by_id.values()],
    }  # fmt: skip


def card(one: Shown) -> dict[str, Any]:
    """A card as it stands in a list."""
    return {
        "id": one.id, "board": one.board_id, "column": one.column_id, "lane": one.lane_id, "title": one.title,
        "state": one.state, "version": one.version, "due_at": one.due_at.isoformat() if one.due_at else None,
        "done": one.done, "labels": list(one.labels), "people": [person(two) for two in one.people],
        "checklist": list(one.checks), "parts": list(one.children), "blocked": one.blocked,
    }  # fmt: skip


def item(row: CheckItem, found: Sheet) -> dict[str, Any]:
    """One line of a checklist."""
    return {
        "id": row.id, "text": row.text, "done": row.done_at is not None,
        "person": person(found.names.get(row.person_id or 0)),
        "due_on": row.due_on.isoformat() if row.due_on else None,
    }  # fmt: skip


def sheet(found: Sheet, parts: tuple[int, int], blocked: bool) -> dict[str, Any]:
    """A whole card."""
    row = found.card
    done = sum(1 for one in found.items if one.done_at is not None)
    return {
        "id": row.id, "board": row.board_id, "column": row.column_id, "lane": row.lane_id, "title": row.title,
        "body": row.body, "state": row.state, "version": row.version,
        "due_at": row.due_at.isoformat() if row.due_at else None, "remind": row.remind, "parent": row.parent_id,
        "done": row.done_at is not None, "labels": list(found.labels), "people": [person(one) for one in found.people],
        "author": person(found.author), "checklist": [done, len(found.items)], "parts": list(parts), "blocked": blocked,
        "items": [item(one, found) for one in found.items], "reason": row.reason,
        "fields_": {one.name: value for one, value in found.fields if value},
        "files": [{"key": info.key, "name": info.name, "media_type": info.media_type} for info in found.files],
        "created_at": row.created_at.isoformat(), "started_at": row.started_at.isoformat() if row.started_at else None,
        "done_at": row.done_at.isoformat() if row.done_at else None,
    }  # fmt: skip
