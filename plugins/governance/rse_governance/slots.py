"""A link to report, beside what others wrote; and beside forms, which tool is for which use and the editorial guide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from flask import render_template
from sqlalchemy.orm import Session

from rse_core import charter
from rse_core.api import ObjectRef, SlotItem, Viewer, can, core_of, resolve, utcnow
from rse_core.webapi import KeptMarkup

from . import access, tools

REPORT, COMPOSER = "report", "composer"
_kept = KeptMarkup()


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> Sequence[SlotItem]:
    """Markup of both slots. Whether the object is one's own is known where the form is; here no query is made for it."""
    if viewer.person_id is None or not refs:
        return []
    if slot == REPORT:
        types = core_of(session).plugins.content_types
        known = [ref for ref in refs if ref.type in types]
        if not known or not can(session, viewer.person_id, access.REPORT):
            return []
        return [SlotItem(ref, _report(ref), order=90) for ref in known]
    if slot == COMPOSER:
        return _beside(session, refs)
    return []


def _report(ref: ObjectRef) -> str:
    return _kept((ref,), lambda: render_template("rse/governance/report_link.html", ref=ref))


def _beside(session: Session, refs: Sequence[ObjectRef]) -> Sequence[SlotItem]:
    """From memory: it stands on every page on which one can write."""
    policy = core_of(session).policy
    listed = policy.shared(session, ("governance.tools",), _listed)
    guides = policy.shared(session, ("governance.guides",), _guides)
    guide = None
    if guides:
        info = resolve(session, refs[:1]).get(refs[0])
        space_id = None if info is None else info.space_id
        guide = _in_force(guides.get(space_id, ())) or _in_force(guides.get(None, ()))
    if not listed and guide is None:
        return []
    html = _kept(("beside", listed, guide), lambda: render_template("rse/governance/beside.html", tools=listed, guide=guide))
    return [SlotItem(refs[0], html, order=50)]


class _Guide(NamedTuple):
    id: int
    title: str
    published_at: dt.datetime


class _Line(NamedTuple):
    """A line of the register."""

    use: str
    tool: str
    address: str
    note: str


def _listed(session: Session) -> tuple[_Line, ...]:
    return tuple(_Line(one.use, one.tool, one.address, one.note) for one in tools.register(session, beside=True))


def _guides(session: Session) -> dict[int | None, list[_Guide]]:
    """The versions of every editorial guide, the latest first; those to come among them, as time alone brings them."""
    found: dict[int | None, list[_Guide]] = {}
    for space_id, ident, title, since in charter.published(session, kind="editorial"):
        found.setdefault(space_id, []).append(_Guide(ident, title, since))
    return found


def _in_force(versions: Sequence[_Guide]) -> _Guide | None:
    now = utcnow()
    return next((one for one in versions if one.published_at <= now), None)
