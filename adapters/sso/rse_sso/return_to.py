"""Where a person goes after signing in: a path on this origin, and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

MAX_RETURN = 2000


def safe_return_to(value: str | None, default: str) -> str:
    """``value`` when it is a path on this very origin, else ``default``. Never raises.

    Refused: other schemes and hosts, ``//host``, ``/\\host`` (browsers read a backslash as a slash), control
    characters (browsers drop tabs and line feeds before parsing) and whatever is too long.

    >>> safe_return_to("/actualites/42?page=2#c7", "/")
    '/actualites/42?page=2#c7'
    >>> safe_return_to("//evil.test/", "/")
    '/'
    """
    if not value or len(value) > MAX_RETURN or not value.startswith("/"):
        return default
    if value.startswith("//") or "\\" in value or not value.isprintable() or " " in value:
        return default
    try:
        parts = urlsplit(value)
    except ValueError:
        return default
    if parts.scheme or parts.netloc:
        return default
    return value
