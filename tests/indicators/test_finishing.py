"""Months are finished indicator by indicator: nobody waits, none is ever half finished, and what is interrupted goes on."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from rse_core import indicators_cells, indicators_roll
from rse_core.audit import Actor, record
from rse_core.events import Event, emit
from rse_core.indicators_built import all_of
from rse_core.indicators_figures import Asked, ask
from rse_core.models.indicators import IndicatorMonth

JANUARY, FEBRUARY = dt.date(2026, 1, 1), dt.date(2026, 2, 1)


def works(core):
    """What the hourly job does; what it leaves to others is not done yet."""
    with core.db.write() as session:
        indicators_roll.JOB.run(session)


def finished(core):
    with core.db.read() as session:
        return {tuple(row) for row in session.execute(select(IndicatorMonth.month, IndicatorMonth.indicator))}


def figures(core, *, live=False):
    """Every figure of January, by entity or for the site."""
    found = {}
    with core.db.read() as session:
        for name, one in all_of(core).items():
            for by in ("site", "entity") if one.counts == "people" else ("site",):
                answer = ask(session, core, Asked(name, JANUARY, dt.date(2026, 1, 31), by), live=live)
                found[name, by] = {(f.target, f.numerator, f.denominator) for f in answer.figures}
    return found


@pytest.fixture
def busy(core, company, clock):
    """Forty people in two entities, of whom most came in January; on the second of February, finished."""
    made = company([25, 15])
    staff = sorted(made.book.entity)
    with core.db.write() as session:
        for number in (5, 9, 20):
            made.visit(session, dt.date(2026, 1, number), staff[:30])
    clock.move_to(dt.datetime(2026, 2, 2, 6, tzinfo=dt.UTC))
    works(core)
    core.jobs.run_due()
    return made


def late(core, busy):
    """Twelve reactions of January become known."""
    with core.db.write() as session:
        for person in sorted(busy.book.entity)[:12]:
            emit(session, Event("likes.reacted", person, at=dt.datetime(2026, 1, 15, 9, tzinfo=dt.UTC)))
    core.jobs.dispatcher.run(1_000)


def test_each_part_is_kept_by_itself_and_between_them_every_figure_is_that_of_now(core, busy):
    names = [name for name, one in all_of(core).items() if one.counts != "own"]
    everything = {(month, name) for month in (JANUARY, FEBRUARY) for name in names}
    assert finished(core) == everything
    before = figures(core)
    late(core, busy)
    works(core)
    assert finished(core) == set(), "what holds no more is not told, not even for a moment"
    now = figures(core)
    assert now["engagement_rate", "site"] == {("", 12, 40)} != before["engagement_rate", "site"]
    seen = [0]
    while core.jobs.run_due(1):
        assert figures(core) == now
        seen.append(len(finished(core)))
    assert seen == list(range(len(everything) + 1)) + [len(everything)] * (len(seen) - len(everything) - 1)
    assert figures(core) == now == figures(core, live=True)


def test_whoever_dies_in_the_middle_leaves_the_rest_to_the_next(core, busy, clock, monkeypatch):
    late(core, busy)
    works(core)
    core.jobs.run_due(4)
    done = finished(core)
    assert len(done) == 4

    def dies(*_args, **_more):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(indicators_cells, "keep", dies)
        with pytest.raises(SystemExit):
            core.jobs.run_due(1)
    assert finished(core) == done
    # Its lease is over.
    clock.shift(600)
    core.jobs.run_due()
    with core.db.read() as session:
        assert indicators_cells.unfinished(session, core) == []


def test_while_it_is_counted_others_write(core, busy, monkeypatch):
    count, written = indicators_cells.count, []

    def counts(*args):
        with core.db.write() as session:
            record(session, Actor("somebody"), "test.wrote", "it")
        written.append(1)
        return count(*args)

    monkeypatch.setattr(indicators_cells, "count", counts)
    assert indicators_cells.finish(core, JANUARY) == len(written) > 5
    with core.db.write() as session:
        indicators_roll.roll_up(session)
    assert indicators_roll.rebuild(core) == 2


def test_what_was_counted_before_more_became_known_is_not_kept(core, busy, monkeypatch):
    count = indicators_cells.count

    def counts(*args):
        found = count(*args)
        monkeypatch.setattr(indicators_cells, "count", count)
        late(core, busy)
        works(core)
        return found

    monkeypatch.setattr(indicators_cells, "count", counts)
    assert not indicators_cells.finish_one(core, JANUARY, "engagement_rate")
    assert (JANUARY, "engagement_rate") not in finished(core)
    assert indicators_cells.finish_one(core, JANUARY, "engagement_rate")
    assert figures(core)["engagement_rate", "site"] == {("", 12, 40)}
