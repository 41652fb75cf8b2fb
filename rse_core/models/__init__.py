"""The core's tables. Importing this package defines them all on the shared metadata."""

from __future__ import annotations

from . import content, governance, levels, notices, organisation, runtime

__all__ = ["content", "governance", "levels", "notices", "organisation", "runtime"]
