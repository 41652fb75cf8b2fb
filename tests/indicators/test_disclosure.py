"""Nobody is found out: adding and subtracting what is shown, over totals, periods and overlapping groups, gives no figure of
fewer than ten people. The attacks know everything that was ever shown, and who is where; what they look for is a number."""

from __future__ import annotations

import datetime as dt
import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rse_core import indicators_roll
from rse_core.api import Indicator, Manifest, Plugin, hookimpl
from rse_core.indicators_figures import Asked, ask
from rse_core.indicators_frame import LEAST, PEOPLE, SCOPES, Blocks, frame
from rse_core.indicators_standing import anchor
from rse_core.models.organisation import Person

DAY = dt.timedelta(days=1)


class Asks(Plugin):
    """An indicator that is about a part of the people."""

    manifest = Manifest("asks", "Asks")
    part: frozenset[int] = frozenset()

    @hookimpl
    def rse_indicators(self):
        from sqlalchemy import select

        def eligible(_session, _first, _last):
            return select(Person.id).where(Person.id.in_(self.part))

        yield Indicator("asks.done", "Done", "People who did it.", ("asks.done",), "People who were asked.", eligible)


@pytest.fixture
def asks():
    return Asks()


@pytest.fixture
def rse_plugins(asks):
    return [asks]


def shown(core, last, people_of, indicator="connection_rate", first=None):
    """Every place of which something is shown for a period, with its people (the attacker knows them)."""
    found = {}
    with core.db.read() as session:
        for by in SCOPES:
            for people in PEOPLE if by in ("site", "entity", "wave") else ("all",):
                answer = ask(session, core, Asked(indicator, first or last.replace(day=1), last, by, people))
                for figure in answer.figures:
                    if not figure.suppressed:
                        found[by, figure.target, people] = people_of(by, figure.target, people, answer.day)
    return found


def attack(cells):
    """The smallest set of people, above none, whose figure follows from those shown.

    Two people who are in exactly the same places that are shown cannot be told apart by any sum of figures; so the smallest
    class of such people bounds whatever can be computed. Differences and unions of two and three are tried out besides.
    """
    everybody = set().union(*cells.values()) if cells else set()
    classes = {}
    for one in everybody:
        classes.setdefault(frozenset(place for place, people in cells.items() if one in people), set()).add(one)
    sizes = [len(people) for people in classes.values()]
    sets = list({frozenset(people) for people in cells.values()})
    for a, b in itertools.combinations(sets, 2):
        for rest in (a - b if b < a else (), b - a if a < b else ()):
            sizes += [len(rest)] if rest else []
    for whole in sets:
        parts = [one for one in sets if one < whole]
        for a, b in itertools.combinations(parts, 2):
            if not a & b:
                sizes += [len(whole - a - b)] if whole - a - b else []
            # The overlap of two follows from their union when that is shown too.
            elif a | b == whole:
                sizes.append(len(a & b))
    return min(sizes, default=LEAST)


@pytest.fixture
def members(core):
    """``members(by, target, people, day)``: who a shown place is made of, as the core has it."""

    def of(by, target, people, day):
        with core.db.read() as session:
            return frozenset(frame(session, core, day).members[by, target, people])

    return of


@pytest.mark.parametrize("seed", range(4))
def test_no_sum_of_what_is_shown_speaks_of_fewer_than_ten(core, company, clock, members, two_waves, seed):
    chance = random.Random(seed)
    made = company([chance.choice((3, 8, 9, 10, 11, 14, 25, 60)) for _n in range(14)], seed=seed)
    two_waves("2026-01-10")
    day = dt.date(2026, 1, 2)
    with core.db.write() as session:
        staff = sorted(made.book.entity)
        made.join(session, chance.sample(staff, 7), "communication", day)
        made.join(session, chance.sample(staff, 30), "ambassadors", day)
        indicators_roll.roll_up(session)
    for month in range(2, 6):
        clock.move_to(dt.datetime(2026, month, 1, 6, tzinfo=dt.UTC))
        with core.db.write() as session:
            staff = sorted(made.book.people(clock_day()))
            made.move(session, chance.sample(staff, 4), made.book.entities["e003"], clock_day())
            made.hire(session, made.book.entities["e005"], chance.randint(1, 5), clock_day())
            made.visit(session, clock_day(), chance.sample(staff, 40))
            indicators_roll.roll_up(session)
        last = clock_day() - DAY
        cells = shown(core, last, members)
        assert ("site", "", "all") in cells
        assert any(by == "entity" for by, _target, _people in cells)
        assert attack(cells) >= LEAST
        assert len({by for by, _target, _people in cells}) >= 4


def clock_day():
    return dt.datetime.now(dt.UTC).date()


def test_a_total_does_not_betray_the_one_small_entity(core, company, clock, members):
    made = company([40, 30, 12, 6])
    cells = shown(core, dt.date(2026, 1, 31), members)
    names = {ident: key for key, ident in made.book.entities.items()}
    told = {names[int(target)] for by, target, people in cells if (by, people) == ("entity", "all")}
    # Six people are too few, and of the rest the twelve would betray them.
    assert told == {"head", "e000", "e001"}


def test_two_entities_with_the_same_border_do_not_betray_each_other_through_a_group(core, company, clock, members):
    made = company([40, 30])
    day = dt.date(2026, 1, 2)
    entity = made.book.entities["e000"]
    inside = [one for one, rows in made.book.entity.items() if rows[0][1] == entity]
    with core.db.write() as session:
        # A group of all of an entity but four.
        made.join(session, inside[4:], "communication", day)
        indicators_roll.roll_up(session)
    cells = shown(core, dt.date(2026, 1, 31), members)
    assert ("entity", str(entity), "all") in cells
    assert ("group", str(made.book.groups["communication"]), "all") not in cells


def test_managers_are_not_told_apart_where_they_or_the_others_are_few(core, company, clock, members):
    made = company([100, 40])
    cells = shown(core, dt.date(2026, 1, 31), members)
    big, small = (str(made.book.entities[key]) for key in ("e000", "e001"))
    assert ("entity", big, "managers") in cells  # 13 of 100
    assert ("entity", small, "managers") not in cells  # 5 of 40
    assert ("entity", small, "others") not in cells
    assert attack(cells) >= LEAST


def test_all_periods_of_a_month_are_about_the_same_people(core, company, clock, members):
    made = company([40, 30])
    seen = set()
    for number in range(3, 29, 5):
        clock.move_to(dt.datetime(2026, 2, number, 6, tzinfo=dt.UTC))
        with core.db.write() as session:
            made.hire(session, made.book.entities["e000"], 1, clock_day())
            indicators_roll.roll_up(session)
        with core.db.read() as session:
            answer = ask(session, core, Asked("connection_rate", dt.date(2026, 2, 1), clock_day(), "entity"))
            seen |= {(figure.target, figure.denominator) for figure in answer.figures}
    # Were a newcomer counted at once, two periods that end a day apart would differ by that one person.
    entities = made.book.entities
    assert seen == {(str(entities["e000"]), 40), (str(entities["e001"]), 30), (str(entities["head"]), 70)}


def test_a_period_does_not_betray_a_month_in_which_a_group_was_small(core, company, clock):
    made = company([40, 9, 30])
    small = made.book.entities["e001"]
    clock.move_to(dt.datetime(2026, 1, 20, 6, tzinfo=dt.UTC))
    with core.db.write() as session:
        made.hire(session, small, 20, clock_day())
        for number in range(5, 10):
            made.visit(session, dt.date(2026, 1, number), list(made.book.entity))
        indicators_roll.roll_up(session)
    clock.move_to(dt.datetime(2026, 4, 1, 6, tzinfo=dt.UTC))
    with core.db.write() as session:
        indicators_roll.roll_up(session)

    def habit(first, last):
        with core.db.read() as session:
            answer = ask(session, core, Asked("habit", first, last, "entity"))
            return next(figure for figure in answer.figures if figure.target == str(small))

    months = [(dt.date(2026, n, 1), indicators_roll.month_end(dt.date(2026, n, 1))) for n in (1, 2, 3)]
    assert [habit(*month).suppressed for month in months] == [True, False, False]
    # Else the quarter less February and March would be January, when they were nine.
    assert habit(months[0][0], months[2][1]).suppressed
    assert not habit(months[1][0], months[2][1]).suppressed


def test_a_part_of_the_people_is_guarded_for_itself(core, company, clock, asks):
    made = company([40, 30, 20])
    entities = made.book.entities
    by_entity = {}
    for person, rows in made.book.entity.items():
        by_entity.setdefault(rows[0][1], []).append(person)
    first, second, third = (by_entity[entities[key]] for key in ("e000", "e001", "e002"))
    asks.part = frozenset(first[:25] + second[:12] + third[:4])
    clock.move_to(dt.datetime(2026, 2, 1, 6, tzinfo=dt.UTC))
    with core.db.write() as session:
        for person in (*first[:6], *third[:2]):
            made.act(session, dt.date(2026, 1, 20), person, "asks.done")
        indicators_roll.roll_up(session)
    with core.db.read() as session:
        answer = ask(session, core, Asked("asks.done", dt.date(2026, 1, 1), dt.date(2026, 1, 31), "entity"))
        site = ask(session, core, Asked("asks.done", dt.date(2026, 1, 1), dt.date(2026, 1, 31)))
    told = {figure.target: (figure.numerator, figure.denominator) for figure in answer.figures if not figure.suppressed}
    # Four were asked in the third: too few; and the twelve of the second are what is left of the total with them.
    assert told == {str(entities["e000"]): (6, 25), str(entities["head"]): (8, 41)}
    assert (site.figures[0].numerator, site.figures[0].denominator) == (8, 41)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 60), st.lists(st.sets(st.integers(0, 59)), max_size=12))
def test_blocks_never_let_a_class_of_fewer_than_ten_through(number, places):
    blocks = Blocks(range(number))
    admitted = [people for place in places if blocks.admit(people := frozenset(one for one in place if one < number))]
    classes = {}
    for one in range(number):
        classes.setdefault(tuple(one in people for people in admitted), []).append(one)
    if admitted:
        assert min(len(people) for people in classes.values()) >= LEAST


def test_a_site_of_nine_shows_nothing(core, company, clock):
    company([9])
    with core.db.read() as session:
        for by in SCOPES:
            asked = Asked("connection_rate", dt.date(2026, 1, 1), dt.date(2026, 1, 31), by)
            assert all(figure.suppressed for figure in ask(session, core, asked).figures)
            assert all(figure.numerator is None and figure.rate is None for figure in ask(session, core, asked).figures)
        assert anchor(session, dt.date(2026, 1, 31)) == dt.date(2026, 1, 2)
