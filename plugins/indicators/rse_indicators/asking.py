"""A question with its answer in words: the period, the places with their names, each figure ready for a page or a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from rse_core import indicators_built
from rse_core.api import BadInput, Core, Indicator, Level, translator
from rse_core.indicators_figures import Answer, Asked, Figure, ask, yesterday
from rse_core.indicators_roll import month_end
from rse_core.models.organisation import Entity, Group, Space
from rse_core.models.rollout import RolloutPlan, RolloutWave
from rse_core.when import EARLIEST, LATEST

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_t = translator(__file__, "rse_indicators")
_, lazy = _t.gettext, _t.lazy
WAYS = {
    "site": lazy("the whole site"), "entity": lazy("entity"), "wave": lazy("wave"), "level": lazy("level"),
    "group": lazy("group"), "space": lazy("space"),
}  # fmt: skip
PARTS = {"all": lazy("everybody"), "managers": lazy("managers"), "others": lazy("all but managers")}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure with its place. ``key``: as people know the place (an entity's id, a wave's name, ``comment``)."""

    key: str
    name: str
    figure: Figure

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; a suppressed one has no numbers."""
        found = self.figure
        rate = None if found.rate is None else round(found.rate, 6)
        return {
            "key": self.key, "name": self.name, "numerator": found.numerator, "denominator": found.denominator,
            "rate": rate, "suppressed": found.suppressed, **dict(found.more),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """The figures of one question, the highest first, those that are not shown last."""

    answer: Answer
    rows: tuple[Row, ...]

    @property
    def indicator(self) -> Indicator:
        """The indicator's definition."""
        return self.answer.indicator

    @property
    def asked(self) -> Asked:
        """The question."""
        return self.answer.asked


def period(first: str, last: str) -> tuple[dt.date, dt.date]:
    """The days between which is counted: as given, else the last whole month.

    :raises BadInput: for what is no date.
    """
    end = _date(last) if last.strip() else None
    if end is None and not first.strip():
        end = yesterday().replace(day=1) - dt.timedelta(days=1) if yesterday() != month_end(yesterday()) else yesterday()
    end = end or yesterday()
    return (_date(first) if first.strip() else end.replace(day=1)), end


def _date(text: str) -> dt.date:
    try:
        found = dt.date.fromisoformat(text.strip())
        if not EARLIEST <= found <= LATEST:
            raise ValueError
        return found
    except ValueError:
        raise BadInput(
            _("“%(text)s” is not a date.", text=text[:40]), remedy=_("Write it as 2027-01-31."),
        ) from None  # fmt: skip


def table(session: Session, core: Core, asked: Asked) -> Table:
    """Ask, and name the places.

    :raises NotFound: for an unknown indicator.
    :raises BadInput: for a period or a division that makes no sense.
    """
    answer = ask(session, core, asked)
    names = _names(session, asked.by, [figure.target for figure in answer.figures])
    rows = [Row(*names.get(figure.target, (figure.target, figure.target)), figure) for figure in answer.figures]
    if asked.by == "level":
        rows.sort(key=lambda row: row.figure.target)
    elif asked.by != "wave":
        rows.sort(key=lambda row: (row.figure.suppressed, -(row.figure.rate or 0), row.name))
    else:
        order = {name: number for number, name in enumerate(names)}
        rows.sort(key=lambda row: order.get(row.figure.target, 0))
    return Table(answer, tuple(rows))


def _names(session: Session, by: str, targets: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    if by == "site":
        return {"": ("site", _("the whole site"))}
    if by == "level":
        return {str(int(level)): (level.name.lower(), str(level.label)) for level in Level}
    if by == "wave":
        rows = select(RolloutWave.name, RolloutPlan.name).join(RolloutPlan, RolloutPlan.id == RolloutWave.plan_id)
        found = session.execute(rows.order_by(RolloutWave.plan_id, RolloutWave.position))
        return {wave: (wave, f"{wave} ({plan})") for wave, plan in found}
    model: Any = {"entity": Entity, "group": Group, "space": Space}[by]
    wanted = [int(target) for target in targets]
    known: dict[str, tuple[str, str]] = {}
    for start in range(0, len(wanted), 500):
        part = select(model.id, model.key, model.name).where(model.id.in_(wanted[start : start + 500]))
        known |= {str(ident): (key, name) for ident, key, name in session.execute(part)}
    return known


def definitions(core: Core) -> list[Indicator]:
    """Every indicator, the core's own first."""
    return list(indicators_built.all_of(core).values())


def denominator(indicator: Indicator) -> str:
    """Of how many, in words."""
    return str(indicator.denominator or indicators_built.STAFF)


def source(core: Core, indicator: Indicator) -> str:
    """Where the numbers come from, in words."""
    events = indicators_built.events_of(core, indicator)
    if indicator.name == indicators_built.CHARTER:
        return _("The record of acceptances of the charter.")
    if events == (indicators_built.VISIT,):
        return _("The record of visits: one for each person and day, at every level.")
    return _("Events: %(names)s.", names=", ".join(events))
