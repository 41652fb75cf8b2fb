"""A time on somebody's clock becomes one moment, also on the nights when clocks jump."""

from __future__ import annotations

import datetime as dt

import pytest

from rse_core.api import BadInput, use_locale
from rse_feed import moments

NOW = dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC)


def at(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def test_a_time_is_taken_on_the_clock_of_its_zone():
    assert moments.resolve("2027-01-12T08:00", "Europe/Paris", now=NOW) == moments.Moment(at(2027, 1, 12, 7))
    assert moments.resolve("2027-07-12T08:00", "Europe/Paris", now=NOW) == moments.Moment(at(2027, 7, 12, 6))
    assert moments.resolve("2027-07-12T08:00", "Indian/Reunion", now=NOW) == moments.Moment(at(2027, 7, 12, 4))
    assert moments.resolve("2027-07-12T08:00-04:00", "Europe/Paris", now=NOW).at == at(2027, 7, 12, 12)


def test_a_time_that_does_not_exist_is_taken_an_hour_on_and_said():
    with use_locale("en"):
        found = moments.resolve("2027-03-28T02:30", "Europe/Paris", now=NOW)
    assert found.at == at(2027, 3, 28, 1, 30)
    assert "02:30" not in found.said.split(",")[1]
    assert "03:30" in found.said


def test_a_time_that_comes_twice_is_taken_the_first_time_and_said():
    with use_locale("en"):
        found = moments.resolve("2027-10-31T02:30", "Europe/Paris", now=NOW)
    assert found.at == at(2027, 10, 31, 0, 30)
    assert "twice" in found.said
    assert moments.resolve("2027-10-31T03:30", "Europe/Paris", now=NOW).said == ""


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2027-01-01T11:59+00:00", "UTC"), ("2028-06-01T00:00", "UTC"), ("tomorrow", "UTC"), ("", "UTC"),
        ("2027-02-30T10:00", "UTC"), ("2027-02-01T10:00", "Mars/Olympus"), ("2027-02-01T10:00", "../etc/passwd"),
        ("9999-12-31T23:59", "America/New_York"), ("0001-01-01T00:00", "Asia/Tokyo"),
    ],
)  # fmt: skip
def test_what_is_no_time_to_come_is_refused_with_its_field(text, zone):
    with pytest.raises(BadInput) as refused:
        moments.resolve(text, zone, now=NOW)
    assert refused.value.fields.keys() <= {"publish_at", "publish_zone"}
    assert refused.value.fields


def test_a_form_shows_a_moment_on_the_clock_it_was_written_on():
    assert moments.local(at(2027, 7, 12, 6), "Europe/Paris") == "2027-07-12T08:00"
    assert moments.local(None, "Europe/Paris") == ""
