"""Pages below ``/rse/indicators/``."""

from __future__ import annotations

from . import figures, mine, spaces, surveys
from .base import blueprint

__all__ = ["blueprint", "figures", "mine", "spaces", "surveys"]
