"""``rse plugin``: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner
from sqlalchemy import inspect, text

from rse_core import migrate
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.i18n import use_locale
from rse_core.models.runtime import SettingRow
from rse_core.testing import make_entity, make_group, make_space

one_database = pytest.mark.parametrize("rse_database", ["sqlite"], indirect=True)
CREATE = """
op.create_table('rse_{0}_thing',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), primary_key=True))
"""


@pytest.fixture(autouse=True)
def in_english():
    """Messages are compared in English."""
    with use_locale("en"):
        yield


def rse(core, *arguments):
    """Run the command over this core: (exit code, output)."""
    # Each command line is a process of its own in life: what it finds is what the next start would find.
    result = CliRunner().invoke(cli, list(arguments), obj=State(lambda: core), prog_name="rse")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def start(rse_core, rse_distributions):
    """A core that is not strict, with whatever the test has installed."""
    return lambda **settings: rse_core(discover=True, **{"strict": False, **settings})


@one_database
def test_the_list_shows_state_reason_and_remedy(start, rse_distributions):
    rse_distributions.add_plugin("good")
    rse_distributions.add("broken", "1 / 0")
    core = start()
    code, output = rse(core, "plugin", "list")
    assert code == 0
    assert "QUARANTINED" in output
    assert "ZeroDivisionError" in output
    assert "Install kit-broken again" in output


@one_database
def test_the_list_as_json(start, rse_distributions):
    rse_distributions.add_plugin("good", version="2.5")
    rse_distributions.add_plugin("top", manifest='requires=("good",), kind="adapter"')
    core = start()
    entity = make_entity(core, "north")
    assert rse(core, "plugin", "disable", "good", "--entity", "north")[0] == 0
    code, output = rse(core, "plugin", "list", "--json")
    rows = {row["name"]: row for row in json.loads(output)}
    assert code == 0
    assert rows["good"] == {
        "name": "good", "version": "2.5", "kind": "plugin", "label": "Good", "description": "", "status": "on",
        "reason": "", "remedy": "", "requires": [], "distribution": "kit-good", "muted": {},
        "switches": [{"scope": "entity", "key": entity.key, "enabled": False}],
    }  # fmt: skip
    assert (rows["top"]["kind"], rows["top"]["requires"]) == ("adapter", ["good"])


@one_database
def test_the_list_works_before_the_database_is_prepared(start, rse_distributions):
    rse_distributions.add_plugin("good")
    code, output = rse(start(migrated=False), "plugin", "list", "--json")
    assert (code, [row["status"] for row in json.loads(output)]) == (0, ["on"])


@one_database
def test_a_check_fails_when_one_is_broken(start, rse_distributions):
    rse_distributions.add_plugin("good")
    rse_distributions.add("broken", "1 / 0")
    core = start()
    code, output = rse(core, "plugin", "check", "--json")
    found = {row["name"]: row["ok"] for row in json.loads(output)}
    assert (code, found) == (1, {"good": True, "broken": False})
    assert rse(core, "plugin", "check", "good")[0] == 0
    assert rse(core, "plugin", "check", "broken")[0] == 1


@one_database
def test_a_check_of_an_unknown_one_names_the_nearest(start, rse_distributions):
    rse_distributions.add_plugin("good")
    code, output = rse(start(), "plugin", "check", "goods")
    assert code == 1
    assert "Did you mean “good”?" in output or "« good »" in output


@one_database
def test_a_check_finds_models_that_differ_from_the_migrations(start, rse_distributions):
    migration = CREATE.format("good").replace("primary_key=True)", "primary_key=True), sa.Column('colour', sa.String(9))")
    rse_distributions.add_with_table("good", "rse_good_thing", migration)
    core = start()
    code, output = rse(core, "plugin", "check", "good")
    assert code == 1
    assert "colour" in output
    assert "Write another migration" in output


@one_database
def test_a_check_of_a_folder_that_announces_nothing(start, tmp_path):
    code, output = rse(start(), "plugin", "check", str(tmp_path))
    assert code == 1
    assert str(tmp_path) in output


def test_switching_for_each_kind_of_scope(start, rse_distributions):
    rse_distributions.add_plugin("good")
    core = start()
    make_entity(core, "north")
    make_group(core, "pilots")
    make_space(core, "garden")
    for option, key in ((None, ""), ("entity", "north"), ("group", "pilots"), ("space", "garden")):
        where = [f"--{option}", key] if option else []
        code, output = rse(core, "plugin", "disable", "good", *where, "--json")
        answer = {"plugin": "good", "scope": option or "site", "key": key, "enabled": False, "changed": True}
        assert (code, json.loads(output)) == (0, answer)
        assert json.loads(rse(core, "plugin", "disable", "good", *where, "--json")[1])["changed"] is False
        assert json.loads(rse(core, "plugin", "enable", "good", *where, "--json")[1])["enabled"] is True


@one_database
def test_switching_for_something_unknown(start, rse_distributions):
    rse_distributions.add_plugin("good")
    core = start()
    make_entity(core, "north")
    assert rse(core, "plugin", "disable", "good", "--entity", "nroth")[0] == 1
    assert rse(core, "plugin", "disable", "nothing")[0] == 1
    assert rse(core, "plugin", "disable", "good", "--entity", "north", "--group", "x")[0] == 2


@pytest.fixture
def filled(start, rse_distributions):
    """A core whose plugin “good” has a table with three rows, a setting and a switch."""
    rse_distributions.add_with_table("good", "rse_good_thing", CREATE.format("good"))
    core = start()
    migrate.upgrade(core)
    with core.db.write() as session:
        for number in (1, 2, 3):
            session.execute(text("INSERT INTO rse_good_thing (id) VALUES (:n)"), {"n": number})
        session.add_all([SettingRow(key="good.colour", value="red"), SettingRow(key="goodness.x", value=1)])
    rse(core, "plugin", "disable", "good")
    return core


def tables_of(core):
    return set(inspect(core.db.engine).get_table_names())


def test_a_purge_says_first_what_it_would_remove(filled, tmp_path):
    code, output = rse(filled, "plugin", "purge", "good", "--export", str(tmp_path / "good.zip"))
    assert code == 1
    assert "rse_good_thing (3)" in output
    assert "--yes" in output
    assert not (tmp_path / "good.zip").exists()
    assert "rse_good_thing" in tables_of(filled)


def test_a_purge_exports_then_removes(filled, tmp_path, start):
    target = tmp_path / "good.zip"
    code, output = rse(filled, "plugin", "purge", "good", "--export", str(target), "--yes", "--json")
    assert code == 0
    assert json.loads(output)["rows"] == 3
    with zipfile.ZipFile(target) as archive:
        lines = archive.read("rse_good_thing.jsonl").decode().splitlines()
        assert [json.loads(line) for line in lines] == [{"id": 1}, {"id": 2}, {"id": 3}]
        about = json.loads(archive.read("about.json"))
        assert about["tables"] == {"rse_good_thing": {"rows": 3, "columns": ["id"]}}
    assert {"rse_good_thing", "rse_good_alembic"}.isdisjoint(tables_of(filled))
    with filled.db.read() as session:
        assert session.execute(text("SELECT key FROM rse_core_setting")).scalars().all() == ["goodness.x"]
        assert session.execute(text("SELECT COUNT(*) FROM rse_core_plugin_switch")).scalar() == 0
        assert session.execute(text("SELECT subject FROM rse_core_audit WHERE act = 'plugin.purge'")).scalars().all() == [
            "plugin:good"
        ]
    again = start(database_url=filled.db.url)
    assert "rse upgrade" in str(again.plugins.states["good"].remedy)
    migrate.upgrade(again)
    with again.db.read() as session:
        assert session.execute(text("SELECT COUNT(*) FROM rse_good_thing")).scalar() == 0


@one_database
def test_a_purge_overwrites_no_file(filled, tmp_path):
    target = tmp_path / "good.zip"
    target.write_text("precious")
    code, output = rse(filled, "plugin", "purge", "good", "--export", str(target), "--yes")
    assert code == 1
    assert str(target) in output
    assert target.read_text() == "precious"
    assert "rse_good_thing" in tables_of(filled)


@one_database
def test_a_purge_that_cannot_write_removes_nothing(filled, tmp_path):
    code, output = rse(filled, "plugin", "purge", "good", "--export", str(tmp_path / "no" / "good.zip"), "--yes")
    assert code == 1
    assert "good.zip" in output
    assert "rse_good_thing" in tables_of(filled)


def test_a_purge_refuses_while_others_require_it(filled, start, rse_distributions, tmp_path):
    rse_distributions.add_plugin("top", manifest='requires=("good",)')
    core = start(database_url=filled.db.url)
    code, output = rse(core, "plugin", "purge", "good", "--export", str(tmp_path / "x.zip"), "--yes")
    assert code == 1
    assert "top" in output
    assert "rse_good_thing" in tables_of(core)


@one_database
@pytest.mark.parametrize("name", ["core", "%", "Good", "nothing"])
def test_a_purge_of_what_is_no_plugin(filled, tmp_path, name):
    before = tables_of(filled)
    code, _output = rse(filled, "plugin", "purge", name, "--export", str(tmp_path / "x.zip"), "--yes")
    assert code == 1
    assert tables_of(filled) == before


def test_the_data_of_an_uninstalled_plugin_can_be_purged(filled, rse_core, tmp_path):
    core = rse_core(plugins=[], strict=False, database_url=filled.db.url)
    assert "good" not in core.plugins.states
    code, _output = rse(core, "plugin", "purge", "good", "--export", str(tmp_path / "x.zip"), "--yes")
    assert code == 0
    assert "rse_good_thing" not in tables_of(core)


@one_database
def test_a_new_plugin_keeps_the_contract_and_its_tests_pass(tmp_path, rse_core):
    core = rse_core([], strict=False)
    code, output = rse(core, "plugin", "new", "kudos", "--label", "Coups de chapeau", "--into", str(tmp_path), "--json")
    assert code == 0
    folder = tmp_path / "rse-kudos"
    assert json.loads(output)["folder"] == str(folder)
    environment = {**os.environ, "RSE_DATABASE_URL": f"sqlite:///{tmp_path}/none.db", "RSE_SAFE_MODE": "1"}
    run = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "check": False}
    check = subprocess.run([sys.executable, "-m", "rse_core.cli", "plugin", "check", str(folder)], **run)
    assert check.returncode == 0, check.stdout + check.stderr
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not postgres", str(folder)]
    result = subprocess.run(tests, **run)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 passed" in result.stdout


@one_database
@pytest.mark.parametrize("name", ["Kudos", "core", "k", "rse", "kudos-2"])
def test_a_new_plugin_needs_a_name_that_can_be_a_namespace(tmp_path, rse_core, name):
    code, output = rse(rse_core([]), "plugin", "new", name, "--into", str(tmp_path))
    assert code == 1
    assert f"“{name}”" in output
    assert list(tmp_path.glob("rse-*")) == []


@one_database
def test_a_new_plugin_overwrites_no_folder(tmp_path, rse_core):
    (tmp_path / "rse-kudos").mkdir()
    assert rse(rse_core([]), "plugin", "new", "kudos", "--into", str(tmp_path))[0] == 1


@one_database
def test_a_revision_is_written_beside_the_others(filled):
    code, output = rse(filled, "plugin", "revision", "good", "nothing new")
    assert code == 0
    assert "0002" not in output
