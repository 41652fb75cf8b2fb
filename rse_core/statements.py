"""Statements of pages that are asked for all the time: their text is written once for each database.

Building an SQL expression anew, with an ``IN`` of as many values as a page has lines, costs more than the database takes to
answer it. A :class:`Statement` binds a list of values as one, so that its text is always the same, for the driver and the
server too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, String, bindparam, func, literal_column, select, text
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

_LIST = re.compile(r"\bIN :(\w+)")


class Statement:
    """A query in the words that SQLite and PostgreSQL share.

    .. code-block:: python

        COUNTS = Statement("SELECT ref_id, count FROM rse_talk_count WHERE ref_type = :kind AND ref_id IN :ids", ids=str)
        rows = COUNTS(session, kind="page", ids=["/news/1", "/news/2"])

    :param sql: text of the caller's own, without anything that came from outside; ``IN :name`` for a list of values.
    :param sqlite: the same for SQLite, where it must be said otherwise: that a flag is set is ``flag = 1`` there, and
        only so found by an index on it.
    :param columns: types of result columns that are more than numbers and texts (times, JSON, booleans on SQLite).
    :param given: types of values that are more than numbers and texts.
    :param lists: for each list, what it holds: ``int`` or ``str``.
    """

    def __init__(
        self, sql: str, *, sqlite: str | None = None, columns: Mapping[str, TypeEngine[Any]] | None = None,
        given: Mapping[str, TypeEngine[Any]] | None = None, **lists: type,
    ) -> None:  # fmt: skip
        def array(match: re.Match[str]) -> str:
            kind = "bigint" if lists[match[1]] is int else "text"
            return f"= ANY (CAST(:{match[1]} AS {kind}[]))"

        self._lists = tuple(lists)
        self._numbers = tuple(name for name, kind in lists.items() if kind is int)
        types = columns or {}
        bound = [bindparam(name, type_=kind) for name, kind in (given or {}).items()]
        self._sqlite = text(_LIST.sub(r"IN (SELECT value FROM json_each(:\1))", sqlite or sql)).bindparams(*bound)
        self._postgresql = text(_LIST.sub(array, sql)).bindparams(*bound)
        if types:
            self._sqlite = self._sqlite.columns(**types)  # type: ignore[assignment]
            self._postgresql = self._postgresql.columns(**types)  # type: ignore[assignment]

    def __call__(self, session: Session, **values: Any) -> Sequence[Any]:
        """All rows."""
        if session.get_bind().dialect.name == "sqlite":
            for name in self._lists:
                values[name] = json.dumps(values[name])
            return session.execute(self._sqlite, values).all()
        for name in self._numbers:
            values[name] = _literal(values[name])
        return session.execute(self._postgresql, values).all()


#: A list of values as a sub-select, by its name and what it holds: ``column.in_(lists("ids", int))``.
Lists = Callable[[str, type], Select[Any]]


class Prepared:
    """An SQL expression that is made into text once for each database, for one that is too long to build at each request.

    :param build: makes the expression; values are ``bindparam(name)``, lists come from its argument. It is given values of
        plain types, and its rows hold what the driver gives.
    """

    def __init__(self, build: Callable[[Lists], Select[Any]]) -> None:
        self._build = build
        self._made: dict[str, tuple[str, Any]] = {}

    def __call__(self, session: Session, **values: Any) -> Sequence[Any]:
        """All rows."""
        connection = session.connection()
        dialect = connection.dialect
        sqlite = dialect.name == "sqlite"
        made = self._made.get(dialect.name)
        if made is None:
            compiled = self._build(_json_list if sqlite else _array).compile(
                dialect=dialect, compile_kwargs={"render_postcompile": True}
            )
            made = self._made[dialect.name] = (str(compiled), compiled)
        statement, compiled = made
        given = {name: _sent(value, sqlite) if isinstance(value, list) else value for name, value in values.items()}
        named = {**compiled.params, **given}
        sent = tuple(named[name] for name in compiled.positiontup or ()) if compiled.positional else named
        return connection.exec_driver_sql(statement, sent).all()


def _sent(values: list[Any], sqlite: bool) -> Any:
    if sqlite:
        return json.dumps(values)
    return _literal(values) if values and isinstance(values[0], int) else values


def _literal(numbers: Iterable[int]) -> str:
    # The driver writes an array one value at a time, which takes longer than the query for who is in hundreds of spaces.
    return "{" + ",".join(map(str, map(int, numbers))) + "}"


def _json_list(name: str, _kind: type) -> Select[Any]:
    return select(literal_column("value")).select_from(func.json_each(bindparam(name, type_=String)))


def _array(name: str, kind: type) -> Select[Any]:
    return select(func.unnest(bindparam(name, type_=ARRAY(BigInteger if kind is int else String))))
