"""What stands above a page that another plugin has among those of a space: its name, its state and its navigation."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session

from rse_core.api import NotFound, ObjectRef, SlotItem, Viewer
from rse_core.organisation import space_ref

from . import access, kinds

HEAD = "space_head"


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
    """The head of the first space: a page stands in one. Nothing in the intranet's pages, nor for who does not know it."""
    if slot != HEAD or viewer.embed or viewer.person_id is None:
        return []
    from .views.base import tabs

    spaces = [ref for ref in refs if ref.id.isdecimal() and ref == space_ref(int(ref.id))]
    if not spaces:
        return []
    try:
        seat = access.by_id(session, viewer.person_id, int(spaces[0].id))
    except NotFound:
        return []
    html = render_template(
        "rse/communities/_head.html", seat=seat, space=seat.space, profile=seat.profile, tabs=tabs(session, seat),
        manage_tabs=[], kind=kinds.KINDS.get(seat.profile.kind),
    )  # fmt: skip
    return [SlotItem(spaces[0], html)]
