"""What people are told of this plugin when it opens to them, and how many use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from rse_core.api import Level, Participation, TourStep, Tutorial, translator

from .models import Post

_t = translator(__file__, "rse_feed")
_, lazy = _t.gettext, _t.lazy
TUTORIALS = Path(__file__).parent / "tutorials"


def steps() -> list[TourStep]:
    """Steps of the tour."""
    return [
        TourStep(
            "feed.read", "feed.read", lazy("Follow what happens"),
            lazy("The feed brings together what your colleagues post, the intranet's news and your communities. "
                 "It shows only what is for you."),
            endpoint="rse_feed.feed", selector=".rse-feed-kinds", order=20,
        ),
        TourStep(
            "feed.post", "feed.post", lazy("Post something of your own"),
            lazy("Write at the top of the feed. Before you publish you choose for whom, and see how many people "
                 "it reaches."),
            endpoint="rse_feed.feed", selector=".rse-feed-composer", order=10,
        ),
    ]  # fmt: skip


def tutorials() -> list[Tutorial]:
    """Short pages that come with it."""
    return [Tutorial("feed.first_post", Level.CONTRIBUTE, TUTORIALS, order=30)]


def participation() -> list[Participation]:
    """Who has posted."""
    return [Participation("feed.posted", lazy("posted at least once"), _people, order=30)]


def _people(_session: Session) -> Select[Any]:
    return select(Post.author_id).where(Post.author_id.is_not(None), Post.state == "published")
