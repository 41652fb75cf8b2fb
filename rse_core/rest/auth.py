"""``Authorization: Bearer`` on the API, and what a token's scopes let it do."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, g, request

from ..errors import Forbidden, SignInNeeded
from ..i18n import _
from ..tokens import PARTIAL, accept
from ..web.state import core

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
    token = accept(core(), text)
    if token is None:
        raise SignInNeeded(
            _("This token is unknown, expired or revoked."), remedy=_("Make another with rse token create.")
        )
    g.rse_token_person_id = token.person_id
    g.rse_token_scopes = frozenset(token.scopes.split())


def require_scope(scope: str) -> None:
    """Whether the token may do this here; ``read`` and ``write`` may be given for one plugin's resources alone.

    :raises Forbidden: when the request came with a token that lacks this scope (a session has every scope).
    """
    scopes = g.get("rse_token_scopes")
    if scopes is None or scope in scopes:
        return
    part = part_of(request.blueprint or "") if scope in PARTIAL else ""
    wanted = f"{part}:{scope}" if part else scope
    if wanted in scopes:
        return
    message = _("This token does not have the scope “%(scope)s”.", scope=scope)
    if part:
        message = _("This token has neither the scope “%(scope)s” nor “%(part)s”.", scope=scope, part=wanted)
    raise Forbidden(message, remedy=_("Make one that does."))


def part_of(blueprint: str) -> str:
    """The plugin whose resources these are; "" for the core's own."""
    parts = current_app.extensions.get("rse_rest_parts")
    if parts is None:
        parts = {found.name: plugin for plugin, found in core().plugins.rest_blueprints}
        current_app.extensions["rse_rest_parts"] = parts
    return str(parts.get(blueprint, ""))


def scope(name: str) -> Callable[[V], V]:
    """Decorator of a REST view: see :func:`require_scope`."""

    def wrap(view: V) -> V:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            require_scope(name)
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return wrap
