"""A sign-in that was begun here: what must still be known when the person comes back from the sign-in server.

It is kept in the browser that began it, in a signed cookie of its own for each attempt: two tabs do not disturb each other,
and an answer that another browser was given is worth nothing here.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Request, current_app
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from .reasons import Reason, SsoRefused

LIFE = 600
"""Seconds that a person may take at the sign-in server."""

MOST = 6
"""Attempts that one browser keeps; older ones go first."""

_PREFIX = "rse_attempt_"


def new_state() -> str:
    """An unguessable name for one attempt."""
    return secrets.token_urlsafe(32)


def keep(
    answer: Response, request: Request, kind: str, state: str, values: Mapping[str, str], *, path: str,
    cross_site: bool = False,
) -> None:  # fmt: skip
    """Set the attempt's cookie on the way out.

    :param cross_site: the way back is a form that another site posts, not a link that it leads along.
    """
    names = (name for name in request.cookies if name.startswith(_PREFIX))
    others = sorted(names, key=lambda name: _began(kind, request.cookies[name]))
    for name in others[: max(0, len(others) - MOST + 1)]:
        answer.delete_cookie(name, path=path)
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(
        _name(state), _serializer(kind).dumps({"state": state, **values}), max_age=LIFE, path=path, httponly=True,
        # Strict would be left out on the way back, which another site leads; browsers take None by https only.
        samesite="None" if cross_site and secure else "Lax", secure=secure,
    )  # fmt: skip


def recall(request: Request, kind: str, state: str) -> dict[str, str]:
    """What was kept under ``state`` in this browser.

    :raises SsoRefused: ``attempt_unknown`` when this browser began no such attempt, ``attempt_expired`` when long ago.
    """
    raw = request.cookies.get(_name(state)) if 20 <= len(state) <= 128 else None
    if not raw:
        raise SsoRefused(Reason.ATTEMPT_UNKNOWN)
    try:
        found: Any = _serializer(kind).loads(raw, max_age=LIFE)
    except SignatureExpired:
        raise SsoRefused(Reason.ATTEMPT_EXPIRED) from None
    except BadSignature:
        raise SsoRefused(Reason.ATTEMPT_UNKNOWN) from None
    if not isinstance(found, dict) or not secrets.compare_digest(str(found.get("state")).encode(), state.encode()):
        raise SsoRefused(Reason.ATTEMPT_UNKNOWN)
    return {str(key): str(value) for key, value in found.items()}


def drop(answer: Response, state: str, *, path: str) -> None:
    """Take the attempt's cookie away."""
    answer.delete_cookie(_name(state), path=path)


def _began(kind: str, raw: str) -> float:
    try:
        _found, when = _serializer(kind).loads(raw, return_timestamp=True)
    except BadSignature:
        return 0.0
    return float(when.timestamp())


def _name(state: str) -> str:
    return _PREFIX + hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _serializer(kind: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        current_app.secret_key or "", salt=f"rse-sso-attempt-{kind}", signer_kwargs={"digest_method": hashlib.sha256}
    )
