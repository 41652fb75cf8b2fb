"""Slots of any page: ``directory-search``, a field; ``directory-card``, somebody's card (``directory.person:@username``)."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, SlotItem, Viewer, can
from rse_core.models.organisation import Person

from . import access, profiles
from .indexing import TYPE
from .photos import numbers


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
    """Nothing where the directory is not open to who looks; a constant number of queries for all cards of a page."""
    if slot not in ("directory-search", "directory-card") or not refs:
        return []
    if viewer.person_id is None or not can(session, viewer.person_id, access.SEE).allowed:
        return []
    if slot == "directory-search":
        return [
            SlotItem(ref, render_template("rse/directory/box.html", number=number), order=25)
            for number, ref in enumerate(refs)
        ]
    wanted = [ref for ref in refs if ref.type == TYPE]
    if not wanted:
        return []
    seen = access.sight(session, viewer.person_id)
    usernames = [ref.id[1:] for ref in wanted if ref.id.startswith("@")]
    rows = session.execute(
        select(Person.id, Person.username).where(
            or_(Person.id.in_(numbers([ref.id for ref in wanted])), Person.username.in_(usernames)), access.people(seen)
        )
    ).all()
    cards = {card.id: card for card in profiles.cards(session, seen, [row.id for row in rows])}
    by_ref = {str(row.id): cards[row.id] for row in rows} | {f"@{row.username}": cards[row.id] for row in rows}
    return [
        SlotItem(ref, render_template("rse/directory/slot.html", card=by_ref[ref.id])) for ref in wanted if ref.id in by_ref
    ]
