"""What ``rse demo`` serves: the intranet, wrapped, with RSE under its prefix and a bar to change eyes.

The intranet of :mod:`rse_example_intranet.app` is taken as it is. From the inside out: the intranet, the WSGI
middleware of ``rse-host`` that brings the slots into its pages, RSE beside it, and the account bar around both.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from rse_core import migrate, people
from rse_core.errors import RseError
from rse_core.extension import RSE
from rse_core.live import HERE
from rse_core.runtime import Core
from rse_core.settings import Settings
from rse_example_intranet import demo_seed
from rse_example_intranet.app import create_intranet
from rse_example_intranet.demo_bar import AccountBar, Standing
from rse_example_intranet.demo_guard import Permit
from rse_example_intranet.demo_identity import ACCOUNTS, DemoIdentity, DemoPlugin
from rse_example_intranet.demo_mail import MailFolder
from rse_example_intranet.demo_places import places
from rse_example_intranet.texts import _
from rse_host.injector import fragments_of
from rse_host.middleware import DEFAULT_SLOTS, HostMiddleware
from rse_host.profiles import Anchor, Profile

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PREFIX = "/rse"
#: Folder of the mails, in the demo's own.
MAILS = "mails"
#: What this intranet needs to be told of: articles have a class, the pages of the old site a colour; lists have
#: neither, and nobody reacts to a list.
PROFILE = Profile(
    "generic",
    (Anchor("article.texte", "append"), Anchor("body", "append")),
    only="body.article, body[bgcolor]",
)


class Demo:
    """The demo of this package, found by ``rse demo`` under the entry-point group ``rse.demos``."""

    def serve(self, host: str, port: int, data_dir: str | Path) -> None:
        """Make the demo's database on the first start, print the address and accounts, serve until stopped.

        :param host: a loopback address.
        :param port: 0 for any free one.
        :param data_dir: the demo's own folder; its database is ``demo.db``.
        :raises DemoRefused: when the account switcher may not run here.
        :raises RseError: when the port is taken or the database cannot be made.
        """
        with Permit(host, Path(data_dir)) as permit, listening(host, port) as server:
            # It answers while the database is made: the news that RSE reads there at the start are its own.
            server.app = create_intranet().wsgi_app
            with serving(server), running_core(permit, host, server.port) as core:
                demo_seed.read_news(core)
                server.app = wrap(core, DemoIdentity(permit), background=True)
                for line in announcement(core, f"http://{in_address(host)}:{server.port}"):
                    click.echo(line)
                wait_for_signal()


@contextlib.contextmanager
def running_core(permit: Permit, host: str, port: int) -> Iterator[Core]:
    """The demo's core, migrated, with its people and their talk; closed at the end.

    Nothing of the environment or of an ``rse.toml`` counts here: a variable that points at a real database must not
    bring the account switcher to it.
    """
    origins = list(dict.fromkeys(f"http://{name}:{port}" for name in (in_address(host), "127.0.0.1", "localhost")))
    settings = Settings(
        database_url=f"sqlite:///{permit.database.resolve()}",
        secret_key=permit.session_key,
        url_prefix=PREFIX,
        legacy_origins=tuple(origins),
        sections={"content": {"sources": [demo_seed.news_source(origins[0])]}},
        site_name="Assurance publique",
        secure_cookies=False,
        data_dir=str(permit.database.parent.resolve()),
        jobs="embedded",
        # A server that a variable names would get the mails of imaginary people.
        disabled_plugins=("smtp",),
    )
    mails = MailFolder(permit.database.parent / MAILS)
    core = Core(settings, extra=[DemoPlugin(DemoIdentity(permit), mails)])
    try:
        migrate.upgrade(core)
        if not permit.seeded:
            demo_seed.seed(core)
            permit.note_seeded()
        yield core
    finally:
        core.close()


def wrap(core: Core, source: DemoIdentity, *, background: bool = False) -> WSGIApplication:
    """Return the intranet with everything around it."""
    # Its server has a thread for each connection, and nothing else writes to its database.
    rse = RSE(core=core, background=background, streams=HERE).app.wsgi_app
    extended = HostMiddleware(
        create_intranet(), prefix=PREFIX, profile=PROFILE, source=fragments_of(rse, DEFAULT_SLOTS, PREFIX),
        fragments=places(rse, PREFIX),
    )  # fmt: skip
    both = DispatcherMiddleware(extended, {PREFIX: rse})
    return AccountBar(both, source, lambda: standings(core), prefix=PREFIX)


def standings(core: Core) -> dict[str, Standing]:
    """Return where each account stands at this moment, in the present language."""
    with core.db.read() as session:
        ids = {a.username: people.by_username(session, a.username).id for a in ACCOUNTS}
        cards = people.names(session, ids.values())
        return {
            username: Standing(
                cards[ident].display_name,
                cards[ident].entity_name,
                str(core.policy.level_of(session, ident).label),
                cards[ident].locale or core.settings.default_locale,
            )
            for username, ident in ids.items()
        }


def announcement(core: Core, origin: str) -> Iterator[str]:
    """Yield the lines that are printed when the demo is ready."""
    yield _("The intranet, extended: %(address)s", address=f"{origin}/")
    yield _("The feed: %(address)s", address=f"{origin}{PREFIX}/feed/")
    yield _("The cursor: %(address)s", address=f"{origin}{PREFIX}/admin/")
    yield _("Mails are written to: %(folder)s", folder=Path(core.settings.data_dir) / MAILS)
    yield _("Accounts, to be changed in the bar at the foot of each page:")
    for username, one in standings(core).items():
        note = next(str(account.note) for account in ACCOUNTS if account.username == username)
        yield f"  {username:<16} {one.display_name}, {one.entity} [{one.level}]: {note}"
    yield _("Stop it with Ctrl-C.")


class _QuietHandler(WSGIRequestHandler):
    """Says nothing of each request; errors are logged as ever."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[BaseWSGIServer]:
    """A threaded server bound to its port; it gets its application later.

    :raises RseError: when the port cannot be had.
    """

    def not_yet(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("503 Service Unavailable", [("Content-Length", "0"), ("Retry-After", "1")])
        return []

    with contextlib.closing(_socket(host, port)) as taken:
        server = make_server(
            host, taken.getsockname()[1], not_yet, threaded=True, request_handler=_QuietHandler, fd=taken.fileno()
        )
        try:
            yield server
        finally:
            server.server_close()


def _socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host.strip("[]"), port))
        made.listen(64)
    except OSError as error:
        made.close()
        raise RseError(
            _("The demo cannot listen on port %(port)s: %(why)s.", port=port, why=error.strerror or error),
            remedy=_("Choose another one with --port; 0 takes any free one."),
        ) from None
    return made


@contextlib.contextmanager
def serving(server: BaseWSGIServer) -> Iterator[None]:
    """Within the block the server answers, in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)


def wait_for_signal() -> None:
    """Return at SIGTERM and Ctrl-C; what is open is then closed in its order."""
    told = threading.Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        told.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_address(host: str) -> str:
    """Return the host as it stands in an address: ``[::1]`` for ``::1``."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
