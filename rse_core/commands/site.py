"""Commands that set the site up, run it and look after it: init, upgrade, run, demo, doctor, backup, restore."""

from __future__ import annotations

import difflib
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import click

from .. import __version__
from ..errors import ConfigError, RseError
from ..i18n import _, ngettext
from ..runtime import Core
from . import State, echo_json, json_option, pass_core

DEMOS = "rse.demos"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.pass_context
def init(ctx: click.Context) -> None:
    """Prepare the database and say what comes next. Running it again does no harm."""
    core = ctx.ensure_object(State).core
    _upgrade(core)
    settings = core.settings
    steps = []
    try:
        settings.key()
    except RseError as error:
        steps.append(error.remedy or str(error))
    if not settings.legacy_origins:
        steps.append(_("Say where the intranet is: RSE_LEGACY_ORIGINS=https://intranet.example"))
    steps += [
        _("Bring in the people: rse people import people.csv --entities entities.csv"),
        _("Name an administrator: rse role grant USERNAME site_admin"),
        _("Open the first level: rse level set --site react"),
        _("Serve: rse run, or gunicorn rse_core.wsgi:application"),
    ]
    click.echo(_("The database is ready. Next:"))
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")


@click.command()
@click.pass_context
def upgrade(ctx: click.Context) -> None:
    """Bring the tables of the core and of every plugin up to date."""
    failed = _upgrade(ctx.ensure_object(State).core)
    if failed:
        raise RseError(_("%(names)s could not be upgraded; see above.", names=", ".join(failed)))
    click.echo(_("Up to date (version %(version)s).", version=__version__))


def _upgrade(core: Core) -> list[str]:
    from ..migrate import upgrade as migrate

    outcomes = migrate(core, echo=lambda line: click.echo(line, err=True))
    return [outcome.name for outcome in outcomes if outcome.state == "failed"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8400, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Threads of each process.")
@pass_core
def run(core: Core, host: str, port: int, workers: int, threads: int) -> None:
    """Serve with gunicorn. The intranet's web server stands in front of it."""
    core.settings.key()
    core.close()
    from gunicorn.app.base import BaseApplication

    from ..live import HERE

    # Pages that listen hold a thread each. With several processes none would hear of what the others write.
    streams = HERE if core.db.is_sqlite and workers == 1 else 0
    served: list[Core] = []

    def watch(worker: Any) -> None:
        # The streams end with their worker, which otherwise waits for them.
        for one in served if streams else ():
            one.live.serve_here(streams, alive=lambda: bool(worker.alive))

    def ended(_worker: Any) -> None:
        for one in served:
            one.live.stop()

    class Server(BaseApplication):
        def load_config(self) -> None:
            for key, value in (
                ("bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"),
                ("workers", workers),
                ("threads", threads + streams),
                ("worker_class", "gthread"),
                ("accesslog", None),
                ("timeout", 60),
                ("graceful_timeout", 20),
                ("control_socket_disable", True),
                ("worker_int", ended),
                ("worker_abort", ended),
                ("post_worker_init", watch),
            ):
                if key in self.cfg.settings:
                    self.cfg.set(key, value)

        def load(self) -> Any:
            from ..wsgi import make_application

            return make_application(streams=streams, made=served.append)

    prefix = core.settings.url_prefix
    click.echo(f"http://{host}:{port}{prefix}/", err=True)
    if host not in LOOPBACK:
        click.echo(_("Listening beyond this machine: let only the intranet's web server reach this port."), err=True)
    Server().run()


@click.command()
@click.argument("name", required=False)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8400, show_default=True, type=click.IntRange(0, 65535))
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where the demo keeps its data.")
def demo(name: str | None, host: str, port: int, data_dir: Path | None) -> None:
    """Serve an example intranet with RSE on it, with people to be and a cursor to move."""
    if host not in LOOPBACK:
        raise RseError(
            _("The demo lets anybody be anybody, so it listens on this machine alone."),
            remedy=_("Use --host 127.0.0.1."),
        )
    found = {point.name: point for point in importlib.metadata.entry_points(group=DEMOS)}
    if not found:
        raise RseError(_("No demo is installed."), remedy=_("Run make demo in the source tree."))
    chosen = name or ("intranet" if "intranet" in found else sorted(found)[0])
    if chosen not in found:
        near = difflib.get_close_matches(chosen, found, n=1)
        raise RseError(
            _("There is no demo called “%(name)s”.", name=chosen),
            remedy=_("Installed: %(names)s.", names=", ".join(near or sorted(found))),
        )
    found[chosen].load()().serve(host, port, data_dir or Path("var") / "demo")


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@json_option
@pass_core
def doctor(core: Core, repair: bool, as_json: bool) -> None:
    """Examine the site; exit code 1 when something is wrong."""
    from ..health import examine

    lines = examine(core, repair=repair)
    if as_json:
        echo_json([line.as_dict() for line in lines])
    else:
        for line in lines:
            sign = _("ok") if line.result.ok else _("WRONG")
            click.echo(f"{sign:>6}  {line.name}  {line.result.detail}".rstrip())
            if not line.result.ok and line.result.remedy:
                click.echo(f"        → {line.result.remedy}")
    bad = [line.name for line in lines if not line.result.ok]
    if bad:
        sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_core
def backup(core: Core, file: Path) -> None:
    """Write the whole database to FILE while the site runs, and what people brought to FILE.files.tar."""
    from ..backup import write_backup
    from ..backup_files import archive_of, write_files
    from ..files_store import store_of

    size = write_backup(core.db, file)
    click.echo(_("%(file)s written, %(size)s bytes.", file=file, size=size))
    try:
        store = store_of(core.settings)
    except ConfigError:
        return  # no place for files, so there are none
    if count := write_files(store, archive_of(file)):
        text = ngettext("%(file)s written, %(num)s file.", "%(file)s written, %(num)s files.", count, file=archive_of(file))
        click.echo(text)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Replace what the database holds now.")
@click.pass_context
def restore(ctx: click.Context, file: Path, yes: bool) -> None:
    """Put a backup in the place of the present database, and bring its files back. Stop the servers first."""
    from ..backup import read_backup
    from ..backup_files import archive_of, check_files, read_files
    from ..files_store import store_of

    core = ctx.ensure_object(State).core
    archive = archive_of(file)
    if archive.exists():
        check_files(archive)
    read_backup(core.db, file, replace=yes)
    _upgrade(core)
    click.echo(_("Restored from %(file)s.", file=file))
    if archive.exists():
        count = read_files(store_of(core.settings), archive)
        click.echo(ngettext("%(num)s file brought back.", "%(num)s files brought back.", count))
    elif _names_files(core):
        click.echo(_("The files that people brought are not there: %(file)s is missing.", file=archive), err=True)


def _names_files(core: Core) -> bool:
    from sqlalchemy import select

    from ..models.content import File

    with core.db.read() as session:
        return session.scalar(select(File.id).limit(1)) is not None


COMMANDS: list[click.Command] = [init, upgrade, run, demo, doctor, backup, restore]
