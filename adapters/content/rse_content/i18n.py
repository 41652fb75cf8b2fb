"""The adapter's own catalogue."""

from __future__ import annotations

from rse_core.api import translator

_t = translator(__file__, "rse_content")
_, ngettext, lazy = _t.gettext, _t.ngettext, _t.lazy
