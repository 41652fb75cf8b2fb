"""What those see who administer nothing: the figures of the spaces they run, and counts of the wave they are in."""

from __future__ import annotations

from rse_core import indicators_built, wave_figures
from rse_core.api import option
from rse_core.indicators_figures import Asked
from rse_core.webapi import core, session_read

from .. import asking
from ..plugin import NEXT_STEPS
from .base import blueprint, page, sight


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
        wave = wave_figures.figures(session, core(), found.wave) if found.wave else None
        steps = option(session, NEXT_STEPS)
    return page("mine", spaces=spaces, wave=wave, steps=steps, first=first, last=last)

