"""Pages and forms. Each works without JavaScript; a form that is refused comes back with what was typed."""

from __future__ import annotations

from .base import blueprint

from . import administration, joining, manage, manage_people, pages  # noqa: F401  isort:skip

__all__ = ["blueprint"]
