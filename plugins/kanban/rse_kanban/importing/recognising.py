"""Which program a file comes from is told by what is in it, never by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rse_core.api import BadInput, translator

from . import tables, trees
from .shape import CARDS_MOST, Parsed

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext


def read(data: bytes) -> Parsed:
    """Read a file.

    :raises BadInput: for what is none of the known shapes, with what to do.
    """
    text = _text(data)
    if not text.strip():
        raise _bad(_("This file is empty."))
    if text.lstrip()[:1] in "{[":
        try:
            tree: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise _bad(_("This file begins like JSON and cannot be read as such.")) from None
        found = trees.read(tree)
    else:
        found = tables.read(text)
    if found is None:
        raise _bad(_("This is none of the files that can be read here."))
    if len(found.cards) > CARDS_MOST:
        found.left.append(
            _("%(count)s cards: only the first %(most)s are taken.", count=len(found.cards), most=CARDS_MOST)
        )
        del found.cards[CARDS_MOST:]
    return found


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # As spreadsheets of Western Europe write it.
        return data.decode("cp1252", "replace")


def _bad(message: str) -> BadInput:
    remedy = _("Give an export of Trello (JSON), Kanboard (CSV of tasks), Deck (JSON), of a board here, or a CSV.")
    return BadInput(message, remedy=remedy, fields={"file": message})
