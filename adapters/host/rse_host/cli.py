"""``rse host nginx | apache | snippet | ssi | selftest | proxy``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from . import configs
from .config import HostConfig
from .profiles import PROFILES

Loader = Callable[[], tuple[HostConfig, str]]
"""Gives the configuration of the adapter and the prefix of RSE."""


def _site_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--server-name", default="intranet.example", show_default=True, help="Name people type; _ for any."),
        click.option("--listen", default="80", show_default=True, help="Port, or address:port."),
        click.option("--upstream", default="http://127.0.0.1:8080", show_default=True, help="Where the intranet answers."),
        click.option("--rse", default="http://127.0.0.1:8400", show_default=True, help="Where RSE answers; unix:/path too."),
        click.option("--live", default="", help="Where rse live answers, http://127.0.0.1:8401, if it runs."),
        click.option("--profile", type=click.Choice(tuple(PROFILES)), help="Kind of intranet (default: rse.toml's)."),
        click.option("--slots", help="Slots to place, with commas between; those of rse.toml if not given."),
        click.option(
            "--sso",
            type=click.Choice(("none", "basic", "header", "auth_request")),
            default="none",
            show_default=True,
            help="How this server knows who is asking.",
        ),
        click.option("--secret", default="", help="Shared with RSE (rse sso secret); needed with --sso."),
        click.option("--user-header", default="X-RSE-User", show_default=True, help="Header that RSE reads."),
        click.option("--secret-header", default="X-RSE-Proxy-Secret", show_default=True),
        click.option("--incoming-header", default="Auth-User", show_default=True, help="With --sso header or auth_request."),
        click.option("--users-file", default="/etc/nginx/rse-users", show_default=True, help="With --sso basic."),
        click.option("--auth-url", default="http://127.0.0.1:9000/verify", help="With --sso auth_request."),
        click.option("--preserve-host/--no-preserve-host", default=True, help="Pass on the name people typed."),
        click.option("--obeys-encoding", is_flag=True, help="The intranet packs pages only when asked to."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def make_group(load: Loader) -> click.Group:
    """The commands, on whatever configuration ``load`` gives when one of them runs."""

    def site(profile: str | None, slots: str | None, **options: Any) -> configs.Site:
        config, prefix = load()
        chosen = tuple(part.strip() for part in slots.split(",") if part.strip()) if slots else config.slots
        return configs.Site(prefix=prefix, profile=profile or config.profile, slots=chosen, **options)

    @click.group("host", help="Put RSE into the pages of the intranet, and find out why it is not there.")
    def group() -> None:
        pass

    @group.command("nginx")
    @_site_options
    def nginx_command(**options: Any) -> None:
        """Print a configuration for nginx: /rse proxied, one script tag in every page."""
        click.echo(configs.nginx(site(**options)), nl=False)

    @group.command("ssi")
    @_site_options
    def ssi_command(**options: Any) -> None:
        """Print the same with SSI: fragments without JavaScript. Read the warning in it."""
        click.echo(configs.nginx(site(**options), ssi=True), nl=False)

    @group.command("apache")
    @_site_options
    def apache_command(**options: Any) -> None:
        """Print a virtual host for Apache 2.4."""
        click.echo(configs.apache(site(**options)), nl=False)

    @group.command("snippet")
    @_site_options
    def snippet_command(**options: Any) -> None:
        """Print the lines for the intranet's own template."""
        click.echo(configs.snippet(site(**options)), nl=False)

    @group.command("selftest")
    @click.argument("url")
    @click.option("--rse-prefix", help="Prefix of RSE; that of rse.toml if not given.")
    @click.option("--header", "headers", multiple=True, help="Sent with every request, 'Cookie: a=b'.")
    @click.option("--profile", type=click.Choice(tuple(PROFILES)), help="Kind of intranet.")
    @click.option("--timeout", type=click.FloatRange(0.1, 120), default=10.0, show_default=True, help="Seconds.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.pass_context
    def selftest_command(
        ctx: click.Context,
        url: str,
        rse_prefix: str | None,
        headers: tuple[str, ...],
        profile: str | None,
        timeout: float,
        as_json: bool,
    ) -> None:
        """Say what is wrong with a real page of the intranet, and what to do; exit 1 when something is."""
        from .selftest import run

        config, prefix = load()
        report = run(
            url,
            prefix=rse_prefix or prefix,
            headers=headers,
            profile=PROFILES[profile or config.profile],
            timeout=timeout,
        )
        if as_json:
            click.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
        else:
            for line in report.lines():
                click.echo(line)
        ctx.exit(0 if report.fine else 1)

    @group.command("proxy")
    @click.option("--upstream", required=True, help="Where the intranet answers.")
    @click.option("--listen", default="127.0.0.1:8080", show_default=True, help="Address and port.")
    @click.option("--rse", help="Where RSE answers; without it this process answers for RSE too.")
    @click.option("--profile", type=click.Choice(tuple(PROFILES)), help="Kind of intranet.")
    @click.option("--timeout", type=click.FloatRange(1, 600), default=60.0, show_default=True, help="Seconds.")
    @click.pass_context
    def proxy_command(
        ctx: click.Context, upstream: str, listen: str, rse: str | None, profile: str | None, timeout: float
    ) -> None:
        """Serve the intranet with RSE in it, for a pilot."""
        from .proxy import serve

        config, prefix = load()
        serve(
            upstream,
            listen=listen,
            rse=rse,
            profile=profile or config.profile,
            prefix=prefix,
            timeout=timeout,
            config=config,
        )

    return group
