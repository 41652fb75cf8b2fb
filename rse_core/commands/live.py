"""The process that tells pages at once that something has changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from ..errors import RseError
from ..i18n import _
from . import pass_core
from .site import LOOPBACK

if TYPE_CHECKING:
    from ..runtime import Core


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8401, show_default=True, type=click.IntRange(0, 65535))
@click.option("--streams", default=5000, show_default=True, type=click.IntRange(1, 100_000), help="Pages at once.")
@pass_core
def live(core: Core, host: str, port: int, streams: int) -> None:
    """Tell open pages what has changed (PostgreSQL; needs rse-core[live]). The web server passes /rse/live to it."""
    core.settings.key()
    if core.db.is_sqlite:
        raise RseError(
            _("On SQLite no other process hears of a change."),
            remedy=_("Use rse run, which tells pages by itself on SQLite, or PostgreSQL."),
        )
    try:
        from .live_server import LiveServer
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "gevent":
            raise
        raise RseError(_("gevent is not installed."), remedy=_("Install it: pip install 'rse-core[live]'")) from None
    if not core.settings.live:
        click.echo(_("“live” is not set: the servers say nothing yet. Set RSE_LIVE=1 for them too."), err=True)
    if host not in LOOPBACK:
        click.echo(_("Listening beyond this machine: let only the intranet's web server reach this port."), err=True)
    allow_files(streams + 200)
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    server = LiveServer(core, host, port, total=streams)
    server.server.init_socket()
    click.echo(f"http://{host}:{server.server.address[1]}{core.settings.url_prefix}/live", err=True)
    server.run()


def allow_files(wanted: int) -> None:
    """Let this process hold so many connections, as far as the system lets it."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        text = _("The system allows %(number)s open files: raise LimitNOFILE for more pages.", number=str(most))
        click.echo(text, err=True)


COMMANDS: list[click.Command] = [live]
