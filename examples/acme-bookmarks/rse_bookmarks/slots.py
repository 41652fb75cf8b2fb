"""The button under a page or another object."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, SlotItem, Viewer, can, resolve

from . import service


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup for all these objects; two queries, however many they are."""
    if slot != "bookmarks" or viewer.person_id is None:
        return []
    infos = resolve(session, refs)
    kept = service.kept(session, viewer.person_id, [info.ref for info in infos.values()])
    made = []
    for ref, info in infos.items():
        # can() answers from memory, so that asking for each object costs nothing.
        if can(session, viewer.person_id, service.CAPABILITY, info):
            html = render_template("rse/bookmarks/button.html", ref=info.ref, is_kept=info.ref in kept)
            made.append(SlotItem(ref, html))
    return made
