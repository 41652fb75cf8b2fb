"""PostgreSQL databases that are used again: emptied to what their template held, instead of dropped and copied anew.

Copying a template costs the server a hundred times what emptying a few small tables does. A database whose tables were
changed by a test is not used again: its shape is compared with the template's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, text

#: Rows beyond which emptying a table by TRUNCATE is cheaper than by DELETE.
MANY = 2_000
_TABLES = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
)
_SHAPE = text(
    """SELECT md5(coalesce(string_agg(part, ';' ORDER BY part), '')) FROM (
         SELECT table_name || '.' || column_name || ':' || data_type || ':' || is_nullable AS part
           FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
         UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%') AS parts"""
)

_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class Blank:
    """What a fresh copy of a template holds: its shape, and the rows of the tables that are not empty."""

    shape: str
    rows: dict[str, str]


def blank(url: str) -> Blank:
    """Read it from a template."""
    with _connect(url) as connection:
        rows = {}
        for table in connection.scalars(_TABLES).all():
            found = connection.scalar(text(f'SELECT json_agg(t)::text FROM "{table}" t'))  # noqa: S608
            if found:
                rows[table] = found
        return Blank(connection.scalar(_SHAPE) or "", rows)


def emptied(url: str, wanted: Blank) -> bool:
    """Make the database as a fresh copy is; False when its tables were changed and it must be dropped."""
    with _connect(url) as connection:
        connection.execute(_OTHERS)
        if connection.scalar(_SHAPE) != wanted.shape:
            return False
        # No trigger of a foreign key runs, so that the order of the tables does not matter.
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("SET synchronous_commit = off"))
        _empty(connection, connection.scalars(_TABLES).all())
        for table, rows in wanted.rows.items():
            statement = f'INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}", :rows)'  # noqa: S608
            connection.execute(text(statement), {"rows": rows})
            _continue(connection, table, rows)
        connection.commit()
    return True


def _empty(connection: Connection, tables: Iterable[str]) -> None:
    for table in tables:
        few = f'SELECT count(*) FROM (SELECT 1 FROM "{table}" LIMIT {MANY + 1}) AS first'  # noqa: S608
        number = connection.scalar(text(few)) or 0
        if number > MANY:
            connection.execute(text(f'TRUNCATE "{table}" CASCADE'))
        elif number:
            connection.execute(text(f'DELETE FROM "{table}"'))  # noqa: S608
    sequences = connection.scalars(
        text("SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace")
    ).all()
    for sequence in sequences:
        connection.execute(text(f"SELECT setval('public.\"{sequence}\"', 1, false)"))


def _continue(connection: Connection, table: str, rows: str) -> None:
    """The sequence of a table goes on behind the rows that were put back."""
    last = max((row.get("id") or 0 for row in json.loads(rows) if isinstance(row.get("id"), int)), default=0)
    if last:
        named = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": f'public."{table}"'})
        if named:
            connection.execute(text("SELECT setval(CAST(:name AS regclass), :last)"), {"name": named, "last": last})


class _connect:
    """A connection for a moment, without a pool that would hold the database open."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)

    def __enter__(self) -> Connection:
        self._connection = self._engine.connect()
        return self._connection

    def __exit__(self, *_error: object) -> None:
        self._connection.close()
        self._engine.dispose()
