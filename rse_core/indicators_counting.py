"""Counting: what single people did, added up by place. A measure is taken once, then added up as asked."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import calendars, indicators_built, indicators_measures
from .contributions import Indicator
from .indicators_frame import LEAST, Frame, frame
from .indicators_roll import horizon, months_between
from .indicators_standing import anchor
from .models.indicators import Pseudonym
from .workdays import Calendar

if TYPE_CHECKING:
    from .calendars import Calendars
    from .runtime import Core

#: Hours within which a post is answered “within a day”.
A_DAY = 24


@dataclass(slots=True)
class Cell:
    """A figure before it is known who asks; ``shown``: whether it may be shown to anybody."""

    numerator: int
    denominator: int
    persons: int
    shown: bool
    more: dict[str, Any] = field(default_factory=dict)


class Measure(Protocol):
    """What was counted, person by person."""

    def cells(self, by: str, people: str) -> dict[str, Cell]:
        """Added up by place: target → figure."""
        ...


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the people of a place are among those who did it."""

    people: Frame
    have: Collection[int]

    def cells(self, by: str, people: str) -> dict[str, Cell]:
        """See :class:`Measure`."""
        have, shown = self.have, self.people.shown
        return {
            target: Cell(sum(1 for one in who if one in have), len(who), len(who), (by, target, people) in shown)
            for target, who in self.people.places(by, people).items()
        }


@dataclass(frozen=True, slots=True)
class Month:
    """One month, or a part of it. ``came``: the working days on which somebody came; ``usual``: how many there were by the
    site's calendar, ``besides``: how many more or fewer there were for those who have another."""

    people: Frame
    came: Mapping[int, int]
    usual: int
    besides: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Days:
    """Working days with a visit, month by month, each with the people of its own beginning."""

    months: tuple[Month, ...]

    def cells(self, by: str, people: str) -> dict[str, Cell]:
        """See :class:`Measure`."""
        found: dict[str, Cell] = {}
        for month in self.months:
            came, besides = month.came, month.besides
            for target, who in month.people.places(by, people).items():
                cell = found.setdefault(target, Cell(0, 0, 0, True))
                cell.numerator += sum(came.get(one, 0) for one in who)
                cell.denominator += month.usual * len(who) + (sum(besides.get(one, 0) for one in who) if besides else 0)
                cell.persons = len(who)
                # Months add up to the period: one that may not be shown would follow from the others.
                cell.shown = cell.shown and (by, target, people) in month.people.shown
        return found


def _month(session: Session, people: Frame, begin: dt.date, end: dt.date, calendars: Calendars) -> Month:
    here = indicators_measures.days_here(session, begin, end)
    usual = calendars.site.mask(begin, end)
    other = {}
    if calendars.entities:
        masks = {entity: calendars.along(path).mask(begin, end) for entity, path in people.paths.items()}
        other = {who: mask for who, home in people.home.items() if (mask := masks.get(home, usual)) != usual}
    came = {who: (days & other.get(who, usual)).bit_count() for who, days in here.items()}
    number = usual.bit_count()
    return Month(people, came, number, {who: mask.bit_count() - number for who, mask in other.items()})


@dataclass(frozen=True, slots=True)
class Answered:
    """Posts and their first answers. It speaks of those who wrote, so they are the people that must be enough."""

    writers: Frame
    posts: Mapping[int, list[float | None]]

    def cells(self, by: str, people: str) -> dict[str, Cell]:
        """See :class:`Measure`."""
        found: dict[str, Cell] = {}
        for target, who in self.writers.places(by, people).items():
            hours = [one for writer in who for one in self.posts[writer]]
            known = [one for one in hours if one is not None]
            more = {"median_hours": round(statistics.median(known), 1)} if known else {}
            soon = sum(1 for one in known if one <= A_DAY)
            found[target] = Cell(soon, len(hours), len(who), (by, target, people) in self.writers.shown, more)
        return found


@dataclass(frozen=True, slots=True)
class Total:
    """One figure for the site, or none."""

    cell: Cell | None

    def cells(self, by: str, people: str) -> dict[str, Cell]:
        """See :class:`Measure`."""
        return {"": self.cell} if self.cell is not None and (by, people) == ("site", "all") else {}


def count(session: Session, core: Core, indicator: Indicator, first: dt.date, last: dt.date, day: dt.date) -> Measure:
    """Take a measure from the roll-ups.

    :param day: the people of its end are those it is about (:func:`~rse_core.indicators_standing.anchor`).
    """
    if indicator.counts == "spaces":
        active, opened = indicators_measures.spaces(session, core, indicator, first, last)
        return Total(Cell(active, opened, opened, True))
    if indicator.name == indicators_built.HABIT:
        parts, known = [], calendars.load(session, core)
        for begin, end in months_between(first, last):
            start = anchor(session, end)
            if start is not None:
                parts.append(_month(session, frame(session, core, start), begin, end, known))
        return Days(tuple(parts))
    people = frame(session, core, day)
    if indicator.name == indicators_built.CHARTER:
        have = indicators_measures.accepted(session, last)
        return Total(None) if have is None else Share(people, have)
    if indicator.name == indicators_built.ANSWERS:
        posts = _hours(session, core, people, indicators_measures.answers(session, first, last))
        return Answered(people.among(posts), posts)
    if indicator.ever:
        first = min(first, horizon(core.settings.indicator_months))
    did = indicators_measures.did(session, core, indicator, first, last)
    if indicator.eligible is not None:
        ids = indicator.eligible(session, first, last)
        people = people.among(set(session.scalars(select(Pseudonym.who).where(Pseudonym.person_id.in_(ids)))))
    return Share(people, did)


def _hours(
    session: Session, core: Core, people: Frame, asked: Collection[indicators_measures.Asked]
) -> dict[int, list[float | None]]:
    """By who asked: the hours of working days, by the calendar of where they work, until each was answered."""
    known, zone = calendars.load(session, core), ZoneInfo(core.settings.timezone)
    at_home: dict[int, Calendar] = {}
    found: dict[int, list[float | None]] = {}
    for one in asked:
        home = people.home.get(one.who, 0)
        if home not in at_home:
            at_home[home] = known.along(people.paths.get(home, ()))
        waited = None if one.answered is None else at_home[home].hours(one.at, one.answered, zone)
        found.setdefault(one.who, []).append(waited)
    return found


def by_space(
    session: Session, core: Core, indicator: Indicator, first: dt.date, last: dt.date, day: dt.date,
    only: Collection[str] | None = None,
) -> dict[str, Cell]:  # fmt: skip
    """What the members of each space did there. No two spaces have an act in common, so each stands for itself."""
    some = None if only is None else [int(one) for one in only if one.isdigit()]
    rows = indicators_measures.in_spaces(session, core, indicator, first, last, day, some)
    return {str(one): Cell(acted, number, number, number >= LEAST) for one, (acted, number) in rows.items()}
