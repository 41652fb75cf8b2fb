"""The slot ``search-box``: a field to search from any page, the intranet's too."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, SlotItem, Viewer, can
from rse_core.search import USE


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
    """One box for each object of the page that asks; nothing where search is not open to who looks."""
    if slot != "search-box" or not refs or not can(session, viewer.person_id, USE).allowed:
        return []
    return [
        SlotItem(ref, render_template("rse/search/box.html", number=number), order=20) for number, ref in enumerate(refs)
    ]
