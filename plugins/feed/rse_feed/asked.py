"""Of how many the share of confirmed announcements is: those whom the announcements of a period ask."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from rse_core.models.organisation import Audience, Membership, Person

from .models import Post


def asked_in(session: Session, first: dt.date, last: dt.date) -> Select[int]:
    """Those whom an announcement asks to confirm it that was published between two days (UTC), both included: the members of
    its space, else its audience, as they are now."""
    begin = dt.datetime.combine(first, dt.time(), dt.UTC)
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), dt.UTC)
    published = and_(Post.must_read.is_(True), Post.published_at >= begin, Post.published_at < end)
    inside = select(Membership.person_id).join(
        Audience, and_(Audience.id == Membership.audience_id, Audience.kind == "space")
    ).where(Audience.target_id.in_(select(Post.space_id).where(published, Post.space_id.is_not(None))))  # fmt: skip
    outside = select(Membership.person_id).where(
        Membership.audience_id.in_(select(Post.audience_id).where(published, Post.space_id.is_(None)))
    )
    return select(Person.id).where(or_(Person.id.in_(inside), Person.id.in_(outside)))
