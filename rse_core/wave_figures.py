"""A wave as those who accompany it see it: rates of what its people have done lately, and how many have not, never who.

The figures are those of :mod:`rse_core.indicators_figures`; here they are told so that no number, and not what it leaves, is
of fewer than ten people. Whoever asks has been let in before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import indicators_built
from .cursor import path_of
from .db import utcnow
from .i18n import Text
from .indicators_figures import Asked, ask, yesterday
from .indicators_frame import LEAST, frame
from .indicators_standing import anchor
from .models.indicators import Pseudonym
from .models.rollout import RolloutWave
from .rollout_gates import too_early

if TYPE_CHECKING:
    from .runtime import Core

#: Days that the figures look back.
DAYS = 28
TOLD = (indicators_built.CONNECTION, indicators_built.ENGAGEMENT, indicators_built.CHARTER)


@dataclass(frozen=True, slots=True)
class WaveCount:
    """How many of a wave have done something, and how many have not. ``few``: ``done`` or ``left``, which are fewer than
    ten, and then neither number is told; None where the wave itself may not be shown, or nothing is known yet."""

    name: str
    label: Text
    done: int | None
    left: int | None
    few: str = ""

    @property
    def rate(self) -> float | None:
        """From 0 to 1."""
        return None if self.done is None or self.left is None else self.done / (self.done + self.left)


@dataclass(frozen=True, slots=True)
class WaveFigures:
    """A wave's counts. ``early`` says that it is too early for a verdict; "" later."""

    wave: str
    counts: tuple[WaveCount, ...]
    early: str = ""
    days: int = DAYS


def wave_of(session: Session, core: Core, person_id: int) -> str:
    """The wave of a person: the earliest of that of the nearest entity that any names and those of their groups; or ""."""
    facts = core.policy.person(person_id)
    if facts is None:
        return ""
    path = path_of(core.policy.snapshot(), facts)
    waves = session.execute(
        select(RolloutWave.name, RolloutWave.entities, RolloutWave.groups).where(RolloutWave.state != "gone")
        .order_by(RolloutWave.plan_id, RolloutWave.position)
    ).all()  # fmt: skip
    named = {entity for _name, entities, _groups in waves for entity in entities}
    nearest = next((entity for entity in path if entity in named), None)
    for name, entities, groups in waves:
        if (nearest is not None and nearest in entities) or facts.groups.intersection(groups):
            return str(name)
    return ""


def figures(session: Session, core: Core, wave: str) -> WaveFigures:
    """Connection, engagement and acceptance of the charter in a wave, over the last days."""
    last = yesterday()
    counts = tuple(_count(session, core, name, last - dt.timedelta(days=DAYS - 1), last, wave) for name in TOLD)
    opened = session.scalar(select(RolloutWave.opened_at).where(RolloutWave.name == wave))
    return WaveFigures(wave, counts, too_early(opened, utcnow()))


def _count(session: Session, core: Core, name: str, first: dt.date, last: dt.date, wave: str) -> WaveCount:
    label = indicators_built.one(core, name).label
    found = ask(session, core, Asked(name, first, last, "wave", only=(wave,))).figures
    if not found or found[0].numerator is None or found[0].denominator is None:
        return WaveCount(name, label, None, None)
    done, left = found[0].numerator, found[0].denominator - found[0].numerator
    if done < LEAST:
        return WaveCount(name, label, None, None, "done")
    if 0 < left < LEAST:
        return WaveCount(name, label, None, None, "left")
    return WaveCount(name, label, done, left)


def apart(session: Session, core: Core, wave: str, people: Collection[int]) -> bool:
    """Whether figures of these people may stand beside those of a wave: what one has that the other has not, and what both
    have, is nobody or at least ten people. True where there are no figures of the wave."""
    day = anchor(session, yesterday())
    if day is None:
        return True
    members = set(frame(session, core, day).members.get(("wave", wave, "all"), ()))
    mine = set(session.scalars(select(Pseudonym.who).where(Pseudonym.person_id.in_(people))))
    return not any(0 < len(some) < LEAST for some in (members - mine, mine - members, members & mine))
