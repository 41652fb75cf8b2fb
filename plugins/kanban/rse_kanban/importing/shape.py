"""What every source is read into."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Cards of one file; how many of them are taken while somebody waits for the answer.
CARDS_MOST, AT_ONCE = 20_000, 1_000


@dataclass(frozen=True, slots=True)
class TakenCard:
    """A card of another program. ``origin`` is its name for ever: the same one is taken once."""

    origin: str
    title: str
    column: str
    body: str = ""
    lane: str = ""
    labels: tuple[str, ...] = ()
    #: usernames, or addresses of mail
    people: tuple[str, ...] = ()
    due_at: dt.datetime | None = None
    checklist: tuple[tuple[str, bool], ...] = ()
    archived: bool = False


@dataclass
class Parsed:
    """A whole file. ``columns``: names in order, with the phase where it is known; ``left``: what is not taken, and why."""

    source: str
    title: str = ""
    columns: list[tuple[str, str]] = field(default_factory=list)
    lanes: list[str] = field(default_factory=list)
    labels: list[tuple[str, int]] = field(default_factory=list)
    cards: list[TakenCard] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def column(self, name: str, phase: str = "todo") -> str:
        """Note a column; its name as it will be."""
        name = short(name, 100) or "–"
        if name not in {known for known, _phase in self.columns}:
            self.columns.append((name, phase))
        return name

    def label(self, name: str, hue: int = 6) -> str:
        """Note a label."""
        name = short(name, 60)
        if name and name not in {known for known, _hue in self.labels}:
            self.labels.append((name, hue))
        return name


def short(text: object, most: int) -> str:
    """One line of at most so many characters."""
    kept = "".join(c if c.isprintable() else " " for c in str(text or ""))
    return " ".join(kept.split())[:most]


def moment(text: object) -> dt.datetime | None:
    """A time as programs write it, aware; None for none, and for what cannot be read."""
    written = str(text or "").strip()
    if not written:
        return None
    if written.isdecimal() and len(written) in (9, 10):
        return dt.datetime.fromtimestamp(int(written), dt.UTC)
    for form in ("", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%Y/%m/%d"):
        try:
            found = dt.datetime.strptime(written, form) if form else dt.datetime.fromisoformat(written)
        except ValueError:
            continue
        return found if found.tzinfo is not None else found.replace(tzinfo=dt.UTC)
    return None


def phases(names: Sequence[str]) -> list[str]:
    """What columns are for, where the source does not say: the last one of several is where cards end."""
    if len(names) < 2:
        return ["todo"] * len(names)
    return ["todo", *["doing"] * (len(names) - 2), "done"]
