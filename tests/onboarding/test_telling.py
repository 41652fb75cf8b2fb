"""Telling people that a level has opened: set by set, once for each person and level, muted by choice."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core import notify
from rse_core.api import Actor, use_locale, utcnow
from rse_core.models.runtime import NotificationRow
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person, set_level
from rse_onboarding import standing, telling
from rse_onboarding.models import Opening


def told(core):
    """Who was told of which level."""
    with core.db.read() as session:
        rows = session.execute(
            select(NotificationRow.person_id, NotificationRow.ref_id).where(NotificationRow.type == telling.OPENED)
        )
        return sorted((person, int(level)) for person, level in rows)


@pytest.fixture
def run(core):
    def run():
        with core.db.write() as session:
            telling.tell(session)

    return run


def test_those_for_whom_something_opened_are_told_once(core, anna, level, run):
    elsewhere = make_person(core, "ben")
    level("comment")
    for _again in range(3):
        run()
    assert told(core) == [(anna.id, 2)]
    set_level(core, "react")
    run()
    assert told(core) == [(anna.id, 2), (elsewhere.id, 1)], "hers is no higher than before"


def test_what_is_told_says_what_one_can_do_now(core, anna, level, run):
    level("react")
    run()
    level("contribute")
    run()
    with core.db.read() as session, use_locale("en"):
        lines = [one.text for one in notify.lines(session, anna.id, notify.of_person(session, anna.id))]
    assert sorted(map(str, lines)) == [
        "You can now comment and contribute. See what has opened to you", "You can now react. See what has opened to you"
    ]  # fmt: skip


def test_a_level_that_is_to_come_is_told_when_it_has_come(core, anna, level, run):
    begins = utcnow() + dt.timedelta(days=2)
    level("react", starts_at=begins)
    run()
    assert told(core) == []
    with time_machine.travel(begins + dt.timedelta(minutes=1), tick=True):
        run()
        assert told(core) == [(anna.id, 1)]


def test_one_that_was_withdrawn_again_is_told_to_nobody(core, anna, level, run):
    level("comment")
    level("inform")
    run()
    assert told(core) == []


def test_lowering_and_raising_again_tells_nobody_twice(core, anna, level, run):
    for name in ("comment", "react", "comment"):
        level(name)
        run()
    assert told(core) == [(anna.id, 2)]


def test_groups_and_ceilings_open_too(core, anna, north, level, run):
    from rse_core import levelsets

    make_group(core, "amb", members=[anna])
    other = make_person(core, "ben", entity=north)
    with core.db.write() as session:
        levelsets.place(session, levelsets.locate(session, "group", "amb"), "collaborate", actor=Actor("test"))
    run()
    assert told(core) == [(anna.id, 4)]
    with core.db.write() as session:
        levelsets.place(
            session, levelsets.locate(session, "entity", "north"), "react", actor=Actor("test"), kind="ceiling"
        )
    with core.db.write() as session:
        levelsets.place(session, levelsets.locate(session, "entity", "north"), "comment", actor=Actor("test"))
    run()
    assert told(core) == [(anna.id, 4), (other.id, 1)]
    with core.db.write() as session:
        levelsets.place(
            session, levelsets.locate(session, "entity", "north"), None, actor=Actor("test"), kind="ceiling"
        )
    run()
    assert told(core) == [(anna.id, 4), (other.id, 1), (other.id, 2)]


def test_who_was_shown_it_already_is_not_told(core, anna, level, run):
    level("react")
    with core.db.write() as session:
        standing.acknowledge(session, anna.id)
    run()
    assert told(core) == []


def test_who_wants_no_such_notification_and_who_has_left_get_none(core, anna, north, level, run):
    from rse_core import people

    gone = make_person(core, "ben", entity=north)
    with core.db.write() as session:
        notify.choose(session, anna.id, telling.OPENED, "page", "none")
        people.disable(session, gone.id)
    level("react")
    run()
    assert told(core) == []


def test_the_site_can_do_without(core, anna, level, run):
    with core.db.write() as session:
        core.options.set(session, "onboarding.tell", False, Actor("test"))
    level("react")
    run()
    with core.db.write() as session:
        core.options.set(session, "onboarding.tell", True, Actor("test"))
    run()
    assert told(core) == [], "what opened meanwhile is not told afterwards"


def test_many_are_told_in_short_transactions_that_a_stop_only_interrupts(core, monkeypatch, run):
    monkeypatch.setattr(telling, "CHUNK", 3)
    monkeypatch.setattr(telling, "CHUNKS", 2)
    south = make_entity(core, "south")
    people = [make_person(core, f"p{number}", entity=south) for number in range(8)]
    set_level(core, "comment", entity=south)
    run()
    assert len(told(core)) == 6
    with core.db.read() as session:
        assert session.scalar(select(Opening.done_at)) is None
    run()
    assert told(core) == [(one.id, 2) for one in people]
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Opening).where(Opening.done_at.is_not(None))) == 1


def test_the_number_of_queries_does_not_depend_on_how_many_are_told(core, run):
    counts = []
    for size in (2, 25):
        entity = make_entity(core, f"e{size}")
        for number in range(size):
            make_person(core, f"p{size}-{number}", entity=entity)
        set_level(core, "react", entity=entity)
        with count_queries(core) as queries:
            run()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_job_is_known_and_runs(core, anna, level):
    level("react")
    core.jobs.plan_periodic()
    with time_machine.travel(utcnow() + dt.timedelta(minutes=6), tick=True):
        core.jobs.run_due()
    assert told(core) == [(anna.id, 1)]
