"""Every indicator, finished and from the roll-ups, is what a slow count of the raw record gives: now, after late news, after
a rebuild, after a rebuild that was interrupted. The slow count knows no roll-up, no bits and no SQL."""

from __future__ import annotations

import datetime as dt
import random
import statistics
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select

from rse_core import calendars, charter, indicators_cells, indicators_roll
from rse_core.api import Actor, ObjectRef
from rse_core.indicators_figures import Asked, ask
from rse_core.models.indicators import IndicatorCell, IndicatorMonth, Presence, PresenceMonth, PresenceSpace, RollupState
from rse_core.models.organisation import SpaceMember
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_space

ME, DAY = Actor("boss"), dt.timedelta(days=1)
MONTHS = [(dt.date(2026, n, 1), indicators_roll.month_end(dt.date(2026, n, 1))) for n in (1, 2, 3)]
ODD = [(dt.date(2026, 1, 9), dt.date(2026, 2, 3)), (dt.date(2026, 2, 14), dt.date(2026, 2, 20))]
REACTED, COMMENTED, POSTED, OPENED = "likes.reacted", "comments.published", "feed.published", "core.document_opened"
ACTS = {
    "engagement_rate": {REACTED, COMMENTED}, "contribution_rate": {REACTED, COMMENTED, POSTED},
    "documents_opened": {OPENED},
}  # fmt: skip
ALL = ("connection_rate", *ACTS, "habit", "charter_acceptance", "answer_time")
#: e001 works on the 7th of January and keeps the 12th and the 13th; all others keep the site's calendar.
CLOSED = {"e001": {dt.date(2026, 1, 12), dt.date(2026, 1, 13), dt.date(2026, 2, 16)}}
SITE_CLOSED = {dt.date(2026, 1, 1), dt.date(2026, 1, 7), dt.date(2026, 2, 17)}
ZONE = ZoneInfo("Europe/Paris")


@pytest.fixture
def core(rse_core):
    closed = tuple(sorted(SITE_CLOSED - {dt.date(2026, 1, 1)}))
    return rse_core([], holiday_calendar="fr", holidays=closed, timezone="Europe/Paris")


class Life:
    """What happened, in lists, beside the database."""

    def __init__(self, core, made):
        self.core, self.made, self.book, self.chance = core, made, made.book, random.Random(11)
        self.posts, self.comments, self.opened, self.inside, self.accepted = [], [], [], [], {}
        self.number = 0

    def act(self, session, at, person, name, *, space=None, ref=None, on=None):
        from rse_core.events import Event
        from rse_core.indicators_facts import note

        data = ({"space": space} if space else {}) | ({"object": str(on)} if on else {})
        note(session, Event(name, person, ref, at=at, data=data))
        self.book.acts.append((at.date(), person, name))
        if space:
            self.inside.append((at.date(), person, name, space))

    def month(self, first, last, spaces):
        """A month of it."""
        staff = sorted(self.book.people(self.book.anchor(last)))
        day = first if first != MONTHS[0][0] else dt.date(2026, 1, 3)
        with self.core.db.write() as session:
            while day <= last:
                self.made.visit(session, day, self.chance.sample(staff, self.chance.randint(10, 60)))
                for person in self.chance.sample(staff, 6):
                    at = dt.datetime.combine(day, dt.time(self.chance.randint(0, 23), 30), dt.UTC)
                    self.something(session, at, person, staff, self.chance.choice([None, *spaces]))
                day += DAY

    def something(self, session, at, person, staff, space):
        kind = self.chance.choice((REACTED, POSTED, POSTED, OPENED))
        if kind != POSTED:
            self.act(session, at, person, kind, space=space)
            return
        self.number += 1
        ref = ObjectRef("feed.post", str(self.number))
        self.act(session, at, person, POSTED, space=space, ref=ref)
        self.posts.append((at, person, str(ref)))
        for _answer in range(self.chance.randint(0, 2)):
            by, later = self.chance.choice([*staff[:40], person]), at + dt.timedelta(hours=self.chance.randint(1, 90))
            if later.date() < dt.date(2026, 4, 1):
                self.act(session, later, by, COMMENTED, space=space, ref=ObjectRef("comments.comment", "1"), on=ref)
                self.comments.append((later, by, str(ref)))

    # -- the slow count

    def works(self, day, entity):
        names = {ident: key for key, ident in self.book.entities.items()}
        closed = CLOSED.get(names[entity])
        return day.weekday() < 5 and day not in (SITE_CLOSED if closed is None else closed)

    def hours(self, begin, end, entity):
        """Minute by minute would be slow; half hour by half hour is exact, as everything happens at half past."""
        found, at, half = 0, begin, dt.timedelta(minutes=30)
        while at < end:
            found += self.works(at.astimezone(ZONE).date(), entity)
            at += half
        return found / 2

    def slow(self, name, first, last, who, people):
        """numerator, denominator, median."""
        if name == "habit":
            return self.habit(first, last, who, people)
        if name == "answer_time":
            return self.answers(first, last, who)
        if name == "connection_rate":
            have = self.book.came(first, last)
        elif name == "charter_acceptance":
            version = max((n for n, (at, _by) in self.accepted.items() if at <= last), default=None)
            if version is None:
                return None
            have = {one for one, day in self.accepted[version][1].items() if day <= last}
        else:
            have = self.book.did(ACTS[name], first, last)
        return len(who & have), len(who), None

    def habit(self, first, last, who, people):
        came = due = 0
        for begin, end in indicators_roll.months_between(first, last):
            home = self.book.people(self.book.anchor(end))
            for one in people(end):
                days = [begin + DAY * n for n in range((end - begin).days + 1)]
                open_days = [day for day in days if self.works(day, home[one])]
                due += len(open_days)
                came += sum(one in self.book.visits.get(day, ()) for day in open_days)
        return came, due, None

    def answers(self, first, last, who):
        home, waits = self.book.people(self.book.anchor(last)), []
        for at, author, ref in self.posts:
            if author in who and first <= at.date() <= last:
                said = [
                    when for when, by, on in self.comments
                    if on == ref and by != author and when >= at and when.date() <= last
                ]  # fmt: skip
                waits.append(self.hours(at, min(said), home[author]) if said else None)
        known = [one for one in waits if one is not None]
        median = round(statistics.median(known), 1) if known else None
        return sum(one <= 24 for one in known), len(waits), median


@pytest.fixture
def life(core, company, clock, two_waves):
    """Three months of 230 people in five entities, two spaces and a group, with two charters."""
    made = company([60, 50, 40, 60, 20])
    life = Life(core, made)
    staff = sorted(made.book.entity)
    two_waves("2026-01-20")
    with core.db.write() as session:
        calendars.keep(session, made.book.entities["e001"], "none", dict.fromkeys(CLOSED["e001"], "closed"))
        made.join(session, staff[20:75], "communication", dt.date(2026, 1, 2))
    life.spaces = {}
    for key, people in (("garden", staff[:30]), ("quiet", staff[40:52]), ("tiny", staff[:4])):
        space = make_space(core, key)
        life.spaces[space.id] = set(people)
        with core.db.write() as session:
            session.add_all(SpaceMember(space_id=space.id, person_id=one, role="member") for one in people)
    roll(core)
    for number, (first, last) in enumerate(MONTHS):
        life.month(first, last, [one for one, who in life.spaces.items() if len(who) != 12])
        day = dt.datetime.combine(last, dt.time(12), dt.UTC)
        clock.move_to(day)
        with core.db.write() as session:
            if number:
                made.move(session, staff[10 * number : 10 * number + 9], made.book.entities["e003"], last)
                published = charter.publish(session, title=f"V{number}", body="Text", actor=ME)
                people = staff[: 100 - 30 * number]
                for one in people:
                    charter.accept(session, one, published.id)
                life.accepted[number] = (last, dict.fromkeys(people, last))
        roll(core)
    clock.move_to(dt.datetime(2026, 4, 1, 6, tzinfo=dt.UTC))
    roll(core)
    return life


def roll(core):
    with core.db.write() as session:
        indicators_roll.roll_up(session)


def finish(core):
    """What the hourly job does, and what it leaves to the other."""
    with core.db.write() as session:
        indicators_roll.JOB.run(session)
    while core.jobs.run_due():
        pass


def waves(life):
    entities, groups = life.book.entities, life.book.groups
    return {
        "pilot": ({entities["e000"], entities["e001"]}, {groups["communication"]}),
        "rest": (set(entities.values()), set()),
    }


def compare(life, *, live):
    """How many figures were compared; each is what the slow count gives."""
    number = 0
    with life.core.db.read() as session:
        for first, last in [*MONTHS, (MONTHS[0][0], MONTHS[2][1]), *ODD]:
            for name in ALL:
                for by, part in (
                    *((by, "all") for by in ("site", "entity", "wave", "group")),
                    *((by, part) for by in ("site", "entity", "wave") for part in ("managers", "others")),
                ):
                    answer = ask(session, life.core, Asked(name, first, last, by, part), live=live)
                    number += _same(life, answer, name, (first, last), by, part)
            number += _spaces(session, life, first, last, live)
    return number


def _same(life, answer, name, period, by, part):
    first, last = period

    def people(target, end):
        found = life.book.cells(by, end, waves(life)).get(target, set())
        return found if part == "all" else {one for one in found if (one in life.book.managers) == (part == "managers")}

    compared = 0
    for figure in answer.figures:
        if not figure.suppressed:
            who = people(figure.target, last)
            slow = life.slow(name, first, last, who, lambda end, target=figure.target: people(target, end))
            found = (figure.numerator, figure.denominator, figure.more.get("median_hours"))
            assert found == slow, (name, period, by, part, figure.target)
            compared += 1
    if by == "site" and part == "all" and name != "charter_acceptance":
        assert compared == 1, (name, period)
    return compared


def _spaces(session, life, first, last, live):
    compared = 0
    for name, acts in ACTS.items():
        figures = {f.target: f for f in ask(session, life.core, Asked(name, first, last, "space"), live=live).figures}
        assert set(figures) == {str(one) for one in life.spaces}
        for space, members in life.spaces.items():
            did = {one for day, one, act, where in life.inside if where == space and act in acts and first <= day <= last}
            shown = figures[str(space)]
            assert shown.suppressed == (len(members) < 10)
            if not shown.suppressed:
                assert (shown.numerator, shown.denominator) == (len(members & did), len(members)), (name, first, space)
                compared += 1
    [figure] = ask(session, life.core, Asked("active_communities", first, last), live=live).figures
    lively = {where for day, _one, act, where in life.inside if act in {POSTED, COMMENTED} and first <= day <= last}
    assert (figure.numerator, figure.denominator) == (len(lively), 3)
    return compared + 1


def test_finished_and_rolled_up_figures_are_those_of_the_slow_count(life):
    counted = compare(life, live=True)
    assert counted > 300
    finish(life.core)
    with life.core.db.read() as session:
        assert set(session.scalars(select(IndicatorMonth.month))) >= {first for first, _last in MONTHS}
        assert indicators_cells.unfinished(session, life.core) == []
    assert compare(life, live=False) == counted


def test_after_a_rebuild_that_was_interrupted_they_still_are(life):
    core = life.core
    finish(core)
    before = compare(life, live=False)
    with core.db.write() as session:
        for table in (Presence, PresenceMonth, PresenceSpace, IndicatorCell, IndicatorMonth):
            session.execute(delete(table))

    class Stopped(Exception):
        pass

    def stop(month, done, of):
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        indicators_roll.rebuild(core, progress=stop)
    with core.db.read() as session:
        assert session.get(RollupState, 1).rebuilt_to == dt.date(2026, 2, 28)
    assert indicators_roll.rebuild(core) == 2
    assert compare(life, live=False) == before
    assert compare(life, live=True) == before


def test_late_news_of_a_finished_month_finishes_it_again(life):
    core = life.core
    finish(core)
    with core.db.write() as session:
        at = dt.datetime(2026, 2, 11, 9, 30, tzinfo=dt.UTC)
        for person in sorted(life.book.entity)[100:130]:
            life.act(session, at, person, REACTED, space=sorted(life.spaces)[0])
            life.act(session, at, person, OPENED)
    finish(core)
    assert compare(life, live=False) > 300


def test_a_calendar_that_changes_leaves_no_finished_figure_of_before(life):
    core = life.core
    finish(core)
    entity = life.book.entities["e002"]
    CLOSED["e002"] = {dt.date(2026, 3, 2)}
    try:
        with core.db.write() as session:
            calendars.keep(session, entity, "none", {dt.date(2026, 3, 2): "closed"})
            assert indicators_cells.unfinish(session, core, ("habit", "answer_time")) == 4
        assert compare(life, live=False) > 300
        finish(core)
        with core.db.read() as session:
            assert indicators_cells.unfinished(session, core) == []
        assert compare(life, live=False) > 300
    finally:
        del CLOSED["e002"]


def test_a_changed_plan_tells_the_waves_of_finished_months_apart_anew(life, two_waves):
    core = life.core
    finish(core)
    two_waves("2026-01-20", ("e000", "e001", "e003"))

    def by_wave(live):
        with core.db.read() as session:
            asked = Asked("connection_rate", *MONTHS[1], "wave")
            return {f.target: (f.numerator, f.denominator) for f in ask(session, core, asked, live=live).figures}

    at_once = by_wave(live=False)
    assert at_once == by_wave(live=True)
    with core.db.read() as session:
        left = [month for month, _names in indicators_cells.unfinished(session, core)]
    assert left == [dt.date(2026, 4, 1), *(month for month, _last in MONTHS[::-1])]
    finish(core)
    assert by_wave(live=False) == at_once


def test_a_finished_month_answers_in_a_few_queries_also_where_there_is_nothing(life):
    core = life.core
    finish(core)
    for name in (*ALL, "active_communities"):
        for by in ("site", "entity", "wave", "level", "group", "space") if name != "active_communities" else ("site",):
            if by == "space" and name not in ACTS:
                continue
            with core.db.read() as session, count_queries(core) as queries:
                ask(session, core, Asked(name, *MONTHS[0], by))
            # Before the first charter there is nothing to tell, and that is finished too.
            assert len(queries) <= 3, (name, by, queries)
    with core.db.read() as session:
        cells = select(func.count()).where(IndicatorCell.indicator == "charter_acceptance")
        assert session.scalar(cells.where(IndicatorCell.month == MONTHS[0][0])) == 0
