"""What ``rse sso check`` says of SAML."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from rse_core.api import utcnow

from ..check import Finding
from ..outgoing import Answer
from ..reasons import SsoRefused
from .config import SamlConfig
from .crypto import Xmlsec
from .keys import ends_at, load_certificate
from .provider import POST, REDIRECT, Provider

SOON = dt.timedelta(days=30)
"""How long before a certificate runs out it is worth a word."""


def findings(config: SamlConfig) -> Iterator[Finding]:
    """What is unsafe or unwise in the table, without asking anybody."""
    for name, pair in (("private_key_file", config.keys), ("previous_key_file", config.previous)):
        if pair is not None and _open_to_others(pair.key):
            yield Finding(
                "unsafe", f"sso.saml.{name}", "can be read by other accounts of this machine.",
                "Run chmod 640 on it, its group being that of the server.",
            )  # fmt: skip
    try:
        yield from _runs_out("sso.saml.certificate_file", load_certificate(config.keys.certificate), "RSE's own certificate")
    except (OSError, ValueError):
        yield Finding(
            "unsafe", "sso.saml.certificate_file", "can no longer be read: nobody will sign in after a restart.",
            "Put the certificate back, with the key that belongs to it.",
        )  # fmt: skip
    if config.allow_unsolicited:
        yield Finding(
            "warning", "sso.saml.allow_unsolicited",
            "is on: a foreign page can sign a person in under somebody else's name.",
            "Keep it only where people start at the provider's portal.",
        )  # fmt: skip
    if config.clock_skew > 120:
        yield Finding(
            "warning", "sso.saml.clock_skew", f"is {config.clock_skew} seconds, by which every assertion lives longer.",
            "Set the clocks of both servers by NTP and go back to 60.",
        )  # fmt: skip
    if config.name_id_format == "email" and config.subject is None:
        yield Finding(
            "warning", "sso.saml.name_id_format", "makes the e-mail address the key of people, and addresses change hands.",
            "Ask for a persistent NameID, or name a stable attribute in subject.",
        )  # fmt: skip
    if config.name_id_format == "transient" and config.subject is None:
        yield Finding(
            "unsafe", "sso.saml.name_id_format", "asks for a name that is another at each sign-in: everybody is refused.",
            "Name a stable attribute in subject, or ask for a persistent NameID.",
        )  # fmt: skip
    if config.metadata_url and config.metadata_url.startswith("http:") and config.metadata_certificate is None:
        yield Finding(
            "warning", "sso.saml.metadata_url", "is plain http and its answer is not verified.",
            "Use https, or give the certificate that signs it in metadata_certificate_file.",
        )  # fmt: skip


def online(config: SamlConfig) -> tuple[list[str], list[Finding], Answer | None]:
    """What to register at the provider, and what its metadata says."""
    told = [
        f"saml: give the provider RSE's metadata, {config.root}/saml/metadata or rse sso metadata",
        f"saml: RSE's entityID is {config.entity_id}, answers go to {config.acs_url}",
    ]
    provider = Provider(config, Xmlsec(config.xmlsec1))
    try:
        answer = provider.fetch()
        metadata = provider.metadata()
    except SsoRefused as refusal:
        setting = "sso.saml.metadata_url" if config.metadata_url else "sso.saml.metadata_file"
        return told, [Finding("unsafe", setting, f"cannot be used now ({refusal}).", f"{refusal.reason.remedy}.")], None
    told.append(f"saml: {config.issuer} is known, with {len(metadata.certificates)} certificate(s)")
    found: list[Finding] = []
    wanted = POST if config.request_binding == "post" else REDIRECT
    if wanted not in metadata.sign_in:
        found.append(
            Finding(
                "warning", "sso.saml.request_binding", f"is {config.request_binding}, which the provider does not offer.",
                "Choose the other binding.",
            )
        )  # fmt: skip
    if config.end_session and REDIRECT not in metadata.sign_out:
        found.append(
            Finding(
                "warning", "sso.saml.end_session", "is on, but the provider offers no sign-out by redirect.",
                "Set logout_url, or switch end_session off.",
            )
        )  # fmt: skip
    for certificate in metadata.certificates:
        found += _runs_out("sso.saml.issuer", certificate, "a certificate of the provider")
    return told, found, answer


def _runs_out(setting: str, certificate: x509.Certificate, what: str) -> Iterator[Finding]:
    left = ends_at(certificate) - utcnow()
    if left < SOON:
        when = f"{ends_at(certificate):%Y-%m-%d}"
        yield Finding(
            "warning", setting, f"has {what} that {'runs' if left > dt.timedelta() else 'ran'} out on {when}.",
            "Make the next one and let the other side know it before.",
        )  # fmt: skip


def _open_to_others(file: str) -> bool:
    if os.name != "posix":
        return False
    try:
        return bool(Path(file).stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP))
    except OSError:
        return False
