"""Working days without public holidays: the calendars, the settings, and the habit that is counted by them."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core import indicators_roll
from rse_core.errors import ConfigError
from rse_core.indicators_figures import Asked, ask
from rse_core.settings import Settings
from rse_core.workdays import easter, public_holidays, working_days


@pytest.mark.parametrize(
    "day", ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2030-04-21", "2038-04-25", "1961-04-02", "2285-03-22"]
)
def test_easter_is_where_it_is(day):
    found = dt.date.fromisoformat(day)
    assert easter(found.year) == found


def test_the_french_holidays_of_2026():
    days = [
        "01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11", "12-25",
    ]  # fmt: skip
    assert sorted(public_holidays("fr", 2026)) == [dt.date.fromisoformat(f"2026-{day}") for day in days]
    more = public_holidays("fr-alsace-moselle", 2026) - public_holidays("fr", 2026)
    assert sorted(more) == [dt.date(2026, 4, 3), dt.date(2026, 12, 26)]
    assert public_holidays("none", 2026) == frozenset()


def test_working_days_leave_out_what_the_settings_say(tmp_path):
    may = (dt.date(2026, 5, 1), dt.date(2026, 5, 31))
    assert len(working_days(*may)) == 21
    assert len(working_days(*may, Settings(holiday_calendar="fr"))) == 17
    file = tmp_path / "rse.toml"
    file.write_text('holiday_calendar = "fr-alsace-moselle"\nholidays = [2026-05-15, "2026-05-16"]\n', encoding="utf-8")
    read = Settings.load({}, file)
    assert read.holidays == (dt.date(2026, 5, 15), dt.date(2026, 5, 16))
    assert len(working_days(*may, read)) == 16
    # Over a new year.
    assert len(working_days(dt.date(2026, 12, 24), dt.date(2027, 1, 4), Settings(holiday_calendar="fr"))) == 6


@pytest.mark.parametrize("text", ['holiday_calendar = "us"', "holidays = [5]", 'holidays = ["soon"]'])
def test_what_is_no_calendar_is_refused(tmp_path, text):
    file = tmp_path / "rse.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="holiday"):
        Settings.load({}, file)


@pytest.fixture
def core(rse_core):
    return rse_core([], holiday_calendar="fr", holidays=(dt.date(2026, 1, 5),))


def test_the_habit_is_counted_over_those_days(core, company, clock):
    made = company([20])
    staff = sorted(made.book.entity)
    with core.db.write() as session:
        # The fifth is a day of the site's own on which nobody works; the tenth is a Saturday.
        for number in (5, 6, 7, 10):
            made.visit(session, dt.date(2026, 1, number), staff[:5])
        indicators_roll.roll_up(session)
    clock.move_to(dt.datetime(2026, 2, 1, 6, tzinfo=dt.UTC))
    with core.db.write() as session:
        indicators_roll.roll_up(session)

    def habit(first, last):
        with core.db.read() as session:
            [figure] = ask(session, core, Asked("habit", first, last)).figures
            return figure.numerator, figure.denominator

    # January has 22 days from Monday to Friday; New Year's Day and the fifth are none of them.
    assert habit(dt.date(2026, 1, 1), dt.date(2026, 1, 31)) == (10, 20 * 20)
    assert habit(dt.date(2026, 1, 5), dt.date(2026, 1, 9)) == (10, 20 * 4)
