"""What was done once counts from then on: an indicator of what people have done by the end of a period."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core import indicators_cells, indicators_roll
from rse_core.api import BadInput, Indicator, Manifest, Plugin, hookimpl
from rse_core.indicators_figures import Asked, ask


class Cards(Plugin):
    """A vendor's: a card is filled in once."""

    manifest = Manifest("cards", "Cards")

    @hookimpl
    def rse_indicators(self):
        definition = "People who have filled in their card."
        yield Indicator("cards.filled", "Cards filled in", definition, ("cards.filled",), ever=True)


@pytest.fixture
def rse_plugins():
    return [Cards()]


def test_it_counts_in_every_later_period_and_in_none_before(core, company, clock):
    made = company([30, 12])
    staff = sorted(made.book.entity)
    for month, people in ((2, staff[:6]), (4, staff[4:11])):
        clock.move_to(dt.datetime(2026, month, 15, 12, tzinfo=dt.UTC))
        with core.db.write() as session:
            for one in people:
                made.act(session, dt.date(2026, month, 15), one, "cards.filled")
            indicators_roll.roll_up(session)
    clock.move_to(dt.datetime(2026, 6, 2, 12, tzinfo=dt.UTC))
    with core.db.write() as session:
        indicators_roll.roll_up(session)

    def told(first, last, *, live=False):
        with core.db.read() as session:
            figures = ask(session, core, Asked("cards.filled", first, last), live=live).figures
        return [(one.numerator, one.denominator) for one in figures]

    slow = {
        last: len({person for day, person, _name in made.book.acts if day <= last})
        for last in (dt.date(2026, 1, 31), dt.date(2026, 3, 10), dt.date(2026, 4, 30), dt.date(2026, 5, 31))
    }
    assert list(slow.values()) == [0, 6, 11, 11]
    for last, number in slow.items():
        assert told(last.replace(day=1), last) == [(number, 42)], last
    with core.db.write() as session:
        indicators_cells.make(session, core, dt.date(2026, 4, 1))
    april = (dt.date(2026, 4, 1), dt.date(2026, 4, 30))
    assert told(*april) == told(*april, live=True) == [(11, 42)]
    indicators_roll.rebuild(core, anew=True)
    assert told(*april) == [(11, 42)]
    with core.db.read() as session, pytest.raises(BadInput):
        ask(session, core, Asked("cards.filled", *april, "space"))
