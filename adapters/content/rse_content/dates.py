"""Dates as feeds write them, in English or French; one that names no zone stays naive and is then the site's."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

_MONTHS = {
    "jan": 1, "feb": 2, "fev": 2, "mar": 3, "apr": 4, "avr": 4, "may": 5, "mai": 5, "jun": 6, "juin": 6, "jul": 7, "juil": 7,
    "aug": 8, "aou": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
#: Hours east of Greenwich of the zones that feeds name.
_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "cet": 1, "met": 1, "cest": 2, "mest": 2, "eet": 2, "eest": 3,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
_MAIL = re.compile(
    r"(?:[^\W\d]+[.,]*\s+)?(\d{1,2})(?:er)?[\s-]+([^\W\d]{3,9})\.?[\s-]+(\d{4}|\d{2})"
    r"(?:[\s,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(\S*)"
)
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})\Z")


def parse_date(text: object) -> dt.datetime | None:
    """A moment from ISO 8601 or from what looks like a mail's date; None for any other text."""
    if not isinstance(text, str) or not text.strip() or len(text) > 100:
        return None
    text = text.strip()
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    found = _MAIL.match(_folded(text))
    if found is None:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    number = _MONTHS.get(month[:4]) or _MONTHS.get(month[:3])
    if number is None:
        return None
    century = 0 if len(year) == 4 else 2000 if int(year) < 70 else 1900
    try:
        naive = dt.datetime(
            int(year) + century, number, int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59)
        )
    except ValueError:
        return None
    return naive.replace(tzinfo=_zone(zone))


def _zone(text: str) -> dt.tzinfo | None:
    offset = _OFFSET.match(text)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return dt.timezone(dt.timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes < 1440 else None
    hours = _ZONES.get(text)
    return None if hours is None else dt.timezone(dt.timedelta(hours=hours))


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
