"""The charter where people write: its parts and boxes inside the very form, and their acceptance when that is sent.

A template puts ``{{ charter_boxes(space_id) }}`` into a form that writes; it is empty for who has accepted what is in force.
The boxes come with the form, so nothing that was typed is sent twice or lost, with or without JavaScript. A form that does
not have them is answered by a page that has both: the boxes, and what was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import nh3
from flask import g, render_template, request
from markdown_it import MarkdownIt
from markupsafe import Markup

from .. import charter as charters
from ..db import utcnow
from ..decision import Decision
from ..errors import Conflict, NotFound
from ..models.governance import Charter
from ..rules import charters_in_force
from .identity import current_person_id
from .state import core, session_read, session_write

#: Fields: which charters stood in the form, and the boxes that were ticked, as ``<charter>.<number of the box>``.
SHOWN, TICKED = "rse_charter", "rse_charter_box"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
#: Beyond this a part is folded, so that the form stays in sight.
SHORT = 600


def markdown(body: str, *, of: str = "") -> Markup:
    """A text as HTML: Markdown without HTML of its own, cleaned again; its headings below the page's own, none left out.

    :param of: the whole, when the text is a part of it.
    """
    parser = MarkdownIt("commonmark", {"html": False})
    highest = min((int(token.tag[1]) for token in parser.parse(of or body) if token.type == "heading_open"), default=1)
    tokens = parser.parse(body)
    before = 1
    for token in tokens:
        if token.type == "heading_open":
            before = min(6, before + 1, max(2, int(token.tag[1]) - highest + 2))
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{before}"
    html = parser.renderer.render(tokens, parser.options, {})
    return Markup(nh3.clean(html, tags=nh3.ALLOWED_TAGS - {"img"}))  # noqa: S704  cleaned


def _within(text: str) -> Markup:
    """A part for a form: what heads it is no heading of the page around it."""
    html = re.sub(r"<h[1-6]>", "<p><strong>", str(markdown(text)))
    return Markup(re.sub(r"</h[1-6]>", "</strong></p>", html))  # noqa: S704  cleaned


def boxes_of(found: Iterable[Charter]) -> Markup:
    """The parts and boxes of these charters, for a form."""
    shown = [(charter, [(step, _within(step.text)) for step in charters.steps(charter.body)]) for charter in found]
    if not shown:
        return Markup("")
    ticked = set(request.form.getlist(TICKED)) if request.method == "POST" else set()
    html = render_template("rse/_charter.html", shown=shown, ticked=ticked, short=SHORT, names=(SHOWN, TICKED))
    return Markup(html)  # noqa: S704  a template's output


def charter_boxes(space_id: int | None = None) -> Markup:
    """What the person who asks has still to accept before writing here; empty mostly, and for nobody."""
    person_id = current_person_id()
    facts = None if person_id is None else core().policy.person(person_id)
    if person_id is None or facts is None:
        return Markup("")
    wanted = charters_in_force(core().policy.snapshot(), space_id, utcnow())
    if all(version.id in facts.accepted for version in wanted):
        # From memory, as decisions are: nearly everybody on nearly every page.
        return Markup("")
    with session_read() as session:
        return boxes_of(charters.missing(session, person_id, space_id=space_id))


def boxes_for(decision: Decision) -> Markup:
    """The boxes that a refusal asks for."""
    missing = next((step.detail.get("missing") for step in decision.trail if step.rule == "charter"), None)
    with session_read() as session:
        charter = session.get(Charter, missing) if isinstance(missing, int) else None
        return boxes_of([charter] if charter is not None else [])


def all_ticked(charter: Charter, ticked: Sequence[str], *, implied: bool = True) -> bool:
    """Whether every box of this charter is among them.

    :param implied: a text without boxes has one.
    """
    wanted = charters.boxes(charter.body) if implied or charters.has_boxes(charter.body) else 0
    return all(f"{charter.id}.{number}" in ticked for number in range(wanted))


def accept_sent() -> None:
    """Note the charters that the form accepts, before its view runs. One whose boxes are not all ticked is not: the view
    then refuses, with what was typed."""
    # Nothing but forms is read here: a view may set a limit of its own before it reads a body.
    if request.method != "POST" or request.mimetype not in FORMS or g.get("rse_token_scopes") is not None:
        return
    if not request.form.get(SHOWN):
        return
    person_id = current_person_id()
    if person_id is None:
        return
    numbers = [int(one) for one in request.form.getlist(SHOWN)[:2] if one.isdecimal() and len(one) < 19]
    ticked = request.form.getlist(TICKED)
    with session_write() as session:
        for number in numbers:
            charter = session.get(Charter, number)
            if charter is None or not all_ticked(charter, ticked):
                continue
            try:
                charters.accept(session, person_id, number)
            except (Conflict, NotFound):
                # A later version came into force meanwhile: the view refuses and shows that one.
                continue
