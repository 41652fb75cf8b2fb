"""Holidays from an iCalendar file (RFC 5545): whole days alone, each named for itself.

What repeats (RRULE, RDATE) is refused: which days would be meant hangs on rules that nobody sees, and holidays move. Lists
of holidays are published with one event for each day of each year.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rse_core.api import BadInput, translator

_ = translator(__file__, "rse_indicators").gettext
#: Characters of a file, days of one event, and days of all.
LONGEST, LONG_EVENT, MOST = 1_000_000, 31, 2_000
FIRST, LAST = dt.date(2000, 1, 1), dt.date(2100, 12, 31)
_DAY = dt.timedelta(days=1)
_LINE = re.compile(r"(?P<name>[A-Za-z0-9-]+)(?P<params>(?:;[^:;=\"]+=(?:\"[^\"]*\"|[^:;\"]*))*):(?P<value>.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\;,nN])")
_REPEATS = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    name: str
    params: Mapping[str, str]
    value: str


def read(text: str) -> dict[dt.date, str]:
    """The days of a file with their names.

    :raises BadInput: names each line that cannot be used, and why; nothing is taken from such a file.
    """
    if len(text) > LONGEST:
        raise BadInput(_("The file is longer than %(most)s characters.", most=str(LONGEST)))
    found: dict[dt.date, str] = {}
    faults: list[str] = []
    lines = list(_unfolded(text.lstrip("\ufeff")))
    if not lines or (lines[0].name, lines[0].value.upper()) != ("BEGIN", "VCALENDAR"):
        raise BadInput(
            _("This is no iCalendar file."), remedy=_("It begins with BEGIN:VCALENDAR; export the holidays as .ics.")
        )
    for event in _events(lines):
        try:
            days, name = _days(event)
        except BadInput as error:
            faults.append(str(error.message))
            continue
        for day in days:
            found.setdefault(day, name)
    if len(found) > MOST:
        faults.append(_("the file has more than %(most)s days", most=str(MOST)))
    if faults or not found:
        more = _("It has no event.") if not faults else "; ".join(faults[:20])
        raise BadInput(_("The calendar cannot be used."), remedy=more)
    return found


def _unfolded(text: str) -> Iterator[_Line]:
    """A line that begins with a blank goes on with the one before."""
    kept: tuple[int, str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] in (" ", "\t") and kept is not None:
            kept = (kept[0], kept[1] + line[1:])
            continue
        if kept is not None:
            yield _parsed(*kept)
        kept = (number, line) if line.strip() else None
    if kept is not None:
        yield _parsed(*kept)


def _parsed(number: int, line: str) -> _Line:
    found = _LINE.fullmatch(line)
    if found is None:
        raise BadInput(_("line %(line)s: “%(text)s” is no line of a calendar", line=str(number), text=line[:40]))
    params = {}
    for part in found["params"].split(";")[1:]:
        name, _sign, value = part.partition("=")
        params[name.upper()] = value.strip('"')
    return _Line(number, found["name"].upper(), params, found["value"])


def _events(lines: list[_Line]) -> Iterator[list[_Line]]:
    """The lines of each event, without those of what stands inside it (alarms) or beside it (time zones)."""
    inside: list[str] = []
    event: list[_Line] = []
    for line in lines:
        if line.name == "BEGIN":
            inside.append(line.value.upper())
            event = [line] if inside[-1] == "VEVENT" else event
        elif line.name == "END":
            if not inside or inside.pop() != line.value.upper():
                ended = f"END:{line.value[:40]}"
                raise BadInput(_("line %(line)s: “%(text)s” ends nothing", line=str(line.number), text=ended))
            if line.value.upper() == "VEVENT":
                yield event
        elif inside and inside[-1] == "VEVENT":
            event.append(line)
    if inside:
        raise BadInput(_("The file ends within %(what)s.", what=inside[-1][:40]), remedy=_("It may have been cut off."))


def _days(event: list[_Line]) -> tuple[list[dt.date], str]:
    at = {line.name: line for line in event}
    name = _unescaped(at["SUMMARY"].value).strip()[:200] if "SUMMARY" in at else ""
    if "STATUS" in at and at["STATUS"].value.strip().upper() == "CANCELLED":
        return [], name
    if (again := next((at[key] for key in _REPEATS if key in at), None)) is not None:
        raise BadInput(
            _("line %(line)s: “%(name)s” repeats (%(rule)s); give one event for each day", line=str(again.number),
              name=name[:40], rule=again.name)
        )  # fmt: skip
    if "DTSTART" not in at:
        raise BadInput(_("line %(line)s: “%(name)s” has no day", line=str(event[0].number), name=name[:40]))
    if "DURATION" in at:
        raise BadInput(
            _("line %(line)s: “%(name)s” has a duration; give its last day as DTEND", line=str(at["DURATION"].number),
              name=name[:40])
        )  # fmt: skip
    first = _date(at["DTSTART"], name)
    # The end is the day after the last one.
    after = _date(at["DTEND"], name) if "DTEND" in at else first + _DAY
    number = (after - first).days
    if not 1 <= number <= LONG_EVENT:
        line = at.get("DTEND", at["DTSTART"]).number
        raise BadInput(
            _("line %(line)s: “%(name)s” lasts less than a day, or more than %(most)s", line=str(line), name=name[:40],
              most=str(LONG_EVENT))
        )  # fmt: skip
    return [first + _DAY * n for n in range(number)], name


def _date(line: _Line, name: str) -> dt.date:
    if line.params.get("VALUE", "").upper() != "DATE":
        raise BadInput(
            _("line %(line)s: “%(name)s” is no whole day (%(what)s without VALUE=DATE)", line=str(line.number),
              name=name[:40], what=line.name)
        )  # fmt: skip
    value = line.value.strip()
    try:
        found = dt.date(int(value[:4]), int(value[4:6]), int(value[6:])) if re.fullmatch(r"[0-9]{8}", value) else None
    except ValueError:
        found = None
    if found is None or not FIRST <= found <= LAST:
        raise BadInput(
            _("line %(line)s: “%(text)s” is no date between 2000 and 2100", line=str(line.number), text=value[:40])
        )
    return found


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], text)
