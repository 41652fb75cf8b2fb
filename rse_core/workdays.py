"""Working days: Monday to Friday without the public holidays of a calendar and the days that a place names itself.

The French calendar is that of article L3133-1 of the code du travail; Alsace and Moselle have Good Friday and the 26th of
December besides (article L3134-13); overseas the end of slavery is remembered on a day of each territory's own (article
L3422-2). Easter is by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, ch. 8).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from .settings import Settings

_DAY = dt.timedelta(days=1)
_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_OVERSEAS = {
    "fr-guadeloupe": (5, 27), "fr-guyane": (6, 10), "fr-martinique": (5, 22), "fr-mayotte": (4, 27),
    "fr-reunion": (12, 20), "fr-saint-barthelemy": (10, 9), "fr-saint-martin": (5, 28),
}  # fmt: skip
CALENDARS = ("none", "fr", "fr-alsace-moselle", *_OVERSEAS)


def easter(year: int) -> dt.date:
    """Easter Sunday.

    >>> easter(2026)
    datetime.date(2026, 4, 5)
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    rest = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * rest) // 451
    month, day = divmod(h + rest - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


@lru_cache(maxsize=256)
def public_holidays(calendar: str, year: int) -> frozenset[dt.date]:
    """The public holidays of a year; none of a calendar that is ``none``."""
    if calendar == "none":
        return frozenset()
    sunday = easter(year)
    # Easter Monday, Ascension Day, Whit Monday.
    days = {dt.date(year, month, day) for month, day in _FIXED} | {sunday + _DAY * after for after in (1, 39, 50)}
    if calendar == "fr-alsace-moselle":
        days |= {sunday - _DAY * 2, dt.date(year, 12, 26)}
    if calendar in _OVERSEAS:
        days.add(dt.date(year, *_OVERSEAS[calendar]))
    return frozenset(days)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are no working days beside Saturdays and Sundays: one of :data:`CALENDARS`, and days of a place's own."""

    public: str = "none"
    own: frozenset[dt.date] = frozenset()

    @classmethod
    def of(cls, settings: Settings | None) -> Calendar:
        """That of the site; without settings, Monday to Friday."""
        return cls() if settings is None else cls(settings.holiday_calendar, frozenset(settings.holidays))

    def works(self, day: dt.date) -> bool:
        """Whether it is a working day."""
        return day.weekday() < 5 and day not in self.own and day not in public_holidays(self.public, day.year)

    def mask(self, first: dt.date, last: dt.date) -> int:
        """The working days between two days of one month, both included: one bit for each, that of the first day is 1."""
        return sum(1 << (day.day - 1) for day in days_between(first, last) if self.works(day))

    def hours(self, begin: dt.datetime, end: dt.datetime, zone: ZoneInfo) -> float:
        """The hours from one moment to a later one; those of days in ``zone`` that are no working days are left out."""
        day, until = begin.astimezone(zone).date(), end.astimezone(zone).date()
        if day == until:
            return (end - begin).total_seconds() / 3600 if self.works(day) else 0.0
        found = dt.timedelta()
        while day <= until:
            if self.works(day):
                # In UTC: the difference of two moments of one zone would pass over the change of the clock.
                midnights = [dt.datetime.combine(one, dt.time(), zone).astimezone(dt.UTC) for one in (day, day + _DAY)]
                found += min(end, midnights[1]) - max(begin, midnights[0])
            day += _DAY
        return found.total_seconds() / 3600


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """The days from one to another, both included."""
    return [first + _DAY * number for number in range((last - first).days + 1)]


def working_days(first: dt.date, last: dt.date, settings: Settings | None = None) -> list[dt.date]:
    """The site's working days between two days, both included; without settings, Monday to Friday."""
    calendar = Calendar.of(settings)
    return [day for day in days_between(first, last) if calendar.works(day)]
