"""What the adapter contributes to the core."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rse_core.api import (
    Cli,
    HealthCheck,
    HealthResult,
    Job,
    Manifest,
    Migrations,
    Plugin,
    Translations,
    hookimpl,
)

from .check import check
from .cli import config_file, make_group
from .config import SsoConfig, read_section
from .handoff import Handoff
from .i18n import lazy
from .source import SsoSource

if TYPE_CHECKING:
    from flask import Blueprint
    from sqlalchemy.orm import DeclarativeBase, Session

    from .cas_ticket import CasServer
    from .oidc_flow import OidcFlow
    from .saml.flow import SamlFlow

HERE = Path(__file__).parent
PRUNE_EVERY = 600
"""Seconds between two prunings of used nonces."""


class Sso(Plugin):
    """Trusted header, signed hand-off, OpenID Connect, CAS and SAML."""

    manifest = Manifest(
        name="sso",
        label=lazy("Sign-in by the intranet"),
        description=lazy(
            "Recognises people by the intranet's own sign-in: a trusted header of its web server, "
            "a short-lived token that it signs, OpenID Connect, CAS or SAML."
        ),
        kind="adapter",
    )

    def __init__(self) -> None:
        self.config = SsoConfig()
        self.source = SsoSource(self.config)
        self._settings: Any = None
        self.oidc: OidcFlow | None = None
        self.cas: CasServer | None = None
        self.saml: SamlFlow | None = None

    @hookimpl
    def rse_configure(self, settings: Any) -> None:
        self._settings = settings
        self.oidc = self.cas = self.saml = None
        self.config = read_section(settings)
        handoff = None
        if self.config.handoff is not None:
            from .nonces import DatabaseNonces

            handoff = Handoff(self.config.handoff.rules, DatabaseNonces(_write))
        self.source = SsoSource(self.config, handoff)
        self._servers()

    def _servers(self) -> None:
        """The sign-ins at a server: OpenID Connect, CAS, SAML."""
        if self.config.oidc is not None:
            from .nonces import DatabaseNonces
            from .oidc_flow import OidcFlow
            from .oidc_provider import Provider

            self.oidc = OidcFlow(Provider(self.config.oidc), DatabaseNonces(_write))
        if self.config.cas is not None:
            from .cas_ticket import CasServer
            from .nonces import DatabaseNonces

            self.cas = CasServer(self.config.cas, DatabaseNonces(_write))
        if self.config.saml is not None:
            from .nonces import DatabaseNonces
            from .saml.flow import SamlFlow

            self.saml = SamlFlow(self.config.saml, DatabaseNonces(_write))
        self.source.start, self.source.leave = self._start, self._leave
        servers = [found.issuer for found in (self.config.oidc,) if found is not None and found.end_session]
        servers += [found.server_url for found in (self.config.cas,) if found is not None and found.end_session]
        known = tuple(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in servers)
        saml = self.saml
        # A provider's metadata says where it is, and may say otherwise tomorrow.
        self.source.leave_origins = lambda: known if saml is None else (*known, *saml.provider.origins)

    def _start(self, return_to: str) -> str | None:
        from flask import url_for

        if self.oidc is not None:
            return url_for("rse_sso.oidc_start", return_to=return_to)
        if self.cas is not None:
            return url_for("rse_sso.cas_start", return_to=return_to)
        return None if self.saml is None else url_for("rse_sso.saml_start", return_to=return_to)

    def _leave(self) -> str | None:
        found = None
        if self.oidc is not None:
            from .oidc_views import sign_out_url

            found = sign_out_url(self.oidc)
        if found is None and self.cas is not None:
            from .cas_views import sign_out_url as cas_sign_out_url

            found = cas_sign_out_url(self.cas)
        if found is None and self.saml is not None:
            from .saml.views import sign_out_url as saml_sign_out_url

            found = saml_sign_out_url(self.saml)
        return found

    @hookimpl
    def rse_identity_source(self) -> SsoSource | None:
        # With nothing configured another adapter may answer.
        on = (self.config.header, self.config.handoff, self.config.oidc, self.config.cas, self.config.saml)
        return self.source if any(part is not None for part in on) else None

    @hookimpl
    def rse_models(self) -> Iterable[type[DeclarativeBase]]:
        from .models import Base

        return [Base]

    @hookimpl
    def rse_migrations(self) -> Migrations:
        return Migrations(HERE / "migrations")

    @hookimpl
    def rse_blueprints(self) -> Iterable[Blueprint]:
        from .views import make_blueprint

        blueprint = make_blueprint(self.source)
        if self.oidc is not None:
            from .oidc_views import add_routes

            add_routes(blueprint, self.oidc)
        if self.cas is not None:
            from .cas_views import add_routes as add_cas_routes

            add_cas_routes(blueprint, self.cas)
        if self.saml is not None:
            from .saml.views import add_routes as add_saml_routes

            add_saml_routes(blueprint, self.saml)
        return [blueprint]

    @hookimpl
    def rse_translations(self) -> Translations:
        return Translations(HERE / "translations", "rse_sso")

    @hookimpl
    def rse_cli(self) -> Iterable[Cli]:
        return [Cli(make_group(lambda: (self._settings, self.config)))]

    @hookimpl
    def rse_jobs(self) -> Iterable[Job]:
        from .nonces import prune_job

        return [Job("sso.prune_nonces", prune_job, every=PRUNE_EVERY)]

    @hookimpl
    def rse_health_checks(self) -> Iterable[HealthCheck]:
        return [HealthCheck("sso.configuration", self._health)]

    def _health(self, session: Session) -> HealthResult:
        unsafe = [
            finding
            for finding in check(self.config, settings=self._settings, file=config_file())
            if finding.severity == "unsafe"
        ]
        if not unsafe:
            return HealthResult(True)
        first = unsafe[0]
        return HealthResult(False, f"{first.setting} {first.message}", first.remedy)


def _write() -> AbstractContextManager[Session]:
    from rse_core.webapi import session_write

    return session_write()


plugin = Sso()
