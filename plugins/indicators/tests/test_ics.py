"""Holidays from iCalendar files: whole days, each for itself; each fault names its line, and a faulty file gives nothing."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from rse_core.api import BadInput
from rse_indicators import ics


def calendar(*events, head=("VERSION:2.0", "PRODID:-//Mairie//Jours//FR")):
    lines = ["BEGIN:VCALENDAR", *head]
    for event in events:
        lines += ["BEGIN:VEVENT", *event, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def day(value, *more, name="Noël"):
    return (f"DTSTART;VALUE=DATE:{value}", f"SUMMARY:{name}", *more)


def test_whole_days_are_read_with_their_names():
    text = calendar(
        day("20261225"), day("20270507", "DTEND;VALUE=DATE:20270508", name="Pont de l\\, Ascension"),
        day("20271224", "DTEND;VALUE=DATE:20271227", name="Fermeture"),
    )  # fmt: skip
    assert ics.read(text) == {
        dt.date(2026, 12, 25): "Noël", dt.date(2027, 5, 7): "Pont de l, Ascension",
        dt.date(2027, 12, 24): "Fermeture", dt.date(2027, 12, 25): "Fermeture", dt.date(2027, 12, 26): "Fermeture",
    }  # fmt: skip


def test_lines_that_go_on_time_zones_alarms_and_what_was_cancelled_do_not_disturb():
    alarm = ("BEGIN:VALARM", "TRIGGER:-P1D", "DTSTART:20200101T000000", "END:VALARM")
    text = calendar(
        ("dtstart;value=date:20261225", "SUMMARY:Le jour de ", " Noël", "DESCRIPTION;LANGUAGE=fr:a: b; c", *alarm),
        day("20261226", "STATUS:CANCELLED"),
        head=("BEGIN:VTIMEZONE", "TZID:Europe/Paris", "BEGIN:STANDARD", "DTSTART:19701025T030000",
              "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "END:STANDARD", "END:VTIMEZONE"),
    )  # fmt: skip
    assert ics.read("\ufeff" + text) == {dt.date(2026, 12, 25): "Le jour de Noël"}
    assert ics.read(text.replace("\r\n", "\n")) == {dt.date(2026, 12, 25): "Le jour de Noël"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no iCalendar file"), ("a,b\n1,2", "line 1: “a,b” is no line"), ("BEGIN:VCARD\nEND:VCARD", "no iCalendar file"),
        (calendar(), "It has no event"),
        (calendar(day("20261225", "RRULE:FREQ=YEARLY")), "line 7: “Noël” repeats (RRULE); give one event for each day"),
        (calendar(day("20261225", "RDATE;VALUE=DATE:20271225")), "repeats (RDATE)"),
        (calendar(("DTSTART:20261225T000000Z", "SUMMARY:Noël")), "line 5: “Noël” is no whole day (DTSTART without"),
        (calendar(("DTSTART:20261225", "SUMMARY:Noël")), "no whole day"),
        (calendar(("SUMMARY:Noël",)), "line 4: “Noël” has no day"), (calendar(day("20261225", "DURATION:P2D")), "as DTEND"),
        (calendar(day("20261325")), "“20261325” is no date"), (calendar(day("19991225")), "between 2000 and 2100"),
        (calendar(day("2026-12-25")), "is no date"), (calendar(day("٢٠٢٦1225")), "is no date"),
        (calendar(day("20261225", "DTEND;VALUE=DATE:20261225")), "line 7: “Noël” lasts less than a day"),
        (calendar(day("20261225", "DTEND;VALUE=DATE:20270225")), "more than 31"),
        (calendar(day("20261225")).replace("END:VEVENT\r\nEND:VCALENDAR\r\n", ""), "ends within VEVENT"),
        (calendar(day("20261225")).replace("END:VEVENT", "END:VTODO"), "“END:VTODO” ends nothing"),
        ("BEGIN:VCALENDAR\n" + "x" * ics.LONGEST, "longer than"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(text, words):
    with pytest.raises(BadInput) as refused:
        ics.read(text)
    assert words in str(refused.value)


def test_every_faulty_event_is_named_at_once():
    text = calendar(day("20261225", "RRULE:FREQ=YEARLY"), day("20270501", name="Travail"), day("20279999", name="Rien"))
    with pytest.raises(BadInput) as refused:
        ics.read(text)
    assert re.search(r"line 7.*; line 14: “20279999”", str(refused.value))


def test_two_thousand_days_are_enough():
    first = dt.date(2020, 1, 1)
    events = [day(f"{first + dt.timedelta(days=n):%Y%m%d}") for n in range(ics.MOST + 1)]
    assert len(ics.read(calendar(*events[:-1]))) == ics.MOST
    with pytest.raises(BadInput, match="more than 2000 days"):
        ics.read(calendar(*events))
