"""RSE: interactivity for the intranet you already have, one level at a time.

Plugins import from :mod:`rse_core.api` (or from the public modules named there) and from nothing else.
"""

from __future__ import annotations

__version__ = "0.1.0"
