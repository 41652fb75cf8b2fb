"""Migrations: the scripts make exactly what the models say, one version table per distribution, on both databases."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, inspect, text

from rse_core import migrate
from rse_core.db import Database
from rse_core.errors import PluginError, RseError
from rse_core.i18n import use_locale
from rse_core.migrate import CORE_SCRIPTS, host_include_name, read_scripts
from rse_core.revision import differences, write_revision
from rse_core.testing.distributions import migration_source


@pytest.fixture(autouse=True)
def in_english():
    """Messages are compared in English."""
    with use_locale("en"):
        yield


def tables_of(db):
    return set(inspect(db.engine).get_table_names())


def test_the_migrated_database_is_what_the_models_say(core):
    assert differences(core.db, "core") == []


def test_the_columns_of_the_database_are_those_of_the_models(core):
    found = inspect(core.db.engine)
    for name, table in core_tables().items():
        assert {c["name"] for c in found.get_columns(name)} == set(table.columns.keys()), name
        nullable = {c["name"]: c["nullable"] for c in found.get_columns(name)}
        assert nullable == {c.name: c.nullable for c in table.columns}, name
        indexes = {i["name"] for i in found.get_indexes(name)} | {u["name"] for u in found.get_unique_constraints(name)}
        assert {i.name for i in table.indexes} <= indexes, name


def core_tables():
    from rse_core import models
    from rse_core.db import metadata

    assert models
    return {n: t for n, t in metadata.tables.items() if n.startswith("rse_core_")}


def test_the_first_rows_are_there(core):
    with core.db.read() as session:
        assert session.execute(text("SELECT kind, target_id FROM rse_core_audience")).all() == [("everyone", 0)]
        assert session.execute(text("SELECT id FROM rse_core_policy_version")).all() == [(1,)]


def test_an_empty_database_asks_for_init_and_is_left_empty(rse_core):
    core = rse_core(migrated=False)
    with pytest.raises(RseError, match=r"not been prepared.*rse init"):
        core.check_database()
    assert tables_of(core.db) == set()


def test_asking_about_a_file_that_is_not_there_does_not_make_it(tmp_path, rse_core):
    path = tmp_path / "none.db"
    core = rse_core(database_url=f"sqlite:///{path}")
    with pytest.raises(RseError, match="rse init"):
        core.check_database()
    assert not path.exists()


def test_an_upgrade_says_what_it_did_and_does_it_once(rse_core):
    core = rse_core(migrated=False)
    lines = []
    migrate.upgrade(core, lines.append)
    assert lines == ["core: upgraded", "kit: current"]
    core.check_database()
    lines.clear()
    migrate.upgrade(core, lines.append)
    assert lines == ["core: current", "kit: current"]


def test_a_database_behind_asks_for_an_upgrade(core, tmp_path, monkeypatch):
    later = tmp_path / "later"
    shutil.copytree(CORE_SCRIPTS, later)
    head = next(iter(read_scripts(later).heads))
    body = "op.add_column('rse_core_group', sa.Column('colour', sa.String(20)))"
    (later / "versions" / "9000_later.py").write_text(migration_source(body, revision="9000", down=head))
    monkeypatch.setattr(migrate, "CORE_SCRIPTS", later)
    with pytest.raises(RseError, match="rse upgrade"):
        core.check_database()
    assert migrate.upgrade(core)[0].state == "upgraded"
    core.check_database()
    assert "colour" in {c["name"] for c in inspect(core.db.engine).get_columns("rse_core_group")}


def test_a_database_from_the_future_is_left_alone(core):
    with core.db.write() as session:
        session.execute(text("UPDATE rse_core_alembic SET version_num = '9999'"))
    with pytest.raises(RseError, match="newer rse-core"):
        core.check_database()
    with pytest.raises(RseError, match="newer rse-core"):
        migrate.upgrade(core)


def script_folder(tmp_path, *scripts):
    folder = tmp_path / "scripts"
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(scripts, 1):
        (folder / "versions" / f"{number:04d}_step.py").write_text(source)
    return folder


CREATE = "op.create_table('rse_notes_{0}', sa.Column('id', sa.Integer, primary_key=True))"


def test_a_failing_second_script_takes_the_first_one_back(rse_database, tmp_path):
    folder = script_folder(
        tmp_path,
        migration_source(CREATE.format("one")),
        migration_source(CREATE.format("two") + "\nraise RuntimeError('no')", revision="0002", down="0001"),
    )
    db = Database(rse_database.empty())
    try:
        with pytest.raises(RuntimeError):
            migrate.run_scripts(db, "notes", folder)
        assert tables_of(db) == set()
        (folder / "versions" / "0002_step.py").unlink()
        migrate.run_scripts(db, "notes", folder)
        assert tables_of(db) == {"rse_notes_one", "rse_notes_alembic"}
    finally:
        db.dispose()


def test_copying_a_table_keeps_what_points_at_it(rse_database, tmp_path):
    first = """
        op.create_table('rse_notes_book', sa.Column('id', sa.Integer, primary_key=True),
            sa.Column('title', sa.String(20)))
        op.create_table('rse_notes_page', sa.Column('id', sa.Integer, primary_key=True),
            sa.Column('book', sa.Integer, sa.ForeignKey('rse_notes_book.id', ondelete='CASCADE')))
        op.execute("INSERT INTO rse_notes_book (id, title) VALUES (1, 'a')")
        op.execute('INSERT INTO rse_notes_page (id, book) VALUES (1, 1)')
    """
    second = """
        with op.batch_alter_table('rse_notes_book') as batch:
            batch.alter_column('title', existing_type=sa.String(20), nullable=False)
    """
    folder = script_folder(tmp_path, migration_source(first), migration_source(second, revision="0002", down="0001"))
    db = Database(rse_database.empty())
    try:
        migrate.run_scripts(db, "notes", folder)
        with db.read() as session:
            assert session.execute(text("SELECT id, book FROM rse_notes_page")).all() == [(1, 1)]
            if db.is_sqlite:
                assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
    finally:
        db.dispose()


@pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
def test_a_row_that_points_nowhere_after_a_copy_is_refused(rse_database, tmp_path):
    body = """
        op.create_table('rse_notes_book', sa.Column('id', sa.Integer, primary_key=True))
        op.create_table('rse_notes_page', sa.Column('id', sa.Integer, primary_key=True),
            sa.Column('book', sa.Integer, sa.ForeignKey('rse_notes_book.id')))
        op.execute('INSERT INTO rse_notes_page (id, book) VALUES (1, 7)')
    """
    db = Database(rse_database.empty())
    try:
        with pytest.raises(RseError, match=r"rse_notes_page.*rse_notes_book"):
            migrate.run_scripts(db, "notes", script_folder(tmp_path, migration_source(body)))
        assert tables_of(db) == set()
    finally:
        db.dispose()


def test_removing_a_plugin_breaks_nobodys_upgrade(rse_core, rse_distributions):
    rse_distributions.add_with_table("notes", "rse_notes_thing", CREATE.format("thing"))
    core = rse_core(discover=True)
    migrate.upgrade(core)
    shutil.rmtree(next(rse_distributions.folder.glob("kit_notes-*.dist-info")))
    again = rse_core(discover=True, database_url=core.db.url)
    assert again.plugins.states == {}
    assert [o.state for o in migrate.upgrade(again)] == ["current"]
    assert "rse_notes_thing" in tables_of(again.db)


UPGRADE = """
import sys
from rse_core import migrate
from rse_core.runtime import Core
from rse_core.testing.databases import kit_settings

core = Core(kit_settings(database_url=sys.argv[1]), plugins=[])
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade(core)
core.close()
"""


def test_two_servers_that_upgrade_at_once_do_it_once(rse_database, rse_core):
    import subprocess
    import sys

    url = rse_database.empty()
    command = [sys.executable, "-c", UPGRADE, url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    servers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for server in servers:
        assert server.stdout.readline().strip() == "ready", server.stderr.read()
    for server in servers:
        server.stdin.write("go\n")
        server.stdin.flush()
    for server in servers:
        _out, errors = server.communicate(timeout=120)
        assert server.returncode == 0, errors
    with rse_core(database_url=url).db.read() as session:
        assert session.execute(text("SELECT COUNT(*) FROM rse_core_alembic")).scalar() == 1
        assert session.execute(text("SELECT COUNT(*) FROM rse_core_audience")).scalar() == 1


def test_a_revision_is_written_from_the_models(rse_database, tmp_path):
    from rse_core.db import metadata

    folder = script_folder(tmp_path)
    db = Database(rse_database.empty())
    table = Table("rse_zzkit_note", metadata, Column("id", Integer, primary_key=True))
    try:
        path = write_revision(db, "zzkit", folder, "First notes")
        assert path is not None
        assert path.name == "0001_first_notes.py"
        assert read_scripts(folder).heads == {"0001"}
        with pytest.raises(RseError, match="rse upgrade"):
            write_revision(db, "zzkit", folder, "Too early")
        migrate.run_scripts(db, "zzkit", folder)
        assert differences(db, "zzkit") == []
        assert write_revision(db, "zzkit", folder, "Nothing new") is None
    finally:
        metadata.remove(table)
        db.dispose()


def test_a_script_that_names_no_revision_is_refused(tmp_path):
    folder = script_folder(tmp_path, "x = 1\n")
    with pytest.raises(PluginError, match=r"0001_step\.py names no revision"):
        read_scripts(folder)


def test_a_hosts_own_migrations_leave_ours_alone(core):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    hosts = MetaData()
    Table("news", hosts, Column("id", Integer, primary_key=True))
    with core.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": host_include_name, "target_metadata": hosts})
        found = compare_metadata(context, hosts)
    assert [(step[0], step[1].name) for step in found] == [("add_table", "news")]
