"""What the plugin contributes."""

from __future__ import annotations

from pathlib import Path

from rse_core.api import Manifest, Plugin, Translations, hookimpl, translator

HERE = Path(__file__).parent
_t = translator(__file__, "rse_search")
_, lazy = _t.gettext, _t.lazy


class Search(Plugin):
    """Search in posts, comments, spaces, people and pages, trimmed to what one may see."""

    manifest = Manifest(
        name="search",
        label=lazy("Search"),
        description=lazy("Find what one may see, as one types it."),
    )

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_search")
