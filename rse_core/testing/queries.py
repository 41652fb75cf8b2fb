"""Counting queries, so that a test can say that a page costs the same for one comment as for two hundred."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, event

_BOOKKEEPING = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")


class QueryCount:
    """The statements seen so far; compares as their number."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)

    def __str__(self) -> str:
        return f"{len(self)} queries:\n" + "\n".join(" ".join(s.split())[:200] for s in self.statements)


@contextlib.contextmanager
def count_queries(core: Any) -> Iterator[QueryCount]:
    """Within the block, collect every statement that this core (or engine) sends; transactions' own are
    left out.
    """
    engine: Engine = core if isinstance(core, Engine) else core.db.engine
    count = QueryCount()

    def seen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(_BOOKKEEPING):
            count.statements.append(statement)

    event.listen(engine, "before_cursor_execute", seen)
    try:
        yield count
    finally:
        event.remove(engine, "before_cursor_execute", seen)
