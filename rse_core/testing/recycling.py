"""PostgreSQL databases that are used again: emptied to what their template held, instead of dropped and copied anew.

Copying a template costs the server a hundred times what emptying a few small tables does. A database whose tables were
changed by a test is not used again: its shape is compared with the template's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
_SHAPE = """SELECT md5(coalesce(string_agg(part, ';' ORDER BY part), '')) FROM (
    SELECT c.relname || '.' || a.attname || ':' || format_type(a.atttypid, a.atttypmod) || ':' || a.attnotnull AS part
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT c.relname || ':' || i.indkey::text || ':' || i.indisunique || ':' || coalesce(i.indpred::text, '')
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT conrelid::regclass || ':' || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%') AS parts"""
_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
#: One way to the server and back for all tables; beyond 2,000 rows TRUNCATE is cheaper than DELETE. No trigger of a foreign
#: key runs, so that the order of the tables does not matter.
_EMPTY = f"""DO $$
DECLARE name text; many bigint;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL synchronous_commit = off;
    FOR name IN {_TABLES} LOOP
        EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM %I LIMIT 2001) AS first', name) INTO many;
        IF many > 2000 THEN
            EXECUTE format('TRUNCATE %I CASCADE', name);
        ELSIF many > 0 THEN
            EXECUTE format('DELETE FROM %I', name);
        END IF;
    END LOOP;
    PERFORM setval(seqrelid, 1, false) FROM pg_sequence JOIN pg_class ON oid = seqrelid
      WHERE relnamespace = 'public'::regnamespace AND pg_sequence_last_value(seqrelid) IS NOT NULL;
END $$"""  # noqa: S608 - a constant of this module


@dataclass(frozen=True, slots=True)
class Blank:
    """What a fresh copy of a template holds: its shape, and the rows of the tables that are not empty."""

    shape: str
    rows: dict[str, str]


def blank(url: str) -> Blank:
    """Read it from a template."""
    with _connect(url) as connection:
        rows = {}
        for (table,) in connection.execute(_TABLES).fetchall():
            asked = sql.SQL("SELECT json_agg(t)::text FROM {} t").format(sql.Identifier(table))
            if found := _one(connection.execute(asked)):
                rows[table] = str(found)
        return Blank(_one(connection.execute(_SHAPE)), rows)


def connected(url: str) -> psycopg.Connection[Any]:
    """A connection for :func:`emptied`, kept from one time to the next: a new one makes the server read its whole catalogue
    again, which costs more than the emptying.
    """
    return psycopg.connect(_plain(url), autocommit=True)


def answers(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has not ended it."""
    try:
        connection.execute("SELECT")
    except psycopg.OperationalError:
        connection.close()
    return not connection.closed


def emptied(connection: psycopg.Connection[Any], wanted: Blank) -> bool:
    """Make the database as a fresh copy is; False when its tables were changed and it must be dropped."""
    with connection.transaction():
        connection.execute(_OTHERS)
        if _one(connection.execute(_SHAPE)) != wanted.shape:
            return False
        connection.execute(_EMPTY)
        for table, rows in wanted.rows.items():
            statement = "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s)"
            connection.execute(sql.SQL(statement).format(sql.Identifier(table)), [rows])
            _continue(connection, table, rows)
    return True


def _continue(connection: psycopg.Connection[Any], table: str, rows: str) -> None:
    """The sequence of a table goes on behind the rows that were put back."""
    last = max((row.get("id") or 0 for row in json.loads(rows) if isinstance(row.get("id"), int)), default=0)
    if last:
        named = _one(connection.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f'public."{table}"']))
        if named:
            connection.execute("SELECT setval(%s::regclass, %s)", [named, last])


def _one(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def _connect(url: str) -> psycopg.Connection[Any]:
    """A connection for a moment, committed at its end, without a pool that would hold the database open."""
    return psycopg.connect(_plain(url))


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
