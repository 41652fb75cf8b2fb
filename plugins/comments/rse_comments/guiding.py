"""What people are told of this plugin when it opens to them, and how many use it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from rse_core.api import Participation, TourStep, translator

from .models import Comment

_t = translator(__file__, "rse_comments")
_, lazy = _t.gettext, _t.lazy


def steps() -> list[TourStep]:
    """Steps of the tour."""
    return [
        TourStep(
            "comments.write", "comments.write", lazy("Ask and answer under an article"),
            lazy("Below each article you can write a comment, answer one, and name a colleague with “@”. "
                 "You can change or delete what you wrote."),
            selector='rse-slot[name="comments"]', order=10,
        ),
    ]  # fmt: skip


def participation() -> list[Participation]:
    """Who has commented."""
    return [Participation("comments.wrote", lazy("commented at least once"), _people, order=20)]


def _people(_session: Session) -> Select[Any]:
    return select(Comment.author_id).where(Comment.author_id.is_not(None), Comment.state == "published")
