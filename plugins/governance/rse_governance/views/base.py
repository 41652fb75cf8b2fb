"""What the pages share: the blueprint, the sections of moderation, a refused form, pages by keyset."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Forbidden, RseError, TooMany, translator
from rse_core.roles import is_site_admin
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor, require_person

from .. import access, cases
from .. import queue as waiting
from ..log import cell

_t = translator(str(Path(__file__).parent), "rse_governance")
_, lazy = _t.gettext, _t.lazy
blueprint = Blueprint(
    "rse_governance", "rse_governance", url_prefix="/moderation", template_folder="templates", static_folder="static",
    static_url_path="/-/static",
)  # fmt: skip
#: Errors that a form answers with itself and what was typed; all others have a page of their own.
KEPT = (BadInput, Conflict, Forbidden, TooMany)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a form was not taken, and what was typed into it."""

    error: RseError
    typed: Mapping[str, str] = field(default_factory=dict)
    form: str = ""

    def problem(self, name: str) -> str:
        """What is wrong with one field; "" when nothing is."""
        return str(getattr(self.error, "fields", {}).get(name, ""))


@dataclass(frozen=True, slots=True)
class Tab:
    """One section."""

    url: str
    label: Any
    here: bool
    icon: str
    count: int = 0


def refused(error: RseError, form: str = "") -> Refused:
    """From the form that was just sent."""
    return Refused(error, {name: value for name, value in request.form.items() if name != "csrf_token"}, form)


def me() -> int:
    """Who asks.

    :raises SignInNeeded: for nobody.
    """
    return require_person().id


def sections(session: Session, person_id: int) -> list[Tab]:
    """The sections that this person has something to do in."""
    here = request.endpoint or ""
    some = [
        ("queue", _("To approve"), "inbox", waiting.count_waiting(session, person_id), ("edit",)),
        ("reports", _("Reports"), "flag", cases.count_waiting(session, person_id), ()),
        ("bin", _("Recycle bin"), "trash-2", 0, ()),
        ("words", _("Word rules"), "list-filter", 0, ("word",)),
        ("charters", _("Charters"), "book-open", 0, ("charter", "compare", "accepted", "rates")),
    ]
    if access.of_site(session, person_id) or _administers(session, person_id):
        some.append(("suspensions", _("Suspensions"), "lock", 0, ()))
    if access.of_site(session, person_id):
        some.append(("log", _("Log"), "scroll-text", 0, ()))
    if is_site_admin(session, person_id):
        some.append(("tools", _("Tools and uses"), "puzzle", 0, ("tool",)))
        some.append(("processing", _("Personal data"), "shield-check", 0, ()))
    return [
        Tab(url_for(f"rse_governance.{name}"), label, here.partition(".")[2] in (name, *more), symbol, count)
        for name, label, symbol, count, more in some
    ]


def _administers(session: Session, person_id: int) -> bool:
    facts = core().policy.person(person_id)
    return facts is not None and any(role == "entity_admin" for role, _scope, _ident in facts.roles)


def frame(session: Session, template: str, *, no: Refused | None = None, **values: Any) -> Response:
    """A page of moderation with its sections."""
    person_id = me()
    html = render_template(
        f"rse/governance/{template}.html", no=no, tabs=sections(session, person_id), digest=waiting.digest, **values
    )
    return Response(html, status=no.error.status if no else 200)


def plain(template: str, *, no: Refused | None = None, **values: Any) -> Response:
    """A page for everybody, without sections."""
    html = render_template(f"rse/governance/{template}.html", no=no, tabs=[], **values)
    return Response(html, status=no.error.status if no else 200)


def done(endpoint: str, message: str, **values: Any) -> BaseResponse:
    """After a form: back to a page, with a message."""
    flash(message)
    return redirect(url_for(f"rse_governance.{endpoint}", **values), 303)


def after(scope: str, name: str = "after") -> int | None:
    """Where the page begins, from the address."""
    text = request.args.get(name)
    return int(decode_cursor(core().settings, text, scope).after[0]) if text else None


def next_url(scope: str, key: int | None, name: str = "after") -> str | None:
    """The address of the next page."""
    if key is None:
        return None
    kept = {one: value for one, value in request.args.items() if one != name and value}
    cursor = encode_cursor(core().settings, Cursor(scope, (key,)))
    values: dict[str, Any] = {**(request.view_args or {}), **kept, name: cursor}
    return url_for(request.endpoint or "", **values)


def number(name: str, default: int | None = None) -> int:
    """A number of the form.

    :raises BadInput: for anything else.
    """
    text = request.form.get(name, "").strip()
    if not text and default is not None:
        return default
    if not text.isdecimal() or len(text) > 18:
        message = _("“%(text)s” is not a number.", text=text[:20])
        raise BadInput(message, fields={name: message})
    return int(text)


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A CSV file that spreadsheets read as it is meant."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([cell(one) for one in row] for row in rows)
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
