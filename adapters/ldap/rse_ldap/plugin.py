"""What the adapter contributes: one directory, a command to try it, a check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rse_core.api import (
    Cli,
    DirectoryPhoto,
    DirectoryReading,
    DirectorySource,
    HealthCheck,
    HealthResult,
    Manifest,
    Plugin,
    RseError,
    Translations,
    hookimpl,
)

from .config import Config, LdapSchema, parse
from .i18n import _, lazy

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rse_core.settings import Settings

HERE = Path(__file__).parent


class Ldap(Plugin):
    """People, entities and groups from LDAP and Active Directory."""

    manifest = Manifest(
        name="ldap",
        label=lazy("LDAP"),
        description=lazy("People, entities and groups from LDAP or Active Directory."),
        kind="adapter",
    )

    def __init__(self) -> None:
        self.config = Config()

    @hookimpl
    def rse_configure(self, settings: Settings) -> None:
        self.config = parse(settings.section("ldap", LdapSchema))

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_ldap")

    @hookimpl
    def rse_directory_sources(self) -> Iterable[DirectorySource]:
        if not self.config.url:
            return []
        config = self.config
        return [
            DirectorySource(
                "ldap.main", lazy("LDAP directory"), self.read, config.every, config.complete_every,
                photos=self.photos if config.photos else None,
            ),
        ]  # fmt: skip

    def read(self, mark: str, progress: Callable[[str, int, int], None] | None) -> DirectoryReading:
        """Read the directory; the library is loaded when it is needed."""
        from .reading import read

        return read(self.config, mark, progress)

    def photos(self, mark: str) -> Iterator[list[DirectoryPhoto]]:
        """The photos, a few people at a time."""
        from .reading import photos

        return photos(self.config, mark)

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        from .cli import make_group

        return [Cli(make_group(lambda: self.config))]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        return [HealthCheck("ldap.server", self._check)]

    def _check(self, _session: Session) -> HealthResult:
        if not self.config.url:
            return HealthResult(True, _("no directory is set"))
        from .connection import asking

        try:
            with asking(self.config):
                pass
        except RseError as error:
            return HealthResult(False, error.message, error.remedy or "")
        if not self.config.tls:
            return HealthResult(True, _("the directory answers, unencrypted"))
        return HealthResult(True, _("the directory answers"))
