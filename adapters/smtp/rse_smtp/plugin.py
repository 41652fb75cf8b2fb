"""What the plugin contributes."""

from __future__ import annotations

from pathlib import Path

from rse_core.api import Manifest, Plugin, Translations, hookimpl, translator

HERE = Path(__file__).parent
_t = translator(__file__, "rse_smtp")
_, lazy = _t.gettext, _t.lazy


class Smtp(Plugin):
    """Mails of RSE by SMTP."""

    manifest = Manifest(
        name="smtp",
        label=lazy("Mail"),
        description=lazy("Sends notifications and digests by mail."),
        kind="adapter",
    )

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_smtp")
