"""What the pages share: the blueprint, and a form that was refused with what was typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babel.dates import format_date
from flask import Blueprint, Response, render_template, request

from rse_core.api import BadInput, Conflict, RseError, TooMany, current_locale, translator

_t = translator(str(Path(__file__).parent), "rse_directory")
_, ngettext = _t.gettext, _t.ngettext
blueprint = Blueprint(
    "rse_directory", "rse_directory", url_prefix="/directory", template_folder="templates", static_folder="static"
)
#: Errors that a form answers with itself and what was typed; all others have a page of their own.
KEPT = (BadInput, Conflict, TooMany)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a form was not taken, and what was typed into it."""

    error: RseError
    typed: Mapping[str, str] = field(default_factory=dict)

    def problem(self, name: str) -> str:
        """What is wrong with one field; "" when nothing is."""
        return str(getattr(self.error, "fields", {}).get(name, ""))


def refused(error: RseError) -> Refused:
    """From the form that was just sent."""
    return Refused(error, {name: value for name, value in request.form.items() if name != "csrf_token"})


def day_of(day: int, month: int) -> str:
    """A day of any year, in the reader's language: ``3 mars``, ``3 March``."""
    # A leap year, so that every day is there.
    return str(format_date(dt.date(2024, month, day), "d MMMM", locale=current_locale()))


def page(template: str, *, no: Refused | None = None, **values: Any) -> Response:
    """One of the plugin's templates."""
    html = render_template(f"rse/directory/{template}.html", no=no, day_of=day_of, **values)
    return Response(html, status=no.error.status if no else 200)
