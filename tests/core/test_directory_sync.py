"""Synchronisation with directories: what is compared, refused, left out and kept; two at once; a reading that breaks off."""

from __future__ import annotations

import datetime as dt
import json
import threading

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select

from rse_core import directory, organisation, people, roles
from rse_core.api import (
    Actor,
    Conflict,
    DirectoryEntity,
    DirectoryFault,
    DirectoryGroup,
    DirectoryPerson,
    DirectoryReading,
    DirectorySource,
    Manifest,
    NotFound,
    Plugin,
    RseError,
    hookimpl,
    utcnow,
)
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.models.organisation import DirectoryRun, Group, GroupMember, Person
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person

WHO = Actor("cli:test")


class Registry(Plugin):
    """A directory that says what the test wants."""

    manifest = Manifest("registry", "Registry", kind="adapter")

    def __init__(self):
        self.people = {}
        self.entities = [DirectoryEntity("hq", "Head office"), DirectoryEntity("west", "Agence Ouest", "hq")]
        self.groups, self.faults, self.marks = [], [], []
        self.lost = self.wait = None
        self.changes = None
        self.every = 0

    def add(self, ident, name=None, **values):
        given = {"username": ident, "display_name": name or ident.title(), "entity": "west", **values}
        self.people[ident] = DirectoryPerson(ident, where=f"uid={ident},o=x", **given)

    def read(self, mark, progress):
        self.marks.append(mark)
        if self.wait is not None:
            self.wait.wait(10)
        if progress is not None:
            progress("people", len(self.people), len(self.people))
        if self.lost:
            raise self.lost
        if mark and self.changes is not None:
            return DirectoryReading(self.changes, complete=False, mark=f"{mark}+")
        mark = "" if self.changes is None else "m1"
        return DirectoryReading(list(self.people.values()), self.entities, self.groups, self.faults, mark=mark)

    @hookimpl
    def rse_directory_sources(self):
        return [DirectorySource("registry.main", "The registry", self.read, every=self.every)]


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def rse_plugins(registry):
    return [registry]


@pytest.fixture
def sync(core):
    def sync(**values):
        return directory.sync(core, directory.source_named(core, "registry"), actor=WHO, **values)

    return sync


def person(core, ident):
    with core.db.read() as session:
        return session.scalar(select(Person).where(Person.external_id == ident))


def runs(core):
    with core.db.read() as session:
        return directory.runs(session)


def test_people_entities_and_groups_come_once(core, registry, sync):
    registry.add("b1", "Zoé Œuvrard", manager="b2", job_title="Accueil", phone="01 02")
    registry.add("b2", is_manager=True)
    registry.groups = [DirectoryGroup("managers", "Managers", ("b2", "nobody"))]
    first = sync()
    assert first.report.people.as_dict()["created"] == 2
    assert first.report.notes, "a membership of nobody who was read is told, and refuses nothing"
    zoe, boss = person(core, "b1"), person(core, "b2")
    assert (zoe.display_name, zoe.folded_name, zoe.source, zoe.manager_id) == (
        "Zoé Œuvrard", "zoe oeuvrard", "registry.main", boss.id,
    )  # fmt: skip
    with core.db.read() as session:
        assert organisation.entity_by_key(session, "west").parent_id == organisation.entity_by_key(session, "hq").id
        assert session.scalars(select(GroupMember.person_id)).all() == [boss.id]
        assert session.scalars(select(Group.source)).all() == ["registry.main"]
    again = sync()
    assert again.report.people.as_dict() == {"created": 0, "updated": 0, "disabled": 0, "unchanged": 2, "kept": 0}
    assert [run.state for run in runs(core)] == ["done", "done"]


def test_a_rename_a_move_a_leaver_and_a_return_keep_the_same_person(core, registry, sync):
    for ident in ("a1", "a2", *(f"x{n}" for n in range(30))):
        registry.add(ident)
    sync()
    before = person(core, "a1").id
    registry.add("a1", "Anna Married", username="anna.married", entity="hq")
    left = registry.people.pop("a2")
    sync()
    anna, gone = person(core, "a1"), person(core, "a2")
    assert (anna.id, anna.username, anna.display_name) == (before, "anna.married", "Anna Married")
    assert (gone.status, gone.disabled_at is not None) == ("disabled", True)
    registry.people["a2"] = left
    sync()
    back = person(core, "a2")
    assert (back.id, back.status, back.disabled_at) == (gone.id, "active", None)


def test_homonyms_are_two_people_and_one_username_is_one_persons(core, registry, sync):
    registry.add("h1", "Jean Martin", username="jmartin")
    registry.add("h2", "Jean Martin", username="jmartin2")
    registry.add("h3", "Jeanne Martin", username="jmartin")
    result = sync()
    assert [error.column for error in result.report.errors] == ["username"]
    assert "uid=h1,o=x" in result.report.errors[0].message
    assert (person(core, "h1").username, person(core, "h2").username, person(core, "h3")) == ("jmartin", "jmartin2", None)


def test_two_people_swap_their_usernames(core, registry, sync):
    registry.add("s1", username="first")
    registry.add("s2", username="second")
    sync()
    registry.add("s1", username="second")
    registry.add("s2", username="first")
    sync()
    assert (person(core, "s1").username, person(core, "s2").username) == ("second", "first")


def test_when_too_many_would_leave_nothing_is_written_until_somebody_says_so(core, registry, sync):
    for number in range(20):
        registry.add(f"p{number}")
    sync()
    for number in range(3):
        registry.people.pop(f"p{number}")
    registry.add("p5", "Renamed")
    refused = sync()
    assert (refused.state, person(core, "p0").status, person(core, "p5").display_name) == ("refused", "active", "P5")
    assert "--allow-mass-disable" in str(refused.report.errors[0])
    assert runs(core)[0].state == "refused"
    assert sync(allow_mass_disable=True).report.people.disabled == 3
    assert person(core, "p0").status == "disabled"


def test_only_its_own_people_can_leave_and_others_are_not_overwritten(core, registry, sync):
    make_person(core, "local1", name="By hand", external_id="local1")
    with core.db.write() as session:
        session.execute(Person.__table__.update().values(source="csv"))
    registry.add("r1")
    registry.add("local1", "Overwritten", username="local1")
    result = sync()
    assert person(core, "local1").status == "active"
    assert person(core, "local1").display_name == "By hand"
    (error,) = result.report.errors
    assert (error.file, error.column) == ("uid=local1,o=x", "external_id")
    assert "--adopt csv" in error.remedy
    sync(adopts=frozenset({"csv"}))
    assert (person(core, "local1").display_name, person(core, "local1").source) == ("Overwritten", "registry.main")


def test_a_faulty_entry_is_left_out_and_its_person_has_not_left(core, registry, sync):
    for number in range(15):
        registry.add(f"p{number}")
    sync()
    registry.people.pop("p1")
    registry.faults = [DirectoryFault("uid=p1,o=x", "mail", "The attribute mail has no text.", external_id="p1")]
    registry.add("p2", display_name="")
    registry.add("p3", "x" * 400)
    registry.add("p4", "Two\x00lines")
    registry.add("p5", email="no address")
    registry.add("p6", manager="ghost")
    registry.add("p7", entity="nowhere")
    result = sync()
    assert {error.column for error in result.report.errors} == {
        "mail", "display_name", "email", "manager", "entity_id",
    }  # fmt: skip
    assert {error.file for error in result.report.errors} == {f"uid=p{n},o=x" for n in range(1, 8)}
    assert [person(core, f"p{n}").status for n in range(8)] == ["active"] * 8
    assert person(core, "p6").manager_id is None
    strict = sync(strict=True)
    assert strict.state == "refused"


def test_a_reading_that_breaks_off_changes_nothing_and_is_told(core, registry, sync):
    for number in range(5):
        registry.add(f"p{number}")
    sync()
    registry.people.clear()
    registry.lost = RseError("The connection was lost on page 3.")
    result = sync()
    assert (result.state, result.error) == ("failed", "The connection was lost on page 3.")
    assert person(core, "p0").status == "active"
    registry.lost = ZeroDivisionError("unexpected")
    assert sync().error == "ZeroDivisionError: unexpected"
    assert [run.state for run in runs(core)] == ["failed", "failed", "done"]


def test_changes_alone_are_read_until_it_is_time_to_see_who_has_left(core, registry, sync):
    registry.changes = []
    for number in range(20):
        registry.add(f"p{number}")
    with time_machine.travel(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC), tick=False) as clock:
        sync()
        registry.people.pop("p0")
        registry.changes = [DirectoryPerson("p1", "p1", "Renamed", entity="west")]
        clock.shift(600)
        second = sync()
        assert (second.complete, second.report.people.updated, second.report.people.disabled) == (False, 1, 0)
        assert person(core, "p0").status == "active", "changes alone do not say who has left"
        clock.shift(600)
        registry.lost = RseError("lost")
        sync()
        registry.lost = None
        clock.shift(600)
        sync()
        assert registry.marks == ["", "m1", "m1+", "m1+"], "what failed is read again from where the last one ended"
        clock.shift(86_400)
        last = sync()
        assert (last.complete, last.report.people.disabled) == (True, 1)
        registry.marks.clear()
        sync(complete=True)
        assert registry.marks == [""]


def test_a_trial_run_lists_what_would_change_and_writes_nothing(core, registry, sync):
    registry.add("p1")
    registry.add("p2")
    sync()
    registry.add("p1", "Renamed", entity="hq")
    registry.add("p3")
    registry.people.pop("p2")
    result = sync(dry_run=True, allow_mass_disable=True)
    found = {(change.kind, change.act, change.key): change.what for change in result.changes}
    assert found == {
        ("person", "create", "p3"): {},
        ("person", "update", "p1"): {"display_name": ("P1", "Renamed"), "entity": ("west", "hq")},
        ("person", "disable", "p2"): {},
    }
    assert (person(core, "p1").display_name, person(core, "p3"), person(core, "p2").status) == ("P1", None, "active")
    assert len(runs(core)) == 1


def test_two_at_once_are_one_and_a_dead_one_does_not_block_for_ever(core, registry, sync):
    registry.add("p1")
    registry.wait = threading.Event()
    first = threading.Thread(target=sync)
    first.start()
    for _ in range(200):
        if runs(core):
            break
        threading.Event().wait(0.02)
    with pytest.raises(Conflict, match="registry"):
        sync()
    registry.wait.set()
    first.join(20)
    assert [run.state for run in runs(core)] == ["done"]
    registry.wait = None
    with core.db.write() as session:
        session.add(DirectoryRun(source="registry.main", seen_at=utcnow() - dt.timedelta(hours=1)))
    assert sync().state == "done"
    assert [run.state for run in runs(core)] == ["done", "failed", "done"]


def test_an_unknown_directory_is_refused_with_those_that_there_are(core):
    with pytest.raises(NotFound) as caught:
        directory.source_named(core, "ldap")
    assert "registry.main" in caught.value.remedy


def test_the_worker_reads_when_it_is_time_and_a_late_one_is_a_warning(rse_core):
    registry = Registry()
    registry.every = 3_600
    registry.add("p1")
    core = rse_core([registry])
    with core.db.read() as session:
        assert not directory.check(core, session).ok
    with core.db.write() as session:
        directory.LOOK.run(session)
    while core.jobs.run_due():
        pass
    assert person(core, "p1").status == "active"
    with core.db.read() as session:
        assert directory.check(core, session).ok
        with time_machine.travel(utcnow() + dt.timedelta(hours=4)):
            assert not directory.check(core, session).ok


def test_the_command_previews_synchronises_and_reports(core, registry):
    registry.add("p1", "Zoé")
    registry.add("p2", email="bad")

    def rse(*words):
        return CliRunner(env={"LC_ALL": "C"}).invoke(cli, ["people", *words], obj=State(lambda: core))

    trial = rse("sync", "registry", "--dry-run", "--verbose")
    assert trial.exit_code == 1, "an entry was left out"
    assert "create   p1" in trial.output
    assert person(core, "p1") is None
    done = json.loads(rse("sync", "registry.main", "--json").stdout)
    assert (done["state"], done["people"]["created"], len(done["errors"])) == ("done", 1, 1)
    assert "created=1" in rse("syncs").output
    assert json.loads(rse("syncs", "--json").stdout)[0]["report"]["errors"][0]["file"] == "uid=p2,o=x"
    assert rse("syncs", "other.one").exit_code == 0


def test_the_administration_shows_the_runs_to_site_administrators_only(core, registry, sync, rse_app):
    registry.add("p1")
    registry.add("p2", email="<b>bad</b>")
    sync()
    ada, ben = make_person(core, "ada"), make_person(core, "ben")
    with core.db.write() as session:
        roles.grant(session, ada.id, "site_admin", actor=WHO)
    page = as_person(rse_app.test_client(), ada).get("/rse/admin/directories/")
    assert page.status_code == 200
    assert "registry.main" in page.text
    assert "uid=p2,o=x" in page.text
    assert "<b>bad</b>" not in page.text
    assert as_person(rse_app.test_client(), ben).get("/rse/admin/directories/").status_code in (403, 404)
    with core.db.read() as session:
        assert people.by_username(session, "p1").source == "registry.main"
