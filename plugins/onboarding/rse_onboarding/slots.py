"""The bar “You can now comment” above a page, ours or the intranet's, with its tour; nothing when nothing is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from rse_core.api import Level, ObjectRef, SlotItem, Viewer, can
from rse_core.webapi import FIELDS, KeptMarkup, hidden_fields

from . import openings, standing
from .openings import Shown
from .standing import TOUR, Standing
from .telling import said

SLOT = "top"
#: What an address that leads to a step on the intranet's pages ends with, before the step's key.
ANCHOR = "rse-tour-"
#: The same for all to whom the same has opened.
_kept = KeptMarkup(512)


@dataclass(frozen=True, slots=True)
class Bar:
    """What is told: ``opened`` or ``closed`` in words; the steps of the tour, and the one at which it begins."""

    standing: Standing
    opened: str
    closed: str
    steps: tuple[Shown, ...]
    at: int
    #: the tour stands open at once: the person follows it from page to page
    open: bool


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """The bar, once for a page, whatever the page shows. Without a query where nothing is new."""
    if slot != SLOT or viewer.person_id is None or not refs:
        return []
    wanted = viewer.params.get("step", "") or viewer.params.get("anchor", "").removeprefix(ANCHOR)
    found = bar(session, viewer.person_id, wanted)
    if found is None:
        return []
    page = openings.example(session) if any(not step.endpoint for step in found.steps) else ""
    key = (
        found.opened, found.closed, found.at, found.open, bool(found.standing.step), viewer.embed, page, request.host,
        *((step.key, step.level, step.charter) for step in found.steps),
    )  # fmt: skip
    html = _kept(
        key,
        lambda: render_template("rse/onboarding/bar.html", bar=found, embed=viewer.embed, example=page, fields=FIELDS),
    )
    fields = hidden_fields() + Markup('<input type="hidden" name="ref" value="{}">').format(refs[0])
    return [SlotItem(refs[0], html.replace(FIELDS, fields), order=10)]


def bar(session: Session, person_id: int, wanted: str = "") -> Bar | None:
    """What to tell this person; None when nothing is new and they follow no tour.

    :param wanted: the key of a step that the page was opened for.
    """
    where = standing.bar(session, person_id)
    if where is None:
        # They may follow a tour that they have found again.
        if not wanted or not can(session, person_id, TOUR):
            return None
        where = standing.of(session, person_id)
    if where.closed:
        verbs = [str(one.label) for one in _levels(openings.closed(session, person_id, where))]
        return Bar(where, "", said(verbs, last="or"), (), 0, False) if verbs else None
    steps = tuple(openings.steps(session, person_id, where.since, where.level))
    keys = [step.key for step in steps]
    if not steps or (not where.opened and wanted not in keys):
        return None
    verbs = [str(level.label) for level in _levels(steps)] if where.opened else []
    at = keys.index(wanted) if wanted in keys else keys.index(where.step) if where.step in keys else 0
    return Bar(where, said(verbs) if verbs else "", "", steps, at, wanted in keys)


def _levels(some: Sequence[Shown] | Sequence[openings.Opening]) -> list[Level]:
    return sorted({one.level for one in some})
