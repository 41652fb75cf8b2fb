"""The audit log: every act of those who run the site."""

from __future__ import annotations

import re
from typing import Any

from flask import render_template, request
from sqlalchemy import select

from ...errors import BadInput
from ...i18n import _
from ...models.governance import Audit
from ...rest.cursors import Cursor, decode_cursor, encode_cursor
from ..state import core, session_read
from .base import blueprint, site_only

PAGE = 50


@blueprint.get("/journal/")
def journal() -> str:
    """The latest first, filtered by act and subject."""
    site_only()
    act, subject = request.args.get("act", ""), request.args.get("subject", "").strip()
    if len(act) > 80 or len(subject) > 500:
        raise BadInput(_("The filter is too long."))
    scope = f"journal:{act}:{subject}"
    query = select(Audit).order_by(Audit.id.desc()).limit(PAGE + 1)
    if act:
        query = query.where(Audit.act == act)
    if subject:
        query = query.where(Audit.subject.startswith(subject, autoescape=True))
    if after := request.args.get("after"):
        query = query.where(Audit.id < int(decode_cursor(core().settings, after, scope).after[0]))
    with session_read() as session:
        rows = list(session.scalars(query))
        acts = sorted(session.scalars(select(Audit.act).distinct()))
    more = encode_cursor(core().settings, Cursor(scope, (rows[PAGE - 1].id,))) if len(rows) > PAGE else None
    return render_template(
        "rse/admin/journal.html", facts=facts, rows=rows[:PAGE], more=more, acts=acts, act=act, subject=subject
    )


def facts(value: Any, name: str = "") -> list[str]:
    """What stands in a line's “before” or “after”, as “name: value”, one for each fact."""
    if value is None:
        return []
    if isinstance(value, dict):
        found = []
        for key, one in value.items():
            found += facts(one, f"{name} {key}".strip()) or [f"{name} {key}: –".strip()]
        return found
    text = ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
    # A moment to the second is what a reader of the log wants; the exact one is in the API.
    text = re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\.\d+\+00:00$", r"\1 \2 UTC", text)
    return [f"{name}: {text}" if name else text]
