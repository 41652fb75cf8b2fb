"""Pages below ``/rse/directory/``."""

from __future__ import annotations

from . import acting, listing, mine
from .base import blueprint

__all__ = ["acting", "blueprint", "listing", "mine"]
