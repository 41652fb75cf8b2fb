"""The core's tables. Importing this package defines them all on the shared metadata."""

from __future__ import annotations

from . import content, governance, handover, indicators, levels, notices, organisation, rollout, runtime

__all__ = ["content", "governance", "handover", "indicators", "levels", "notices", "organisation", "rollout", "runtime"]
