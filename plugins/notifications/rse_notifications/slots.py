"""The bell on the intranet's own pages: a link with the number of what is unread; nothing for who only reads."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session

from rse_core import notify
from rse_core.api import Level, ObjectRef, SlotItem, Viewer
from rse_core.policy import level_of

SLOT = "bell"
CAP = 100


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """The bell, once for a page, whatever the page shows; one query."""
    if slot != SLOT or viewer.person_id is None or not refs:
        return []
    if level_of(session, viewer.person_id) <= Level.INFORM:
        return []
    count = notify.unread(session, viewer.person_id, cap=CAP)
    html = render_template("rse/notifications/bell.html", count=count, cap=CAP)
    return [SlotItem(refs[0], html, version=str(count))]
