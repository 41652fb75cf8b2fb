"""Importing people, entities and groups: what changes, what is refused, and that a second run changes nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from rse_core import audiences, importer, organisation, people
from rse_core.audit import Actor, entries
from rse_core.i18n import use_locale
from rse_core.identity import Identity
from rse_core.importer import Report
from rse_core.models.organisation import Entity, EntityPath, Group, GroupMember, Membership, Person, PersonIdentity
from rse_core.runtime import Core

ACTOR = Actor("cli:tests")
Import = Callable[..., Report]

ENTITIES = [("HQ", "Head office", ""), ("HR", "Human resources", "HQ"), ("NORTH", "North", "")]


@pytest.fixture(autouse=True)
def _in_english():
    """The sentences that are looked for below are the English ones."""
    with use_locale("en"):
        yield


def person(external_id: str, username: str | None = None, **changes: Any) -> dict[str, str]:
    row = dict.fromkeys(importer.PEOPLE_COLUMNS, "")
    row |= {"external_id": external_id, "username": username or f"user-{external_id}"}
    row |= {"display_name": f"Person {external_id}", "entity_id": "HR"}
    return row | {name: str(value) for name, value in changes.items()}


def crowd(count: int, **changes: Any) -> list[dict[str, str]]:
    return [person(f"c{n}", **changes) for n in range(count)]


@pytest.fixture
def run(core: Core, tmp_path: Path) -> Import:
    """``run(people, entities, groups, **options)``: writes the files and imports them."""

    def write(name: str, columns: Iterable[str], rows: Iterable[Any]) -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(columns)
            table.writerows(row.values() if isinstance(row, dict) else row for row in rows)
        return path

    def run(
        persons: Iterable[dict[str, str]],
        entities: Iterable[tuple[str, str, str]] | None = ENTITIES,
        groups: Iterable[tuple[str, str, str]] | None = None,
        **options: Any,
    ) -> Report:
        parsed = importer.read(
            write("people.csv", importer.PEOPLE_COLUMNS, persons),
            None if entities is None else write("entities.csv", importer.ENTITY_COLUMNS, entities),
            None if groups is None else write("groups.csv", importer.GROUP_COLUMNS, groups),
        )
        with core.db.write() as session:
            return importer.run(session, parsed, actor=ACTOR, **options)

    return run


def found(core: Core, external_id: str) -> Person:
    with core.db.read() as session:
        row = people.by_external_id(session, external_id)
        assert row is not None
        return row


def errors(report: Report) -> list[tuple[str, int, str]]:
    return [(error.file, error.line, error.column) for error in report.errors]


def test_a_first_import_creates_and_a_second_changes_nothing(core, run):
    rows = [person("1", manager_external_id="2", locale="fr_FR"), person("2", is_manager="oui"), *crowd(10)]
    groups = [("AMB", "Ambassadors", "1"), ("AMB", "Ambassadors", "2"), ("VOID", "Nobody yet", "")]
    first = run(rows, groups=groups)
    assert (first.people.created, first.entities.created, first.groups.created) == (12, 3, 2)
    second = run(rows, groups=groups)
    assert second.people.as_dict() == {"created": 0, "updated": 0, "disabled": 0, "unchanged": 12, "kept": 0}
    assert (second.entities.unchanged, second.groups.unchanged) == (3, 2)
    one = found(core, "1")
    assert (one.locale, one.manager_id, one.is_manager) == ("fr", found(core, "2").id, False)
    assert found(core, "2").is_manager


def test_an_import_leaves_the_closure_and_the_flattened_audiences_right(core, run):
    run([person("1")], groups=[("AMB", "Ambassadors", "1")])
    with core.db.read() as session:
        hr, hq = (organisation.entity_by_key(session, key).id for key in ("HR", "HQ"))
        amb = organisation.group_by_key(session, "AMB").id
        assert organisation.path(session, hr) == [hr, hq]
        assert audiences.of_person(session, people.by_username(session, "user-1").id) == {
            audiences.everyone(session),
            audiences.of_entity(session, hr),
            audiences.of_entity(session, hq),
            audiences.of_group(session, amb),
        }


def test_two_people_may_swap_their_usernames(core, run):
    run([person("1", "alice"), person("2", "bob"), person("3", "carol")])
    report = run([person("1", "bob"), person("2", "carol"), person("3", "alice")])
    assert report.people.updated == 3
    assert [found(core, key).username for key in "123"] == ["bob", "carol", "alice"]


def test_a_renamed_person_keeps_row_and_loses_sign_ins_that_were_their_old_name(core, run):
    run([person("1", "alice"), person("2", "bob")])
    alice = found(core, "1")
    with core.db.write() as session:
        session.add(PersonIdentity(issuer="header", subject="alice", person_id=alice.id))
        session.add(PersonIdentity(issuer="oidc", subject="8f14e45f", person_id=alice.id))
    run([person("1", "alice.martin"), person("2", "alice")])
    assert found(core, "1").id == alice.id
    with core.db.read() as session:
        assert people.for_identity(session, Identity("oidc", "8f14e45f")).username == "alice.martin"
        # Whoever has the name now is who the header means.
        assert people.for_identity(session, Identity("header", "alice")).external_id == "2"


def test_somebody_missing_is_disabled_and_back_as_they_were_on_return(core, run):
    rows = crowd(20)
    run(rows, groups=[("AMB", "Ambassadors", "c0")])
    gone = run(rows[1:])
    assert (gone.people.disabled, gone.people.unchanged) == (1, 19)
    left = found(core, "c0")
    assert left.status == "disabled"
    assert left.disabled_at is not None
    with core.db.read() as session:
        assert audiences.of_person(session, left.id) == frozenset()
    assert run(rows[1:]).people.as_dict()["unchanged"] == 19
    back = run(rows)
    assert back.people.updated == 1
    returned = found(core, "c0")
    assert (returned.id, returned.status, returned.disabled_at) == (left.id, "active", None)
    with core.db.read() as session:
        assert len(audiences.of_person(session, left.id)) == 4


def test_the_username_of_somebody_who_has_left_can_go_to_a_newcomer(core, run):
    run([person("old", "jdupont"), *crowd(20)])
    with core.db.write() as session:
        session.add(PersonIdentity(issuer="header", subject="jdupont", person_id=found(core, "old").id))
    report = run([person("new", "jdupont"), *crowd(20)])
    assert (report.people.created, report.people.disabled, report.errors) == (1, 1, [])
    assert found(core, "new").username == "jdupont"
    assert found(core, "old").username.startswith("jdupont~")
    with core.db.read() as session:
        assert people.for_identity(session, Identity("header", "jdupont")).external_id == "new"


def test_more_than_a_tenth_is_not_disabled_without_being_told(core, run):
    run(crowd(20))
    assert run(crowd(18)).people.disabled == 2
    refused = run(crowd(16))
    assert refused.refused
    assert not refused.written
    assert "--allow-mass-disable" in refused.errors[0].remedy
    assert found(core, "c17").status == "active"
    told = run(crowd(5), allow_mass_disable=True)
    assert told.people.disabled == 13
    assert told.written


def test_a_file_without_people_disables_nobody(core, run):
    run(crowd(3))
    assert run([]).refused
    assert found(core, "c0").status == "active"


def test_people_of_other_sources_are_neither_disabled_nor_overwritten(core, run, make_person):
    run(crowd(3))
    make_person("by-hand")
    with core.db.write() as session:
        people.add(session, external_id="L1", username="from-ldap", display_name="L", source="ldap")
    report = run(crowd(3))
    assert (report.people.disabled, report.people.kept) == (0, 2)
    refused = run([*crowd(3), person("L1", "from-ldap")])
    assert errors(refused) == [("people.csv", 5, "external_id")]
    taken = run([*crowd(3), person("x-by-hand", "by-hand")])
    assert taken.people.updated == 1
    assert found(core, "x-by-hand").source == "csv"


def test_a_bad_line_keeps_everything_from_being_written(core, run):
    report = run([person("1"), person("2", email="no address")])
    assert errors(report) == [("people.csv", 3, "email")]
    assert not report.written
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0
        assert session.scalar(select(func.count()).select_from(Entity)) == 0
        assert entries(session, act="people.import") == []


def test_with_keep_going_the_good_lines_are_taken_and_the_bad_ones_told(core, run):
    report = run(
        [person("1", manager_external_id="2"), person("2", email="no address"), person("3", entity_id="NOWHERE")],
        entities=[*ENTITIES, ("LOST", "Lost", "NOBODY")],
        groups=[("AMB", "Ambassadors", "1"), ("AMB", "Ambassadors", "2")],
        keep_going=True,
    )
    assert report.written
    assert errors(report) == [
        ("entities.csv", 5, "parent_id"),
        ("people.csv", 2, "manager_external_id"),
        ("people.csv", 3, "email"),
        ("people.csv", 4, "entity_id"),
        ("groups.csv", 3, "external_id"),
    ]
    assert (report.people.created, report.entities.created, report.groups.created) == (1, 3, 1)
    assert found(core, "1").manager_id is None


def test_with_keep_going_a_bad_line_disables_nobody(core, run):
    rows = crowd(20)
    run(rows)
    bad = [*rows[:18], person("c18", is_manager="perhaps"), {**person(""), "username": "who"}]
    report = run(bad, keep_going=True)
    assert report.people.disabled == 0
    assert found(core, "c18").status == "active"
    # The last line does not say whom it is about: it could be anybody who seems to be missing.
    assert found(core, "c19").status == "active"
    assert report.notes


def test_a_trial_run_says_what_would_change_and_writes_nothing(core, run):
    run(crowd(20))
    report = run([person("c0", display_name="New name"), *crowd(20)[2:], person("new")], dry_run=True)
    assert (report.people.created, report.people.updated, report.people.disabled) == (1, 1, 1)
    assert not report.written
    assert found(core, "c0").display_name == "Person c0"
    with core.db.read() as session:
        assert people.by_external_id(session, "new") is None
        assert len(entries(session, act="people.import")) == 1


def test_a_line_that_repeats_an_id_or_a_username_names_the_first(run):
    report = run([person("1", "alice"), person("1", "other"), person("2", "alice")])
    assert errors(report) == [("people.csv", 3, "external_id"), ("people.csv", 4, "username")]
    assert all("line 2" in error.message for error in report.errors)


def test_a_username_that_somebody_keeps_is_refused(core, run, make_person):
    make_person("alice")
    report = run([person("1", "alice")])
    assert errors(report) == [("people.csv", 2, "username")]
    assert "x-alice" in report.errors[0].message


def test_a_username_not_given_up_after_all_is_refused_to_the_next(core, run):
    run([person("1", "a"), person("2", "b"), person("3", "c")])
    # 3 cannot be read, so 2 cannot have "c", so 1 cannot have "b".
    report = run([person("1", "b"), person("2", "c"), person("3", "d", email="bad")], keep_going=True)
    assert errors(report) == [("people.csv", n, c) for n, c in ((2, "username"), (3, "username"), (4, "email"))]
    assert [found(core, key).username for key in "123"] == ["a", "b", "c"]


def test_circles_of_managers_are_refused_at_their_last_line(run):
    report = run(
        [
            person("1", manager_external_id="2"),
            person("2", manager_external_id="3"),
            person("3", manager_external_id="1"),
            person("4", manager_external_id="4"),
            person("5", manager_external_id="1"),
        ]
    )
    assert errors(report) == [
        ("people.csv", 4, "manager_external_id"),
        ("people.csv", 5, "manager_external_id"),
    ]
    assert "3 → 1 → 2 → 3" in report.errors[0].message


def test_an_unknown_manager_is_refused(run):
    report = run([person("1", manager_external_id="404")])
    assert errors(report) == [("people.csv", 2, "manager_external_id")]


def test_circles_among_entities_are_refused(core, run):
    report = run([], entities=[("A", "A", "C"), ("B", "B", "A"), ("C", "C", "B"), ("D", "D", "D")])
    assert errors(report) == [("entities.csv", 4, "parent_id"), ("entities.csv", 5, "parent_id")]
    run([], entities=[("A", "A", ""), ("B", "B", "A")])
    # Against what stands: A goes below B, and B's line is not in the file.
    assert errors(run([], entities=[("A", "A", "B")])) == [("entities.csv", 2, "parent_id")]
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(EntityPath)) == 3


def test_an_entity_that_moves_takes_its_people_along(core, run):
    run([person("1")])
    report = run([person("1")], entities=[ENTITIES[0], ("HR", "People", "NORTH"), ENTITIES[2]])
    assert (report.entities.updated, report.entities.unchanged, report.people.unchanged) == (1, 2, 1)
    with core.db.read() as session:
        north, hq = (organisation.entity_by_key(session, key).id for key in ("NORTH", "HQ"))
        mine = audiences.of_person(session, people.by_username(session, "user-1").id)
        assert audiences.of_entity(session, north) in mine
        assert audiences.of_entity(session, hq) not in mine


def test_entities_and_groups_missing_from_the_files_are_kept_and_such_a_group_is_emptied(core, run):
    run([person("1")], groups=[("AMB", "Ambassadors", "1"), ("COM", "Communication", "1")])
    with core.db.write() as session:
        own = organisation.add_group(session, "own", "Made by hand")
        organisation.join_group(session, own.id, people.by_username(session, "user-1").id)
    report = run([person("1")], entities=ENTITIES[:2], groups=[("AMB", "Ambassadors", "1")])
    assert (report.entities.kept, report.groups.kept, report.groups.unchanged) == (1, 2, 1)
    with core.db.read() as session:
        members = dict(
            session.execute(
                select(Group.key, func.count(GroupMember.person_id)).outerjoin(GroupMember).group_by(Group.key)
            ).all()
        )
        assert members == {"AMB": 1, "COM": 0, "own": 1}


def test_files_that_are_not_given_change_nothing(core, run):
    run([person("1")], groups=[("AMB", "Ambassadors", "1")])
    report = run([person("1")], entities=None, groups=None)
    assert report.people.unchanged == 1
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(GroupMember)) == 1


def test_a_group_called_by_two_names_is_refused(run):
    report = run([person("1")], groups=[("AMB", "Ambassadors", "1"), ("AMB", "Others", "1")])
    assert errors(report) == [("groups.csv", 3, "name")]


def test_an_import_is_in_the_audit_log_with_its_counts(core, run):
    run(crowd(2))
    with core.db.read() as session:
        entry = entries(session, act="people.import")[0]
        assert entry.actor == "cli:tests"
        assert entry.after["people"]["created"] == 2


def test_a_decision_follows_the_import_at_once(core, run, make_entity):
    """What the policy holds in memory is dropped by an import."""
    run([person("1"), person("2", entity_id="NORTH")])
    with core.db.read() as session:
        from rse_core import policy

        before = policy.level_of(session, people.by_username(session, "user-1").id)
    from rse_core.testing.organisation import set_level

    with core.db.read() as session:
        north = organisation.entity_by_key(session, "NORTH")
    set_level(core, 2, entity=north)
    run([person("1", entity_id="NORTH"), person("2", entity_id="NORTH")])
    with core.db.read() as session:
        after = policy.level_of(session, people.by_username(session, "user-1").id)
    assert (int(before), int(after)) == (0, 2)


def test_a_crash_midway_leaves_the_database_as_it_was(core, run, monkeypatch):
    run(crowd(3))

    def broken(_session: Any) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(audiences, "refresh", broken)
    with pytest.raises(RuntimeError, match="power cut"):
        run([*crowd(3), person("late")])
    with core.db.read() as session:
        assert people.by_external_id(session, "late") is None
        assert session.scalar(select(func.count()).select_from(Membership)) == 9


def test_a_file_may_say_who_is_from_outside_and_one_that_does_not_leaves_it_as_it_is(core, run, monkeypatch):
    columns = (*importer.PEOPLE_COLUMNS, "external")
    with_column = [{**person("1"), "external": "oui"}, {**person("2"), "external": ""}]
    monkeypatch.setattr(importer, "PEOPLE_COLUMNS", columns)
    assert run(with_column).people.created == 2
    assert (found(core, "1").external, found(core, "2").external) == (True, False)
    with core.db.read() as session:
        assert audiences.of_person(session, found(core, "1").id) == frozenset()
    assert run(with_column).people.unchanged == 2
    monkeypatch.undo()
    # A file without the column says nothing about it.
    assert run([person("1"), person("2")]).people.unchanged == 2
    assert run([person("1", phone="12"), person("2")]).people.updated == 1
    assert found(core, "1").external
    monkeypatch.setattr(importer, "PEOPLE_COLUMNS", columns)
    report = run([{**person("1"), "external": "maybe"}, {**person("2"), "external": "1"}], keep_going=True)
    assert errors(report) == [("people.csv", 2, "external")]
    assert found(core, "2").external


def test_an_import_tells_of_who_left_and_who_came_back(core, run):
    from rse_core.models.runtime import Outbox

    run([person("1"), *crowd(30)])
    run(crowd(30))
    run([person("1"), *crowd(30)])
    with core.db.read() as session:
        told = session.execute(select(Outbox.name, Outbox.data).where(Outbox.name.startswith("people."))).all()
    who = {"person": found(core, "1").id}
    assert [tuple(one) for one in told] == [("people.disabled", who), ("people.enabled", who)]
