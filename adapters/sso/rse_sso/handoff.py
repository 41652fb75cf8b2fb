"""The signed hand-off: verify a token, use it up, say who came and where they were going.

Pure but for two ports: a clock and a store that records each nonce once. Flask and the
database are elsewhere.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

from .peers import UNKNOWN, peer_of
from .reasons import Reason, SsoRefused
from .token import Claims, TokenRules, verify

logger = logging.getLogger(__name__)

FIELD = "rse_handoff"
"""Name of the query parameter, of the form's field and of the cookie."""

HEADER = "X-RSE-Handoff"


class NonceStore(Protocol):
    """Remembers which tokens have served."""

    def consume(self, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:
        """Record the use durably; False when it was recorded before. Atomic between processes."""
        ...


class Handoff:
    """Accepts each good token once.

    :param rules: what a token must satisfy.
    :param store: where used nonces are kept, for as long as a token could still be believed.
    :param clock: seconds since 1970.
    """

    def __init__(self, rules: TokenRules, store: NonceStore, *, clock: Callable[[], float] = time.time) -> None:
        self.rules = rules
        self._store = store
        self._clock = clock

    def accept(self, token: str, *, peer: str | None = None) -> Claims:
        """Verify ``token`` and use it up.

        :param peer: for the log alone.
        :raises SsoRefused: with the reason; it has then been logged.
        """
        now = self._clock()
        try:
            claims = verify(token, self.rules, now=now)
            self._use_up(claims, now)
        except SsoRefused as refusal:
            log_refusal(refusal, peer)
            raise
        return claims

    def _use_up(self, claims: Claims, now: float) -> None:
        keep_until = claims.expires_at + self.rules.clock_skew
        try:
            first = self._store.consume(claims.issuer, claims.jti, expires_at=keep_until, now=now)
        except Exception:
            # Without a record of its use the token could serve twice: no record, no sign-in.
            logger.exception("The use of a hand-off token could not be recorded")
            raise SsoRefused(Reason.NONCE_STORE) from None
        if not first:
            raise SsoRefused(Reason.TOKEN_REPLAYED)


def log_refusal(refusal: SsoRefused, peer: str | None) -> None:
    """The administrator's line: code, peer, remedy; never the token, a secret or a raw value."""
    logger.warning(
        "Sign-in refused: reason=%s peer=%s%s. Remedy: %s.",
        refusal.reason.value,
        peer or UNKNOWN,
        f" detail={refusal.detail!r}" if refusal.detail else "",
        refusal.reason.remedy,
    )


def ambient_token(environ: Mapping[str, Any], *, header: bool, cookie: bool) -> tuple[str, str] | None:
    """The token that the intranet attached to this request, with its carrier (``header`` or ``cookie``).

    :raises SsoRefused: ``token_ambiguous`` when the header came twice.
    """
    if header:
        value = environ.get("HTTP_" + HEADER.upper().replace("-", "_"))
        if isinstance(value, str) and value.strip():
            if "," in value:
                raise SsoRefused(Reason.TOKEN_AMBIGUOUS, HEADER)
            return value.strip(), "header"
    if cookie:
        found = cookie_value(environ)
        if found:
            return found, "cookie"
    return None


def cookie_value(environ: Mapping[str, Any]) -> str | None:
    """The hand-off cookie, or ``None``; an unreadable ``Cookie`` header is no cookie."""
    raw = environ.get("HTTP_COOKIE")
    if not isinstance(raw, str) or FIELD not in raw:
        return None
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(raw)
    except CookieError:
        return None
    return str(jar[FIELD].value) or None if FIELD in jar else None


def peer_for_log(environ: Mapping[str, Any]) -> str:
    """The other end of the connection, for a log line."""
    return peer_of(environ) or UNKNOWN
