"""Who is asking: a trusted header set by the intranet's web server, or a hand-off that the intranet signs."""

from __future__ import annotations

from .plugin import plugin

__all__ = ["plugin"]
