"""The feed inside other pages: of a space on that space's page, the personal one on any page of the intranet, and a link
that shares such a page.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import get_template_attribute, render_template
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, SlotItem, Viewer, open_audiences, resolve, seen

from . import access, reading, whom
from .views import list_values, older_url

SPACE = "communities.space"
#: Entries on a page of the intranet: enough to see what is new.
FEW = 5
#: Entries on the page of a space, before "Show more".
SOME = 10


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup of the slots ``space``, ``feed`` and ``share``."""
    if viewer.person_id is None or not refs:
        return []
    if slot == "space":
        spaces = [ref for ref in refs if ref.type == SPACE]
        return _of_space(session, viewer.person_id, spaces[0]) if spaces else []
    if slot == "feed":
        return _of_person(session, viewer.person_id, refs[0])
    if slot == "share":
        return _share(session, viewer.person_id, [ref for ref in refs if ref.type == "page"])
    return []


def _of_space(session: Session, person_id: int, ref: ObjectRef) -> list[SlotItem]:
    """The newest posts of a space, with a form where one may post there. One space for a page."""
    info = resolve(session, [ref]).get(ref)
    space_id = info.space_id if info is not None else None
    if info is None or space_id is None:
        return []
    sort = reading.sort_of(session, person_id)
    wanted = reading.wanted_of(session, person_id, sort=sort, space_id=space_id)
    values = list_values(session, person_id, wanted, most=SOME)
    offered = [one for one in whom.choices(session, person_id) if one.space_id == space_id]
    if not offered and not values["lines"] and not values["pinned"] and not access.reads_space(session, person_id, info):
        return []
    key = offered[0].space_key if offered else info.extra.get("key") or whom.space_key(session, space_id)
    html = render_template(
        "rse/feed/space.html", offered=offered, wanted=wanted, more_url=older_url(key, sort, values["more"]), **values
    )
    return [SlotItem(ref, html, order=10)]


def _of_person(session: Session, person_id: int, ref: ObjectRef) -> list[SlotItem]:
    wanted = reading.wanted_of(session, person_id, sort="new")
    page = reading.page(session, person_id, wanted, most=FEW)
    if not page.lines:
        return []
    html = render_template("rse/feed/short.html", lines=page.lines)
    return [SlotItem(ref, html, order=40)]


def _share(session: Session, person_id: int, refs: Sequence[ObjectRef]) -> list[SlotItem]:
    """A link that opens the form with the page in it; for who may post somewhere."""
    if not refs or not open_audiences(session, person_id, access.POST):
        return []
    link = get_template_attribute("rse/feed/share.html", "share")
    return [SlotItem(ref, str(link(info.ref.id)), order=30) for ref, info in seen(session, person_id, refs).items()]
