"""Events and jobs: delivered after the commit, once as far as the database can tell, retried, never in the way."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import func, select, update

from rse_core.api import Consumer, Event, Job, Manifest, ObjectRef, Plugin, RseError, defer, emit, hookimpl, utcnow
from rse_core.models.runtime import Delivery, JobRow, Outbox
from rse_core.testing import count_queries


class Recorder(Plugin):
    """Takes every event and one job; fails as often as it is told to."""

    manifest = Manifest(name="recorder", label="Recorder")

    def __init__(self):
        self.seen, self.failures, self.ran, self.stopped = [], 0, [], threading.Event()

    def take(self, session, event):
        if self.failures:
            self.failures -= 1
            raise ValueError("not now")
        self.seen.append(event)

    def run(self, session, number=0):
        if self.failures:
            self.failures -= 1
            raise ValueError("not now")
        self.ran.append(number)

    @hookimpl
    def rse_consumers(self):
        return [Consumer("recorder.all", ("thing.*",), self.take)]

    @hookimpl
    def rse_jobs(self):
        return [Job("recorder.job", self.run, max_attempts=3)]


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def rse_plugins(recorder):
    return [recorder]


def send(core, name="thing.done", **values):
    with core.db.write() as session:
        emit(session, Event(name, ref=ObjectRef("page", "/a"), data={"n": 1}, **values))


def at_once(core):
    """What waits for its next attempt is due now."""
    with core.db.write() as session:
        session.execute(update(Delivery).where(Delivery.state == "retry").values(next_at=utcnow()))
        session.execute(update(JobRow).values(run_at=utcnow()))


def test_an_event_reaches_its_consumer_once_with_all_it_carried(core, recorder):
    send(core, actor_id=None)
    assert core.jobs.run_due() == 1
    assert core.jobs.run_due() == 0
    (event,) = recorder.seen
    assert (event.name, event.ref, event.data) == ("thing.done", ObjectRef("page", "/a"), {"n": 1})
    assert event.at.tzinfo is not None


def test_an_event_of_a_transaction_that_failed_never_existed(core, recorder):
    with pytest.raises(RuntimeError), core.db.write() as session:
        emit(session, Event("thing.done"))
        raise RuntimeError
    core.jobs.run_due()
    assert recorder.seen == []


def test_events_that_nobody_asked_for_are_closed(core, recorder):
    send(core, "other.thing")
    core.jobs.run_due()
    assert recorder.seen == []
    with core.db.read() as session:
        assert core.jobs.dispatcher.waiting(session) is None


def test_a_consumer_that_fails_is_tried_again_and_holds_up_nobody(core, recorder):
    recorder.failures = 1
    send(core)
    core.jobs.run_due()
    assert recorder.seen == []
    with core.db.read() as session:
        row = session.scalars(select(Delivery)).one()
        assert (row.state, row.attempts) == ("retry", 1)
        assert row.next_at > utcnow()
        assert "not now" in row.error
    send(core)
    core.jobs.run_due()
    assert len(recorder.seen) == 1
    at_once(core)
    core.jobs.run_due()
    assert len(recorder.seen) == 2


def test_a_consumer_that_always_fails_ends_and_stays_to_be_seen(core, recorder):
    recorder.failures = 99
    send(core)
    for _ in range(12):
        core.jobs.run_due()
        at_once(core)
    with core.db.read() as session:
        assert session.scalars(select(Delivery)).one().state == "dead"
        assert session.scalar(select(Outbox.done_at)) is not None


def test_what_a_consumer_wrote_before_it_failed_is_undone(core, recorder):
    def take(session, event):
        emit(session, Event("child.of"))
        raise ValueError

    recorder.take = take
    core.plugins.contributions(Consumer)  # the staged consumer keeps its own bound method
    send(core)
    core.jobs.run_due()
    with core.db.read() as session:
        assert session.scalars(select(Outbox.name)).all() == ["thing.done"]


def test_two_dispatchers_at_once_deliver_once(core, recorder):
    for _ in range(20):
        send(core)
    threads = [threading.Thread(target=core.jobs.run_due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    core.jobs.run_due()
    assert len(recorder.seen) == len({event.id for event in recorder.seen}) == 20


def test_old_delivered_events_are_pruned_and_waiting_ones_are_not(core, recorder):
    send(core)
    core.jobs.run_due()
    with core.db.write() as session:
        session.execute(update(Outbox).values(done_at=utcnow() - dt.timedelta(days=30)))
    send(core)
    with core.db.write() as session:
        assert core.jobs.dispatcher.prune(session) == 1
        assert session.scalar(select(func.count()).select_from(Outbox)) == 1


def test_a_job_runs_after_the_commit_with_its_arguments(core, recorder):
    with core.db.write() as session:
        defer(session, "recorder.job", number=3)
        assert recorder.ran == []
    core.jobs.run_due()
    core.jobs.run_due()
    assert recorder.ran == [3]


def test_a_job_with_a_key_waits_once(core, recorder):
    for number in (1, 2):
        with core.db.write() as session:
            defer(session, "recorder.job", key="one", number=number)
    core.jobs.run_due()
    assert recorder.ran == [1]


def test_a_job_is_not_run_before_its_time(core, recorder):
    with core.db.write() as session:
        defer(session, "recorder.job", run_at=utcnow() + dt.timedelta(hours=1))
    core.jobs.run_due()
    assert recorder.ran == []
    at_once(core)
    core.jobs.run_due()
    assert recorder.ran == [0]


def test_a_job_that_nobody_registered_is_refused_at_once(core):
    with core.db.write() as session, pytest.raises(RseError, match=r"nothing\.here"):
        defer(session, "nothing.here")


def test_a_job_that_fails_is_tried_again_then_dies_with_its_error(core, recorder):
    recorder.failures = 99
    with core.db.write() as session:
        defer(session, "recorder.job")
    for _ in range(6):
        core.jobs.run_due()
        at_once(core)
    with core.db.read() as session:
        row = session.scalars(select(JobRow)).one()
        assert (row.state, row.attempts) == ("dead", 3)
        assert "not now" in row.error


def test_a_job_whose_worker_died_is_taken_over_after_its_lease(core, recorder):
    with core.db.write() as session:
        defer(session, "recorder.job", number=7)
    claimed = core.jobs._claim()
    assert claimed is not None
    core.jobs.run_due()
    assert recorder.ran == []
    with core.db.write() as session:
        session.execute(update(JobRow).values(lease_until=utcnow() - dt.timedelta(seconds=1)))
    core.jobs.run_due()
    assert recorder.ran == [7]


def test_an_idle_worker_takes_no_writing_lock(core):
    with count_queries(core) as counter:
        core.jobs.run_due()
    assert not [text for text in counter.statements if "IMMEDIATE" in text or text.startswith(("INSERT", "UPDATE"))]


def test_the_thread_works_and_rests(core, recorder):
    core.jobs.start()
    send(core)
    deadline = threading.Event()
    for _ in range(100):
        if recorder.seen:
            break
        deadline.wait(0.05)
    assert len(recorder.seen) == 1
    deadline.wait(0.5)
    with count_queries(core) as counter:
        deadline.wait(2.2)
    core.jobs.stop()
    # Two or three looks in two seconds; a worker that wakes itself would look thousands of times.
    assert len(counter.statements) < 60


def test_the_key_of_a_dead_job_is_free_so_that_what_repeats_goes_on(core, recorder):
    for _round in range(2):
        recorder.failures = 3
        with core.db.write() as session:
            defer(session, "recorder.job", key="recorder.turn", number=1)
        for _attempt in range(3):
            at_once(core)
            core.jobs.run_due()
    with core.db.write() as session:
        assert session.scalar(select(func.count()).select_from(JobRow).where(JobRow.state == "dead")) == 2
        defer(session, "recorder.job", key="recorder.turn", number=2)
    at_once(core)
    core.jobs.run_due(1)
    assert recorder.ran == [2]
