"""The adapter's own translator."""

from __future__ import annotations

from rse_core.api import translator

texts = translator(__file__, "rse_host")
_, lazy = texts.gettext, texts.lazy
