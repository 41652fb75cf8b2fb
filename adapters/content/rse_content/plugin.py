"""What the plugin contributes."""

from __future__ import annotations

from pathlib import Path

from rse_core.api import Manifest, Plugin, Translations, hookimpl, translator

HERE = Path(__file__).parent
_t = translator(__file__, "rse_content")
_, lazy = _t.gettext, _t.lazy


class Content(Plugin):
    """The intranet's own news and pages for RSE: RSS and Atom, WordPress, MediaWiki, DokuWiki, sitemaps."""

    manifest = Manifest(
        name="content",
        label=lazy("Content of the intranet"),
        description=lazy("News and pages that the intranet publishes, read where it offers them."),
        kind="adapter",
    )

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_content")
