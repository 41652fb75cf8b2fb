"""What the pages share: the blueprint, a space's frame and navigation, a refused form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Forbidden, NavItem, RseError, TooMany, can, translator
from rse_core.cursor import Place, plugin_on
from rse_core.webapi import Cursor, core, current_person_id, decode_cursor, encode_cursor

from .. import access, kinds
from ..access import Seat

_t = translator(str(Path(__file__).parent), "rse_communities")
_, lazy = _t.gettext, _t.lazy
#: Everything that is no space's page stands below ``-``: no key of a space is that short.
blueprint = Blueprint(
    "rse_communities", "rse_communities", url_prefix="/communities", template_folder="templates", static_folder="static",
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

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.error.status

    def problem(self, name: str) -> str:
        """What is wrong with one field; "" when nothing is."""
        return str(getattr(self.error, "fields", {}).get(name, ""))


def refused(error: RseError, form: str = "") -> Refused:
    """From the form that was just sent."""
    return Refused(error, {name: value for name, value in request.form.items() if name != "csrf_token"}, form)


@dataclass(frozen=True, slots=True)
class Tab:
    """One entry of a space's navigation."""

    url: str
    label: Any
    here: bool
    icon: str | None = None
    count: int = 0


def tabs(session: Session, seat: Seat) -> list[Tab]:
    """The pages of a space that this person may open: its own, and those of plugins that are on there.

    Another plugin's page asks for them too: their endpoints are written out.
    """
    key, here = seat.space.key, request.endpoint or ""
    found = [Tab(url_for("rse_communities.space", space=key), _("Home"), here == "rse_communities.space", "house")]
    if seat.inside:
        found.append(
            Tab(url_for("rse_communities.members", space=key), _("Members"), here == "rse_communities.members", "users")
        )
        for item in _space_items(session, seat):
            found.append(Tab(url_for(item.endpoint, space=key), item.label, here == item.endpoint, item.icon))
    may_invite = seat.inside and seat.open and can(session, seat.person_id, access.INVITE, seat.target).allowed
    if seat.manages or may_invite:
        found.append(
            Tab(
                url_for("rse_communities.invitations", space=key),
                _("Invitations"),
                here == "rse_communities.invitations",
                "send",
            )
        )
    if seat.manages:
        running = here.startswith("rse_communities.manage")
        first = "rse_communities.manage" if seat.administers else "rse_communities.manage_requests"
        found.append(Tab(url_for(first, space=key), _("Run this space"), running, "settings"))
    return found


def manage_tabs(seat: Seat) -> list[Tab]:
    """The pages for running a space, as far as this person's role goes."""
    pages = [
        ("manage", _("Settings"), "administers"),
        ("manage_sheet", _("Framing sheet"), "administers"),
        ("manage_rights", _("Rights"), "manages"),
        ("manage_requests", _("Requests"), "manages"),
        ("manage_people", _("People"), "administers"),
        ("manage_groups", _("Groups"), "administers"),
        ("manage_plugins", _("Plugins"), "administers"),
        ("manage_figures", _("Figures"), "manages"),
        ("manage_visibility", _("Visibility"), "owns"),
        ("manage_end", _("Archive, merge, split"), "owns"),
    ]
    return [
        Tab(url_for(f".{name}", space=seat.space.key), label, request.endpoint == f"rse_communities.{name}")
        for name, label, least in pages
        if getattr(seat, least)
    ]


def frame(
    session: Session, seat: Seat, template: str, *, no: Refused | None = None, status: int | None = None, **values: Any
) -> Response:
    """A page of a space: its header and navigation around it."""
    html = render_template(
        f"rse/communities/{template}.html", seat=seat, space=seat.space, profile=seat.profile, tabs=tabs(session, seat),
        manage_tabs=manage_tabs(seat) if template.startswith("manage") else [], no=no, kinds=kinds,
        kind=kinds.KINDS.get(seat.profile.kind), **values,
    )  # fmt: skip
    return Response(html, status=status or (no.status if no else 200))


def plain(template: str, *, no: Refused | None = None, **values: Any) -> Response:
    """A page that is no space's."""
    html = render_template(f"rse/communities/{template}.html", no=no, kinds=kinds, **values)
    return Response(html, status=no.status if no else 200)


def done(endpoint: str, message: str = "", **values: Any) -> BaseResponse:
    """After a form: back to a page, with a message."""
    if message:
        flash(message)
    return redirect(url_for(endpoint, **values), 303)


def me() -> int:
    """Who asks, or 0: the services refuse nobody's asking."""
    from rse_core.webapi import require_person

    return require_person().id


def cursor(scope: str) -> tuple[Any, ...] | None:
    """Where the page begins, from the address."""
    text = request.args.get("after")
    return decode_cursor(core().settings, text, scope).after if text else None


def next_url(scope: str, after: tuple[Any, ...] | None) -> str | None:
    """The address of the next page."""
    if after is None:
        return None
    kept = {name: value for name, value in request.args.items() if name != "after" and value}
    values = {**(request.view_args or {}), **kept, "after": encode_cursor(core().settings, Cursor(scope, after))}
    return url_for(request.endpoint or "", **values)


def number(name: str) -> int:
    """A number of the form.

    :raises BadInput: for anything else.
    """
    text = request.form.get(name, "")
    if not text.isdecimal() or len(text) > 18:
        raise BadInput(_("“%(text)s” is not a number.", text=text[:20]))
    return int(text)


def version() -> int | None:
    """The version that the form was made from."""
    return number("version") if request.form.get("version") else None


def canonical(seat: Seat, key: str) -> BaseResponse | None:
    """A former key leads to the present one."""
    if seat.space.key == key or request.method != "GET":
        return None
    values = {**(request.view_args or {}), **request.args.to_dict(), "space": seat.space.key}
    return redirect(url_for(request.endpoint or "", **values), 302)


def _space_items(session: Session, seat: Seat) -> list[NavItem]:
    running, person_id = core(), current_person_id()
    snapshot = running.policy.snapshot()
    person = None if person_id is None else running.policy.person(person_id)
    if person is None:
        return []
    place = Place(seat.audience_id, space_id=seat.space.id)
    return [
        item
        for plugin, item in sorted(
            running.plugins.contributions(NavItem), key=lambda pair: (pair[1].order, pair[1].endpoint)
        )
        if item.area == "space"
        and plugin_on(snapshot, plugin, person, place)[0]
        and (item.capability is None or can(session, person_id, item.capability, seat.target).allowed)
        and (item.shown_in is None or item.shown_in(session, person.id, seat.space.id))
    ]
