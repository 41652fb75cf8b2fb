"""What the plugin contributes."""

from __future__ import annotations

from pathlib import Path

from rse_core.api import Manifest, Plugin, Translations, hookimpl, translator

HERE = Path(__file__).parent
_t = translator(__file__, "rse_notifications")
_, lazy = _t.gettext, _t.lazy


class Notifications(Plugin):
    """The bell, the mails and the digests of RSE, as each person wants them."""

    manifest = Manifest(
        name="notifications",
        label=lazy("Notifications"),
        description=lazy("What concerns a person, in the page, by mail and in digests, as they choose."),
    )

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_notifications")
