"""Writing a migration: what the models say compared with what the database has, as a script to read
before it is kept.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from .db import Database, UtcDateTime, metadata
from .errors import RseError
from .migrate import include_prefix, is_hidden, read_scripts, stamps, version_table, virtual_tables

_TEMPLATE = '''"""{message}

Revision {revision}, {day}.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}


def upgrade() -> None:
    {body}
'''


def write_revision(db: Database, name: str, directory: Path, message: str, *, always: bool = False) -> Path | None:
    """Write the next script of a distribution; None when nothing differs (unless ``always``).

    :raises RseError: when the database has not had the scripts that exist, so that the difference would
    mean nothing.
    """
    from alembic.autogenerate import produce_migrations, render_python_code

    scripts = read_scripts(directory)
    if (stamps(db, [name])[name] or frozenset()) != scripts.heads:
        raise RseError("The database is behind the scripts that exist.", remedy="Run: rse upgrade")
    if len(scripts.heads) > 1:
        raise RseError(f"The scripts of {name} have several heads: {', '.join(sorted(scripts.heads))}.")
    down = next(iter(scripts.heads), None)
    with db.engine.connect() as connection:
        operations = produce_migrations(_context(connection, name), metadata)
    steps: Any = operations.upgrade_ops
    if steps.is_empty() and not always:
        return None
    body = render_python_code(steps, render_item=_render_item)
    revision = f"{len(scripts.revisions) + 1:04d}"
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40] or "change"
    path = Path(directory) / "versions" / f"{revision}_{slug}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    day = dt.datetime.now(dt.UTC).date().isoformat()
    body = re.sub(r"^\s*# ### .*\n?", "", body, flags=re.M).strip()
    path.write_text(
        _TEMPLATE.format(message=message, revision=revision, day=day, down=down, body=body or "pass"),
        encoding="utf-8",
    )
    return path


def differences(db: Database, name: str) -> list[Any]:
    """What the models of one distribution and the database disagree on; empty when they agree."""
    from alembic.autogenerate import compare_metadata

    with db.engine.connect() as connection:
        found: list[Any] = compare_metadata(_context(connection, name), metadata)
        return found


def _context(connection: Any, name: str) -> Any:
    from alembic.runtime.migration import MigrationContext

    prefix = f"rse_{name}_"
    virtual = virtual_tables(connection)
    ours = include_prefix(prefix)

    def include_name(label: str | None, kind: str, parents: Any) -> bool:
        return ours(label, kind, parents) and not (kind == "table" and label is not None and is_hidden(label, virtual))

    return MigrationContext.configure(
        connection,
        opts={
            "target_metadata": metadata,
            "version_table": version_table(name),
            "include_name": include_name,
            "include_object": lambda item, label, kind, _reflected, _other: kind != "table" or label.startswith(prefix),
            "compare_type": _compare_type,
            "compare_server_default": False,
        },
    )


def _compare_type(_context: Any, _inspected: Any, _column: Any, database_type: Any, model_type: Any) -> bool | None:
    # SQLite keeps no time zone and reads an Integer variant back as it is: neither is a difference.
    if isinstance(model_type, UtcDateTime) or _context.dialect.name == "sqlite":
        return False
    return None


def _render_item(kind: str, item: Any, _context: Any) -> Any:
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False
