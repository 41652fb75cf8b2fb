"""``rse sso check``: what is unsafe, or merely unwise, in the configuration that is in force."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from .config import HandoffConfig, SsoConfig
from .headers import HeaderRules
from .outgoing import may_be_asked

Severity = Literal["unsafe", "warning"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: the setting, what is wrong with it, what to do."""

    severity: Severity
    setting: str
    message: str
    remedy: str


def check(config: SsoConfig, *, settings: Any, file: Path | None = None) -> list[Finding]:
    """All findings, the unsafe ones first. The values of secrets never stand in them.

    :param settings: the core's settings (``secret_key``, ``secure_cookies``, ``identity_key``).
    :param file: the configuration file, to see who can read it.
    """
    found = [
        *_general(config, settings),
        *(_header(config.header) if config.header else ()),
        *(_handoff(config.handoff) if config.handoff else ()),
        *_servers(config),
        *_saml(config),
        *_secrets(config, settings),
        *_file(file),
    ]
    return sorted(found, key=lambda finding: finding.severity != "unsafe")


def _general(config: SsoConfig, settings: Any) -> Iterator[Finding]:
    if all(part is None for part in (config.header, config.handoff, config.oidc, config.cas, config.saml)):
        yield Finding("warning", "sso.sources", "names no source: nobody can sign in.", 'Write sources = ["header"].')
    for key in ("login_url", "logout_url"):
        url = getattr(config, key)
        parts = urlsplit(url or "")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            yield Finding("unsafe", f"sso.{key}", "is plain http: it can be read on the way.", "Use https.")
    if config.login_url is None and config.oidc is None and config.cas is None and config.saml is None:
        yield Finding(
            "warning",
            "sso.login_url",
            "is not set: a person whose session has expired is not told where to sign in again.",
            "Give the address of the intranet's sign-in, with {return_to} for the way back.",
        )
    elif config.login_url is not None and "{return_to}" not in config.login_url:
        yield Finding(
            "warning",
            "sso.login_url",
            "has no {return_to}: after signing in the person does not come back to the page.",
            "Add the portal's parameter, for example ?url={return_to}.",
        )
    if not getattr(settings, "secure_cookies", True):
        yield Finding(
            "unsafe",
            "secure_cookies",
            "is off: the session's cookie also travels over plain http.",
            "Leave it on wherever people sign in.",
        )
    if getattr(settings, "identity_key", "") == "none":
        yield Finding(
            "warning",
            "identity_key",
            "is none: nobody who was imported is recognised at a first visit.",
            "Choose username or external_id, whichever the intranet sends.",
        )


def _header(rules: HeaderRules) -> Iterator[Finding]:
    where = "sso.header"
    if rules.in_process:
        yield Finding(
            "warning",
            f"{where}.in_process",
            f"believes the variable {rules.user} of the server without any secret.",
            "Keep it only where RSE runs inside the web server or the host application, behind no other.",
        )
        return
    for network in rules.peers.networks:
        enough = 24 if network.version == 4 else 64
        if network.prefixlen < enough:
            wide = network.prefixlen < (16 if network.version == 4 else 48)
            yield Finding(
                "unsafe" if wide else "warning",
                f"{where}.peers",
                f"holds {network}, that is {network.num_addresses:,} machines.",
                "Name the proxies alone; the secret is then the second lock, not the only one.",
            )
    if len(rules.secrets) > 2:
        yield Finding(
            "warning",
            f"{where}.secrets",
            f"holds {len(rules.secrets)} secrets.",
            "Two are enough to replace one by another; take out those that no proxy sends any more.",
        )


def _handoff(config: HandoffConfig) -> Iterator[Finding]:
    where = "sso.handoff"
    if config.allow_cross_site:
        yield Finding(
            "warning",
            f"{where}.allow_cross_site",
            "is on: a foreign page can sign a person in under somebody else's name.",
            "Keep it only where the sign-in portal is on another domain than the intranet.",
        )
    if config.rules.clock_skew > 60:
        yield Finding(
            "warning",
            f"{where}.clock_skew",
            f"is {config.rules.clock_skew} seconds, by which every token lives longer.",
            "Set the clocks of both servers by NTP and go back to 30.",
        )
    if len(config.rules.keys) > 2:
        yield Finding(
            "warning",
            f"{where}.keys",
            f"holds {len(config.rules.keys)} keys.",
            "Take out those with which the intranet signs no more.",
        )
    if not config.rules.issuer.startswith(("https://", "http://")):
        yield Finding(
            "warning",
            f"{where}.issuer",
            "is no address: two intranets might choose the same short name.",
            "Use the address of the intranet; people are known by it, so decide before the first sign-in.",
        )


def _servers(config: SsoConfig) -> Iterator[Finding]:
    own = [("sso.oidc.redirect_uri", config.oidc.redirect_uri)] if config.oidc else []
    own += [("sso.cas.service_url", config.cas.service_url)] if config.cas else []
    own += [("sso.saml.acs_url", config.saml.acs_url)] if config.saml else []
    for setting, url in own:
        if not may_be_asked(url):
            yield Finding("unsafe", setting, "is plain http: what is sent there can be read on the way.", "Use https.")
    if config.oidc and config.oidc.auth_method == "none":
        yield Finding(
            "warning",
            "sso.oidc.client_secret",
            "is not set: anybody can present RSE's client_id.",
            "Let the provider give a secret, or register RSE's public key; PKCE alone protects the code.",
        )
    if config.oidc and config.oidc.clock_skew > 120:
        yield Finding(
            "warning",
            "sso.oidc.clock_skew",
            f"is {config.oidc.clock_skew} seconds, by which every token lives longer.",
            "Set the clocks of both servers by NTP and go back to 60.",
        )


def _saml(config: SsoConfig) -> Iterator[Finding]:
    if config.saml is not None:
        from .saml.checking import findings

        yield from findings(config.saml)


def _secrets(config: SsoConfig, settings: Any) -> Iterator[Finding]:
    proxy = set(config.header.secrets) if config.header else set()
    keys = set(config.handoff.rules.keys.values()) if config.handoff else set()
    if proxy & keys:
        yield Finding(
            "unsafe",
            "sso.handoff.keys",
            "holds a secret that the proxy sends as well: whoever sees one request can sign tokens.",
            "Make another with rse sso secret.",
        )
    if getattr(settings, "secret_key", "") in proxy | keys:
        yield Finding(
            "unsafe",
            "secret_key",
            "is also a secret of [sso]: who knows it can forge sessions.",
            "Make another with rse sso secret.",
        )


def _file(file: Path | None) -> Iterator[Finding]:
    if file is None or os.name != "posix":
        return
    try:
        mode, text = file.stat().st_mode, file.read_text(encoding="utf-8")
    except OSError:
        return
    holds_secrets = any(word in text for word in ("secrets", ".keys]", "secret_key"))
    if holds_secrets and mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        yield Finding(
            "unsafe",
            file.name,
            "holds secrets and can be read or changed by other accounts of this machine.",
            f"Run chmod 640 {file.name}, its group being that of the server.",
        )
