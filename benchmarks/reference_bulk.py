"""Many rows at once into a table of RSE: COPY on PostgreSQL, prepared inserts on SQLite, indexes made afterwards.

Columns that are not named are given their model's default, so that a column added to a table needs no change here.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import psycopg
from sqlalchemy import Table, make_url

#: Rows of one COPY block, or of one executemany.
BLOCK = 20_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def moment(when: dt.datetime) -> str:
    """A UTC time as both databases take it from a text."""
    return when.strftime("%Y-%m-%d %H:%M:%S.%f")


class Bulk:
    """A connection of its own to a database that nobody else uses.

    :param url: an SQLAlchemy address.
    :param now: for the columns whose default is the present.
    """

    def __init__(self, url: str, now: dt.datetime) -> None:
        parsed = make_url(url)
        self.now = moment(now)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self.connection: Any
        if self.sqlite:
            self.connection = sqlite3.connect(parsed.database or "", isolation_level=None)
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-2000000"):
                self.run(f"PRAGMA {pragma}")
            self.run("BEGIN")
            return
        self.connection = psycopg.connect(
            host=parsed.host, port=parsed.port, user=parsed.username, password=parsed.password, dbname=parsed.database,
            autocommit=True,
        )  # fmt: skip
        # Foreign keys are triggers: the rows are right by construction, and ten million look-ups are spared.
        for setting in ("session_replication_role = replica", "synchronous_commit = off",
                        "maintenance_work_mem = '512MB'", "work_mem = '256MB'", "timezone = 'UTC'"):  # fmt: skip
            self.run(f"SET {setting}")

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement; its rows."""
        cursor = self.connection.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def load(self, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Insert rows of texts, numbers, booleans as 0 and 1, and None; how many."""
        rest = {c.name: self._default(c) for c in table.columns if c.name not in columns and not self._counted(c)}
        names = [*columns, *rest]
        fixed = tuple(rest.values())
        return (self._insert if self.sqlite else self._copy)(table.name, names, rows, fixed)

    def _counted(self, column: Any) -> bool:
        return bool(column.primary_key and column.default is None and column.table.autoincrement_column is column)

    def _default(self, column: Any) -> Any:
        default = column.default
        if default is None:
            return None
        if not default.is_scalar:
            return "{}" if default.arg.__name__ in ("dict", "list") else self.now
        return int(default.arg) if isinstance(default.arg, bool) else default.arg

    def _insert(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]], fixed: tuple[Any, ...]) -> int:
        count = 0
        # Nothing here comes from outside: names of tables and columns are the models'.
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        for block in _blocks(rows):
            self.connection.executemany(statement, [(*row, *fixed) for row in block] if fixed else block)
            count += len(block)
        return count

    def _copy(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]], fixed: tuple[Any, ...]) -> int:
        count = 0
        tail = "".join("\t" + _text(value) for value in fixed) + "\n"
        with self.connection.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for block in _blocks(rows):
                copy.write("".join(["\t".join(map(_text, row)) + tail for row in block]))
                count += len(block)
        return count

    @contextmanager
    def unindexed(self, *tables: Table) -> Iterator[None]:
        """Without these tables' indexes (on PostgreSQL, unique constraints too) inside the block; made again after it."""
        made: list[str] = []
        for table in tables:
            for name, drop, create in self._indexes(table.name):
                self.run(drop.format(name=name, table=table.name))
                made.append(create)
        yield
        for create in made:
            self.run(create)

    def _indexes(self, table: str) -> list[tuple[str, str, str]]:
        if self.sqlite:
            found = self.run(
                f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}' AND sql > ''"
            )
            return [(name, "DROP INDEX {name}", sql) for name, sql in found]
        constraints = self.run(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            f"WHERE conrelid = '{table}'::regclass AND contype = 'u'"
        )
        held = {name for name, _definition in constraints}
        indexes = self.run(
            "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            f"WHERE i.indrelid = '{table}'::regclass AND NOT i.indisprimary"
        )
        return [
            *((name, "ALTER TABLE {table} DROP CONSTRAINT {name}",
               f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}") for name, definition in constraints),
            *((name, "DROP INDEX {name}", definition) for name, definition in indexes if name not in held),
        ]  # fmt: skip

    def close(self, tables: Iterable[Table]) -> None:
        """Set the counters of the keys, gather statistics, close."""
        if self.sqlite:
            self.run("ANALYZE")
            self.run("COMMIT")
            self.run("PRAGMA journal_mode=WAL")
        else:
            for table in tables:
                key = table.autoincrement_column
                if key is not None:
                    self.run(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key.name}'), "
                        f"coalesce(max({key.name}), 1)) FROM {table.name}"
                    )
            # Also sets the bits that let an index answer alone.
            self.run("VACUUM (ANALYZE)")
        self.connection.close()


def _blocks(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    iterator = iter(rows)
    while block := list(islice(iterator, BLOCK)):
        yield block


def _text(value: Any) -> str:
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if type(value) is str else str(value)
