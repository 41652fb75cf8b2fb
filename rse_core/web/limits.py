"""A cap on what one person, or one address without a person, sends in a minute; acts have finer ones of their own.

Kept in ``rate_limit_storage``: in the memory of each process by default, in Redis for many servers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask_limiter import Limiter

from .csrf import SAFE
from .identity import current_person_id

#: A person with a mouse never comes near it; a program that calls the API may.
UNSAFE = "600 per minute"
V = TypeVar("V", bound=Callable[..., Any])


def register(app: Flask, storage: str) -> None:
    """Install the cap on unsafe requests; reading is not capped, since pages are polled."""
    Limiter(
        key_func=who,
        app=app,
        storage_uri=storage,
        application_limits=[UNSAFE],
        application_limits_exempt_when=lambda: request.method in SAFE or _counts_itself(),
        headers_enabled=False,
        # A counter that cannot be reached must not close the intranet.
        swallow_errors=True,
    )


def own_rate(view: V) -> V:
    """Leave this view out of the cap: it counts its callers by itself (programs with a token of their own)."""
    view.rse_own_rate = True  # type: ignore[attr-defined]
    return view


def _counts_itself() -> bool:
    return getattr(current_app.view_functions.get(request.endpoint or ""), "rse_own_rate", False)


def who() -> str:
    """Whose requests are counted together."""
    person = current_person_id()
    return f"person:{person}" if person is not None else f"address:{request.remote_addr}"
