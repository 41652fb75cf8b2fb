"""People in several entities, and their assistants: who sees what, which level counts, and what imports say of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from rse_core import audiences, importer, organisation, people, places, privacy
from rse_core.api import Actor, BadInput, DirectoryPerson, DirectoryReading, Level, NotFound
from rse_core.audit import entries
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.i18n import use_locale
from rse_core.importer.directory import parsed_of
from rse_core.roster import describe, list_people
from rse_core.testing.organisation import make_entity, make_person, set_level

ACTOR = Actor("test")


@pytest.fixture(autouse=True)
def _in_english():
    with use_locale("en"):
        yield


@pytest.fixture
def tree(core):
    """A head office, and two regions of which one has an agency."""
    north, south = make_entity(core, "north"), make_entity(core, "south")
    return {"north": north, "south": south, "agency": make_entity(core, "agency", parent=south)}


def put(core, person, *entities):
    with core.db.write() as session:
        places.set_others(session, person.id, [one.id for one in entities])


def sees(core, person, entity):
    with core.db.read() as session:
        return audiences.sees(session, person.id, audiences.of_entity(session, entity.id))


def test_who_is_in_a_second_entity_is_in_its_audience_and_in_those_above(core, tree):
    anna = make_person(core, "anna", entity=tree["north"])
    assert not sees(core, anna, tree["south"])
    put(core, anna, tree["agency"])
    assert all(sees(core, anna, tree[key]) for key in tree)
    put(core, anna)
    assert [sees(core, anna, tree[key]) for key in ("north", "south", "agency")] == [True, False, False]


def test_the_level_and_the_ceiling_are_those_of_the_main_entity(core, tree):
    anna = make_person(core, "anna", entity=tree["north"])
    set_level(core, "react", entity=tree["north"])
    set_level(core, "cocreate", entity=tree["south"])
    put(core, anna, tree["south"])
    with core.db.read() as session:
        assert core.policy.level_of(session, anna.id) is Level.REACT


def test_who_administers_an_entity_does_not_administer_those_who_are_there_beside_another(core, tree):
    from rse_core.roles import grant, moderates
    from rse_core.subjects import Target

    anna, boss = make_person(core, "anna", entity=tree["north"]), make_person(core, "boss", entity=tree["south"])
    put(core, anna, tree["south"])
    with core.db.write() as session:
        grant(session, boss.id, "entity_admin", scope="entity", scope_id=tree["south"].id, actor=ACTOR)
    with core.db.read() as session:
        assert not moderates(session, boss.id, Target(author_id=anna.id))


def test_an_entity_that_moves_takes_those_who_are_in_it_beside_another_along(core, tree):
    anna = make_person(core, "anna", entity=tree["north"])
    put(core, anna, tree["agency"])
    with core.db.write() as session:
        organisation.move_entity(session, tree["agency"].id, None)
    assert not sees(core, anna, tree["south"])
    assert sees(core, anna, tree["agency"])


def test_somebody_from_outside_is_in_no_audience_of_an_entity(core, tree):
    guest = make_person(core, "guest", entity=tree["north"], external=True)
    put(core, guest, tree["south"])
    assert not sees(core, guest, tree["south"])


def test_the_main_entity_is_never_a_second_one_and_what_is_not_there_is_refused(core, tree):
    anna = make_person(core, "anna", entity=tree["north"])
    put(core, anna, tree["north"], tree["south"])
    with core.db.write() as session:
        assert [one.key for one in places.others(session, [anna.id])[anna.id]] == ["south"]
        with pytest.raises(NotFound):
            places.set_others(session, anna.id, [999_999])
        with pytest.raises(BadInput):
            places.set_assistants(session, anna.id, [anna.id])


def test_an_entity_that_has_become_the_main_one_is_not_beside_it(core, tree):
    anna = make_person(core, "anna", entity=tree["north"])
    put(core, anna, tree["south"])
    with core.db.write() as session:
        people.move(session, anna.id, tree["south"].id)
        assert places.others(session, [anna.id]) == {}
    assert not sees(core, anna, tree["north"])
    assert sees(core, anna, tree["south"])


def test_lists_of_an_entity_have_those_who_are_in_it_beside_another(core, tree):
    anna = make_person(core, "anna", entity=tree["north"])
    put(core, anna, tree["agency"])
    with core.db.read() as session:
        assert [row["username"] for row in list_people(session, entity_id=tree["south"].id)] == ["anna"]


def test_erasing_somebody_forgets_where_they_were_and_whom_they_assisted(core, tree):
    anna, zoe = make_person(core, "anna", entity=tree["north"]), make_person(core, "zoe")
    put(core, anna, tree["south"])
    with core.db.write() as session:
        places.set_assistants(session, anna.id, [zoe.id])
        places.set_assistants(session, zoe.id, [anna.id])
    with core.db.write() as session:
        assert "South" in str(privacy.export(session, anna.id))
        privacy.erase(session, anna.id, actor=ACTOR)
        assert places.others(session, [anna.id]) == {}
        assert places.assistants(session, [anna.id, zoe.id]) == {}


# -- files ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def load(core, tmp_path: Path):
    """``load(rows, extra)``: imports people with these columns beside the usual ones."""

    def run(rows, extra=("other_entity_ids", "assistant_external_ids"), **options):
        path = tmp_path / "people.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, [*importer.PEOPLE_COLUMNS, *extra], restval="", extrasaction="ignore")
            table.writeheader()
            for row in rows:
                ident = row["external_id"]
                table.writerow({"username": ident, "display_name": ident.title(), "entity_id": "north", **row})
        with core.db.write() as session:
            return importer.run(session, importer.read(path), actor=ACTOR, **options)

    return run


def known(core, username):
    with core.db.read() as session:
        found = describe(session, people.by_username(session, username))
        return found["other_entities"], found["assistants"]


def test_a_file_says_who_is_where_else_and_who_assists(core, tree, load):
    rows = [
        {"external_id": "anna", "other_entity_ids": "south | agency", "assistant_external_ids": "zoe"},
        {"external_id": "zoe"},
    ]
    assert load(rows).people.created == 2
    assert known(core, "anna") == (["agency", "south"], ["zoe"])
    with core.db.read() as session:
        anna = people.by_username(session, "anna")
    assert sees(core, anna, tree["agency"])
    again = load(rows)
    assert (again.people.updated, again.people.unchanged) == (0, 2)
    rows[0]["other_entity_ids"] = "agency"
    assert load(rows).people.updated == 1
    assert known(core, "anna") == (["agency"], ["zoe"])


def test_a_file_without_the_columns_leaves_what_an_administrator_said(core, tree, load):
    rows = [{"external_id": "anna"}, {"external_id": "zoe"}]
    load(rows, extra=())
    with core.db.read() as session:
        anna = people.by_username(session, "anna")
    put(core, anna, tree["south"])
    load(rows, extra=())
    assert known(core, "anna") == (["south"], [])
    load(rows)
    assert known(core, "anna") == ([], []), "a file that has them says that there is none"


def test_a_bad_id_refuses_the_import_or_is_left_out(core, tree, load):
    rows = [
        {"external_id": "anna", "other_entity_ids": "south|nowhere", "assistant_external_ids": "nobody|zoe|anna"},
        {"external_id": "zoe"},
    ]
    report = load(rows)
    assert not report.written
    assert [(error.column, error.line) for error in report.errors] == [
        ("other_entity_ids", 2), ("assistant_external_ids", 2),
    ]  # fmt: skip
    assert load(rows, keep_going=True).written
    assert known(core, "anna") == (["south"], ["zoe"])


def test_an_assistant_who_leaves_with_the_same_file_is_told(core, tree, load):
    load([{"external_id": "anna"}, {"external_id": "zoe"}])
    report = load([{"external_id": "anna", "assistant_external_ids": "zoe"}], allow_mass_disable=True)
    assert [error.column for error in report.errors] == ["assistant_external_ids"]


# -- directories ---------------------------------------------------------------------------------------------------------


def test_a_directory_that_says_nothing_of_them_leaves_them_alone(core, tree):
    def sync(**said):
        anna = DirectoryPerson("a", "anna", "Anna", entity="north", **said)
        reading = DirectoryReading([anna, DirectoryPerson("z", "zoe", "Zoe")])
        with core.db.write() as session:
            return importer.run(session, parsed_of("ldap.main", reading), actor=ACTOR)

    sync(others=("south",), assistants=("z",))
    assert known(core, "anna") == (["south"], ["zoe"])
    assert sync().people.unchanged == 2
    assert known(core, "anna") == (["south"], ["zoe"])
    sync(others=(), assistants=())
    assert known(core, "anna") == ([], [])


# -- commands ------------------------------------------------------------------------------------------------------------


def test_the_commands_say_who_is_where_and_keep_why(core, tree):
    def rse_cli(*words):
        return CliRunner().invoke(cli, words, obj=State(lambda: core))

    make_person(core, "anna", entity=tree["north"])
    make_person(core, "zoe")
    assert rse_cli("people", "beside", "anna", "--in", "south", "--why", "half a week").exit_code == 0
    assert rse_cli("people", "assist", "anna", "--by", "zoe").exit_code == 0
    assert known(core, "anna") == (["south"], ["zoe"])
    with core.db.read() as session:
        assert [one.act for one in entries(session)][:2] == ["people.assistants", "people.entities"]
    assert rse_cli("people", "beside", "anna", "--in", "nowhere").exit_code == 1
    assert rse_cli("people", "beside", "anna").exit_code == 2
    assert rse_cli("people", "beside", "anna", "--only-main").exit_code == 0
    assert rse_cli("people", "assist", "anna", "--nobody").exit_code == 0
    assert known(core, "anna") == ([], [])
