"""Shared secrets: how one is made, how strong it must be, how it is compared."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable

MIN_SECRET_LENGTH = 32
"""Characters. The same floor as an HS256 key needs in bytes (RFC 7518 §3.2)."""

_MIN_DISTINCT = 10
_PLACEHOLDER = re.compile(r"change[-_ ]?me|example|secret|password|xxxx|0000|1234", re.IGNORECASE)
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_secret() -> str:
    """A new secret of 256 random bits, in 43 characters that any configuration file and header can hold."""
    while True:
        secret = secrets.token_urlsafe(32)
        # Once in some hundred thousand, chance writes something that looks like a placeholder.
        if weakness(secret) is None:
            return secret


def weakness(secret: str) -> str | None:
    """Why ``secret`` may not be used, as the end of a sentence, or ``None`` when it may.

    >>> weakness("short")
    'has 5 characters; at least 32 are needed'
    """
    if len(secret) < MIN_SECRET_LENGTH:
        return f"has {len(secret)} characters; at least {MIN_SECRET_LENGTH} are needed"
    if not secret.isascii() or not secret.isprintable() or " " in secret or "," in secret:
        return "holds a space, a comma or a character outside ASCII, which a header cannot carry safely"
    if len(set(secret)) < _MIN_DISTINCT:
        return f"uses only {len(set(secret))} different characters; let chance make it"
    if _PLACEHOLDER.search(secret):
        return "looks like a placeholder from a document; let chance make it"
    return None


def valid_kid(kid: str) -> bool:
    """Whether ``kid`` can name a key: 1 to 64 letters, digits, ``.``, ``_`` or ``-``."""
    return _KID.fullmatch(kid) is not None


def matches_any(candidate: str, accepted: Iterable[str]) -> bool:
    """Whether ``candidate`` equals one of ``accepted``, in a time that depends on neither content.

    All are compared even after a match, so that the time does not tell which of two secrets is in use.
    """
    given = candidate.encode("utf-8", "surrogatepass")
    found = False
    for secret in accepted:
        found |= hmac.compare_digest(given, secret.encode("utf-8"))
    return found
