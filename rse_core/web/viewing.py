"""“View as” in a request: the administrator's signed session says as whom they look; from then on somebody else asks.

The session's cookie holds it, and it is checked again at every request. While it holds, ``g.rse_person`` is an onlooker,
every unsafe request is refused, and so is any write of the database that a view would make: what may be written meanwhile is
only its end, the language, and the sign-out, which are answered as the administrator.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import replace

from flask import current_app, g, request, session
from markupsafe import Markup

from .. import db, view_as
from ..audit import Actor
from ..levels import Level
from ..onlookers import no_self
from ..people import card
from ..view_as import Viewing
from .csrf import SAFE
from .gates import plugin_of_request
from .identity import NONCE, VIEW, current_person
from .state import core

#: Answered as the administrator. The page shows what is chosen; to begin anew, the present one is stopped first.
OWN = frozenset({"rse_admin.view_as", "rse_admin.view_as_end", "rse_core.language", "rse_core.leave"})
CHOICE = "core.locale"


def now_viewing() -> Viewing | None:
    """As whom the administrator who asks looks; None mostly."""
    found: Viewing | None = g.get("rse_viewing")
    return found


def begin(viewing: Viewing) -> None:
    """Keep it in the session of this request, from the next request on."""
    session[VIEW] = [viewing.by, viewing.entity_id, int(viewing.level), int(viewing.until.timestamp())]
    session.permanent = True
    _renew()


def stop(how: str = "stopped") -> None:
    """End it, if it is on, and note it."""
    viewing = _kept()
    if viewing is None:
        return
    session.pop(VIEW, None)
    g.rse_viewing = None
    _renew()
    with core().db.write() as writing:
        by = card(writing, viewing.by)
        view_as.end(writing, viewing, actor=Actor("" if by is None else by.username, viewing.by), how=how)


def follow() -> None:
    """Once it is known who asks, and in what language: put the onlooker in the place of the administrator who looks.

    A program with a token looks as nobody else. What authenticates each request by itself has nothing to do with the
    session, and adapters sign in and out: a provider that ends the session must not be refused.

    :raises Forbidden: for an unsafe request, and for the pages about oneself.
    """
    g.rse_viewing = None
    if VIEW not in session or g.get("rse_token_person_id") is not None:
        return
    if _by_itself():
        return
    viewing, person = _kept(), current_person()
    if viewing is None:
        session.pop(VIEW, None)
        return
    with core().db.read() as reading:
        holds = person is not None and person.id == viewing.by and view_as.holds(reading, viewing)
        somebody = card(reading, viewing.person_id) if holds else None
    if somebody is None or person is None:
        stop("over")
        return
    g.rse_viewing = viewing
    g.rse_onlooker = somebody
    if request.endpoint in OWN:
        return
    # Of the administrator's own choices only the language is kept: all others would show what is theirs.
    chosen = g.get("rse_preferences") or {}
    g.rse_preferences = {key: value for key, value in chosen.items() if key == CHOICE}
    g.rse_person = replace(somebody, locale=person.locale)
    db.REFUSED.set(view_as.refused)
    if request.method not in SAFE:
        raise view_as.refused()
    path = request.path.removeprefix("/api/v1")
    if path == "/me" or path.startswith("/me/"):
        raise no_self()


def _by_itself() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    state = core().plugins.states.get(plugin_of_request() or "")
    return getattr(view, "rse_csrf_exempt", False) or (state is not None and state.kind == "adapter")


def finish() -> None:
    """Undo what :func:`follow` set, at the end of the request; asked before each one too, which begins with nothing set."""
    if db.REFUSED.get() is not None:
        db.REFUSED.set(None)


def viewing_bar() -> Markup:
    """What stands above every page meanwhile: as whom, until when, and the way out."""
    from flask import render_template

    viewing = now_viewing()
    if viewing is None:
        return Markup("")
    html = render_template("rse/_viewing.html", somebody=g.rse_onlooker, viewing=viewing)
    return Markup(html)  # noqa: S704  a template's output


def _kept() -> Viewing | None:
    """What the session says; None for nothing that can be read."""
    kept = session.get(VIEW)
    if not (isinstance(kept, list) and len(kept) == 4 and all(type(one) is int for one in kept)):
        return None
    by, entity, level, until = kept
    if entity <= 0 or level not in tuple(Level):
        return None
    try:
        return Viewing(by, entity, Level(level), dt.datetime.fromtimestamp(until, dt.UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _renew() -> None:
    # A form that was open before, in another tab, must not be sent as somebody else than it was made for.
    session[NONCE] = secrets.token_urlsafe(18)
