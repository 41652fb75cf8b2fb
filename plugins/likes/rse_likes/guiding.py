"""What people are told of this plugin when it opens to them, and how many use it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from rse_core.api import Participation, TourStep, translator

from .models import Reaction

_t = translator(__file__, "rse_likes")
_, lazy = _t.gettext, _t.lazy


def steps() -> list[TourStep]:
    """Steps of the tour."""
    return [
        TourStep(
            "likes.react", "likes.react", lazy("Say that something helps you"),
            lazy("Under each article of the intranet stand a few reactions, “useful” or “thanks” for instance. One click "
                 "says it, a second one takes it back. Whoever may read the article sees how many have reacted."),
            selector='rse-slot[name="reactions"]', order=10,
        ),
    ]  # fmt: skip


def participation() -> list[Participation]:
    """Who has reacted."""
    return [Participation("likes.reacted", lazy("reacted at least once"), _people, order=10)]


def _people(_session: Session) -> Select[Any]:
    return select(Reaction.person_id).where(Reaction.person_id.is_not(None))
