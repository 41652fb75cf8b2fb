"""Awkward pages for anyone who writes a rewriter, a proxy or a server configuration."""

from __future__ import annotations

from .pages import AWKWARD_PAGES, HERE, AwkwardPage

__all__ = ["AWKWARD_PAGES", "HERE", "AwkwardPage"]
