"""``rse mail test ADDRESS``."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from html import escape

import click

from rse_core.api import Core, OutgoingMessage, RseError, current_locale, translator

from .config import Config
from .sender import Sender

_ = translator(__file__, "rse_smtp").gettext


def make_group(sender: Callable[[], Sender | None]) -> click.Group:
    """The group ``mail``, on the sender that the plugin has when a command runs."""

    @click.group()
    def mail() -> None:
        """Mails: whether they leave."""

    @mail.command("test")
    @click.argument("address")
    def test(address: str) -> None:
        """Send one mail to ADDRESS now, past the queue."""
        core: Core = click.get_current_context().find_root().obj.core
        found = sender()
        if found is None:
            raise RseError("No mail server is set.", remedy="Set host and from in [smtp] of rse.toml.")
        site = core.settings.site_name or "RSE"
        text = _("This mail shows that %(site)s can send mails.", site=site)
        subject = _("Test mail")
        body = f'<!doctype html><html lang="{current_locale()}"><body><p>{escape(text)}</p></body></html>'
        message = OutgoingMessage(
            f"test:{secrets.token_hex(8)}", 0, address, "", f"[{site}] {subject}", text + "\n", body, current_locale()
        )
        try:
            found.send(message)
        finally:
            found.close()
        click.echo(f"Handed to {_server(found.config)}.")

    @mail.command("status")
    def status() -> None:
        """Connect to the mail server, and sign in where that is set."""
        found = sender()
        if found is None:
            raise RseError("No mail server is set.", remedy="Set host and from in [smtp] of rse.toml.")
        found.check()
        click.echo(f"{_server(found.config)} answers.")

    return mail


def _server(config: Config) -> str:
    return f"{config.host}:{config.port} ({config.security})"
