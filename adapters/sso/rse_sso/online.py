"""``rse sso check --online``: what the sign-in servers themselves say."""

from __future__ import annotations

from .cas_config import CasConfig
from .check import Finding
from .config import SsoConfig
from .oidc_config import OidcConfig
from .outgoing import Answer, Outgoing
from .reasons import SsoRefused
from .saml.config import SamlConfig

MAX_AHEAD = 30
"""Seconds between two clocks that are worth a word."""


def ask(config: SsoConfig) -> tuple[list[str], list[Finding]]:
    """What to know (and to register at the server), and what is wrong."""
    told: list[str] = []
    found: list[Finding] = []
    for lines, findings in (_oidc(config.oidc), _cas(config.cas), _saml(config.saml)):
        told += lines
        found += findings
    return told, found


def _oidc(config: OidcConfig | None) -> tuple[list[str], list[Finding]]:
    if config is None:
        return [], []
    from .oidc_provider import Provider

    provider = Provider(config)
    root = config.redirect_uri.removesuffix("/oidc/callback")
    told = [
        f"oidc: register the redirect address {config.redirect_uri}",
        f"oidc: register the address after a sign-out {root}/",
        f"oidc: register the back-channel logout address {root}/oidc/backchannel-logout",
    ]
    found: list[Finding] = []
    try:
        answer = provider.outgoing.get(config.issuer.rstrip("/") + "/.well-known/openid-configuration")
        metadata = provider.metadata()
        names = provider.key_names()
    except SsoRefused as refusal:
        return told, [_failed("sso.oidc.issuer", refusal)]
    told.append(f"oidc: {config.issuer} answers; keys: {', '.join(names)}")
    if metadata.end_session is None and config.end_session:
        found.append(
            Finding(
                "warning", "sso.oidc.end_session", "is on, but the provider offers no sign-out.",
                "Set logout_url, or switch end_session off.",
            )
        )  # fmt: skip
    found += _clock("sso.oidc.issuer", answer)
    return told, found


def _cas(config: CasConfig | None) -> tuple[list[str], list[Finding]]:
    if config is None:
        return [], []
    from .cas_ticket import parse_validation

    told = [f"cas: allow the service {config.service_url} with any query"]
    try:
        # A ticket that cannot exist: a CAS server says so, in its own form.
        answer = Outgoing(config.limits).get(
            f"{config.server_url}/p3/serviceValidate", params={"service": config.service_url, "ticket": "ST-check"}
        )
        parse_validation(answer.body)
    except SsoRefused as refusal:
        if not refusal.detail.startswith("the server says"):
            return told, [_failed("sso.cas.server_url", refusal)]
    told.append(f"cas: {config.server_url} answers")
    return told, _clock("sso.cas.server_url", answer)


def _saml(config: SamlConfig | None) -> tuple[list[str], list[Finding]]:
    if config is None:
        return [], []
    from .saml.checking import online

    told, found, answer = online(config)
    return told, [*found, *(_clock("sso.saml.metadata_url", answer) if answer is not None else [])]


def _failed(setting: str, refusal: SsoRefused) -> Finding:
    return Finding("unsafe", setting, f"cannot be used now ({refusal}).", f"{refusal.reason.remedy}.")


def _clock(setting: str, answer: Answer) -> list[Finding]:
    ahead = answer.clock_ahead
    if ahead is None or abs(ahead) <= MAX_AHEAD:
        return []
    return [
        Finding(
            "warning", setting, f"has a clock that is {abs(ahead):.0f} seconds {'before' if ahead > 0 else 'behind'} ours.",
            "Set the clocks of both servers by NTP.",
        )
    ]  # fmt: skip
