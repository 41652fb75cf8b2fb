"""Indicators on screen, as files and by REST."""

from __future__ import annotations

from .plugin import Indicators

__version__ = "0.1.0"
plugin = Indicators()
__all__ = ["Indicators", "plugin"]
