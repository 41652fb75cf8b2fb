"""Comments on any object of RSE and on any page of the intranet."""

from __future__ import annotations

from .plugin import Comments

plugin = Comments()
