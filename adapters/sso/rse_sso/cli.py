"""``rse sso check | metadata | secret | token``; ``python -m rse_sso`` does the same, even in quarantine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rse_core.api import ConfigError

from .check import check
from .config import SsoConfig
from .keys import new_secret
from .reasons import SsoRefused
from .token import MAX_AGE, encode, make_claims, verify

Loader = Callable[[], tuple[Any, SsoConfig]]
"""Gives the core's settings and the adapter's; raises ConfigError."""


def config_file() -> Path | None:
    """The configuration file in force, or ``None``: ``RSE_CONFIG``, else ``rse.toml`` here."""
    file = Path(os.environ.get("RSE_CONFIG") or "rse.toml")
    return file if file.is_file() else None


def make_group(load: Loader) -> click.Group:
    """The commands, on whatever configuration ``load`` gives when one of them runs."""

    @click.group("sso", help="Sign-in by the intranet: check it, make secrets and test tokens.")
    def group() -> None:
        pass

    @group.command("check")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("--online", is_flag=True, help="Ask the sign-in servers as well.")
    @click.pass_context
    def check_command(ctx: click.Context, as_json: bool, online: bool) -> None:
        """Say what is unsafe in the present configuration; exit 1 when something is."""
        settings, config = load()
        findings = check(config, settings=settings, file=config_file())
        told: list[str] = []
        if online:
            from .online import ask

            told, more = ask(config)
            findings = sorted([*findings, *more], key=lambda finding: finding.severity != "unsafe")
        unsafe = [finding for finding in findings if finding.severity == "unsafe"]
        if as_json:
            rows = [
                {"severity": f.severity, "setting": f.setting, "message": f.message, "remedy": f.remedy} for f in findings
            ]
            click.echo(json.dumps({"safe": not unsafe, "findings": rows, "servers": told}, ensure_ascii=False, indent=2))
        else:
            for line in told:
                click.echo(line)
            for finding in findings:
                click.echo(f"{finding.severity}: {finding.setting} {finding.message} {finding.remedy}")
            click.echo(summary(config, len(findings), len(unsafe)))
        ctx.exit(1 if unsafe else 0)

    @group.command("secret")
    def secret_command() -> None:
        """Print a new secret, for a proxy or for signing hand-off tokens."""
        click.echo(new_secret())

    @group.command("metadata")
    def metadata_command() -> None:
        """Print RSE's own SAML metadata, for the identity provider."""
        _, config = load()
        if config.saml is None:
            raise ConfigError(
                "SAML is switched off.", remedy='Add "saml" to sources under [sso], and a table [sso.saml].', plugin="sso"
            )
        from .saml.crypto import Xmlsec
        from .saml.own import own_metadata

        try:
            click.echo(own_metadata(config.saml, Xmlsec(config.saml.xmlsec1)))
        except SsoRefused as refusal:
            raise ConfigError(f"{refusal}.", remedy=f"{refusal.reason.remedy}.", plugin="sso") from None

    @group.command("token")
    @click.option("--user", required=True, help="The person's stable identifier at the intranet (sub).")
    @click.option("--name", help="Display name.")
    @click.option("--email", help="E-mail address.")
    @click.option("--username", help="User name, when it differs from --user.")
    @click.option("--return-to", help="Path to go to after signing in.")
    @click.option("--life", type=click.IntRange(1, MAX_AGE), default=60, show_default=True, help="Seconds.")
    @click.option("--kid", help="Which key signs; the last one configured if not given.")
    def token_command(user: str, life: int, kid: str | None, **claims: str | None) -> None:
        """Print a hand-off token for a test, exactly as the intranet would make it."""
        _, config = load()
        if config.handoff is None:
            raise ConfigError(
                "The hand-off is switched off.",
                remedy='Add "handoff" to sources under [sso], and a key under [sso.handoff.keys].',
                plugin="sso",
            )
        rules = config.handoff.rules
        chosen = kid if kid is not None else list(rules.keys)[-1]
        if chosen not in rules.keys:
            raise ConfigError(f"There is no key “{chosen}”.", remedy=f"Known: {', '.join(rules.keys)}.", plugin="sso")
        now = int(time.time())
        life = min(life, rules.max_age)
        token = encode(make_claims(rules, user, now=now, life=life, **claims), rules.keys[chosen], kid=chosen)
        try:
            verify(token, rules, now=now)
        except SsoRefused as refusal:
            raise ConfigError(
                f"This token would be refused: {refusal}.", remedy=f"{refusal.reason.remedy}.", plugin="sso"
            ) from None
        click.echo(token)

    return group


def summary(config: SsoConfig, findings: int, unsafe: int) -> str:
    """One line on what is on and what was found."""
    sources = [name for name in ("header", "handoff", "oidc", "cas", "saml") if getattr(config, name) is not None]
    state = f"Sources on: {', '.join(sources) or 'none'}."
    if not findings:
        return f"{state} Nothing to say against this configuration."
    return f"{state} Unsafe: {unsafe}. To look at: {findings - unsafe}."
