"""Where a person goes after a form: a place on this origin or on the configured intranet, and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request, url_for

from .csrf import allowed_origins

MAX_RETURN = 2000


def safe_return_to(value: str | None) -> str | None:
    """``value`` when one may be sent there, else None.

    A path on this origin, or an absolute address under a configured ``legacy_origins``. Browsers read a backslash as a
    slash and drop tabs and line feeds before they parse: such values are refused.
    """
    if not value or len(value) > MAX_RETURN or "\\" in value or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if not parts.scheme and not parts.netloc:
        return value if value.startswith("/") and not value.startswith("//") else None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return None
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if origin in allowed_origins() or parts.netloc.lower() == request.host.lower():
        return value
    return None


def return_to(default: str | None = None) -> str:
    """Where this request asked to go back to: the field ``return_to``, else the page it came from, else ``default``."""
    asked = safe_return_to(request.values.get("return_to"))
    if asked:
        return asked
    if default is not None:
        return default
    return safe_return_to(request.referrer) or url_for("rse_core.home")
