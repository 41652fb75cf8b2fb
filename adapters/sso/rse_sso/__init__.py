"""Who is asking: a trusted header set by the intranet's web server, a hand-off that it signs, OpenID Connect or CAS."""

from __future__ import annotations

from .plugin import plugin

__all__ = ["plugin"]
