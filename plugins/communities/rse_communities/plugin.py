"""What the plugin contributes."""

from __future__ import annotations

from pathlib import Path

from rse_core.api import Manifest, Plugin, Translations, hookimpl, translator

HERE = Path(__file__).parent
_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy


class Communities(Plugin):
    """Communities, team spaces and projects: who is in, who may do what."""

    manifest = Manifest(
        name="communities",
        label=lazy("Communities"),
        description=lazy("Spaces with members, roles and rules of their own."),
    )

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_communities")
