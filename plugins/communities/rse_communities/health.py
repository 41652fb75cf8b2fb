"""Counters of members against the members: found and mended by ``rse doctor``."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rse_core.api import HealthResult, translator

from . import members
from .models import Profile

_ = translator(__file__, "rse_communities").gettext


def wrong(session: Session) -> int:
    """How many spaces have a wrong count; one statement."""
    query = select(func.count()).select_from(Profile).where(Profile.members != members.counted())
    return session.scalar(query) or 0


def check(session: Session) -> HealthResult:
    """Do the counters agree with the members?"""
    number = wrong(session)
    if not number:
        return HealthResult(True, _("every counter of members is exact"))
    return HealthResult(
        False, _("%(wrong)s counters of members are wrong", wrong=str(number)), _("Run rse doctor --repair.")
    )


def repair(session: Session) -> HealthResult:
    """Recount those that are wrong."""
    number = wrong(session)
    session.execute(
        update(Profile).where(Profile.members != members.counted()).values(members=members.counted())
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    return HealthResult(True, _("%(wrong)s counters were corrected", wrong=str(number)))
