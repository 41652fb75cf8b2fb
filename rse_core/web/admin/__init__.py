"""The administration's pages, below ``admin/``: the cursor, plugins, capabilities, settings and the audit log.

An administrator of an entity sees and changes only its branch; what is the whole site's is for site administrators.
"""

from __future__ import annotations

from . import capabilities, cursor, directories, journal, plugins, rollout, settings, view_as, why
from .base import blueprint

__all__ = [
    "blueprint", "capabilities", "cursor", "directories", "journal", "plugins", "rollout", "settings", "view_as", "why",
]  # fmt: skip
