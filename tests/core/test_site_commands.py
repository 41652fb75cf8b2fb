"""Commands that set the site up, examine it, and copy it away and back."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from rse_core import files
from rse_core.api import HealthCheck, HealthResult, Manifest, Plugin, hookimpl
from rse_core.backup import read_backup, write_backup
from rse_core.backup_files import write_files
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.errors import Conflict, RseError
from rse_core.files_store import LocalFiles, folder_of
from rse_core.models.organisation import Person
from rse_core.testing.organisation import make_person as make_somebody


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


def kept(core: Any) -> dict[str, bytes]:
    folder = folder_of(core.settings)
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def filed(use_plugin: Any, tmp_path: Path) -> Any:
    """A site with two files, and the place of a backup."""
    core = use_plugin(data_dir=str(tmp_path / "data"))
    needs_tools(core)
    person = make_somebody(core, "ada")
    with core.db.write() as session:
        for number in (1, 2):
            files.keep(session, person.id, io.BytesIO(b"text %d" % number), f"note {number}.txt")
    return core


def test_a_backup_has_what_people_brought_and_brings_it_back(filed: Any, tmp_path: Path) -> None:
    file = tmp_path / "site.backup"
    before = kept(filed)
    assert len(before) == 2
    done = run(filed, "backup", str(file))
    assert "site.backup.files.tar written, 2 files." in done.output
    archive = tmp_path / "site.backup.files.tar"
    assert oct(archive.stat().st_mode & 0o777) == "0o600"
    shutil.rmtree(folder_of(filed.settings))
    brought = run(filed, "restore", str(file), "--yes")
    assert "2 files brought back." in brought.output
    assert kept(filed) == before
    assert "0 files brought back." in run(filed, "restore", str(file), "--yes").output, "what is there is left"
    archive.unlink()
    told = run(filed, "restore", str(file), "--yes")
    assert told.exit_code == 0
    assert "site.backup.files.tar is missing" in told.stderr


def test_an_archive_that_is_none_changes_nothing(filed: Any, tmp_path: Path) -> None:
    file = tmp_path / "site.backup"
    run(filed, "backup", str(file))
    before = kept(filed)
    make_somebody(filed, "bob")
    archive = tmp_path / "site.backup.files.tar"
    data = archive.read_bytes()
    with tarfile.open(tmp_path / "strange.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("../../outside"), io.BytesIO(b""))
    for content in (b"hello", data[:700], (tmp_path / "strange.tar").read_bytes()):
        archive.write_bytes(content)
        refused = run(filed, "restore", str(file), "--yes")
        assert refused.exit_code == 1
        assert "is no backup of RSE" in refused.stderr
        assert names(filed) == {"ada", "bob"}
        assert kept(filed) == before


def test_without_files_no_archive_of_others_is_left(core: Any, tmp_path: Path) -> None:
    needs_tools(core)
    file = tmp_path / "site.backup"
    old = tmp_path / "site.backup.files.tar"
    old.write_bytes(b"of yesterday")
    write_files(LocalFiles(tmp_path / "none"), old)
    assert not old.exists()
    assert run(core, "backup", str(file)).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["site.backup"]
    with pytest.raises(RseError):
        write_files(LocalFiles(tmp_path / "none"), tmp_path / "missing" / "x.files.tar")
