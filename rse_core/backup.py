"""Backup and restore of the whole database: SQLite by its own online backup, PostgreSQL by pg_dump and pg_restore.

What people brought stands in an archive beside it: :mod:`rse_core.backup_files`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from sqlalchemy import inspect, make_url

from .db import Database
from .errors import Conflict, RseError
from .i18n import _

MAGIC = b"SQLite format 3\x00"
PG_MAGIC = b"PGDMP"


def write_backup(db: Database, file: Path) -> int:
    """Copy the database to ``file``; written beside it first, so that a failure leaves no half of one.

    :returns: the size in bytes.
    :raises RseError: when the folder cannot be written, or a tool of PostgreSQL is missing or fails.
    """
    part = file.with_name(file.name + ".part")
    try:
        if db.is_sqlite:
            with contextlib.closing(sqlite3.connect(part)) as target:
                connection = db.engine.raw_connection()
                try:
                    connection.driver_connection.backup(target)  # type: ignore[union-attr]
                finally:
                    connection.close()
        else:
            _run("pg_dump", db, "--format=custom", "--no-owner", "--table=rse_*", f"--file={part}")
        os.chmod(part, 0o600)
        os.replace(part, file)
    except (OSError, sqlite3.Error) as error:
        raise RseError(_("The backup could not be written to %(file)s: %(error)s.", file=file, error=error)) from None
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def read_backup(db: Database, file: Path, *, replace: bool = False) -> None:
    """Put a backup in the place of the database.

    :raises Conflict: when the database holds tables of RSE and ``replace`` was not given.
    :raises RseError: for a file that is no backup of this kind of database.
    """
    with file.open("rb") as stream:
        start = stream.read(16)
    if not start.startswith(MAGIC if db.is_sqlite else PG_MAGIC):
        raise RseError(
            _("%(file)s is not a backup of this kind of database.", file=file),
            remedy=_("A backup of SQLite goes back into SQLite, one of PostgreSQL into PostgreSQL."),
        )
    holds = any(name.startswith("rse_") for name in inspect(db.engine).get_table_names())
    if holds and not replace:
        raise Conflict(
            _("The database is not empty."), remedy=_("Add --yes to replace all that it holds.")
        )
    if db.is_sqlite:
        _check_sqlite(file)
        with contextlib.closing(sqlite3.connect(f"file:{file.resolve()}?mode=ro", uri=True)) as source:
            connection = db.engine.raw_connection()
            try:
                source.backup(connection.driver_connection)  # type: ignore[arg-type]
            finally:
                connection.close()
    else:
        _run("pg_restore", db, "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file))
    db.dispose()


def _check_sqlite(file: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{file.resolve()}?mode=ro", uri=True)) as source:
            answer = source.execute("PRAGMA quick_check").fetchone()[0]
            tables = {row[0] for row in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        answer, tables = str(error), set()
    if answer != "ok" or "rse_core_person" not in tables:
        raise RseError(_("%(file)s is damaged or is no backup of RSE: %(what)s.", file=file, what=answer))


def _run(tool: str, db: Database, *arguments: str) -> None:
    program = shutil.which(tool)
    if program is None:
        raise RseError(
            _("%(tool)s is not installed here.", tool=tool), remedy=_("Install PostgreSQL's client tools.")
        )
    url = make_url(db.url)
    environ = dict(os.environ)
    # The password goes by the environment: arguments can be read by other users of the machine.
    for name, value in (
        ("PGHOST", url.host), ("PGPORT", url.port), ("PGUSER", url.username), ("PGPASSWORD", url.password),
        ("PGDATABASE", url.database),
    ):  # fmt: skip
        if value is not None:
            environ[name] = str(value)
    for name, option in (("host", "PGHOST"), ("port", "PGPORT")):
        if name in url.query:
            environ[option] = str(url.query[name])
    extra = [f"--dbname={url.database}"] if tool == "pg_restore" else []
    done = subprocess.run([program, *extra, *arguments], env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["?"]
        raise RseError(_("%(tool)s failed: %(error)s", tool=tool, error=lines[0]))
