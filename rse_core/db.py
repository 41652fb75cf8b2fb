"""Database: one engine, plain SQLAlchemy, SQLite (WAL) or PostgreSQL.

* Every plugin has its own declarative registry over one shared :data:`metadata`, so that one bad relationship
  cannot break everybody's mappers: ``Base = plugin_base("likes")``.
* :meth:`Database.write` opens the writing transaction (``BEGIN IMMEDIATE`` on SQLite), :meth:`Database.read` a
  reading one. Services receive the session; only the edges (views, commands, jobs) open one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import select
import time
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from sqlalchemy import BigInteger, DateTime, Engine, Integer, MetaData, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session, registry, sessionmaker
from sqlalchemy.types import TypeDecorator

from .errors import ConfigError

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

#: Integer key: 64 bits on PostgreSQL, the rowid on SQLite.
Key = BigInteger().with_variant(Integer(), "sqlite")


def utcnow() -> dt.datetime:
    """Now, UTC and aware."""
    return dt.datetime.now(dt.UTC)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware UTC time; refuses naive ones, gives aware ones back on SQLite too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was given; use rse_core.db.utcnow() or an aware datetime")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], dt.datetime | None]:
        """One call for each value of a row: pages read thousands. SQLite keeps text, in UTC and without saying so."""
        read, utc = dt.datetime.fromisoformat, dt.UTC

        def from_text(value: str | None) -> dt.datetime | None:
            return None if value is None else read(value + "+00:00")

        def from_server(value: dt.datetime | None) -> dt.datetime | None:
            return None if value is None else value.astimezone(utc)

        return from_text if dialect.name == "sqlite" else from_server


#: Set while nothing may be written in this context (a request that only looks): makes the error to raise instead.
REFUSED: ContextVar[Callable[[], Exception] | None] = ContextVar("rse_writes_refused", default=None)


class CoreBase(DeclarativeBase):
    """Declarative base of the core's own tables, ``rse_core_*``."""

    registry = registry(metadata=metadata, type_annotation_map={dt.datetime: UtcDateTime})


def plugin_base(name: str) -> type[DeclarativeBase]:
    """A declarative base with a registry of its own on the shared metadata.

    :param name: the plugin's name; its tables must begin with ``rse_<name>_``.
    """

    class PluginBase(DeclarativeBase):
        registry = registry_for()

    PluginBase.__name__ = f"{name.title()}Base"
    return PluginBase


def registry_for() -> registry:
    """A fresh registry on the shared metadata, with RSE's type for times."""
    return registry(metadata=metadata, type_annotation_map={dt.datetime: UtcDateTime})


class Database:
    """The engine and its sessions.

    :param url: an SQLAlchemy address; ``sqlite:///file.db`` or ``postgresql://…`` (psycopg 3).
    :raises ConfigError: for another database.
    """

    def __init__(self, url: str, *, pool_size: int = 10, echo: bool = False) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise ConfigError(
                f"RSE_DATABASE_URL names the database “{parsed.get_backend_name()}”, which RSE does not run on.",
                remedy="Use sqlite:///path/to/rse.db or postgresql://user@host/name.",
            )
        self.url = url
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"echo": echo}
        if not self.is_sqlite:
            options.update(pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
        self.engine: Engine = create_engine(parsed, **options)
        self._reading = self.engine
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        else:
            _ping_when_in_doubt(self.engine)
            # Each statement sees what is committed, with a transaction around it or without: READ COMMITTED says no more.
            self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._after_commit: list[Callable[[], None]] = []

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading. On PostgreSQL each statement stands alone: no transaction is begun, none to end."""
        session = self.sessions(bind=self._reading)
        # Tells whoever meets an error midway that rolling back loses nothing.
        session.info["rse_reading"] = True
        try:
            yield session
        finally:
            session.close()

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose block is one writing transaction, committed at its end.

        On SQLite it begins with ``BEGIN IMMEDIATE``, so that two writers queue instead of failing midway.

        :raises Exception: what :data:`REFUSED` makes, where nothing may be written.
        """
        refused = REFUSED.get()
        if refused is not None:
            raise refused()
        session = self.sessions()
        session.info["rse_writing"] = True
        if self.is_sqlite:
            session.connection(execution_options={"rse_begin": "IMMEDIATE"})
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
        for call in list(self._after_commit):
            call()

    def on_commit(self, call: Callable[[], None]) -> None:
        """Register a call made after every committed :meth:`write` (to wake the worker)."""
        self._after_commit.append(call)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def dialect_insert(session: Session, table: Any) -> Any:
    """An INSERT of the session's own dialect, with ``on_conflict_do_nothing`` and ``on_conflict_do_update``.

    The dialects' two classes share no base that has them, hence the loose type.
    """
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


#: Seconds after which a connection that was left alone is asked whether it still stands.
IDLE = 20.0


def _ping_when_in_doubt(engine: Engine) -> None:
    """Spare the question to the server each time a connection leaves the pool.

    A server that ended has closed its side, and then there is something to read; one that the network lost without a
    word is found out by the question, asked after a while without use.
    """
    ask, used = engine.dialect.do_ping, weakref.WeakKeyDictionary[Any, float]()

    def ping(connection: Any) -> bool:
        now = time.monotonic()
        doubtful = now - used.get(connection, 0.0) > IDLE
        if not doubtful:
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN)
            doubtful = bool(poll.poll(0))
        used[connection] = now
        return ask(connection) if doubtful else True

    engine.dialect.do_ping = ping  # type: ignore[method-assign,assignment]


def _prepare_sqlite(engine: Engine) -> None:
    # pysqlite's own transaction handling is switched off: BEGIN is ours, so that a writer can take the lock at once.
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("rse_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")
