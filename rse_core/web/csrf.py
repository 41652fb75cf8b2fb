"""Protection of unsafe requests: where they come from, and a token bound to the session.

Two checks, both must pass: the browser's own word on the origin (``Origin``, ``Sec-Fetch-Site``) and the token, in the
field ``csrf_token`` or the header ``X-RSE-CSRF``. A request with a bearer token carries no ambient authority and is exempt.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, g, request

from ..errors import RseError, SignInNeeded
from ..i18n import _
from .identity import current_person, session_nonce
from .state import core

FIELD, HEADER = "csrf_token", "X-RSE-CSRF"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
V = TypeVar("V", bound=Callable[..., Any])


class CsrfRefused(RseError):
    """The request may have been made by another site, or the page is older than the session."""

    status = 403
    code = "csrf"

    def __init__(self, message: str, *, may_resend: bool, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        #: the origin is ours and only the token is stale: the person may confirm and send again
        self.may_resend = may_resend


def csrf_token() -> str:
    """The token of this session; stable for its length."""
    return _sign(session_nonce())


def csrf_exempt(view: V) -> V:
    """Leave this view out of the check: it authenticates each request by itself (a signed hand-off)."""
    view.rse_csrf_exempt = True  # type: ignore[attr-defined]
    return view


def protect() -> None:
    """Before every request.

    :raises CsrfRefused: for an unsafe request that does not pass.
    :raises SignInNeeded: when it does not pass because the session has ended.
    """
    if request.method in SAFE or g.get("rse_token_person_id") is not None:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "rse_csrf_exempt", False):
        return
    _check_origin()
    sent = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    # encode(): compare_digest refuses text that is not ASCII, and anything may be sent.
    if hmac.compare_digest(sent.encode(), csrf_token().encode()):
        return
    if current_person() is None:
        raise SignInNeeded(
            _("Your session has ended, so nothing was saved."),
            remedy=_("Sign in again, then send what you wrote once more."),
        )
    # Every browser of these years says where a form comes from; to one that does not, nothing is offered to confirm.
    told = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
    raise CsrfRefused(
        _("This page is older than your session, so nothing was saved."),
        remedy=_("Check what you wrote and send it again."),
        may_resend=told,
    )


def allowed_origins() -> set[str]:
    """Origins of the legacy intranet, as configured."""
    settings = core().settings
    some = [*settings.legacy_origins, *(o for site in settings.legacy_sites.values() for o in site)]
    return {origin.rstrip("/").lower() for origin in some}


def _check_origin() -> None:
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    if origin is not None:
        # The scheme is not compared for our own host: behind a proxy that ends TLS we may see http.
        same = origin != "null" and urlsplit(origin).netloc.lower() == request.host.lower()
        if not same and origin.rstrip("/").lower() not in allowed_origins():
            raise _foreign()
    elif site is not None and site not in ("same-origin", "none"):
        raise _foreign()


def _foreign() -> CsrfRefused:
    return CsrfRefused(
        _("This request came from another site, so it was refused."),
        remedy=_("Go back to the intranet and do it from there."),
        may_resend=False,
    )


def _sign(nonce: str) -> str:
    return hmac.new(core().settings.key(), b"csrf:" + nonce.encode(), hashlib.sha256).hexdigest()
