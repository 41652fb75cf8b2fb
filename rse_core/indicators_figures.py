"""Figures: an indicator in a period, by entity, wave, level, group, space or for the site; what may not be shown left out.

The rule of :mod:`rse_core.indicators_frame` decides what is shown. Whoever asks has been let in before: these functions know
of no permission.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from . import indicators_built
from .contributions import Indicator
from .db import utcnow
from .errors import BadInput
from .i18n import _
from .indicators_counting import Cell, by_space, count
from .indicators_facts import VISIT_BIT
from .indicators_frame import PEOPLE, levels_mark, waves_mark
from .indicators_roll import horizon, month_end, months_between
from .indicators_standing import anchor
from .models.indicators import IndicatorCell, IndicatorMonth, PresenceMonth

if TYPE_CHECKING:
    from .runtime import Core

BY = ("site", "entity", "wave", "level", "group", "space")
#: Years that one question may span.
MOST_YEARS = 10
#: Places of which the database is asked one by one; of more, all are read and the others left out.
FEW = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. ``target``: the place as it is stored. ``persons``: of how many people it speaks.

    A suppressed one has no numbers at all. ``more``: what else there is to say (``median_hours``).
    """

    target: str
    numerator: int | None
    denominator: int | None
    suppressed: bool = False
    persons: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        """Numerator over denominator; None without one."""
        if self.numerator is None or not self.denominator:
            return None
        return self.numerator / self.denominator


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. ``people``: ``all``, ``managers`` or ``others`` (site, entities and waves alone). ``only``: targets."""

    indicator: str
    first: dt.date
    last: dt.date
    by: str = "site"
    people: str = "all"
    only: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The figures of a question. ``day``: the people of its end are those it is about; None: nothing is known of then."""

    asked: Asked
    indicator: Indicator
    day: dt.date | None
    figures: tuple[Figure, ...]


def ask(session: Session, core: Core, asked: Asked, *, live: bool = False) -> Answer:
    """Answer a question.

    :param live: count anew although the month's figures are finished.
    :raises NotFound: for an unknown indicator.
    :raises BadInput: for a period or a division that makes no sense; says what does.
    """
    indicator = indicators_built.one(core, asked.indicator)
    _check(asked, indicator)
    day = anchor(session, asked.last)
    cells = None if live else _finished(session, core, asked, day)
    if day is None:
        if cells is None:
            return Answer(asked, indicator, None, ())
        # Finished before the history of then was forgotten.
        day = asked.last.replace(day=1) - dt.timedelta(days=1)
    if cells is None and asked.first < horizon(core.settings.indicator_months):
        # Single acts of then are no longer kept: a count would be of what happens to be left.
        return Answer(asked, indicator, None, ())
    if cells is None and asked.by == "space":
        cells = by_space(session, core, indicator, asked.first, asked.last, day, asked.only)
    elif cells is None:
        cells = count(session, core, indicator, asked.first, asked.last, day).cells(asked.by, asked.people)
    shown = [(target, cell) for target, cell in sorted(cells.items()) if asked.only is None or target in asked.only]
    return Answer(asked, indicator, day, tuple(_figure(target, cell) for target, cell in shown))


def _figure(target: str, cell: Cell) -> Figure:
    if not cell.shown:
        return Figure(target, None, None, True)
    return Figure(target, cell.numerator, cell.denominator, False, cell.persons, cell.more)


def _check(asked: Asked, indicator: Indicator) -> None:
    if asked.by not in BY:
        _not_among(_("“%(by)s” is no way to divide figures.", by=asked.by[:40]), BY)
    if asked.people not in PEOPLE:
        _not_among(_("“%(who)s” is nobody.", who=asked.people[:40]), PEOPLE)
    if asked.last < asked.first or asked.last.year - asked.first.year > MOST_YEARS:
        raise BadInput(
            _("The period ends before it begins, or is longer than %(years)s years.", years=str(MOST_YEARS)),
            remedy=_("Give the first day, then the last."),
        )
    if asked.people != "all" and asked.by not in ("site", "entity", "wave"):
        raise BadInput(_("Managers and others are told apart for the site, by entity and by wave."))
    if indicator.counts == "own":
        raise BadInput(_("“%(name)s” is shown by its plugin, on a page of its own.", name=indicator.label))
    if indicator.counts == "spaces" and (asked.by != "site" or asked.people != "all"):
        raise BadInput(_("“%(name)s” counts spaces: it is to be had for the site as a whole.", name=indicator.label))
    if asked.by == "space" and not indicators_built.told_by_space(indicator):
        raise BadInput(
            _("“%(name)s” cannot be told by space.", name=indicator.label),
            remedy=_("By space, what its members do there is counted: engagement, contribution …"),
        )


def _not_among(message: str, known: Sequence[str]) -> None:
    raise BadInput(message, remedy=_("Use one of: %(all)s.", all=", ".join(known)))


# -- finished months ---------------------------------------------------------------------------------------------------


def _finished(session: Session, core: Core, asked: Asked, day: dt.date | None) -> dict[str, Cell] | None:
    """The figures of a whole calendar month, when they are finished; None when they are not."""
    if asked.first.day != 1 or asked.last != month_end(asked.first):
        return None
    here = and_(
        IndicatorCell.month == IndicatorMonth.month, IndicatorCell.indicator == IndicatorMonth.indicator,
        IndicatorCell.scope == asked.by, IndicatorCell.people == asked.people,
    )  # fmt: skip
    if asked.only is not None and len(asked.only) <= FEW:
        here = and_(here, IndicatorCell.target.in_(asked.only))
    rows = session.execute(
        select(
            IndicatorMonth.waves, IndicatorMonth.levels, IndicatorCell.target, IndicatorCell.numerator,
            IndicatorCell.denominator, IndicatorCell.persons, IndicatorCell.shown, IndicatorCell.more,
        )
        .select_from(IndicatorMonth).outerjoin(IndicatorCell, here)
        .where(IndicatorMonth.month == asked.first, IndicatorMonth.indicator == asked.indicator)
    ).all()  # fmt: skip
    if not rows or not _holds(session, core, asked, day, rows[0].waves, rows[0].levels):
        return None
    return {target: Cell(*rest) for _waves, _levels, target, *rest in rows if target is not None}


def _holds(session: Session, core: Core, asked: Asked, day: dt.date | None, waves: str, levels: str) -> bool:
    """Whether people are told apart now as they were when the month was finished. What is older than single acts is kept
    stays as it is: nothing could be counted in its place."""
    if day is None or asked.first < horizon(core.settings.indicator_months):
        return True
    if asked.by == "wave":
        return waves == waves_mark(session)
    if asked.by == "level":
        return levels == levels_mark(session, core, day)
    return asked.by != "space" or bool(waves)


def by_month(
    session: Session, core: Core, asked: Asked, *, most: int = 24
) -> Sequence[tuple[dt.date, Answer]]:
    """The same question for each calendar month that the period touches, the earliest first."""
    months = [first for first, _last in months_between(asked.first.replace(day=1), asked.last)][-most:]
    return [
        (month, ask(session, core, Asked(asked.indicator, month, month_end(month), asked.by, asked.people, asked.only)))
        for month in months
    ]


def yesterday() -> dt.date:
    """The last day of which everything can be known."""
    return utcnow().date() - dt.timedelta(days=1)


def ever_came(session: Session, people: Iterable[int]) -> int:
    """How many of these people have come at least once since counting began."""
    wanted = set(people)
    came = set(session.scalars(select(PresenceMonth.who).where(PresenceMonth.bits.op("&")(VISIT_BIT) != 0).distinct()))
    return len(wanted & came)
