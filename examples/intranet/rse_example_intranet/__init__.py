"""An example: the plain intranet of an imaginary public insurer, and the demo that extends it."""

from __future__ import annotations

__version__ = "0.1.0"
