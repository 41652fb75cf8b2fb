"""The adapter's own translator."""

from __future__ import annotations

from rse_core.api import translator

_translator = translator(__file__, "rse_scim")
_, ngettext, lazy = _translator.gettext, _translator.ngettext, _translator.lazy
