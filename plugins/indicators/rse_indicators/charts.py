"""The numbers of the pictures: bars side by side and a line over months, in the units of an SVG. The table stands beside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asking import Row

WIDTH, BAR, GAP, NAMES = 640, 22, 8, 220
HEIGHT, LEFT, BOTTOM = 200, 44, 28
#: Bars in one picture; the table has the others.
MOST = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, where it stands and how long it is; ``text`` is what it says."""

    name: str
    y: int
    length: float
    rate: float


@dataclass(frozen=True, slots=True)
class Point:
    """One month of a line; ``shown`` False where there is nothing to show."""

    month: dt.date
    x: float
    y: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Bars:
    """A picture of bars."""

    bars: tuple[Bar, ...]
    left_out: int

    @property
    def height(self) -> int:
        """Its height."""
        return len(self.bars) * (BAR + GAP) + GAP


@dataclass(frozen=True, slots=True)
class Line:
    """A picture of months. ``paths``: the parts of the line between gaps, as points of a polyline."""

    points: tuple[Point, ...]
    paths: tuple[str, ...]
    top: float


def bars(rows: Sequence[Row]) -> Bars:
    """The rates of several places."""
    known = [(row.name, row.figure.rate) for row in rows if row.figure.rate is not None]
    longest = max((rate for _name, rate in known), default=0) or 1
    room = WIDTH - NAMES - 70
    found = [
        Bar(name, GAP + number * (BAR + GAP), round(rate / longest * room, 1), rate)
        for number, (name, rate) in enumerate(known[:MOST])
    ]
    return Bars(tuple(found), max(0, len(known) - MOST))


def line(months: Sequence[tuple[dt.date, float | None]]) -> Line:
    """A rate over months; the scale ends at the next tenth above the highest."""
    highest = max((rate for _month, rate in months if rate is not None), default=0)
    top = max(0.1, min(1.0, (int(highest * 10) + 1) / 10)) if highest <= 1 else highest
    step = (WIDTH - LEFT - 20) / max(1, len(months) - 1)
    points = []
    for number, (month, rate) in enumerate(months):
        y = HEIGHT - BOTTOM - (0 if rate is None else rate / top) * (HEIGHT - BOTTOM - 16)
        points.append(Point(month, round(LEFT + number * step, 1), round(y, 1), rate))
    paths: list[list[str]] = [[]]
    for point in points:
        if point.rate is None:
            paths.append([])
        else:
            paths[-1].append(f"{point.x},{point.y}")
    return Line(tuple(points), tuple(" ".join(path) for path in paths if len(path) > 1), top)
