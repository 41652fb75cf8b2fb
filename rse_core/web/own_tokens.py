"""``me/tokens``: with which a person's own programs act for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, flash, redirect, render_template, request, url_for

from .. import tokens
from ..errors import BadInput, Conflict, Forbidden
from ..i18n import _
from .identity import require_person
from .pages import blueprint
from .state import actor, core, session_read, session_write

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

DAYS = (7, 30, 90, 365)
USUAL = 90


@blueprint.get("/me/tokens")
def own_tokens() -> Response:
    """One's own tokens, and a form for another."""
    return _page()


@blueprint.post("/me/tokens")
def change_tokens() -> BaseResponse:
    """Make one (its text is on the answer's page, and never again), or revoke one."""
    person = require_person()
    number = request.form.get("revoke", "")
    if number:
        with session_write() as db:
            if not number.isdecimal() or len(number) > 18:
                raise BadInput(_("“%(text)s” is not a number.", text=number[:20]))
            tokens.revoke_own(db, person.id, int(number), actor())
        flash(_("The token was revoked. Programs that use it are let in no longer."))
        return redirect(url_for("rse_core.own_tokens"), 303)
    days = request.form.get("days", str(USUAL))
    try:
        if not days.isdecimal() or len(days) > 4:
            raise BadInput(_("“%(text)s” is not a number.", text=days[:20]))
        with session_write() as db:
            text = tokens.create_own(
                db, person.id, request.form.get("name", ""), tuple(dict.fromkeys(request.form.getlist("scope"))),
                days=int(days),
            )  # fmt: skip
    except (BadInput, Conflict, Forbidden) as error:
        return _page(error=error)
    answer = _page(made=text)
    # The page holds a secret: neither a cache nor the way back may bring it up again.
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(*, made: str = "", error: BadInput | Conflict | Forbidden | None = None) -> Response:
    person = require_person()
    with session_read() as db:
        found, parts = tokens.own_tokens(db, person.id), tokens.partial_scopes(db)
    chosen = request.form.getlist("scope") if error else ["read"]
    html = render_template(
        "rse/tokens.html", found=found, made=made, error=error, parts=parts, chosen=chosen, days=DAYS,
        name=request.form.get("name", "") if error else "", usual=request.form.get("days", "") if error else str(USUAL),
        allowed=core().settings.personal_tokens, full=len(found) >= tokens.MOST, most=tokens.MOST,
    )  # fmt: skip
    return Response(html, status=error.status if error else 200)
