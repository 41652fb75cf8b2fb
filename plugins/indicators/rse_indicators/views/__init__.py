"""Pages below ``/rse/indicators/``."""

from __future__ import annotations

from . import calendars, figures, mine, spaces, surveys
from .base import blueprint

__all__ = ["blueprint", "calendars", "figures", "mine", "spaces", "surveys"]
