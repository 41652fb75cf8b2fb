"""The blueprint, who asks, and what the templates share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.numbers import format_percent
from flask import Blueprint, render_template

from rse_core.api import Forbidden, current_locale, translator
from rse_core.webapi import require_person, session_read

from .. import access

if TYPE_CHECKING:
    from ..access import Sight

_t = translator(str(Path(__file__).parent), "rse_indicators")
_, ngettext = _t.gettext, _t.ngettext
blueprint = Blueprint(
    "rse_indicators", "rse_indicators", url_prefix="/indicators", template_folder="templates", static_folder="static"
)


def sight() -> Sight:
    """What the person who asks may see.

    :raises SignInNeeded: for nobody.
    :raises Forbidden: when that is nothing.
    """
    person = require_person()
    with session_read() as session:
        return access.require_sight(session, person.id)


def administrator() -> Sight:
    """As :func:`sight`, for those who administer the site or an entity.

    :raises Forbidden: for everybody else.
    """
    found = sight()
    if not found.administers:
        raise Forbidden(_("These figures are not for you."), remedy=_("Those of your spaces and your wave have a page."))
    return found


def percent(rate: float | None) -> str:
    """``17.3 %`` in the reader's language; a dash for none."""
    if rate is None:
        return "–"
    return str(format_percent(rate, format="#,##0.0 %", locale="en_GB" if current_locale() == "en" else "fr"))


def page(template: str, **values: Any) -> str:
    """One of the plugin's templates."""
    return render_template(f"rse/indicators/{template}.html", percent=percent, **values)
