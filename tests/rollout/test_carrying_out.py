"""Plans carried out: what is placed and when, twice the same, held, resumed, rolled back; and what everybody is told."""

from __future__ import annotations

import datetime as dt
import json
import threading

import pytest
import time_machine
from sqlalchemy import func, select

from rse_core import levelsets, roles, rollout
from rse_core.api import Actor, can
from rse_core.audit import entries
from rse_core.errors import Conflict
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import Person
from rse_core.models.rollout import RolloutWave
from rse_core.models.runtime import NotificationRow

PARIS = "Europe/Paris"
ME = Actor("boss")


@pytest.fixture
def clock():
    with time_machine.travel(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), tick=False) as found:
        yield found


def apply(core, text, **more):
    with core.db.write() as session:
        return rollout.apply(session, core, text, actor=ME, **more)


def rows(core):
    with core.db.read() as session:
        return session.scalar(select(func.count()).select_from(LevelRow))


def state(core, name):
    with core.db.read() as session:
        return session.scalar(select(RolloutWave.state).where(RolloutWave.name == name))


def move(clock, *date):
    clock.move_to(dt.datetime(*date, tzinfo=dt.UTC))


def tick(core):
    with core.db.write() as session:
        return rollout.advance(session, core)


def test_a_wave_without_a_gate_begins_by_itself_at_midnight_of_the_site(core, organisation, clock, level, free):
    apply(core, free)
    move(clock, 2026, 5, 31, 21, 59)
    assert [level(name) for name in ("paris", "unit", "lyon", "spokesman", "lille")] == [0, 0, 0, 0, 0]
    move(clock, 2026, 5, 31, 22, 0)
    assert [level(name) for name in ("paris", "unit", "lyon", "spokesman", "lille", "marseille")] == [3, 3, 3, 3, 0, 0]
    move(clock, 2027, 1, 1)
    assert [level(name) for name in ("paris", "spokesman", "lille", "marseille", "nowhere")] == [3, 3, 2, 2, 0]


def test_applying_again_changes_nothing_and_says_so(core, organisation, clock, rse, plan_file, free):
    file = plan_file(free)
    first = json.loads(rse("rollout", "apply", file, "--json", "--why", "Decided in March"))
    done = [(one["wave"], one["state"], one["placed"]) for one in first]
    assert done == [("pilot", "planned", 3), ("wave-1", "planned", 2)]
    before = rows(core)
    assert "Nothing had to be changed." in rse("rollout", "apply", file)
    move(clock, 2026, 7, 1)
    tick(core)
    assert "Nothing had to be changed." in rse("rollout", "apply", "generalisation")
    assert rows(core) == before


def test_who_when_and_why_stand_in_the_audit_log_and_in_the_history_of_levels(core, organisation, clock, free):
    apply(core, free, why="Decided in March")
    with core.db.read() as session:
        found = {(one.act, one.subject): one for one in entries(session)}
        placed = found["rollout.place", "wave:pilot"]
        assert (placed.actor, placed.why) == ("boss", "Decided in March")
        assert placed.at == dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
        assert placed.after["state"] == "planned"
        assert ("rollout.apply", "plan:generalisation") in found
        row = levelsets.history(session, where=levelsets.locate(session, "entity", "cpam-75"))[0]
        assert (row.created_by, row.why) == ("boss", "Decided in March")


def test_a_wave_that_was_due_before_it_was_applied_opens_now_and_not_in_the_past(core, organisation, clock, level, free):
    move(clock, 2026, 7, 1, 9)
    apply(core, free)
    assert level("paris") == 3
    with core.db.read() as session:
        assert session.scalar(select(func.min(LevelRow.starts_at))) == dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)


def test_a_wave_that_is_held_does_not_open_and_goes_on_when_resumed(core, organisation, clock, level, free):
    apply(core, free)
    with core.db.write() as session:
        assert rollout.hold(session, core, "pilot", actor=ME, why="A strike").state == "held"
    move(clock, 2026, 7, 1)
    tick(core)
    assert (level("paris"), level("spokesman"), state(core, "pilot")) == (0, 0, "held")
    apply(core, free)
    assert (level("paris"), state(core, "pilot")) == (0, "held")
    with core.db.write() as session:
        assert rollout.resume(session, core, "pilot", actor=ME).state == "open"
    assert (level("paris"), level("spokesman")) == (3, 3)


def test_an_open_wave_is_not_held_and_one_that_placed_nothing_is_not_rolled_back(core, organisation, clock, gated):
    apply(core, gated)
    move(clock, 2026, 7, 1)
    with core.db.write() as session, pytest.raises(Conflict, match="is open and cannot be held"):
        rollout.hold(session, core, "pilot", actor=ME)
    with core.db.write() as session, pytest.raises(Conflict, match="is waiting for its date"):
        rollout.rollback(session, core, "wave-1", actor=ME)
    with core.db.write() as session, pytest.raises(Conflict, match="is waiting for its date"):
        rollout.resume(session, core, "wave-1", actor=ME)


def test_rolling_back_returns_to_the_levels_of_before_and_not_to_nothing(core, organisation, clock, level, free):
    with core.db.write() as session:
        levelsets.place(session, levelsets.locate(session, "entity", "cpam-75"), "react", actor=ME)
    apply(core, free)
    move(clock, 2026, 7, 1)
    assert [level(name) for name in ("paris", "lyon", "spokesman")] == [3, 3, 3]
    with core.db.write() as session:
        assert rollout.rollback(session, core, "pilot", actor=ME, why="Not ready").taken_back == 3
    assert [level(name) for name in ("paris", "unit", "lyon", "spokesman")] == [1, 1, 0, 0]
    apply(core, free)
    assert (level("paris"), state(core, "pilot")) == (1, "rolled_back")
    with core.db.write() as session:
        rollout.resume(session, core, "pilot", actor=ME)
    assert [level(name) for name in ("paris", "lyon", "spokesman")] == [3, 3, 3]


def test_what_a_hand_has_placed_since_stays_when_a_wave_is_rolled_back(core, organisation, clock, level, free):
    apply(core, free)
    move(clock, 2026, 7, 1)
    with core.db.write() as session:
        levelsets.place(session, levelsets.locate(session, "entity", "cpam-75"), "comment", actor=ME)
    move(clock, 2026, 7, 2)
    with core.db.write() as session:
        assert rollout.rollback(session, core, "pilot", actor=ME).taken_back == 2
    assert (level("paris"), level("lyon")) == (2, 0)


def test_another_date_moves_a_wave_that_has_not_begun_and_leaves_one_that_has(core, organisation, clock, level, free):
    apply(core, free)
    apply(core, free.replace("2026-06-01", "2026-09-01"))
    move(clock, 2026, 7, 1)
    assert level("paris") == 0
    move(clock, 2026, 9, 2)
    assert level("paris") == 3
    apply(core, free.replace("2026-06-01", "2026-10-01"))
    assert level("paris") == 3


def test_another_level_or_entity_of_an_open_wave_holds_from_now(core, organisation, clock, level, free):
    apply(core, free)
    move(clock, 2026, 7, 1)
    apply(core, free.replace('"contribute"', '"comment"').replace('"cpam-75", "cpam-69"', '"cpam-75"'))
    assert [level(name) for name in ("paris", "lyon", "spokesman")] == [2, 0, 2]


def test_an_open_wave_does_not_leave_the_plan_unsaid_and_nothing_is_written(core, organisation, clock, level, free):
    apply(core, free)
    move(clock, 2026, 7, 1)
    before = rows(core)
    rest = 'name = "generalisation"\n' + free[free.index("\n[[wave]]\nname = \"wave-1\"") :]
    with pytest.raises(Conflict, match="does not have it any more"):
        apply(core, rest)
    assert (rows(core), level("paris")) == (before, 3)
    with core.db.write() as session:
        rollout.rollback(session, core, "pilot", actor=ME)
    apply(core, rest)
    assert state(core, "pilot") == "gone"


def test_an_entity_is_not_placed_by_two_plans(core, organisation, clock, rse, plan_file, free):
    apply(core, free)
    other = 'name = "other"\n[[wave]]\nname = "first"\nstarts = 2026-08-01\nlevel = "react"\nentities = ["cpam-75"]\n'
    rse("rollout", "apply", plan_file(other), code=1)
    assert "“first” overlaps with the wave “pilot” of the plan “generalisation”" in rse.last.stderr


def test_the_plan_says_who_gains_what_by_entity_and_writes_nothing(core, organisation, clock, rse, plan_file, free):
    found = json.loads(rse("rollout", "plan", plan_file(free), "--json"))
    pilot = {one["key"]: (one["people"], one["gains"], one["loses"]) for one in found[0]["entities"]}
    everything = {"talk.react": 1, "talk.comment": 1, "talk.post": 1}
    assert pilot == {key: (1, everything, {}) for key in ("cpam-13", "cpam-69", "cpam-75", "unit-75")}
    second = {one["key"]: one["gains"] for one in found[1]["entities"]}
    assert second == {key: {"talk.react": 1, "talk.comment": 1} for key in ("cpam-13", "cpam-59")}
    assert rows(core) == 0
    assert "cpam-75: 1 person\n    + 1 Comment" in rse("rollout", "plan", plan_file(free))


def test_the_plan_says_what_is_lost_and_what_a_ceiling_keeps_back(core, organisation, clock, rse, plan_file, free):
    with core.db.write() as session:
        levelsets.place(session, levelsets.locate(session, "entity", "cpam-69"), "collaborate", actor=ME)
        levelsets.place(session, levelsets.locate(session, "entity", "cpam-59"), "react", actor=ME, kind="ceiling")
    found = json.loads(rse("rollout", "plan", plan_file(free.replace('"contribute"', '"react"')), "--json"))
    lyon = next(one for one in found[0]["entities"] if one["key"] == "cpam-69")
    assert (lyon["falls"], lyon["loses"]) == (1, {"talk.comment": 1, "talk.post": 1})
    assert found[1]["held_back"] == 1


def test_why_can_i_not_names_the_wave_and_the_date(core, organisation, clock, free):
    apply(core, free)
    with core.db.read() as session:
        ident = session.scalar(select(Person.id).where(Person.username == "lille"))
        decision = can(session, ident, "talk.comment")
    assert str(decision.message) == "“Comment” opens for your entity on 1 January 2027, with the wave “wave-1”."
    assert decision.opens_at == dt.datetime(2026, 12, 31, 23, tzinfo=dt.UTC)


def test_why_can_i_not_names_the_conditions_of_a_wave_that_is_not_placed(core, organisation, clock, gated):
    apply(core, gated)

    def said():
        with core.db.read() as session:
            ident = session.scalar(select(Person.id).where(Person.username == "lille"))
            return str(can(session, ident, "talk.comment").message)

    assert said() == "“Comment” opens for you on 1 January 2027, with the wave “wave-1”, if its conditions are met."
    move(clock, 2027, 1, 2)
    tick(core)
    assert said() == "“Comment” opens for you with the wave “wave-1”, once its conditions are met."
    with core.db.read() as session:
        ident = session.scalar(select(Person.id).where(Person.username == "lille"))
        assert "is not open to you at present" in str(can(session, ident, "talk.post").message)


def test_a_wave_whose_gate_does_not_hold_stays_closed_and_its_owners_are_told_once(
    core, organisation, clock, level, gated, rse
):
    with core.db.write() as session:
        roles.grant(session, organisation["lyon!"].id, "site_admin", actor=ME)
    apply(core, 'owners = ["paris"]\n' + gated)
    move(clock, 2027, 1, 1)
    for _day in range(3):
        tick(core)
        clock.shift(dt.timedelta(days=1))
    assert (level("lille"), state(core, "wave-1")) == (0, "closed")
    with core.db.read() as session:
        told = session.execute(select(NotificationRow.person_id, NotificationRow.type)).all()
    assert told == [(organisation["paris!"].id, "core.rollout")] * 2  # the pilot has opened; the wave stays closed
    said = rse("rollout", "status", "wave-1")
    assert "closed: its conditions are not met" in said
    assert "✗ The connection rate of “pilot” is not known, or may not be shown; 60 % is asked." in said


def test_the_administrators_are_told_where_the_plan_names_no_owner(core, organisation, clock, gated):
    with core.db.write() as session:
        roles.grant(session, organisation["lyon!"].id, "site_admin", actor=ME)
    apply(core, gated)
    move(clock, 2027, 1, 1)
    tick(core)
    with core.db.read() as session:
        assert set(session.scalars(select(NotificationRow.person_id))) == {organisation["lyon!"].id}


def test_the_job_of_the_core_does_it_without_anybody(core, organisation, clock, free):
    apply(core, free)
    core.jobs.plan_periodic()
    move(clock, 2026, 6, 2)
    core.jobs.run_due()
    assert state(core, "pilot") == "open"


def test_two_who_apply_at_once_place_nothing_twice(core, organisation, clock, free):
    barrier, failures = threading.Barrier(2), []

    def act():
        barrier.wait()
        try:
            apply(core, free)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=act) for _n in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failures == []
    assert rows(core) == 5
