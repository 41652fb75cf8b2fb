"""“View as”: choose an entity and a level, look at RSE's own pages as somebody there would, and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from ... import view_as as service
from ...db import utcnow
from ...errors import BadInput, NotFound, RseError
from ...i18n import _
from ...levels import Level
from ...models.organisation import Entity
from .. import viewing
from ..state import actor, core, session_read, session_write
from . import picture
from .base import blueprint, rights

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse


@blueprint.get("/view-as")
def view_as() -> Response:
    """The form, or what is looked at now."""
    return _page()


@blueprint.post("/view-as")
def view_as_apply() -> BaseResponse:
    """Begin."""
    form = request.form
    try:
        with session_write() as session:
            made = service.begin(
                session, rights(), form.get("entity", ""), form.get("level", ""), actor=actor(), why=form.get("why", "")
            )
    except (BadInput, NotFound) as error:
        return _page(error)
    viewing.begin(made)
    return redirect(url_for("rse_core.home"), 303)


@blueprint.post("/view-as/end")
def view_as_end() -> BaseResponse:
    """Stop."""
    viewing.stop()
    flash(_("You see your own RSE again."))
    return redirect(url_for(".view_as"), 303)


def _page(error: RseError | None = None) -> Response:
    values = request.form if request.method == "POST" else request.args
    find, key = (values.get("find") or "").strip()[:200], (values.get("entity") or "").strip()[:200]
    snapshot, found = core().policy.snapshot(), rights()
    with session_read() as session:
        row = session.execute(select(Entity.id, Entity.key, Entity.name).where(Entity.key == key)).one_or_none()
        chosen = row if row is not None and found.over(snapshot, row.id) else None
        stop = Level.COCREATE if chosen is None else service.highest(session, chosen.id)
        html = render_template(
            "rse/admin/view_as.html",
            chosen=chosen,
            stop=stop,
            levels=list(Level),
            level=values.get("level", ""),
            why=values.get("why", "")[:500],
            find=find,
            found=picture.find_entities(session, snapshot, found, find, utcnow()) if find else [],
            tree=picture.tree(session, snapshot, found, None if chosen is None else chosen.id, utcnow()),
            error=error,
            now=viewing.now_viewing(),
        )
    return Response(html, error.status if error else 200)
