"""Moments as people write them: a date is midnight of the site's time zone, a time without a zone is the site's."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from .errors import BadInput
from .i18n import _

#: Days that can be meant: what is outside is a slip, and some of it no time zone can tell.
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2999, 12, 31)


def parse_moment(text: str, zone: str) -> dt.datetime:
    """A moment from ``2027-01-12``, ``2027-01-12T09:00`` or ``2027-01-12T09:00+01:00``; UTC and aware.

    :param zone: the site's time zone, ``Europe/Paris``.
    :raises BadInput: for any other text.
    """
    try:
        found = dt.datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(zone))
        if not EARLIEST <= found.date() <= LATEST:
            raise ValueError
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            _("“%(text)s” is not a date.", text=text[:40]),
            remedy=_("Write 2027-01-12, or 2027-01-12T09:00 (%(zone)s) with or without an offset.", zone=zone),
        ) from None
