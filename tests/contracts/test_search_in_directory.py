"""People as search everywhere finds them, while the rules change by which they are shown."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

rse_directory = pytest.importorskip("rse_directory")
rse_search = pytest.importorskip("rse_search")

from rse_core import health, search_again  # noqa: E402
from rse_core.api import Actor, ObjectRef, SearchDocument, defer  # noqa: E402
from rse_core.models.organisation import Person  # noqa: E402
from rse_core.models.runtime import JobRow  # noqa: E402
from rse_core.roles import grant  # noqa: E402
from rse_core.testing.organisation import make_entity, make_person, set_level  # noqa: E402
from rse_directory import access, editing, finding, indexing  # noqa: E402
from rse_search import service as search  # noqa: E402
from rse_search.asking import Asked  # noqa: E402
from rse_search.models import Document  # noqa: E402

NARROW = {"job_title": {"audience": "managers", "imposed": True}}


@pytest.fixture
def rse_plugins():
    return [rse_directory.plugin, rse_search.plugin]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """One process: it knows the new rule at once, and batches are small."""
    monkeypatch.setattr(search_again, "WAIT", dt.timedelta(0))
    monkeypatch.setattr(search_again, "BATCH", 3)


@pytest.fixture
def people(core):
    """Eight people with a job, found by it."""
    set_level(core, "comment")
    entity = make_entity(core, "north")
    made = [make_person(core, f"p{number}", name=f"Person {number}", entity=entity) for number in range(8)]
    with core.db.write() as session:
        for person in made:
            session.get(Person, person.id).job_title = "Cartographe"
        session.flush()
        indexing.refresh(session, [person.id for person in made])
        for person in made:
            indexing.changed(session, person.id, None)
    core.jobs.run_due()
    return made


def found(core, person, text):
    with core.db.read() as session:
        results = search.search(session, person.id, Asked(text))
        if not results.hits:
            assert search.suggest(session, person.id, text) == []
    return len(results.hits)


def change(core, **settings):
    with core.db.write() as session:
        for key, value in settings.items():
            core.options.set(session, f"directory.{key}", value, Actor("test"))


def old_text(core):
    with core.db.read() as session:
        return session.scalar(select(func.count()).where(Document.body.contains("Cartographe")))


def test_what_a_setting_hides_is_found_by_nobody_from_that_moment_on(core, people):
    assert found(core, people[0], "cartographe") == 8
    change(core, fields=NARROW)
    assert old_text(core) == 8, "the index is as it was"
    assert found(core, people[0], "cartographe") == 0
    core.jobs.run_due()
    assert old_text(core) == 0
    assert found(core, people[0], "cartographe") == 0
    assert found(core, people[0], "person") == 8, "by their names they are found again"


def test_a_reader_who_began_before_the_change_leaves_no_memory_of_what_was_then(core, people):
    with core.db.read() as old:
        assert search.search(old, people[0].id, Asked("person")).hits
        change(core, fields=NARROW)
        search.search(old, people[0].id, Asked("person"))
    assert found(core, people[0], "cartographe") == 0


def test_an_interruption_loses_nothing_and_finds_nothing(core, people):
    change(core, fields=NARROW)
    core.jobs.run_due(limit=1)
    assert 0 < old_text(core) < 8, "some batches are done"
    assert found(core, people[0], "cartographe") == 0
    assert found(core, people[0], "person") == 0
    core.jobs.run_due()
    assert old_text(core) == 0
    assert found(core, people[0], "person") == 8


def test_a_second_change_begins_anew_and_the_first_look_stops(core, people):
    change(core, fields=NARROW)
    core.jobs.run_due(limit=1)
    change(core, fields={})
    assert found(core, people[0], "cartographe") == 0, "only the last look knows what may be found"
    core.jobs.run_due()
    assert found(core, people[0], "cartographe") == 8
    with core.db.read() as session:
        assert search_again.withheld(session) == frozenset()
        left = select(func.count()).where(JobRow.name == search_again.JOB.name, JobRow.state == "queued")
        assert session.scalar(left) == 0


def test_a_job_that_was_left_over_from_before_changes_nothing(core, people):
    change(core, fields=NARROW)
    with core.db.write() as session:
        defer(session, search_again.JOB.name, ref_type="directory.person", turn="another", after="10000000")
    core.jobs.run_due(limit=2)
    assert found(core, people[0], "cartographe") == 0
    core.jobs.run_due()
    assert found(core, people[0], "person") == 8


def test_those_who_left_the_list_go_out_when_leaving_counts_again(core, people):
    change(core, may_leave=False)
    core.jobs.run_due()
    change(core, may_leave=True)
    core.jobs.run_due()
    with core.db.write() as session:
        editing.edit(session, people[3].id, {"listed": False})
    core.jobs.run_due()
    assert found(core, people[0], "person") == 7
    change(core, may_leave=False)
    assert found(core, people[0], "person") == 7, "nothing is hidden by showing more"
    core.jobs.run_due()
    assert found(core, people[0], "person") == 8
    change(core, may_leave=True)
    assert found(core, people[0], "person") == 0
    core.jobs.run_due()
    assert found(core, people[0], "person") == 7


def test_isolation_counts_at_once(core, people):
    away = make_person(core, "away", name="Far Away", entity=make_entity(core, "south"))
    assert found(core, away, "person") == 8
    change(core, isolated=["north"])
    assert found(core, away, "person") == 0
    core.jobs.run_due()
    assert found(core, away, "person") == 0
    assert found(core, people[0], "person") == 8


def test_nobody_of_an_isolated_entity_finds_those_outside_it(core, people):
    """A service of all is found from everywhere."""
    away = make_person(core, "away", name="Far Away", entity=make_entity(core, "south"))
    help_desk = make_person(core, "desk", name="Far Desk", entity=make_entity(core, "desk"))
    for person in (away, help_desk):
        with core.db.write() as session:
            indexing.changed(session, person.id, None)
    core.jobs.run_due()
    assert found(core, people[0], "far") == 2
    change(core, isolated=["north"], services=["desk"])
    core.jobs.run_due()
    assert [found(core, one, "far") for one in (people[0], away, help_desk)] == [1, 2, 2]
    assert [found(core, one, "person") for one in (people[0], away)] == [8, 0]
    with core.db.read() as session:
        (hit,) = search.search(session, people[0].id, Asked("far")).hits
        assert hit.title.striptags() == "Far Desk"
        assert [one.title.striptags() for one in search.suggest(session, people[0].id, "far")] == ["Far Desk"]


def test_who_serves_all_entities_and_who_runs_the_site_find_everybody_as_the_directory_shows_them(core, people):
    inner = make_person(core, "inner", name="Person Inside", entity=make_entity(core, "inner"))
    desk = make_person(core, "desk", name="Desk", entity=make_entity(core, "desk"))
    boss = make_person(core, "boss", name="Boss", entity=make_entity(core, "top"))
    outside = make_person(core, "outside", name="Outside", external=True)
    with core.db.write() as session:
        grant(session, boss.id, "site_admin", actor=Actor("test"))
        indexing.refresh(session, [inner.id])
        indexing.changed(session, inner.id, None)
    change(core, isolated=["north", "inner"], services=["desk"])
    core.jobs.run_due()
    everybody = (desk, boss, people[0], inner, outside)
    assert [found(core, one, "person") for one in everybody] == [9, 9, 8, 1, 0]
    with core.db.read() as session:
        for one in everybody[:4]:
            shown = finding.find(session, access.sight(session, one.id), finding.Asked("person"))
            assert len(shown.ids) == found(core, one, "person"), "as the directory lists them"
    change(core, services=[])
    core.jobs.run_due()
    assert found(core, desk, "person") == 0
    with core.db.write() as session:
        editing.edit(session, people[3].id, {"listed": False})
    core.jobs.run_due()
    assert found(core, boss, "person") == 8, "who left the list is found by nobody"


def test_a_change_of_another_field_leaves_the_index_alone(core, people):
    change(core, fields={"phone": {"audience": "nobody", "imposed": True}})
    assert found(core, people[0], "cartographe") == 8


def test_the_doctor_names_a_look_that_did_not_end_and_mends_it(core, people, monkeypatch):
    change(core, fields=NARROW)
    with core.db.write() as session:
        for row in session.scalars(select(JobRow).where(JobRow.name == search_again.JOB.name)):
            session.delete(row)
    monkeypatch.setattr(search_again, "LATE", dt.timedelta(seconds=-1))
    lines = {line.name: line.result for line in health.examine(core)}
    assert not lines["found"].ok
    assert "directory.person" in str(lines["found"].detail)
    health.examine(core, repair=True)
    core.jobs.run_due()
    assert {line.name: line.result for line in health.examine(core)}["found"].ok
    assert found(core, people[0], "person") == 8


def test_a_backend_without_a_look_of_its_own_is_given_the_documents(core, people):
    class Elsewhere:
        def __init__(self):
            self.taken = []

        def index(self, session, documents, gone):
            self.taken += [*documents, *gone]

    backend, refs = Elsewhere(), [ObjectRef("directory.person", str(people[0].id)), ObjectRef("directory.person", "999999")]
    with core.db.write() as session:
        search_again._look(session, backend, refs)
    assert isinstance(backend.taken[0], SearchDocument)
    assert backend.taken[1] == refs[1]
