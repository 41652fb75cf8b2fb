"""What those see who administer nothing: the figures of the spaces they run, and counts of the wave they are in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rse_core import indicators_built
from rse_core.api import Core, option
from rse_core.indicators_figures import Asked, ask, yesterday
from rse_core.indicators_frame import LEAST
from rse_core.webapi import core, session_read

from .. import asking
from ..plugin import NEXT_STEPS
from .base import blueprint, page, sight

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Days that the counts of a wave look back.
DAYS = 28


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a wave have done something, and how many have not. ``few``: on one side they are fewer than ten, and then
    neither number is told; None where the wave itself may not be shown."""

    label: Any
    done: int | None
    left: int | None
    few: str = ""


@blueprint.get("/mine/")
def mine() -> str:
    """Spaces, and the wave."""
    found = sight()
    first, last = asking.period("", "")
    spaces = []
    with session_read() as session:
        own = frozenset(str(one) for one in found.spaces)
        if own:
            for name in (indicators_built.ENGAGEMENT, indicators_built.CONTRIBUTION):
                spaces.append(asking.table(session, core(), Asked(name, first, last, "space", "all", own)))
        counts = _counts(session, core(), found.wave) if found.wave else []
        steps = option(session, NEXT_STEPS)
    return page("mine", spaces=spaces, wave=found.wave, counts=counts, days=DAYS, steps=steps, first=first, last=last)


def _counts(session: Session, running: Core, wave: str) -> list[Count]:
    last = yesterday()
    first = last - dt.timedelta(days=DAYS - 1)
    counts = []
    for name in (indicators_built.CONNECTION, indicators_built.ENGAGEMENT, indicators_built.CHARTER):
        figures = ask(session, running, Asked(name, first, last, "wave", only=(wave,))).figures
        one = figures[0] if figures else None
        label = indicators_built.one(running, name).label
        if one is None or one.numerator is None or one.denominator is None:
            counts.append(Count(label, None, None))
            continue
        done, left = one.numerator, one.denominator - one.numerator
        if done < LEAST:
            counts.append(Count(label, None, None, "done"))
        elif 0 < left < LEAST:
            counts.append(Count(label, None, None, "left"))
        else:
            counts.append(Count(label, done, left))
    return counts
