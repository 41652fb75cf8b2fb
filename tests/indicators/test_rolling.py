"""From what happens to figures: counted once, late news taken in, made again the same, kept no longer than allowed."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sqlalchemy import func, select

from rse_core import charter, indicators_cells, indicators_roll, privacy
from rse_core.api import Actor, Event, ObjectRef, emit
from rse_core.indicators import record_visit
from rse_core.indicators_figures import Asked, ask
from rse_core.models.indicators import Fact, IndicatorCell, Presence, PresenceMonth, Pseudonym, RollupState, Standing
from rse_core.models.runtime import Visit
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_space

JANUARY, FEBRUARY = (dt.date(2026, 1, 1), dt.date(2026, 1, 31)), (dt.date(2026, 2, 1), dt.date(2026, 2, 28))
ME = Actor("boss")


def at(clock, *moment):
    clock.move_to(dt.datetime(*moment, tzinfo=dt.UTC))


def roll(core):
    with core.db.write() as session:
        return indicators_roll.roll_up(session)


def figure(core, name, period, by="site", target="", people="all", live=False):
    with core.db.read() as session:
        found = ask(session, core, Asked(name, *period, by, people), live=live).figures
    one = next((one for one in found if one.target == target), None)
    return None if one is None or one.suppressed else (one.numerator, one.denominator)


def everything(core, live=False):
    with core.db.read() as session:
        return [
            ask(session, core, Asked(name, *period, by), live=live)
            for period in (JANUARY, FEBRUARY, (JANUARY[0], FEBRUARY[1]), (dt.date(2026, 1, 9), dt.date(2026, 2, 3)))
            for name in
            ("connection_rate", "engagement_rate", "habit", "contribution_rate", "answer_time", "documents_opened")
            for by in ("site", "entity", "wave", "level", "group")
        ]  # fmt: skip


@pytest.fixture
def lively(core, company, clock):
    """Seventy people, and what they did in January and February; the day is the first of March."""
    made = company([40, 30])
    staff = sorted(made.book.entity)
    with core.db.write() as session:
        made.join(session, staff[:30], "ambassadors", dt.date(2026, 1, 2))
    for month, came, wrote in ((1, 50, 20), (2, 35, 10)):
        with core.db.write() as session:
            for number in range(5, 20):
                made.visit(session, dt.date(2026, month, number), staff[number : number + came - 20])
            made.visit(session, dt.date(2026, month, 22), staff[:came])
            for one in staff[:wrote]:
                made.act(session, dt.date(2026, month, 12), one, "likes.reacted")
            for one in staff[8 : wrote + 10]:
                made.act(session, dt.date(2026, month, 14), one, "core.document_opened")
            for one in staff[5 : wrote + 5]:
                made.act(session, dt.date(2026, month, 13), one, "comments.published")
    at(clock, 2026, 3, 1, 6)
    roll(core)
    return made


def test_an_event_and_a_visit_become_figures_once_each(core, company, clock):
    made = company([20])
    first, second = sorted(made.book.entity)[:2]
    with core.db.write() as session:
        record_visit(session, first)
        record_visit(session, first)
        page, nine = ObjectRef("page", "/news/1"), dt.datetime(2026, 1, 2, 9, tzinfo=dt.UTC)
        emit(session, Event("likes.reacted", first, page, at=nine))
        emit(session, Event("comments.published", second, ObjectRef("comments.comment", "7"), data={"object": str(page)}))
        emit(session, Event("page.moved", second, page))
    core.jobs.run_due()
    core.jobs.run_due()
    roll(core)
    roll(core)
    period = (dt.date(2026, 1, 2), dt.date(2026, 1, 2))
    assert figure(core, "connection_rate", period) == (1, 20)
    assert figure(core, "engagement_rate", period) == (2, 20)
    with core.db.read() as session:
        facts = session.execute(select(Fact.who, Fact.on_ref).order_by(Fact.id)).all()
        people = set(session.scalars(select(Pseudonym.who)))
    assert [on for _who, on in facts] == ["", "page:/news/1"]
    assert {who for who, _on in facts} <= people
    assert not people & set(made.book.entity), "a pseudonym is not the person's number"


def test_an_event_that_is_delivered_late_is_counted_on_its_day(core, lively, clock):
    before = figure(core, "engagement_rate", JANUARY)
    late = sorted(lively.book.entity)[60]
    with core.db.write() as session:
        emit(session, Event("likes.reacted", late, at=dt.datetime(2026, 1, 15, 9, tzinfo=dt.UTC)))
    core.jobs.run_due()
    assert dt.date(2026, 1, 15) in roll(core)
    assert figure(core, "engagement_rate", JANUARY) == (before[0] + 1, before[1])
    with core.db.write() as session:
        assert indicators_cells.make(session, core, JANUARY[0])
    assert figure(core, "engagement_rate", JANUARY) == (before[0] + 1, before[1])


def test_a_worker_that_was_away_for_weeks_catches_up(core, company, clock):
    made = company([20])
    staff = sorted(made.book.entity)
    with core.db.write() as session:
        for number in range(3, 30):
            made.visit(session, dt.date(2026, 1, number), staff[:12])
    at(clock, 2026, 2, 20, 6)
    days = roll(core)
    assert (days[0], days[-1]) == (dt.date(2026, 1, 1), dt.date(2026, 2, 20))
    assert figure(core, "habit", JANUARY) == (12 * 19, 20 * 22)


def test_made_again_from_the_raw_record_everything_is_the_same(core, lively):
    before = everything(core)
    with core.db.write() as session:
        session.execute(Presence.__table__.delete())
        session.execute(PresenceMonth.__table__.delete())
    assert everything(core) != before
    assert indicators_roll.rebuild(core) == 3
    assert everything(core) == before
    assert everything(core, live=True) == before


def test_a_rebuild_that_was_interrupted_goes_on_where_it_stopped_and_the_site_serves(core, lively):
    before = everything(core)

    class Stopped(Exception):
        pass

    told = []

    def stop(month, done, of):
        told.append((month, done, of))
        assert everything(core) == before
        raise Stopped

    with pytest.raises(Stopped):
        indicators_roll.rebuild(core, progress=stop)
    with core.db.read() as session:
        assert session.get(RollupState, 1).rebuilt_to == dt.date(2026, 1, 31)
    assert everything(core) == before
    assert indicators_roll.rebuild(core, progress=lambda *one: told.append(one)) == 2
    assert told == [(dt.date(2026, n, 1), n, 3) for n in (1, 2, 3)]
    assert everything(core) == before
    with core.db.read() as session:
        assert session.get(RollupState, 1).rebuild_to is None


def test_finished_months_are_what_would_be_counted_anew_and_cost_a_few_queries(core, lively):
    with core.db.write() as session:
        for month, _last in (JANUARY, FEBRUARY):
            indicators_cells.make(session, core, month)
    assert everything(core) == everything(core, live=True)
    with core.db.read() as session, count_queries(core) as queries:
        answer = ask(session, core, Asked("connection_rate", *FEBRUARY, "entity"))
    assert len(answer.figures) == 3
    assert len(queries) <= 2, queries


def test_people_are_counted_where_they_stood_when_the_month_began(core, company, clock):
    made = company([40, 30])
    north, south = made.book.entities["e000"], made.book.entities["e001"]
    people = [one for one, rows in made.book.entity.items() if rows[0][1] == north]
    at(clock, 2026, 1, 15, 6)
    with core.db.write() as session:
        made.visit(session, dt.date(2026, 1, 10), people[:12])
        made.visit(session, dt.date(2026, 2, 10), people[:12])
        made.move(session, people[:12], south, dt.date(2026, 1, 15))
        made.move(session, people[30:35], None, dt.date(2026, 1, 15))
        indicators_roll.roll_up(session)
    at(clock, 2026, 3, 1, 6)
    roll(core)
    assert figure(core, "connection_rate", JANUARY, "entity", str(north)) == (12, 40)
    assert figure(core, "connection_rate", JANUARY, "entity", str(south)) == (0, 30)
    # In February they stand in the south, and with them what they did in January, elsewhere.
    assert figure(core, "connection_rate", FEBRUARY, "entity", str(north)) == (0, 23)
    assert figure(core, "connection_rate", FEBRUARY, "entity", str(south)) == (12, 42)
    assert figure(core, "connection_rate", (JANUARY[0], FEBRUARY[1]), "entity", str(south)) == (12, 42)


def test_erasing_somebody_cuts_the_link_and_leaves_every_figure(core, lively):
    before = everything(core)
    one = sorted(lively.book.entity)[3]
    with core.db.read() as session:
        who = session.scalar(select(Pseudonym.who).where(Pseudonym.person_id == one))
        export = privacy.export(session, one)
    counted = next(part for part in export["sections"] if part["name"] == "core.counted")
    assert {row["act"] for row in counted["rows"] if "act" in row} == {"likes.reacted"}
    assert json.dumps(counted["rows"])
    assert str(who) not in json.dumps(export)
    with core.db.write() as session:
        privacy.erase(session, one, actor=ME)
    with core.db.read() as session:
        assert session.scalar(select(func.count()).where(Pseudonym.person_id == one)) == 0
        assert session.scalar(select(func.count()).where(Visit.person_id == one)) == 0
        assert session.scalar(select(func.count()).where(Fact.who == who)) > 0
    assert everything(core) == before
    indicators_roll.rebuild(core)
    assert everything(core)[:-20] == before[:-20]
    roll(core)
    with core.db.read() as session:
        assert session.scalar(select(func.count()).where(Pseudonym.person_id == one)) == 0


def test_what_single_people_did_is_forgotten_after_the_months_set_and_figures_stay(core, lively, clock):
    with core.db.write() as session:
        indicators_cells.make(session, core, JANUARY[0])
    before = figure(core, "connection_rate", JANUARY)
    at(clock, 2029, 1, 2, 6)
    with core.db.write() as session:
        assert indicators_roll.prune(session, 36) == 0
        at(clock, 2029, 2, 2, 6)
        assert indicators_roll.prune(session, 36) > 0
    with core.db.read() as session:
        assert session.scalar(select(func.min(Presence.day))) >= dt.date(2026, 2, 1)
        assert session.scalar(select(func.min(Fact.day))) >= dt.date(2026, 2, 1)
        assert session.scalar(select(func.min(Visit.day))) >= dt.date(2026, 2, 1)
    assert figure(core, "connection_rate", JANUARY) == before
    with core.db.write() as session:
        assert indicators_cells.make(session, core, JANUARY[0]) == 0, "a late event does not spoil what is finished"
        asked = Asked("connection_rate", dt.date(2026, 1, 10), dt.date(2026, 1, 20))
        assert ask(session, core, asked).figures == (), "nothing is counted from what happens to be left"
    assert figure(core, "connection_rate", JANUARY) == before


def test_the_job_of_the_core_keeps_months_finished(core, lively, clock):
    at(clock, 2026, 3, 2, 6)
    core.jobs.plan_periodic()
    at(clock, 2026, 3, 2, 9)
    core.jobs.run_due()
    with core.db.read() as session:
        months = set(session.scalars(select(IndicatorCell.month)))
    assert dt.date(2026, 3, 1) in months


def test_charter_acceptance_is_that_of_the_version_in_force_then(core, company, clock):
    made = company([20])
    staff = sorted(made.book.entity)
    with core.db.write() as session:
        first = charter.publish(session, title="One", body="Text", actor=ME)
        for one in staff[:15]:
            charter.accept(session, one, first.id)
    at(clock, 2026, 2, 10, 6)
    with core.db.write() as session:
        second = charter.publish(session, title="Two", body="Text", actor=ME)
        charter.accept(session, staff[0], second.id)
        indicators_roll.roll_up(session)
    assert figure(core, "charter_acceptance", JANUARY) == (15, 20)
    assert figure(core, "charter_acceptance", FEBRUARY) == (1, 20)


def test_answers_are_by_somebody_else_and_within_a_day(core, company, clock):
    made = company([20, 20])
    staff = sorted(made.book.entity)
    with core.db.write() as session:
        for number, one in enumerate(staff[:12]):
            ref = ObjectRef("feed.post", str(number))
            made.act(session, dt.date(2026, 1, 12), one, "feed.published", ref=ref)
            answers = dt.date(2026, 1, 12) if number < 6 else dt.date(2026, 1, 14)
            by = one if number == 11 else staff[30]
            made.act(session, answers, by, "comments.published", data={"object": str(ref)})
        made.act(session, dt.date(2026, 1, 13), staff[0], "feed.published", ref=ObjectRef("feed.post", "0"))
        indicators_roll.roll_up(session)
    at(clock, 2026, 2, 1, 6)
    roll(core)
    assert figure(core, "answer_time", JANUARY) == (6, 12)
    with core.db.read() as session:
        found = ask(session, core, Asked("answer_time", *JANUARY)).figures[0]
    assert found.more == {"median_hours": 0.0}


def test_a_space_is_about_what_its_members_do_there(core, company, clock):
    made = company([30])
    staff = sorted(made.book.entity)
    space, other = make_space(core, "garden"), make_space(core, "small")
    from rse_core.models.organisation import SpaceMember

    with core.db.write() as session:
        session.add_all(SpaceMember(space_id=space.id, person_id=one, role="member") for one in staff[:12])
        session.add_all(SpaceMember(space_id=other.id, person_id=one, role="member") for one in staff[:9])
        indicators_roll.roll_up(session)
    at(clock, 2026, 2, 2, 6)
    with core.db.write() as session:
        for one in staff[:4]:
            made.act(session, dt.date(2026, 2, 1), one, "comments.published", data={"space": space.id})
        made.act(session, dt.date(2026, 2, 1), staff[5], "comments.published", data={"space": other.id})
        made.act(session, dt.date(2026, 2, 1), staff[20], "comments.published", data={"space": space.id})
        indicators_roll.roll_up(session)
    period = (dt.date(2026, 2, 1), dt.date(2026, 2, 2))
    assert figure(core, "engagement_rate", period, "space", str(space.id)) == (4, 12)
    assert figure(core, "engagement_rate", period, "space", str(other.id)) is None
    assert figure(core, "active_communities", period) == (2, 2)
    with core.db.read() as session:
        assert session.scalar(select(func.count()).where(Standing.kind == "space", Standing.until.is_(None))) == 21
