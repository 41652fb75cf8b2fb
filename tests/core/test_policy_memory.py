"""What a process remembers of the policy: bounded, dropped person by person, right again when the clock passes a date."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core import memory as memory_module
from rse_core import policy
from rse_core.api import Capability, Level, Manifest, ObjectRef, Plugin, Target, hookimpl
from rse_core.audit import Actor
from rse_core.db import utcnow
from rse_core.models.governance import Charter, Suspension
from rse_core.pages import PageClaim, set_section
from rse_core.testing import count_queries


class Talk(Plugin):
    manifest = Manifest("talk", "Talk")

    @hookimpl
    def rse_capabilities(self):
        yield Capability("talk.comment", "Comment", Level.COMMENT)


@pytest.fixture
def rse_plugins():
    return [Talk()]


def ask(core, person, subject=None):
    with core.db.read() as session:
        return policy.can(session, person.id, "talk.comment", subject)


def test_the_number_of_people_remembered_is_bounded(core, make_person, monkeypatch):
    monkeypatch.setattr(memory_module, "MAX_PEOPLE", 4)
    people = [make_person(f"p{n}", level=Level.COMMENT) for n in range(7)]
    for person in people * 2:
        assert ask(core, person).allowed
        assert len(core.policy.memory.people) <= 4


def test_the_number_of_decisions_remembered_is_bounded(core, make_person, monkeypatch):
    monkeypatch.setattr(memory_module, "MAX_DECISIONS", 5)
    person = make_person("alice", level=Level.COMMENT)
    for number in range(20):
        assert ask(core, person, Target(sections=(f"/s{number}",))).allowed
    assert len(core.policy.memory.people[person.id].memo) <= 5


def test_a_change_of_one_persons_facts_leaves_the_others_in_memory(core, make_person):
    alice, bob = make_person("alice", level=Level.COMMENT), make_person("bob", level=Level.COMMENT)
    assert ask(core, alice)
    assert ask(core, bob)
    with core.db.write() as session:
        session.add(Suspension(person_id=bob.id, starts_at=utcnow()))
        policy.touch(session, bob.id)
    with count_queries(core.policy.memory.db.engine) as count:
        assert ask(core, alice).allowed
        changed = len(count)
        assert not ask(core, bob).allowed
    assert changed == 2, str(count)
    assert len(count) > changed


def test_a_page_that_moves_to_another_section_drops_decisions_but_nobodys_facts(core, make_person, set_level):
    person = make_person("alice", level=Level.COMMENT)
    set_level(Level.REACT, section="/hr", kind="cap")
    ref = ObjectRef("page", "/news/12")
    assert ask(core, person, ref).allowed
    known = core.policy.memory.people[person.id]
    with core.db.write() as session:
        core.pages.identify(session, PageClaim("/news/12"), create=True)
        set_section(session, core, "/news/12", "/hr", Actor("test"))
    assert not ask(core, person, ref).allowed
    assert core.policy.memory.people[person.id] is known


@pytest.mark.parametrize("what", ["suspension", "charter"])
def test_a_remembered_answer_ends_with_what_it_was_made_from(core, make_person, what):
    time_machine = pytest.importorskip("time_machine")
    person = make_person("alice", level=Level.COMMENT)
    now = utcnow()
    later = now + dt.timedelta(hours=1)
    with core.db.write() as session:
        if what == "suspension":
            session.add(Suspension(person_id=person.id, starts_at=now - dt.timedelta(hours=1), ends_at=later))
        else:
            session.add(Charter(version="1", title="Rules", body="…", published_at=later))
        policy.touch(session)
    expected = [what == "charter", what == "suspension"]
    found = []
    for moment in (later - dt.timedelta(seconds=1), later):
        with time_machine.travel(moment, tick=False):
            found.append([ask(core, person).allowed for _ in range(3)])
    assert found == [[answer] * 3 for answer in expected]


def test_facts_read_while_they_changed_are_not_remembered(core, make_person, monkeypatch):
    # Another process commits between the reading of a person's facts and their being kept.
    person = make_person("alice", level=Level.COMMENT)
    memory = core.policy.memory
    snapshot = memory.snapshot()
    load = memory_module.load_people

    def slow(session, ids):
        found = load(session, ids)
        with core.db.write() as other:
            other.add(Suspension(person_id=person.id, starts_at=utcnow() - dt.timedelta(seconds=1)))
            policy.touch(other, person.id)
        memory.confirm(look=True)
        return found

    monkeypatch.setattr(memory_module, "load_people", slow)
    assert memory.person(person.id, snapshot).facts.suspensions == ()
    monkeypatch.undo()
    assert person.id not in memory.people
    assert str(ask(core, person).reason) == "suspended"


def test_closing_stops_the_thread(core):
    core.policy.start()
    thread = core.policy.memory.watcher._thread
    assert thread.is_alive()
    core.policy.stop()
    assert not thread.is_alive()


def read_titles(session):
    return tuple(row.title for row in session.query(Charter))


def titles(core):
    with core.db.read() as session:
        return core.policy.shared(session, ("test.charters",), read_titles)


def test_what_is_shared_is_read_once_and_again_when_the_structure_changes(core, make_person):
    make_person("anna", level=Level.COMMENT)
    assert titles(core) == ()
    with count_queries(core) as queries:
        assert titles(core) == ()
    assert not queries
    with core.db.write() as session:
        session.add(Charter(version="1", title="Rules", body="…", published_at=utcnow(), published_by="test"))
        session.flush()
        assert core.policy.shared(session, ("test.charters",), lambda _fresh: "kept") == (), "nothing said that it changed"
        policy.touch(session)
        found = core.policy.shared(session, ("test.charters",), read_titles)
        assert found == ("Rules",), "one's own transaction sees what it wrote"
    assert titles(core) == ("Rules",)


def test_what_is_shared_is_never_older_than_the_version_it_is_kept_for(core, make_person):
    make_person("anna", level=Level.COMMENT)
    with core.db.read() as old:
        # Its transaction begins before the change and goes on after it.
        assert old.query(Charter).count() == 0
        with core.db.write() as session:
            session.add(Charter(version="1", title="Rules", body="…", published_at=utcnow(), published_by="test"))
            policy.touch(session)
        core.policy.shared(old, ("test.charters",), read_titles)
    assert titles(core) == ("Rules",)
