"""Before and after: the figures of a wave or an entity in the weeks before its level rose, and in those after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from rse_core.api import Core, Level, utcnow
from rse_core.indicators_figures import Asked, Figure, ask, yesterday
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import Entity
from rse_core.models.rollout import RolloutWave
from rse_core.rollout_gates import too_early

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

INDICATORS = ("connection_rate", "engagement_rate", "contribution_rate", "habit")
WEEKS = (4, 12, 26)


@dataclass(frozen=True, slots=True)
class Opening:
    """A change of level: of a wave (``by`` wave) or of an entity."""

    by: str
    target: str
    name: str
    at: dt.datetime
    level: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """An opening with its figures: indicator → before, after. ``early``: why they are no verdict yet."""

    opening: Opening
    figures: tuple[tuple[str, Figure | None, Figure | None], ...]
    early: str
    #: full weeks that have passed of those asked for
    weeks: int


def of_waves(session: Session, now: dt.datetime) -> list[Opening]:
    """The waves that have opened, the latest first."""
    rows = session.scalars(
        select(RolloutWave).where(RolloutWave.opened_at.is_not(None), RolloutWave.opened_at <= now)
        .order_by(RolloutWave.opened_at.desc())
    )  # fmt: skip
    return [Opening("wave", row.name, row.name, row.opened_at, row.level) for row in rows if row.opened_at is not None]


def of_entities(session: Session, now: dt.datetime, only: frozenset[str] | None, *, most: int = 30) -> list[Opening]:
    """The latest changes of the levels of entities themselves."""
    query = select(LevelRow.scope_key, Entity.name, LevelRow.starts_at, LevelRow.level)
    query = query.join(Entity, Entity.id == LevelRow.scope_key.cast(Entity.id.type))
    query = query.where(LevelRow.kind == "level", LevelRow.scope == "entity", LevelRow.starts_at <= now)
    if only is not None:
        query = query.where(LevelRow.scope_key.in_(only))
    rows = session.execute(query.order_by(LevelRow.starts_at.desc(), LevelRow.id.desc()).limit(most))
    return [Opening("entity", key, name, at, level) for key, name, at, level in rows]


def compare(session: Session, core: Core, openings: Sequence[Opening], weeks: int) -> list[Compared]:
    """The figures of so many weeks before and after each opening; after it as far as there are any yet."""
    now = utcnow()
    found = []
    for opening in openings:
        day = opening.at.astimezone(dt.UTC).date()
        span = dt.timedelta(weeks=weeks)
        before = (day - span, day - dt.timedelta(days=1))
        after = (day, min(day + span - dt.timedelta(days=1), yesterday()))
        figures = []
        for name in INDICATORS:
            pair = [_figure(session, core, name, opening, *period) for period in (before, after)]
            figures.append((name, pair[0], pair[1]))
        passed = max(0, ((after[1] - day).days + 1) // 7)
        found.append(Compared(opening, tuple(figures), too_early(opening.at, now), passed))
    return found


def _figure(session: Session, core: Core, name: str, opening: Opening, first: dt.date, last: dt.date) -> Figure | None:
    if last < first:
        return None
    answer = ask(session, core, Asked(name, first, last, opening.by, only=(opening.target,)))
    return answer.figures[0] if answer.figures else None


def label(level: int | None) -> str:
    """A level's name; withdrawn ones have none."""
    return "–" if level is None else str(Level(level).label)


def young(session: Session, waves: Collection[str], now: dt.datetime) -> list[tuple[str, str]]:
    """Of these waves those whose figures are no verdict yet: the name, and the sentence that says so."""
    rows = select(RolloutWave.name, RolloutWave.opened_at).where(RolloutWave.name.in_(waves), RolloutWave.state != "gone")
    found = session.execute(rows.order_by(RolloutWave.plan_id, RolloutWave.position))
    return [(name, sentence) for name, opened in found if (sentence := too_early(opened, now))]
