"""The feed inside other pages: of a space, on that space's page; the personal one on any page of the intranet."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, SlotItem, Viewer, resolve
from rse_core.webapi import slot_markup

from . import reading, whom

SPACE = "communities.space"
#: Entries on a page of the intranet: enough to see what is new.
FEW = 5


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup for one object: a page has one feed."""
    if viewer.person_id is None or not refs:
        return []
    if slot == "space" and refs[0].type == SPACE:
        return _of_space(session, viewer.person_id, refs[0])
    if slot == "feed":
        wanted = reading.wanted_of(session, viewer.person_id, sort="new")
        page = reading.page(session, viewer.person_id, wanted, most=FEW)
        return [SlotItem(refs[0], render_template("rse/feed/short.html", lines=page.lines))] if page.lines else []
    return []


def _of_space(session: Session, person_id: int, ref: ObjectRef) -> list[SlotItem]:
    info = resolve(session, [ref]).get(ref)
    if info is None or info.space_id is None:
        return []
    sort = reading.sort_of(session, person_id)
    page = reading.page(session, person_id, reading.wanted_of(session, person_id, sort=sort, space_id=info.space_id))
    key = next((one.space_key for one in whom.choices(session, person_id) if one.space_id == info.space_id), "")
    posts = [line.ref for line in page.lines if line.post_id is not None]
    html = render_template(
        "rse/feed/space.html", lines=page.lines, key=key, more=page.next is not None,
        reactions=slot_markup(session, "reactions", posts), counts=slot_markup(session, "comment_count", posts),
    )  # fmt: skip
    return [SlotItem(ref, html, order=10)]
