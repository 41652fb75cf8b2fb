"""A link to report, beside what others wrote; and beside forms, which tool is for which use and the editorial guide."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session

from rse_core import charter
from rse_core.api import ObjectRef, SlotItem, Viewer, can, core_of, resolve

from . import access, tools

REPORT, COMPOSER = "report", "composer"


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
    """Markup of both slots. Whether the object is one's own is known where the form is; here no query is made for it."""
    if viewer.person_id is None or not refs:
        return []
    if slot == REPORT:
        types = core_of(session).plugins.content_types
        known = [ref for ref in refs if ref.type in types]
        if not known or not can(session, viewer.person_id, access.REPORT):
            return []
        return [SlotItem(ref, render_template("rse/governance/report_link.html", ref=ref), order=90) for ref in known]
    if slot == COMPOSER:
        return _beside(session, refs)
    return []


def _beside(session: Session, refs: Sequence[ObjectRef]) -> Sequence[SlotItem]:
    info = resolve(session, refs[:1]).get(refs[0])
    space_id = None if info is None else info.space_id
    listed = tools.register(session, beside=True)
    guide = charter.in_force(session, kind="editorial", space_id=space_id) if space_id is not None else None
    guide = guide or charter.in_force(session, kind="editorial")
    if not listed and guide is None:
        return []
    html = render_template("rse/governance/beside.html", tools=listed, guide=guide)
    return [SlotItem(refs[0], html, order=50)]
