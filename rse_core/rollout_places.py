"""The levels that a wave places, and taking them back: each spot returns to the level that stood there before.

Rows of levels are never changed or deleted. One that has not begun is taken back by another that begins at the same moment,
later placed, with the level of before; one in force by another that begins now. What a hand has placed since stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from . import cursor
from .audit import Actor
from .cursor import Assignment, Spot
from .models.levels import LevelRow
from .models.rollout import RolloutPlace, RolloutWave
from .rollout_check import Targets
from .snapshot import load_assignments


@dataclass(frozen=True, slots=True)
class Step:
    """One row to be placed: a level on a spot from a moment. ``undoes``: the row of the wave that it takes back."""

    spot: Spot
    level: int | None
    starts_at: dt.datetime
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """What brings a wave from what it has placed to what it should have. ``overtaken``: rows of the wave that a hand has
    placed another above, so that there is nothing to take back."""

    back: tuple[Step, ...]
    forth: tuple[Step, ...]
    overtaken: Mapping[int, int]

    @property
    def empty(self) -> bool:
        """There is nothing to do."""
        return not (self.back or self.forth or self.overtaken)


def spots_of(targets: Targets) -> list[Spot]:
    """Where a wave places its level."""
    spots: list[Spot] = [("level", "entity", one) for one in targets.entities]
    return spots + [("level", "group", one) for one in targets.groups]


def steps(
    session: Session, wave: RolloutWave | None, wanted: Iterable[Spot], level: int, starts_at: dt.datetime, now: dt.datetime
) -> Steps:
    """What to place and to take back so that the wave stands at this level, from this moment, on these spots alone.

    Nothing when it does already. A row in force keeps its start.
    """
    known = load_assignments(session)
    mine = placed(session, wave) if wave is not None else {}
    target = set(wanted)
    keep = {
        spot for spot, row in mine.items()
        if spot in target and row.level == level and (row.starts_at <= now or row.starts_at == starts_at)
    }  # fmt: skip
    back: list[Step] = []
    overtaken: dict[int, int] = {}
    own = set(session.scalars(select(RolloutPlace.level_row_id).where(RolloutPlace.wave_id == wave.id))) if wave else set()
    for spot, row in mine.items():
        if spot in keep:
            continue
        moment = max(row.starts_at, now)
        present = cursor.in_force(known.get(spot, ()), moment)
        if present is not None and present.id != row.id:
            overtaken[row.id] = present.id
        else:
            back.append(Step(spot, _before(known.get(spot, ()), row, own), moment, row.id))
    forth = [Step(spot, level, max(starts_at, now)) for spot in sorted(target - keep, key=str)]
    return Steps(tuple(back), tuple(forth), overtaken)


def _before(rows: Iterable[Assignment], row: Assignment, own: set[int]) -> int | None:
    """The level on a spot as it was before a row, none of the wave's own counted."""
    earlier = [one for one in rows if one.id not in own and (one.starts_at, one.id) < (row.starts_at, row.id)]
    return earlier[-1].level if earlier else None


def placed(session: Session, wave: RolloutWave) -> dict[Spot, Assignment]:
    """The rows of the wave that stand, by spot."""
    rows = session.execute(
        select(LevelRow.scope, LevelRow.scope_key, LevelRow.starts_at, LevelRow.id, LevelRow.level)
        .join(RolloutPlace, RolloutPlace.level_row_id == LevelRow.id)
        .where(RolloutPlace.wave_id == wave.id, RolloutPlace.undone_by.is_(None)).order_by(LevelRow.id)
    )  # fmt: skip
    return {("level", scope, int(key)): Assignment(starts, ident, level) for scope, key, starts, ident, level in rows}


def carry_out(session: Session, wave: RolloutWave, todo: Steps, *, actor: Actor, why: str, now: dt.datetime) -> None:
    """Write the rows; the caller has taken the policy's lock and writes the log."""
    for step in (*todo.back, *todo.forth):
        row = LevelRow(
            kind=step.spot[0], scope=step.spot[1], scope_key=str(step.spot[2]), level=step.level, starts_at=step.starts_at,
            created_at=now, created_by=actor.label, why=why,
        )  # fmt: skip
        session.add(row)
        session.flush()
        if step.undoes is None:
            session.add(RolloutPlace(level_row_id=row.id, wave_id=wave.id))
        else:
            _undone(session, step.undoes, row.id)
    for old, newer in todo.overtaken.items():
        _undone(session, old, newer)
    session.flush()


def _undone(session: Session, row_id: int, by: int) -> None:
    session.execute(update(RolloutPlace).where(RolloutPlace.level_row_id == row_id).values(undone_by=by))
