"""Counters against rows: found and mended by ``rse doctor``."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, literal_column, select, union_all
from sqlalchemy.orm import Session

from rse_core.api import HealthResult, translator

from .models import Reaction, ReactionCount

_ = translator(__file__, "rse_likes").gettext


def wrong_counters(session: Session) -> int:
    """How many (object, kind) have a counter that differs from their rows; one statement."""
    rows: Any = select(
        Reaction.ref_type.label("t"), Reaction.ref_id.label("i"), Reaction.kind.label("k"), literal_column("1").label("n")
    )
    kept = select(ReactionCount.ref_type, ReactionCount.ref_id, ReactionCount.kind, -ReactionCount.count)
    both = union_all(rows, kept).subquery()
    differing = select(both.c.t).group_by(both.c.t, both.c.i, both.c.k).having(func.sum(both.c.n) != 0).subquery()
    return session.scalar(select(func.count()).select_from(differing)) or 0


def check(session: Session) -> HealthResult:
    """Do the counters agree with the reactions?"""
    wrong = wrong_counters(session)
    if not wrong:
        return HealthResult(True, _("every counter of reactions is exact"))
    return HealthResult(
        False, _("%(wrong)s counters of reactions are wrong", wrong=str(wrong)), _("Run rse doctor --repair.")
    )


def repair(session: Session) -> HealthResult:
    """Recount everything, in the caller's transaction."""
    wrong = wrong_counters(session)
    session.execute(delete(ReactionCount))
    session.execute(
        insert(ReactionCount).from_select(
            ["ref_type", "ref_id", "kind", "count"],
            select(Reaction.ref_type, Reaction.ref_id, Reaction.kind, func.count()).group_by(
                Reaction.ref_type, Reaction.ref_id, Reaction.kind
            ),
        )
    )
    return HealthResult(True, _("%(wrong)s counters were corrected", wrong=str(wrong)))
