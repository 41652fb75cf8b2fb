"""What of the feed is worth a line in a person's digest: at most five posts, chosen so that everybody can tell why.

Announcements first, those still to be confirmed before the others; then the posts that were active last. One's own are not
among them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import String, and_, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import DigestLine, core_of, translator
from rse_core.people import names

from . import access, sight
from .entries import PUBLISHED
from .models import Acknowledgement, Entry, Post
from .texts import heading

lazy = translator(__file__, "rse_feed").lazy

MOST = 5
WEIGHTS = {"post": 10, "announcement": 50, "to_read": 100}


def lines(session: Session, person_id: int, since: dt.datetime) -> Iterable[DigestLine]:
    """The best posts since then that the person may see; two queries."""
    confirmed = exists().where(Acknowledgement.post_id == Post.id, Acknowledgement.person_id == person_id)
    waits = and_(Post.must_read, ~confirmed)
    rows = session.execute(
        select(
            Post.id, Post.title, Post.body, Post.author_id, Post.announcement, Entry.created_at, waits.label("waits")
        )
        .join(Entry, and_(
            Entry.ref_type == access.TYPE, Entry.ref_id == cast(Post.id, String), Entry.event == PUBLISHED
        ))
        .where(
            sight.entries(session, person_id), sight.posts(session, person_id), Entry.low.is_(False),
            Entry.created_at >= since, or_(Post.author_id.is_(None), Post.author_id != person_id),
        )
        .order_by(func.coalesce(waits, False).desc(), Post.announcement.desc(), Entry.last_activity.desc(), Entry.id.desc())
        .limit(MOST)
    ).all()  # fmt: skip
    people = names(session, [row.author_id for row in rows])
    prefix = core_of(session).settings.url_prefix
    for row in rows:
        kind = "to_read" if row.waits else "announcement" if row.announcement else "post"
        section = lazy("To read") if kind == "to_read" else lazy("Announcements") if row.announcement else lazy("Feed")
        author = people.get(row.author_id or 0)
        yield DigestLine(
            access.ref_of(row.id), heading(row.title, row.body), f"{prefix}/feed/posts/{row.id}", section, row.created_at,
            author.display_name if author else "", WEIGHTS[kind],
        )  # fmt: skip
