"""What the plugin contributes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rse_core.api import (
    Cli,
    HealthCheck,
    HealthResult,
    Manifest,
    NotificationTransport,
    Plugin,
    RseError,
    Translations,
    hookimpl,
    translator,
)

from .config import SmtpSchema, parse
from .sender import Sender

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rse_core.settings import Settings

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

    def __init__(self) -> None:
        #: None while no mail server is set: then no mail is even made
        self.sender: Sender | None = None

    @hookimpl
    def rse_configure(self, settings: Settings) -> None:
        config = parse(settings.section("smtp", SmtpSchema))
        self.sender = Sender(config) if config.host else None

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_smtp")

    @hookimpl
    def rse_notification_transports(self) -> Iterable[NotificationTransport]:
        if self.sender is None:
            return []
        return [NotificationTransport("mail", lazy("By mail"), self.sender.send)]

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .cli import make_group

        return [Cli(make_group(lambda: self.sender))]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        return [HealthCheck("smtp.server", self._check)]

    def _check(self, _session: Session) -> HealthResult:
        if self.sender is None:
            return HealthResult(True, _("no mail server is set: no mail leaves"))
        try:
            self.sender.check()
        except RseError as error:
            return HealthResult(False, error.message, _("Check [smtp] in rse.toml, and rse mail status."))
        return HealthResult(True, _("the mail server answers"))
