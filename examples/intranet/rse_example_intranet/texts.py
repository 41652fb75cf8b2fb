"""The demo's own catalogue of texts."""

from __future__ import annotations

from rse_core.i18n import translator

_translator = translator(__file__, "rse_example_intranet")
_, ngettext, lazy = _translator.gettext, _translator.ngettext, _translator.lazy
