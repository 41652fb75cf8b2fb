"""Who is asking: a trusted header set by the intranet's web server, a signed hand-off, OpenID Connect, CAS or SAML."""

from __future__ import annotations

from .plugin import plugin

__all__ = ["plugin"]
