"""How many have accepted a version of the site's charter, by entity and by wave; nobody is found out by it.

The people are those of :mod:`rse_core.indicators_frame`, as of every other figure of the month: so these rates, and the
indicator of the same name, give nothing away by being subtracted from one another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from .db import utcnow
from .indicators_counting import Cell, Share
from .indicators_frame import frame
from .indicators_standing import anchor
from .models.governance import Charter, CharterAcceptance
from .models.indicators import Pseudonym
from .runtime import core_of


@dataclass(frozen=True, slots=True)
class Rates:
    """``day``: the people of its end are those it is about; None: nobody has been counted yet. Entities by id, as text."""

    day: dt.date | None
    whole: Cell | None
    entities: Mapping[str, Cell]
    waves: Mapping[str, Cell]


def rates(session: Session, charter: Charter) -> Rates:
    """Who of the staff has accepted this version by now; of those who were there at the end of the month before."""
    day = anchor(session, utcnow().date())
    if day is None:
        return Rates(None, None, {}, {})
    have = select(Pseudonym.who).join(CharterAcceptance, CharterAcceptance.person_id == Pseudonym.person_id)
    accepted = set(session.scalars(have.where(CharterAcceptance.charter_id == charter.id)))
    share = Share(frame(session, core_of(session), day), accepted)
    return Rates(
        day, share.cells("site", "all").get(""), share.cells("entity", "all"), share.cells("wave", "all")
    )  # fmt: skip
