"""Keep pages for later: a worked example of a vendor's plugin."""

from __future__ import annotations

from .plugin import Bookmarks

plugin = Bookmarks()
