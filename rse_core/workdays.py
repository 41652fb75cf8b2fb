"""Working days: Monday to Friday without the public holidays of the site's calendar and the days that it names itself.

The French calendar is that of article L3133-1 of the code du travail; Alsace and Moselle have Good Friday and the 26th of
December besides (article L3134-13). Easter is by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, ch. 8).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .settings import Settings

CALENDARS = ("none", "fr", "fr-alsace-moselle")
_DAY = dt.timedelta(days=1)
_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))


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
    return frozenset(days)


def working_days(first: dt.date, last: dt.date, settings: Settings | None = None) -> list[dt.date]:
    """The working days between two days, both included; without settings, Monday to Friday."""
    span = (first + _DAY * number for number in range((last - first).days + 1))
    closed: Collection[dt.date] = ()
    if settings is not None:
        years = range(first.year, last.year + 1)
        closed = frozenset(settings.holidays).union(*(public_holidays(settings.holiday_calendar, year) for year in years))
    return [day for day in span if day.weekday() < 5 and day not in closed]
