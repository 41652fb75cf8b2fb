"""Due cards as an iCalendar (RFC 5545): an entry at the time at which each is due, for any program that reads calendars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from .addresses import Due

_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""})


def calendar(entries: Sequence[Due], *, name: str, host: str, base: str) -> bytes:
    """The calendar.

    :param host: makes the identity of each entry unique in the world.
    :param base: the address before that of a card.
    """
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//RSE//Kanban//EN", "CALSCALE:GREGORIAN", f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]  # fmt: skip
    for entry in entries:
        lines += _entry(entry, host, base)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line)).encode()


def _entry(entry: Due, host: str, base: str) -> Iterable[str]:
    card = entry.card
    if card.due_at is None:
        return
    yield "BEGIN:VEVENT"
    yield f"UID:kanban-card-{card.id}@{host}"
    yield f"DTSTAMP:{_time(card.updated_at)}"
    yield f"LAST-MODIFIED:{_time(card.updated_at)}"
    yield f"SEQUENCE:{card.version}"
    yield f"DTSTART:{_time(card.due_at)}"
    yield "DURATION:PT15M"
    yield f"SUMMARY:{_text(card.title)}"
    yield f"CATEGORIES:{_text(entry.board)}"
    yield f"URL:{base}{card.id}"
    yield "TRANSP:TRANSPARENT"
    if card.remind is not None:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"DESCRIPTION:{_text(card.title)}"
        yield f"TRIGGER:-PT{card.remind}M"
        yield "END:VALARM"
    yield "END:VEVENT"


def _time(when: dt.datetime) -> str:
    return when.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    return text.translate(_ESCAPES)


def _folded(line: str) -> Iterable[str]:
    """Lines of at most 75 octets, never cut within a character."""
    part, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > 75:
            yield part
            part, size = " ", 1
        part, size = part + character, size + octets
    yield part
