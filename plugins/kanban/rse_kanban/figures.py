"""What the transitions of a board tell: cumulative flow, lead and cycle times, how long cards have stood where they are.

*Lead time*: from when a card was made to when it came into a column of what is done, for the last time. *Cycle time*:
from when
it first came into a column where one works. Cards that left that column again, or were never done, are in neither.
*Percentile*:
the nearest rank (Hyndman and Fan 1996, type 1), so that what is shown is a time that a card really took. Cumulative flow
counts,
at the end of each day on the site's clock, the cards in each column (Reinertsen, The Principles of Product Development Flow,
2009). What was taken back at once is counted nowhere.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import core_of, utcnow

from . import access
from .models import Card, Column, Transition

DAYS = (14, 30, 90, 180)
#: Under this many finished cards a percentile says little.
FEW = 5


@dataclass(frozen=True, slots=True)
class Times:
    """Days that finished cards took; None without any."""

    count: int
    median: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Old:
    """A card that is not done, and days since it came into its column."""

    card_id: int
    title: str
    column: str
    days: int


@dataclass(frozen=True, slots=True)
class Figures:
    """``flow``: for each day the cards in each column; ``columns``: id and name, those that hold done cards first."""

    days: Sequence[dt.date]
    columns: Sequence[tuple[int, str]]
    flow: Sequence[Mapping[int, int]]
    lead: Times
    cycle: Times
    finished: Sequence[tuple[dt.date, int]]
    oldest: Sequence[Old]


def of_board(session: Session, person_id: int, board_id: int, *, days: int = 30) -> Figures:
    """The figures of the last so many days; a fixed number of queries."""
    access.open_board(session, person_id, board_id)
    zone = ZoneInfo(core_of(session).settings.timezone)
    today = utcnow().astimezone(zone).date()
    span = [today - dt.timedelta(days=days - 1 - number) for number in range(days)]
    named = {
        ident: (name, removed, position)
        for ident, name, removed, position in session.execute(
            select(Column.id, Column.name, Column.removed_at, Column.position).where(Column.board_id == board_id)
        )
    }
    flow = _flow(session, board_id, span, zone)
    seen = {ident for counts in flow for ident, count in counts.items() if count}
    kept = [ident for ident, (_name, removed, _place) in named.items() if removed is None or ident in seen]
    kept.sort(key=lambda ident: (-named[ident][2], ident))
    shown = access.visible_cards(session, person_id)
    since = dt.datetime.combine(span[0], dt.time(), zone)
    from .models import Board

    done = session.execute(
        select(Card.created_at, Card.started_at, Card.done_at)
        .where(Card.board_id == board_id, Card.done_at >= since, Card.state.in_(access.OPEN))
    ).all()  # fmt: skip
    lead = [(row.done_at - row.created_at).total_seconds() / 86_400 for row in done]
    cycle = [(row.done_at - row.started_at).total_seconds() / 86_400 for row in done if row.started_at is not None]
    by_day: dict[dt.date, int] = dict.fromkeys(span, 0)
    for row in done:
        day = row.done_at.astimezone(zone).date()
        if day in by_day:
            by_day[day] += 1
    old = session.execute(
        select(Card.id, Card.title, Card.column_id, Card.entered_at).join(Board, Board.id == Card.board_id)
        .where(Card.board_id == board_id, shown, Card.done_at.is_(None)).order_by(Card.entered_at, Card.id).limit(10)
    ).all()  # fmt: skip
    now = utcnow()
    return Figures(
        span, [(ident, named[ident][0]) for ident in kept], flow, _times(lead), _times(cycle), list(by_day.items()),
        [Old(row.id, row.title, named[row.column_id][0], (now - row.entered_at).days) for row in old],
    )  # fmt: skip


def _flow(session: Session, board_id: int, span: Sequence[dt.date], zone: ZoneInfo) -> list[Mapping[int, int]]:
    rows = session.execute(
        select(Transition.card_id, Transition.from_id, Transition.to_id, Transition.at)
        .where(Transition.board_id == board_id, Transition.undone.is_(False)).order_by(Transition.at, Transition.id)
    ).all()  # fmt: skip
    where: dict[int, int] = {}
    counts: dict[int, int] = {}
    found: list[Mapping[int, int]] = []
    place = 0
    for day in span:
        end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
        while place < len(rows) and rows[place].at < end:
            row = rows[place]
            before = where.pop(row.card_id, None)
            if before is not None:
                counts[before] -= 1
            if row.to_id is not None:
                where[row.card_id] = row.to_id
                counts[row.to_id] = counts.get(row.to_id, 0) + 1
            place += 1
        found.append(dict(counts))
    return found


def _times(days: Sequence[float]) -> Times:
    if not days:
        return Times(0, None, None)
    ordered = sorted(days)
    return Times(len(ordered), _rank(ordered, 0.5), _rank(ordered, 0.85))


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


# -- the picture -----------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 260, 36, 8, 24


@dataclass(frozen=True, slots=True)
class Area:
    """One column of the flow as a shape: its name, the points of its outline, its place among the hues and patterns."""

    name: str
    points: str
    shade: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The cumulative flow, drawn: areas from below, marks of both axes (place, words)."""

    areas: Sequence[Area]
    marks: Sequence[tuple[float, str]]
    days: Sequence[tuple[float, dt.date]]
    most: int


def picture(found: Figures) -> Picture:
    """Draw the flow: done at the bottom, what is to do on top."""
    totals = [sum(counts.get(ident, 0) for ident, _name in found.columns) for counts in found.flow]
    most = max([*totals, 1])
    step = max(1, math.ceil(most / 4))
    top = step * math.ceil(most / step)
    width, height = WIDTH - LEFT - 8, HEIGHT - TOP - BOTTOM

    def x(index: int) -> float:
        return round(LEFT + (width * index / max(1, len(found.days) - 1)), 1)

    def y(value: float) -> float:
        return round(TOP + height * (1 - value / top), 1)

    below = [0] * len(found.days)
    areas = []
    for shade, (ident, name) in enumerate(found.columns):
        above = [low + counts.get(ident, 0) for low, counts in zip(below, found.flow, strict=True)]
        outline = [f"{x(place)},{y(value)}" for place, value in enumerate(above)]
        outline += [f"{x(place)},{y(below[place])}" for place in reversed(range(len(below)))]
        areas.append(Area(name, " ".join(outline), shade % 8))
        below = above
    every = max(1, len(found.days) // 5)
    days = [(x(place), day) for place, day in enumerate(found.days) if place % every == 0]
    return Picture(areas, [(y(value), str(value)) for value in range(0, top + 1, step)], days, most)
