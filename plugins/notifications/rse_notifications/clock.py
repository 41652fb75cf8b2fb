"""When digests are due. Pure: the clock is given, and a day has 23, 24 or 25 hours as the zone says."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

#: A weekly digest that could not be made on its Monday waits for the next one.
LATEST = dt.timedelta(hours=24)
RHYTHMS = ("daily", "weekly")


def zone_of(name: str, usual: str = "UTC") -> ZoneInfo:
    """A time zone by name; the usual one for a name that is none, so that an odd row stops nobody's mail."""
    for wanted in (name, usual, "UTC"):
        try:
            if wanted:
                return ZoneInfo(wanted)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def is_zone(name: str) -> bool:
    """Whether this names a time zone."""
    return name in available_timezones()


def begins(day: dt.date, hour: int, zone: ZoneInfo) -> dt.datetime:
    """The moment of that hour on that day there. An hour that the clock jumps over is the one it jumps to; one that comes
    twice is its first time."""
    return dt.datetime.combine(day, dt.time(hour), zone).astimezone(dt.UTC)


def due(rhythm: str, zone: ZoneInfo, hour: int, now: dt.datetime) -> dt.date | None:
    """The day whose digest is due now, None before its hour."""
    today = now.astimezone(zone).date()
    day = today - dt.timedelta(days=today.weekday()) if rhythm == "weekly" else today
    start = begins(day, hour, zone)
    if now < start:
        return None
    return day if rhythm == "daily" or now < start + LATEST else None


def following(rhythm: str, zone: ZoneInfo, hour: int, now: dt.datetime) -> dt.datetime:
    """When the next digest leaves after now."""
    today = now.astimezone(zone).date()
    for ahead in range(9):
        day = today + dt.timedelta(days=ahead)
        start = begins(day, hour, zone)
        if start > now and (rhythm == "daily" or day.weekday() == 0):
            return start
    raise AssertionError("a week has a Monday")


def since(rhythm: str, day: dt.date, hour: int, zone: ZoneInfo) -> dt.datetime:
    """What a first digest looks back to: the same hour a day or a week before."""
    return begins(day - dt.timedelta(days=7 if rhythm == "weekly" else 1), hour, zone)
