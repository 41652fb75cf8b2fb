"""What the adapter contributes to the core."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rse_core.api import (
    BadInput,
    DirectoryReading,
    DirectorySource,
    HealthCheck,
    HealthResult,
    Manifest,
    Migrations,
    PersonalData,
    Plugin,
    Setting,
    TokenScope,
    Translations,
    hookimpl,
)

from .config import SOURCE, Config, ScimSchema, parse
from .i18n import _, lazy

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

    from rse_core.settings import Settings

HERE = Path(__file__).parent


class Scim(Plugin):
    """People and groups that an identity provider sends by SCIM 2.0."""

    manifest = Manifest(
        name="scim",
        label=lazy("SCIM"),
        description=lazy("An identity provider (Microsoft Entra ID, Okta) sends people and groups as they change."),
        kind="adapter",
    )

    def __init__(self) -> None:
        self.config = Config()

    @hookimpl
    def rse_configure(self, settings: Settings) -> None:
        self.config = parse(settings.section("scim", ScimSchema))

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_scim")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import make_blueprint

        return [make_blueprint(self.config)]

    @hookimpl
    def rse_token_scopes(self) -> Iterable[TokenScope]:
        return [TokenScope("scim.provision", lazy("provision people and groups by SCIM"))]

    @hookimpl
    def rse_directory_sources(self) -> Iterable[DirectorySource]:
        return [DirectorySource(SOURCE, lazy("Identity provider (SCIM)"), _read, pushed=True)]

    @hookimpl
    def rse_settings_forms(self) -> Iterable[Setting]:
        from .leaving import DEFAULT_PERCENT, SETTING, parse_percent

        return [
            Setting(
                SETTING,
                lazy("SCIM: share of the people who may leave"),
                DEFAULT_PERCENT,
                parse_percent,
                help=lazy(
                    "In percent of the people that the identity provider keeps, within a day. Beyond it nobody else is "
                    "disabled. Raise it for the time being when many have really left."
                ),
                kind="number",
            )
        ]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        return [HealthCheck("scim.token", self._check)]

    @hookimpl
    def rse_personal_data(self) -> Iterable[PersonalData]:
        from .privacy import erase, export

        return [
            PersonalData(
                "scim.resource",
                lazy("What the identity provider sent"),
                lazy("to keep the directory of people up to date"),
                export,
                erase,
                lazy("until the identity provider deletes it"),
            )
        ]

    def _check(self, session: Session) -> HealthResult:
        from .check import check

        return check(session, self.config)


def _read(_mark: str, _progress: Callable[[str, int, int], None] | None) -> DirectoryReading:
    raise BadInput(_("The identity provider sends what changes by itself; there is nothing to read."))


