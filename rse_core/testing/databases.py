"""Databases for tests: migrated once into a template, copied for each test, dropped at the end.

PostgreSQL is the server that ``RSE_TEST_POSTGRES_URL`` names, else the one on this machine.
``RSE_TEST_REQUIRE=postgres,chromium``
makes a test fail that would otherwise skip itself for want of such a part.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from ..settings import Settings
from . import recycling

SQLITE, POSTGRES = "sqlite", "postgres"
DEFAULT_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
#: Bytes that must be free in memory before SQLite's files go there.
ROOM = 4 << 30
SECRET = "a key for tests, and for tests alone"


def required_parts() -> tuple[str, ...]:
    """What ``RSE_TEST_REQUIRE`` names."""
    return tuple(filter(None, os.environ.get("RSE_TEST_REQUIRE", "").lower().replace(" ", "").split(",")))


def missing_part(name: str, reason: str) -> NoReturn:
    """Skip the test for want of a part, or fail it when the run was told to have that part."""
    if name in required_parts():
        pytest.fail(f"{name}: {reason}, but RSE_TEST_REQUIRE names it", pytrace=False)
    pytest.skip(f"{name}: {reason}")


def require_part(name: str) -> str:
    """The path of a program that the test needs (``chromium``, ``nginx`` …); skips or fails the test
    without it.
    """
    found = shutil.which(name)
    if found is None:
        missing_part(name, "not installed here")
    return found


@contextlib.contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """A folder for SQLite's files: in memory where this machine keeps room for files there, else the one given.

    RSE waits for the disk at every commit, which a test of its rules has no need of.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it is new and this user's alone
    if not (memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM):
        yield otherwise
        return
    with tempfile.TemporaryDirectory(prefix="rse-databases-", dir=memory) as folder:
        yield Path(folder)


class Databases:
    """Makes databases of one kind and remembers them.

    :param kind: ``sqlite`` or ``postgres``.
    :param folder: where SQLite's files go.
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self._templates: dict[tuple[str, ...], str] = {}
        #: held, so that no class of another test gets the id of one that has a template
        self._kinds: list[type] = []
        self._made: list[str] = []
        self._checked = False
        #: PostgreSQL: what a fresh copy of a template holds, copies that wait to be used again, and whose copy each is
        self._blanks: dict[str, recycling.Blank] = {}
        self._waiting: dict[str, list[str]] = {}
        self._copies: dict[str, str] = {}
        self._emptying: dict[str, psycopg.Connection[Any]] = {}

    @property
    def is_sqlite(self) -> bool:
        """True on SQLite."""
        return self.kind == SQLITE

    @property
    def server(self) -> str:
        """Address of the PostgreSQL server's own database."""
        return os.environ.get("RSE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES

    def check(self) -> None:
        """Skip (or fail) the test when the server does not answer."""
        if self.is_sqlite or self._checked:
            return
        engine = create_engine(self.server, connect_args={"connect_timeout": 5})
        try:
            with engine.connect():
                self._checked = True
        except SQLAlchemyError as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            missing_part(POSTGRES, f"the server does not answer ({reason})")
        finally:
            engine.dispose()

    def empty(self) -> str:
        """The address of a new database without any table."""
        if self.is_sqlite:
            return f"sqlite:///{self.folder / f'{uuid.uuid4().hex}.db'}"
        return self._create_postgres(None)

    def migrated(self, plugins: Sequence[object] = ()) -> str:
        """The address of a new database that has every table of the core and of these plugins."""
        template = self._template(plugins)
        if not self.is_sqlite:
            waiting = self._waiting.get(template)
            if waiting:
                return waiting.pop()
            url = self._copy(template)
            self._copies[url] = template
            return url
        return self._copy(template)

    def _template(self, plugins: Sequence[object]) -> str:
        # Plugins without tables leave no trace in a database: tests that bring one use the template of the rest.
        # The folder of its scripts, not its name alone: two tests may use different plugins of one name.
        key = tuple(sorted(f"{type(p).__module__}.{type(p).__qualname__}.{id(type(p))}" for p in plugins if _has_tables(p)))
        if key not in self._templates:
            # The core's own migrations run once, in the template of all templates.
            url = self._copy(self._template(())) if key else self.empty()
            self._migrate(url, plugins if key else ())
            self._templates[key] = url
            self._kinds += [type(p) for p in plugins]
        return self._templates[key]

    def _migrate(self, url: str, plugins: Sequence[object]) -> None:
        from .. import migrate
        from ..runtime import Core

        core = Core(kit_settings(database_url=url, strict=True), plugins=plugins)
        try:
            migrate.upgrade(core)
            if core.db.is_sqlite:
                # A copy of the file alone must be the whole database.
                with core.db.engine.connect() as connection:
                    connection.connection.driver_connection.execute(  # type: ignore[union-attr]
                        "PRAGMA wal_checkpoint(TRUNCATE)"
                    )
        finally:
            core.close()

    def _copy(self, template: str) -> str:
        name = make_url(template).database
        if not self.is_sqlite:
            return self._create_postgres(name)
        copy = self.folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(str(name), copy)
        return f"sqlite:///{copy}"

    def _create_postgres(self, template: str | None) -> str:
        name = f"rse_test_{os.getpid()}_{uuid.uuid4().hex[:10]}"
        self._run(
            f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""),
            # A test never survives its server, so no commit need wait for the disk.
            f'ALTER DATABASE "{name}" SET synchronous_commit = off',
            # Tables that nobody has analysed look large, and compiling a question costs more than all answers of a test.
            f'ALTER DATABASE "{name}" SET jit = off',
        )
        self._made.append(name)
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop one database."""
        name = str(make_url(url).database)
        if self.is_sqlite:
            for suffix in ("", "-wal", "-shm"):
                Path(name + suffix).unlink(missing_ok=True)
        elif name in self._made:
            template = self._copies.get(url)
            if template is not None:
                if template not in self._blanks:
                    self._blanks[template] = recycling.blank(template)
                if self._emptied(url, self._blanks[template]):
                    self._waiting.setdefault(template, []).append(url)
                    return
            self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            self._made.remove(name)

    def _emptied(self, url: str, wanted: recycling.Blank) -> bool:
        connection = self._emptying.pop(url, None)
        # A test may have ended every connection of its database.
        if connection is None or connection.closed or not recycling.answers(connection):
            connection = recycling.connected(url)
        if recycling.emptied(connection, wanted):
            self._emptying[url] = connection
            return True
        connection.close()
        return False

    def close(self) -> None:
        """Drop everything that was made."""
        for connection in self._emptying.values():
            connection.close()
        self._emptying.clear()
        for name in list(self._made):
            self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.clear()

    def _run(self, *statements: str) -> None:
        engine = create_engine(self.server, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                for statement in statements:
                    connection.execute(text(statement))
        finally:
            engine.dispose()


def _has_tables(plugin: object) -> bool:
    return isinstance(plugin, ModuleType) or hasattr(plugin, "rse_migrations")


def kit_settings(**overrides: object) -> Settings:
    """The configuration of the kit: strict, no thread of its own, one intranet at
    ``https://intranet.example``.
    """
    values: dict[str, object] = {
        "secret_key": SECRET,
        "legacy_origins": ("https://intranet.example",),
        "strict": True,
        "worker": False,
        "jobs": "embedded",
        "secure_cookies": False,
        "timezone": "Europe/Paris",
        **overrides,
    }
    return Settings(**values)  # type: ignore[arg-type]
