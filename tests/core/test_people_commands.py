"""``rse people``: the import as a command, lists, one person, suspension and the links to sign-ins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rse_core import importer, people
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.commands.people import _Bars
from rse_core.i18n import use_locale
from rse_core.identity import Identity
from rse_core.models.organisation import PersonIdentity

PEOPLE = ",".join(importer.PEOPLE_COLUMNS)


@pytest.fixture(autouse=True)
def _in_english():
    """The sentences that are looked for below are the English ones."""
    with use_locale("en"):
        yield


@pytest.fixture
def rse(core):
    def rse(*words: str) -> Result:
        return CliRunner().invoke(cli, ["people", *words], obj=State(lambda: core))

    return rse


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    texts = {
        "people": f"{PEOPLE}\n1,alice,Alice Œuvrard,,HR,,2,,fr,,\n2,bob,Bob,,HQ,,,oui,en,,\n",
        "entities": "entity_id,name,parent_id\nHQ,Head office,\nHR,Human resources,HQ\n",
        "groups": "group_id,name,external_id\nAMB,Ambassadors,1\n",
    }
    made = {}
    for name, text in texts.items():
        made[name] = tmp_path / f"{name}.csv"
        made[name].write_text(text, encoding="utf-8")
    return made


@pytest.fixture
def load(rse, files):
    def load(*words: str) -> Result:
        more = ("--entities", str(files["entities"]), "--groups", str(files["groups"]))
        return rse("import", str(files["people"]), *more, *words)

    return load


def test_an_import_prints_its_counts_and_ends_well(load):
    done = load("--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert (report["created"], report["updated"], report["disabled"], report["unchanged"]) == (2, 0, 0, 0)
    assert report["people"]["created"] == 2
    assert report["entities"]["created"] == 2
    assert report["groups"]["created"] == 1
    assert report["errors"] == []
    again = json.loads(load("--json").stdout)
    assert (again["created"], again["unchanged"], again["entities"]["unchanged"]) == (0, 2, 2)
    assert "2" in load().stdout


def test_a_trial_run_writes_nothing_and_says_so(load, rse):
    report = json.loads(load("--dry-run", "--json").stdout)
    assert (report["created"], report["dry_run"], report["written"]) == (2, True, False)
    assert json.loads(rse("list", "--json").stdout) == []


def test_bad_lines_are_printed_with_file_line_column_and_remedy_and_end_in_1(load, files, rse):
    with files["people"].open("a", encoding="utf-8") as file:
        file.write("3,carol,Carol,nowhere,HR,,,,,,\n")
    refused = load("--json")
    assert refused.exit_code == 1
    report = json.loads(refused.stdout)
    assert [(e["file"], e["line"], e["column"]) for e in report["errors"]] == [("people.csv", 4, "email")]
    assert all(report["errors"][0][key] for key in ("message", "remedy"))
    assert (report["created"], report["written"]) == (0, False)
    assert "people.csv:4:email:" in load().stderr
    assert json.loads(rse("list", "--json").stdout) == []
    kept = load("--keep-going", "--json")
    assert kept.exit_code == 1
    report = json.loads(kept.stdout)
    assert (report["created"], report["written"]) == (2, True)


def test_an_unreadable_file_is_one_clear_error_in_both_forms(rse, tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(f"{PEOPLE}\n1,rene,René,,,,,,,,\n".encode("latin-1"))
    told = rse("import", str(path))
    assert told.exit_code == 1
    assert "iconv" in told.stderr
    report = json.loads(rse("import", str(path), "--json").stdout)
    assert (report["errors"][0]["line"], report["created"]) == (2, 0)


def test_leaving_people_out_needs_an_explicit_word(load, files):
    load()
    files["people"].write_text(f"{PEOPLE}\n2,bob,Bob,,HQ,,,oui,en,,\n", encoding="utf-8")
    files["groups"].write_text("group_id,name,external_id\n", encoding="utf-8")
    refused = load()
    assert refused.exit_code == 1
    assert "--allow-mass-disable" in refused.stderr
    assert json.loads(load("--allow-mass-disable", "--json").stdout)["disabled"] == 1


def test_people_are_listed_by_entity_group_status_and_the_beginning_of_their_name(load, rse):
    load()

    def names(*words: str) -> list[str]:
        return [row["username"] for row in json.loads(rse("list", "--json", *words).stdout)]

    assert names() == ["alice", "bob"]
    assert names("--entity", "HR") == ["alice"]
    assert names("--entity", "HQ") == ["alice", "bob"]
    assert names("--group", "AMB") == ["alice"]
    assert names("--find", "alice oeu") == ["alice"]
    assert names("--status", "disabled") == []
    assert names("--limit", "1") == ["alice"]
    assert names("--after", "alice") == ["bob"]
    assert "Œuvrard" in rse("list").stdout


def test_one_person_is_shown_with_all_that_concerns_them(load, rse):
    load()
    shown = json.loads(rse("show", "alice", "--json").stdout)
    assert (shown["entity_path"], shown["groups"], shown["manager"]) == (["HR", "HQ"], ["AMB"], "bob")
    assert "Human" not in rse("show", "bob").stdout
    unknown = rse("show", "alise")
    assert unknown.exit_code == 1
    assert "alice" in unknown.stderr


def test_a_person_is_suspended_and_let_write_again(load, rse, core):
    from rse_core import suspensions

    load()
    assert rse("suspend", "alice", "--until", "2999-01-01", "--why", "insults").exit_code == 0
    with core.db.read() as session:
        alice = people.by_username(session, "alice").id
        assert [s.reason for s in suspensions.of_person(session, alice)] == ["insults"]
    assert rse("unsuspend", "alice").exit_code == 0
    with core.db.read() as session:
        assert suspensions.of_person(session, alice) == []
    assert rse("suspend", "alice", "--until", "soon").exit_code == 1


def test_the_links_to_sign_ins_can_be_forgotten(load, rse, core):
    load()
    with core.db.write() as session:
        alice = people.by_username(session, "alice").id
        session.add(PersonIdentity(issuer="old", subject="1234", person_id=alice))
    assert rse("unlink", "alice", "--why", "new sign-in").exit_code == 0
    with core.db.read() as session:
        assert people.for_identity(session, Identity("old", "1234")) is None


def test_the_progress_bar_goes_to_its_end_stage_by_stage(monkeypatch):
    seen = []

    class Bar:
        def __init__(self, length: int, label: str) -> None:
            self.length, self.label, self.at = length, label, 0

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            seen.append((self.label, self.at, self.length))

        def update(self, count: int) -> None:
            assert count >= 0
            self.at += count

    monkeypatch.setattr("rse_core.commands.people.progress", Bar)
    bars = _Bars()
    for stage, done, total in (("people.csv", 10, 40), ("people.csv", 30, 40), ("writing", 5, 9), ("writing", 9, 9)):
        bars(stage, done, total)
    bars.close()
    assert seen == [("people.csv", 40, 40), ("writing", 9, 9)]
