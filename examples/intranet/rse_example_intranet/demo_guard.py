"""What stands between the account switcher and any real site.

The switcher lets anybody become anybody, so that one person can look at the demo with nine pairs of eyes.
It needs a :class:`Permit`, and a permit can only be had by a process that ``rse demo`` started, on a
loopback address, over a database that the demo itself created: an SQLite file with a marker row. The key that
signs the switcher's cookie lies in that row and nowhere else. No setting, variable or plugin brings the
switcher into another process: its plugin object is under no entry point.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import ipaddress
import secrets
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import click

from rse_core.cli import cli
from rse_core.errors import RseError
from rse_example_intranet.texts import _

MARKER = "rse_demo_marker"
FORWARDING = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP")


class DemoRefused(RseError):
    """The demo may not start here; says why."""

    code = "demo"


class Permit:
    """The right to offer the account switcher; making one checks everything. Close it, or use it in ``with``.

    :param host: the address to listen on.
    :param data_dir: the demo's own folder; made when it does not exist.
    :raises DemoRefused: outside ``rse demo``, on an address that others can reach, over a database that is
        not the demo's, or when the demo runs already over this folder.
    """

    def __init__(self, host: str, data_dir: Path) -> None:
        _require_command()
        if not is_loopback(host):
            raise DemoRefused(
                _(
                    "The demo lets anybody become anybody: it listens on a loopback address only, not on %(host)s.",
                    host=host,
                ),
                remedy=_("Leave --host out, or give 127.0.0.1."),
            )
        data_dir.mkdir(parents=True, exist_ok=True)
        self.database = data_dir / "demo.db"
        self._lock = _locked(data_dir / "demo.lock")
        try:
            self.key = _open_marker(self.database)
            if not self.seeded:
                # Left by a start that was interrupted: half a demo is begun again, under a new key.
                _remove(self.database)
                self.key = _open_marker(self.database)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Permit:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have the folder."""
        self._lock.close()

    @property
    def session_key(self) -> str:
        """RSE's own secret, derived so that a session cookie is never a switcher's cookie."""
        return hmac.new(self.key, b"session", hashlib.sha256).hexdigest()

    @property
    def seeded(self) -> bool:
        """Whether the demo's people and contents were put in completely."""
        with closing(sqlite3.connect(self.database)) as connection:
            return bool(connection.execute(f"SELECT seeded FROM {MARKER}").fetchone()[0])  # noqa: S608

    def note_seeded(self) -> None:
        """The demo's contents are complete; the next start leaves them as they are."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(f"UPDATE {MARKER} SET seeded = 1")  # noqa: S608


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``: 127.0.0.0/8, ::1 or the name localhost."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_local_request(environ: Mapping[str, Any]) -> bool:
    """Whether a request comes from this machine, to this machine, through nobody.

    The ``Host`` is looked at because another site may point a name of its own at 127.0.0.1; a forwarding
    header says that somebody put the demo behind a proxy.
    """
    if any(environ.get(f"HTTP_{name}") for name in ("FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_REAL_IP")):
        return False
    host = str(environ.get("HTTP_HOST", ""))
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return is_loopback(name) and is_loopback(str(environ.get("REMOTE_ADDR", "")))


def _require_command() -> None:
    context = click.get_current_context(silent=True)
    above = context.parent if context is not None else None
    if context is not None and context.command.name == "demo" and above is not None and above.command is cli:
        return
    raise DemoRefused(
        _("The account switcher belongs to the demo and was asked for by another program."),
        remedy=_("Start it with the command: rse demo."),
    )


def _open_marker(database: Path) -> bytes:
    new = not database.exists()
    with closing(sqlite3.connect(database)) as connection, connection:
        if new:
            connection.execute(f"CREATE TABLE {MARKER} (signing_key TEXT NOT NULL, seeded INTEGER NOT NULL DEFAULT 0)")
            connection.execute(f"INSERT INTO {MARKER} (signing_key) VALUES (?)", (secrets.token_hex(32),))  # noqa: S608
        try:
            row = connection.execute(f"SELECT signing_key FROM {MARKER}").fetchone()  # noqa: S608
        except sqlite3.DatabaseError:
            row = None
    if row is None:
        raise DemoRefused(
            _("%(file)s was not made by the demo, so the demo does not touch it.", file=str(database)),
            remedy=_("Name an empty folder with --data-dir."),
        )
    return bytes.fromhex(row[0])


def _remove(database: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def _locked(path: Path) -> IO[str]:
    lock = path.open("a", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise DemoRefused(
            _("The demo runs already over the folder %(folder)s.", folder=str(path.parent)),
            remedy=_("Stop it first, or name another folder with --data-dir."),
        ) from None
    return lock
