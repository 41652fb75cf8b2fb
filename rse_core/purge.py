"""Purging a plugin: its data into a file, then its tables and its traces in the core out of the database, at once."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, delete, func, inspect, select, text
from sqlalchemy.orm import Session

from . import migrate
from .audit import Actor, record
from .db import utcnow
from .errors import Conflict, NotFound, RseError
from .i18n import _
from .models.levels import CapabilityShift, PluginSwitch
from .models.notices import Broadcast, NotificationChoice, NotificationDefault
from .models.organisation import SpaceRule
from .models.runtime import JobRow, NotificationRow, Preference, SettingRow
from .runtime import Core
from .switches import _touch

_NAME = re.compile(r"[a-z][a-z0-9]{1,30}\Z")


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge removes: rows per table."""

    plugin: str
    tables: dict[str, int]

    @property
    def rows(self) -> int:
        """How many rows in all."""
        return sum(self.tables.values())


def plan(core: Core, name: str) -> Purge:
    """What would be removed.

    :raises NotFound: when no such plugin is installed and the database has no table of it.
    :raises Conflict: when an installed plugin requires it.
    """
    tables = _reflect(core, name)
    if not tables.tables and name not in core.plugins.states:
        raise NotFound(
            _("No plugin named “%(name)s” is installed, and the database has no table of it.", name=name),
            remedy=_("See: rse plugin list"),
        )
    leaning = sorted(
        other for other, state in core.plugins.states.items() if name in state.requires and state.status != "left_out"
    )
    if leaning:
        raise Conflict(
            _("“%(name)s” is required by: %(others)s.", name=name, others=", ".join(leaning)),
            remedy=_("Uninstall those first, or leave them out with RSE_DISABLED_PLUGINS."),
        )
    with core.db.read() as session:
        counts = {t.name: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables.sorted_tables}
    return Purge(name, counts)


def purge(core: Core, name: str, target: Path, actor: Actor) -> Purge:
    """Export, then remove; all or nothing in the database, and nothing before the file is written to the disk.

    :raises RseError: when the file exists or cannot be written.
    """
    planned = plan(core, name)
    if target.exists():
        raise RseError(_("The file %(path)s exists.", path=target), remedy=_("Choose another one; nothing is overwritten."))
    partial = target.with_name(target.name + ".part")
    try:
        with core.db.write() as session:
            counts = _export(session, core, name, partial)
            os.replace(partial, target)
            core.plugins.notify_purge(session, name)
            session.flush()
            _drop(session.connection(), name)
            _forget(session, name)
            record(session, actor, "plugin.purge", f"plugin:{name}", before=counts, after={"export": target.name})
            session.flush()
            _touch(session)
    except OSError as error:
        raise RseError(
            _("%(path)s cannot be written: %(error)s.", path=target, error=error.strerror or error),
            remedy=_("Nothing was removed."),
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return Purge(planned.plugin, counts)


def _reflect(core: Core, name: str) -> MetaData:
    # No plugin name but this shape exists, so that no prefix can take in the tables of another.
    if not _NAME.match(name) or name == migrate.CORE:
        raise NotFound(_("“%(name)s” is not the name of a plugin.", name=name), remedy=_("See: rse plugin list"))
    with core.db.engine.connect() as connection:
        return _own_tables(connection, name)


def _own_tables(connection: Connection, name: str) -> MetaData:
    prefix, stamp = f"rse_{name}_", migrate.version_table(name)
    virtual = migrate.virtual_tables(connection)
    names = [
        table
        for table in inspect(connection).get_table_names()
        if table.startswith(prefix) and table != stamp and not migrate.is_hidden(table, virtual)
    ]
    found = MetaData()
    if names:
        found.reflect(connection, only=names)
    for table in [t for t in found.tables.values() if not t.name.startswith(prefix)]:
        found.remove(table)
    return found


def _export(session: Session, core: Core, name: str, path: Path) -> dict[str, int]:
    connection = session.connection()
    tables = _own_tables(connection, name)
    counts: dict[str, int] = {}
    state = core.plugins.states.get(name)
    with path.open("xb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables.sorted_tables:
            counts[table.name] = 0
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as out:
                for line in _lines(connection, table):
                    out.write(line)
                    counts[table.name] += 1
        about = {
            "plugin": name,
            "version": state.version if state else "",
            "exported_at": utcnow().isoformat(),
            "tables": {t.name: {"rows": counts[t.name], "columns": list(t.columns.keys())} for t in tables.sorted_tables},
        }
        archive.writestr("about.json", json.dumps(about, ensure_ascii=False, indent=2))
        archive.close()
        raw.flush()
        os.fsync(raw.fileno())
    return counts


def _lines(connection: Connection, table: Any) -> Iterator[bytes]:
    # For this statement alone: set on the connection, it would give the DROP that follows a cursor of its own too.
    query = select(table).order_by(*table.primary_key.columns)
    rows = connection.execute(query, execution_options={"yield_per": 500})
    for row in rows.mappings():
        yield json.dumps(dict(row), ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(bytes(value)).decode("ascii")}
    return str(value)


def _drop(connection: Connection, name: str) -> None:
    for table in migrate.virtual_tables(connection):
        if table.startswith(f"rse_{name}_"):
            # With it go the tables behind it; what it holds is made from the others, and is not exported.
            connection.execute(text(f'DROP TABLE "{table}"'))
    _own_tables(connection, name).drop_all(connection)
    connection.execute(text(f"DROP TABLE IF EXISTS {migrate.version_table(name)}"))


def _forget(session: Session, name: str) -> None:
    """Remove what the core keeps for a plugin: switches, settings, shifts, rules, preferences, jobs, notifications."""
    session.execute(delete(PluginSwitch).where(PluginSwitch.plugin == name))
    for column in (
        SettingRow.key,
        CapabilityShift.capability,
        SpaceRule.capability,
        Preference.key,
        JobRow.name,
        NotificationRow.type,
        Broadcast.type,
        NotificationChoice.type,
        NotificationDefault.type,
    ):
        session.execute(delete(column.class_).where(column.startswith(f"{name}.", autoescape=True)))
