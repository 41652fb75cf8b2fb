"""``Authorization: Bearer`` on the API, and what a token's scopes let it do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request
from sqlalchemy import update

from ..db import utcnow
from ..errors import Forbidden, SignInNeeded
from ..i18n import _
from ..models.runtime import Token
from ..tokens import find_token
from ..web.state import session_read, session_write

V = TypeVar("V", bound=Callable[..., Any])


def bearer_text() -> str | None:
    """The token that the request carries, if any."""
    header = request.headers.get("Authorization", "")
    return header[7:].strip() if header.lower().startswith("bearer ") else None


def bearer() -> None:
    """Take the token of an API request; its owner is then who asks, whatever else the request brings.

    :raises SignInNeeded: for a token that is unknown, revoked or expired.
    """
    text = bearer_text()
    if text is None or not request.path.startswith("/api/"):
        return
    with session_read() as session:
        token = find_token(session, text)
    if token is None:
        raise SignInNeeded(
            _("This token is unknown, expired or revoked."), remedy=_("Make another with rse token create.")
        )
    today = utcnow().date()
    if token.last_used != today:
        with session_write() as session:
            session.execute(update(Token).where(Token.id == token.id).values(last_used=today))
    g.rse_token_person_id = token.person_id
    g.rse_token_scopes = frozenset(token.scopes.split())


def require_scope(scope: str) -> None:
    """:raises Forbidden: when the request came with a token that lacks this scope (a session has every scope)."""
    scopes = g.get("rse_token_scopes")
    if scopes is not None and scope not in scopes:
        raise Forbidden(
            _("This token does not have the scope “%(scope)s”.", scope=scope), remedy=_("Make one that does.")
        )


def scope(name: str) -> Callable[[V], V]:
    """Decorator of a REST view: see :func:`require_scope`."""

    def wrap(view: V) -> V:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            require_scope(name)
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return wrap
