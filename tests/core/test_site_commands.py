"""Commands that set the site up, examine it, and copy it away and back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from rse_core.api import HealthCheck, HealthResult, Manifest, Plugin, hookimpl
from rse_core.backup import read_backup, write_backup
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.errors import Conflict, RseError
from rse_core.models.organisation import Person


def run(core: Any, *arguments: str, **environment: str) -> Any:
    return CliRunner(env={"LC_ALL": "C", **environment}).invoke(cli, list(arguments), obj=State(lambda: core))


class Ailing(Plugin):
    """Its one check fails until it is repaired."""

    manifest = Manifest("ailing", "Ailing")

    def __init__(self) -> None:
        self.well = False

    @hookimpl
    def rse_health_checks(self) -> list[HealthCheck]:
        return [HealthCheck("ailing.counters", self.check, self.repair), HealthCheck("ailing.breaks", self.fails)]

    def check(self, session: Any) -> HealthResult:
        return HealthResult(self.well, "2 counters differ.", "Run: rse doctor --repair")

    def repair(self, session: Any) -> HealthResult:
        self.well = True
        return HealthResult(True, "2 counters recounted.")

    def fails(self, session: Any) -> HealthResult:
        if not self.well:
            raise RuntimeError("no such luck")
        return HealthResult(True)


def test_init_prepares_the_database_and_says_what_comes_next(rse_core: Any) -> None:
    core = rse_core(migrated=False, legacy_origins=[])
    refused = run(core, "doctor")
    assert refused.exit_code == 1
    assert "rse init" in refused.stderr
    done = run(core, "init")
    assert done.exit_code == 0
    for step in ("RSE_LEGACY_ORIGINS", "rse people import", "rse role grant", "rse level set"):
        assert step in done.stdout
    assert run(core, "init").exit_code == 0, "running it again does no harm"
    assert run(core, "upgrade").exit_code == 0


def test_the_doctor_names_what_is_wrong_and_mends_what_it_can(use_plugin: Any) -> None:
    core = use_plugin(Ailing())
    found = run(core, "doctor", "--json")
    assert found.exit_code == 1
    lines = {line["name"]: line for line in json.loads(found.stdout)}
    assert lines["database"]["ok"]
    assert lines["ailing.counters"] == {
        "name": "ailing.counters", "ok": False, "detail": "2 counters differ.",
        "remedy": "Run: rse doctor --repair", "vital": False,
    }  # fmt: skip
    assert "RuntimeError" in lines["ailing.breaks"]["detail"]
    mended = run(core, "doctor", "--repair")
    assert "2 counters recounted." in mended.stdout
    assert run(core, "doctor").exit_code == 0


def test_what_is_printed_is_in_the_language_of_the_terminal(core: Any) -> None:
    assert "Up to date" in run(core, "upgrade").stdout
    assert "À jour" in run(core, "upgrade", LC_ALL="fr_FR.UTF-8").stdout


def test_the_demo_listens_on_this_machine_alone(core: Any) -> None:
    refused = run(core, "demo", "--host", "0.0.0.0")
    assert refused.exit_code == 1
    assert "this machine alone" in refused.stderr
    unknown = run(core, "demo", "no-such-demo")
    assert unknown.exit_code == 1


def names(core: Any) -> set[str]:
    with core.db.read() as session:
        return set(session.scalars(select(Person.username)))


def needs_tools(core: Any) -> None:
    from rse_core.testing.databases import missing_part

    if not core.db.is_sqlite and shutil.which("pg_dump") is None:
        missing_part("pg_dump", "not installed here")


def test_a_backup_made_while_the_site_runs_brings_everything_back(
    core: Any, make_person: Any, tmp_path: Path
) -> None:
    needs_tools(core)
    make_person("ada")
    file = tmp_path / "site.backup"
    assert run(core, "backup", str(file)).exit_code == 0
    assert oct(file.stat().st_mode & 0o777) == "0o600", "it holds names"
    make_person("bob")
    refused = run(core, "restore", str(file))
    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    assert names(core) == {"ada", "bob"}
    done = run(core, "restore", str(file), "--yes")
    assert done.exit_code == 0, done.output
    assert names(core) == {"ada"}


def test_a_file_that_is_no_backup_changes_nothing(core: Any, make_person: Any, tmp_path: Path) -> None:
    make_person("ada")
    file = tmp_path / "not.backup"
    for content in (b"", b"hello", b"SQLite format 3\x00" + b"x" * 4096, b"PGDMP" + b"\x00" * 100):
        file.write_bytes(content)
        with pytest.raises(RseError):
            read_backup(core.db, file, replace=True)
        assert names(core) == {"ada"}


def test_a_backup_that_cannot_be_written_leaves_no_half_of_one(core: Any, tmp_path: Path) -> None:
    needs_tools(core)
    with pytest.raises(RseError):
        write_backup(core.db, tmp_path / "missing" / "site.backup")
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_use_is_not_replaced_without_saying_so(core: Any, tmp_path: Path) -> None:
    needs_tools(core)
    file = tmp_path / "site.backup"
    write_backup(core.db, file)
    with pytest.raises(Conflict):
        read_backup(core.db, file)
