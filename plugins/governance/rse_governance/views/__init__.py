"""Pages and forms. Each works without JavaScript; a form that is refused comes back with what was typed."""

from __future__ import annotations

from .base import blueprint

from . import charters, mine, mydata, people, queue, reports, words  # noqa: F401  isort:skip

blueprints = [blueprint]
