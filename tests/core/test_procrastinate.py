"""Jobs on Procrastinate: in our transaction, run once, run once more after a worker died and then still once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

from rse_core import migrate
from rse_core.api import Job, Manifest, Plugin, defer, hookimpl
from rse_core.models.runtime import Preference
from rse_core.testing.organisation import make_person

#: Procrastinate runs on PostgreSQL alone.
pytestmark = [pytest.mark.parametrize("rse_database", ["postgres"], indirect=True), pytest.mark.postgres]


class Counter(Plugin):
    """A job that counts its runs in the database."""

    manifest = Manifest(name="counter", label="Counter")

    def count(self, session, person, fail=False):
        row = session.get(Preference, (person, "counter.runs"))
        if row is None:
            session.add(Preference(person_id=person, key="counter.runs", value=1))
        else:
            row.value += 1
        if fail:
            raise ValueError("after writing")

    @hookimpl
    def rse_jobs(self):
        return [Job("counter.count", self.count)]


@pytest.fixture
def core(rse_core):
    core = rse_core([Counter()], jobs="procrastinate")
    migrate.upgrade(core)
    return core


def runs(core, person):
    with core.db.read() as session:
        return session.scalar(select(Preference.value).where(Preference.person_id == person.id)) or 0


def work(core):
    from rse_core.procrastination import run_worker

    run_worker(core, threading.Event(), wait=False)


def test_a_job_is_deferred_in_our_transaction_and_runs_once(core):
    person = make_person(core)
    with pytest.raises(RuntimeError), core.db.write() as session:
        defer(session, "counter.count", person=person.id)
        raise RuntimeError
    work(core)
    assert runs(core, person) == 0
    with core.db.write() as session:
        defer(session, "counter.count", person=person.id)
    work(core)
    work(core)
    assert runs(core, person) == 1


def test_a_key_that_waits_is_not_deferred_twice_and_spoils_nothing(core):
    person = make_person(core)
    with core.db.write() as session:
        defer(session, "counter.count", key="one", person=person.id)
        defer(session, "counter.count", key="one", person=person.id)
        session.add(Preference(person_id=person.id, key="still.written", value=1))
    work(core)
    assert runs(core, person) == 1
    with core.db.read() as session:
        assert session.get(Preference, (person.id, "still.written")) is not None


def test_a_job_that_a_dead_worker_had_finished_does_nothing_the_second_time(core):
    person = make_person(core)
    with core.db.write() as session:
        defer(session, "counter.count", person=person.id)
    work(core)
    # As if the worker had been killed between our commit and Procrastinate's own note of the end.
    with core.db.write() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'todo'"))
    work(core)
    assert runs(core, person) == 1


def test_what_a_failing_job_wrote_is_undone_and_it_is_tried_again_later(core):
    person = make_person(core)
    with core.db.write() as session:
        defer(session, "counter.count", person=person.id, fail=True)
    work(core)
    assert runs(core, person) == 0
    with core.db.read() as session:
        status, attempts = session.execute(text("SELECT status, attempts FROM procrastinate_jobs")).one()
    assert (status, attempts) == ("todo", 1)
