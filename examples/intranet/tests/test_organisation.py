from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from rse_example_intranet import demo_organisation, organisation
from rse_example_intranet.content import load_pages
from rse_example_intranet.organisation import OrganisationFiles, generate_organisation

from rse_core import importer

DATA = Path(organisation.__file__).parent / "data"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> OrganisationFiles:
    return generate_organisation(tmp_path_factory.mktemp("large"), people=3000, entities=60, seed=5)


def test_the_kept_files_are_what_the_code_writes(tmp_path: Path) -> None:
    demo_organisation.write_demo(tmp_path)
    for name in ("entities.csv", "people.csv", "groups.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_the_columns_are_those_of_the_import() -> None:
    files = (DATA / f"{name}.csv" for name in ("entities", "people", "groups"))
    heads = {path.stem: path.read_text("utf-8").splitlines()[0] for path in files}
    assert heads == {
        "entities": "entity_id,name,parent_id",
        "people": "external_id,username,display_name,email,entity_id,job_title,manager_external_id,"
        "is_manager,locale,phone,site",
        "groups": "group_id,name,external_id",
    }


def test_the_demo_has_homonyms_with_accounts_of_their_own() -> None:
    people = _rows(DATA / "people.csv")
    assert len(people) == 60
    assert len({p["username"] for p in people}) == 60
    assert sorted(p["username"] for p in people if p["display_name"] == "Hélène Dupont") == [
        "helene.dupont",
        "helene.dupont2",
    ]
    assert {p["locale"] for p in people} == {"fr", "en"}


@pytest.mark.parametrize("which", ["demo", "large"])
def test_every_reference_points_at_a_line_that_exists(which: str, large: OrganisationFiles) -> None:
    kept = OrganisationFiles(DATA / "entities.csv", DATA / "people.csv", DATA / "groups.csv")
    files = kept if which == "demo" else large
    entities = {row["entity_id"]: row["parent_id"] for row in _rows(files.entities)}
    people = {row["external_id"]: row for row in _rows(files.people)}
    assert all(parent in entities for parent in entities.values() if parent)
    assert {row["entity_id"] for row in people.values()} <= set(entities)
    assert {row["external_id"] for row in _rows(files.groups)} <= set(people)
    for start in people:
        steps, person = 0, start
        while manager := people[person]["manager_external_id"]:
            assert people[manager]["is_manager"] == "true"
            person, steps = manager, steps + 1
            assert steps < 10, f"{start}: a loop of managers"


def test_a_large_organisation_has_the_asked_size_and_unique_accounts(large: OrganisationFiles) -> None:
    people = _rows(large.people)
    assert len(people) == 3000
    assert len(_rows(large.entities)) == 60
    assert {p["entity_id"] for p in people} == {e["entity_id"] for e in _rows(large.entities)}
    for column in ("external_id", "username", "email"):
        assert len({p[column] for p in people}) == 3000, column
    assert len({p["display_name"] for p in people}) < 3000


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, large: OrganisationFiles) -> None:
    again = generate_organisation(tmp_path / "again", people=3000, entities=60, seed=5)
    other = generate_organisation(tmp_path / "other", people=3000, entities=60, seed=6)
    assert again.people.read_bytes() == large.people.read_bytes()
    assert other.people.read_bytes() != large.people.read_bytes()


def test_the_reference_size_is_the_default_and_impossible_sizes_are_refused(tmp_path: Path) -> None:
    files = generate_organisation(tmp_path)
    assert files.people.read_bytes().count(b"\n") == 75_001
    assert files.entities.read_bytes().count(b"\n") == 157
    with pytest.raises(ValueError, match="3 people and 4 entities"):
        generate_organisation(tmp_path, people=3, entities=4)


def test_what_people_say_stands_on_real_pages_and_in_good_french() -> None:
    talk = _rows(DATA / "talk.csv")
    known = {row["username"] for row in _rows(DATA / "people.csv")}
    pages = {page.path for page in load_pages()}
    begun: dict[str, int] = {}
    for row in talk:
        assert row["username"] in known
        assert row["page"] in pages
        assert row["reply"] in ("", "yes")
        assert row["page"] in begun or not row["reply"], "a thread begins with a comment, not with a reply"
        assert int(row["days_ago"]) <= begun.get(row["page"], 30), "a thread goes forward in time"
        begun[row["page"]] = int(row["days_ago"])
        if row["lang"] == "fr":
            assert not re.search(r"« | »| [;:!?]|'|!", row["text"]), row["text"]
    assert {row["lang"] for row in talk} == {"fr", "en"}


@pytest.mark.parametrize("which", ["demo", "large"])
def test_the_import_finds_no_fault_in_the_files(which: str, large: OrganisationFiles) -> None:
    kept = OrganisationFiles(DATA / "entities.csv", DATA / "people.csv", DATA / "groups.csv")
    files = kept if which == "demo" else large
    parsed = importer.read(files.people, files.entities, files.groups)
    assert parsed.errors == []
    assert len(parsed.people) == (60 if which == "demo" else 3000)
