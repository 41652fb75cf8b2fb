"""Migrations: one Alembic version table per distribution, so that removing a plugin breaks nobody's upgrade.

The core's tables are noted in ``rse_core_alembic``, a plugin's in ``rse_<name>_alembic``. Each distribution
is upgraded in
one transaction of its own, on both databases: what fails leaves nothing behind, and a plugin that fails is
quarantined
while everything else goes on. Whether a database is up to date is told without Alembic, which is slow to
import.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from .db import Database, metadata
from .errors import PluginError, RseError
from .i18n import Text, _, lazy

if TYPE_CHECKING:
    from .runtime import Core

log = logging.getLogger("rse.migrate")
CORE = "core"
CORE_SCRIPTS = Path(__file__).parent / "migrations"
#: Any number does, as long as every server uses the same: whoever upgrades holds this lock on PostgreSQL.
LOCK = 7_736_401


@dataclass(frozen=True, slots=True)
class Scripts:
    """The revisions of one distribution: every one, and those that no other builds upon."""

    revisions: frozenset[str]
    heads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one distribution: ``state`` is ``current`` (nothing to do), ``upgraded`` or
    ``failed``.
    """

    name: str
    state: str
    error: str = ""


def version_table(name: str) -> str:
    """The table that notes which revisions of a distribution the database has had."""
    return f"rse_{name}_alembic"


def read_scripts(directory: Path) -> Scripts:
    """The revisions in ``directory/versions``, read from the source without running it.

    :raises PluginError: for a file that is not Python or names no revision.
    """
    revisions: set[str] = set()
    below: set[str] = set()
    for path in sorted((Path(directory) / "versions").glob("*.py")):
        if path.name.startswith("__"):
            continue
        values = _assigned(path, path.stat().st_mtime_ns)
        revision = values.get("revision")
        if not isinstance(revision, str):
            raise PluginError(
                lazy("The migration %(path)s names no revision.", path=str(path)),
                remedy=lazy('Write revision = "0001" in it.'),
            )
        revisions.add(revision)
        down = values.get("down_revision")
        below.update((down,) if isinstance(down, str) else down or ())
    return Scripts(frozenset(revisions), frozenset(revisions - below))


@functools.lru_cache(maxsize=1_000)
def _assigned(path: Path, _written: int) -> dict[str, Any]:
    """What a file assigns to the two names; read once as long as it is not written again."""
    values: dict[str, Any] = {}
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        raise PluginError(
            lazy("The migration %(path)s cannot be read: %(error)s.", path=str(path), error=str(error)),
            remedy=lazy("Correct the file."),
        ) from None
    for node in tree.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
                with contextlib.suppress(ValueError):
                    values[target.id] = ast.literal_eval(node.value)  # type: ignore[attr-defined]
    return values


def _exists(db: Database) -> bool:
    """False for an SQLite file that is not there: looking must not create it."""
    database = make_url(db.url).database
    return not db.is_sqlite or not database or database == ":memory:" or Path(database).exists()


def stamps(db: Database, names: list[str]) -> dict[str, frozenset[str] | None]:
    """name → the revisions noted in the database; None where the version table does not exist."""
    if not _exists(db):
        return dict.fromkeys(names)
    with db.engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        return {name: _stamp(connection, name) if version_table(name) in tables else None for name in names}


def _stamp(connection: Connection, name: str) -> frozenset[str]:
    # The name was checked by Manifest: lower-case letters and digits.
    rows = connection.execute(text(f"SELECT version_num FROM {version_table(name)}"))  # noqa: S608
    return frozenset(rows.scalars())


def check_current(core: Core) -> None:
    """:raises RseError: when the core's own tables are missing, behind or newer than this core; names
    the command to run.
    """
    stamp = stamps(core.db, [CORE])[CORE]
    scripts = read_scripts(CORE_SCRIPTS)
    if not stamp:
        raise RseError(_("The database has not been prepared."), remedy=_("Run: rse init"))
    if not stamp <= scripts.revisions:
        raise RseError(
            _("The database was upgraded by a newer rse-core than this one."),
            remedy=_("Install that release again, or restore the backup made before the upgrade."),
        )
    if stamp != scripts.heads:
        raise RseError(_("The database is behind this rse-core."), remedy=_("Make a backup, then run: rse upgrade"))


def plugins_behind(db: Database, directories: Mapping[str, Path]) -> dict[str, tuple[Text, Text]]:
    """name → (reason, remedy) for every plugin whose tables do not match its scripts.

    Nothing is said of a database that has not been prepared at all: that is :func:`check_current`'s matter.
    """
    found = stamps(db, [CORE, *directories])
    if not found[CORE]:
        return {}
    behind: dict[str, tuple[Text, Text]] = {}
    for name, directory in directories.items():
        try:
            scripts = read_scripts(directory)
        except PluginError as error:
            reason = lazy("The plugin “%(name)s” has a migration that cannot be used. %(why)s", name=name, why=error.reason)
            behind[name] = (reason, error.fix)
            continue
        stamp = found[name] or frozenset()
        if not stamp <= scripts.revisions:
            reason = lazy(
                "The tables of the plugin “%(name)s” were upgraded by a newer release than the one installed.", name=name
            )
            behind[name] = (
                reason,
                lazy("Install that release again, or restore the backup made before the upgrade."),
            )
        elif stamp != scripts.heads:
            reason = lazy("The tables of the plugin “%(name)s” are missing or behind its code.", name=name)
            behind[name] = (reason, lazy("Run: rse upgrade"))
    return behind


def upgrade(core: Core, echo: Callable[[str], None] | None = None) -> list[Outcome]:
    """Bring the core's tables up to date, then every plugin's in start order.

    :param echo: told one line per distribution.
    :raises RseError: when the core's own tables cannot be upgraded; nothing was changed then.
    :raises PluginError: in strict mode, for the first plugin that fails; what was upgraded before it stays.
    """
    say = echo or (lambda _line: None)
    outcomes = [_upgrade_core(core)]
    say(f"core: {outcomes[0].state}")
    if core.jobs.on_procrastinate:
        from .procrastination import apply_schema

        say(f"procrastinate: {'upgraded' if apply_schema(core) else 'current'}")
    manager = core.plugins
    for name in manager.staged_names():
        manifest = manager.manifest(name)
        missing = [other for other in manifest.requires if manager.states[other].status != "on"]
        directory = manager.scripts().get(name)
        state = manager.states[name]
        if missing or (state.status != "on" and not state.pending):
            outcome = Outcome(name, "failed", str(state.reason))
        elif directory is None:
            outcome = Outcome(name, "current")
        else:
            outcome = _upgrade_plugin(core, name, Path(directory))
        if outcome.state != "failed":
            manager.release([name])
        outcomes.append(outcome)
        say(f"{name}: {outcome.state}" + (f" ({outcome.error})" if outcome.error else ""))
    return outcomes


def _upgrade_core(core: Core) -> Outcome:
    before = stamps(core.db, [CORE])[CORE] or frozenset()
    scripts = read_scripts(CORE_SCRIPTS)
    if before == scripts.heads:
        return Outcome(CORE, "current")
    if not before <= scripts.revisions:
        check_current(core)
    run_scripts(core.db, CORE, CORE_SCRIPTS)
    return Outcome(CORE, "upgraded")


def _upgrade_plugin(core: Core, name: str, directory: Path) -> Outcome:
    manager = core.plugins
    try:
        before = stamps(core.db, [name])[name] or frozenset()
        scripts = read_scripts(directory)
        if before == scripts.heads:
            return Outcome(name, "current")
        if not before <= scripts.revisions:
            reason, remedy = plugins_behind(core.db, {name: directory})[name]
            raise PluginError(reason, remedy=remedy, plugin=name)
        run_scripts(core.db, name, directory)
    # A migration is foreign code: whatever it raises, its transaction is rolled back and the others go on.
    except Exception as error:
        log.exception("the migrations of plugin %s failed and were rolled back", name)
        if isinstance(error, PluginError):
            failure = error
        else:
            failure = PluginError(
                lazy(
                    "A migration of the plugin “%(name)s” failed and was rolled back: %(kind)s: %(error)s.",
                    name=name,
                    kind=type(error).__name__,
                    error=_brief(error),
                ),
                remedy=lazy("Correct or replace the plugin “%(name)s”, then run: rse upgrade", name=name),
                plugin=name,
            )
        if core.settings.strict:
            raise failure from error
        manager.quarantine(name, failure.reason, failure.fix, pending=True)
        return Outcome(name, "failed", str(failure))
    return Outcome(name, "upgraded")


def _brief(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0].rstrip(".")


@contextlib.contextmanager
def _transaction(db: Database) -> Iterator[Connection]:
    """One transaction for one distribution's scripts, alone among all servers.

    On SQLite a table is altered by copying it, and dropping the old one would delete what points at it:
    foreign keys are
    off for the copy (which only works outside a transaction) and checked before the commit.
    """
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        if db.is_sqlite:
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.execution_options(rse_begin="IMMEDIATE").begin():
                if not db.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
                yield connection
                if db.is_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise RseError(
                        f"After the migration, a row of {broken[0]} points at a row of {broken[2]} that is not there."
                    )
        finally:
            if db.is_sqlite:
                raw.execute("PRAGMA foreign_keys=ON")


def run_scripts(db: Database, name: str, directory: Path) -> None:
    """Run what one distribution's scripts have to do, in one transaction.

    :raises PluginError: when a plugin's scripts touch tables outside its prefix.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(directory), version_locations=[str(Path(directory) / "versions")])
    prefix = f"rse_{name}_"
    with _transaction(db) as connection:
        before = set(inspect(connection).get_table_names())
        with EnvironmentContext(Config(), script, fn=lambda rev, _context: script._upgrade_revs("heads", rev)) as env:
            env.configure(
                connection=connection,
                target_metadata=metadata,
                version_table=version_table(name),
                transactional_ddl=True,
                include_name=include_prefix(prefix),
            )
            env.run_migrations()
        changed = before ^ set(inspect(connection).get_table_names())
        outside = sorted(table for table in changed if not table.startswith(prefix))
        if outside and name != CORE:
            raise PluginError(
                lazy(
                    "A migration of the plugin “%(name)s” creates or drops the table “%(outside)s”, "
                    "which is outside its prefix.",
                    name=name,
                    outside=outside[0],
                ),
                remedy=lazy("Begin its tables' names with “%(prefix)s”.", prefix=prefix),
                plugin=name,
            )


def virtual_tables(connection: Connection) -> list[str]:
    """SQLite's virtual tables (a full-text index), which Alembic knows nothing of; none on PostgreSQL."""
    if connection.dialect.name != "sqlite":
        return []
    query = text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%' ORDER BY name")
    return list(connection.scalars(query))


def is_hidden(table: str, virtual: Iterable[str]) -> bool:
    """Whether a table is a virtual one, or one of those that SQLite keeps behind it."""
    return any(table == name or table.startswith(f"{name}_") for name in virtual)


def include_prefix(prefix: str) -> Callable[..., bool]:
    """For Alembic's ``include_name``: only tables of this prefix, without the version tables."""

    def include_name(name: str | None, kind: str, _parents: Mapping[str, Any]) -> bool:
        if kind != "table" or name is None:
            return True
        return name.startswith(prefix) and not name.endswith("_alembic")

    return include_name


def host_include_name(name: str | None, kind: str, _parents: Mapping[str, Any]) -> bool:
    """For a host whose own Alembic shares the database: its autogenerate then leaves RSE's tables alone.

    In the host's ``env.py``: ``context.configure(…, include_name=host_include_name)``.
    """
    return kind != "table" or name is None or not name.startswith("rse_")
