"""Numbers of a space for those who run it, and which spaces have gone quiet. Counted by the day, without a name anywhere:
they cannot say who did how much, in a small space neither.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from rse_core.api import Event, ObjectRef, dialect_insert, option, resolve, translator, utcnow
from rse_core.models.organisation import Audience, Space

from . import access, members
from .access import Seat
from .models import DayCount, Invitation, JoinRequest, Profile

_ = translator(__file__, "rse_communities").gettext
WEEKS = 12
#: What each event is counted as. Known by their names alone: the plugins that send them may be absent.
COUNTED: Mapping[str, str] = {
    "feed.published": "posts",
    "comments.published": "comments",
    "likes.reacted": "reactions",
    "communities.joined": "joined",
}
WHATS = ("posts", "comments", "reactions", "joined")


def count(session: Session, event: Event) -> None:
    """The consumer: one more of this on that day, in the space where it stands."""
    what = COUNTED.get(event.name)
    space_id = _space_of(session, event)
    if what is None or space_id is None or session.get(Space, space_id) is None:
        return
    day = event.at.astimezone(dt.UTC).date()
    statement = dialect_insert(session, DayCount).values(space_id=space_id, day=day, what=what, count=1)
    session.execute(
        statement.on_conflict_do_update(index_elements=["space_id", "day", "what"], set_={"count": DayCount.count + 1})
    )
    if what in ("posts", "comments"):
        session.execute(
            update(Profile)
            .where(Profile.space_id == space_id, or_(Profile.active_at.is_(None), Profile.active_at < event.at))
            .values(active_at=event.at)
            .execution_options(synchronize_session=False)
        )


def _space_of(session: Session, event: Event) -> int | None:
    told = event.data.get("space")
    if isinstance(told, int):
        return told
    ref = event.ref
    if ref is None:
        return None
    if ref.type == access.TYPE:
        return int(ref.id) if ref.id.isdecimal() else None
    if event.audience_id is not None:
        row = session.execute(select(Audience.kind, Audience.target_id).where(Audience.id == event.audience_id)).first()
        if row is not None and row[0] == "space":
            return int(row[1])
    about = event.data.get("object")
    info = resolve(session, [ref]).get(ref)
    if info is None and isinstance(about, str):
        parent = ObjectRef.parse(about)
        info = resolve(session, [parent]).get(parent)
    return None if info is None else info.space_id


@dataclass(frozen=True, slots=True)
class Week:
    """One week's counts; ``start`` is its Monday."""

    start: dt.date
    posts: int = 0
    comments: int = 0
    reactions: int = 0
    joined: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What those who run a space see of it. ``recent`` and ``before``: of the last 30 days, and of the 30 before those."""

    members: int
    recent: Mapping[str, int]
    before: Mapping[str, int]
    weeks: tuple[Week, ...]
    requests: int
    invitations: int
    listeners: int
    hearing: tuple[str, ...]


def of_space(session: Session, person_id: int, key: str) -> Figures:
    """The figures; a fixed number of queries.

    :raises Forbidden: for who does not run the space.
    """
    seat = access.managing(session, person_id, key)
    today = utcnow().date()
    monday = today - dt.timedelta(days=today.weekday())
    first = monday - dt.timedelta(weeks=WEEKS - 1)
    rows = session.execute(
        select(DayCount.day, DayCount.what, DayCount.count).where(
            DayCount.space_id == seat.space.id, DayCount.day >= min(first, today - dt.timedelta(days=60))
        )
    ).all()
    recent, before = dict.fromkeys(WHATS, 0), dict.fromkeys(WHATS, 0)
    weeks: dict[dt.date, dict[str, int]] = {first + dt.timedelta(weeks=n): {} for n in range(WEEKS)}
    for day, what, number in rows:
        if what not in recent:
            continue
        age = (today - day).days
        if age < 30:
            recent[what] += number
        elif age < 60:
            before[what] += number
        start = day - dt.timedelta(days=day.weekday())
        if start in weeks:
            weeks[start][what] = weeks[start].get(what, 0) + number
    listeners, hearing = members.will_hear(session, seat.space.id)
    return Figures(
        members=_members(session, seat),
        recent=recent,
        before=before,
        weeks=tuple(Week(start, **counts) for start, counts in weeks.items()),
        requests=_waiting(session, JoinRequest, seat),
        invitations=_waiting(session, Invitation, seat),
        listeners=listeners,
        hearing=tuple(hearing),
    )


@dataclass(frozen=True, slots=True)
class Quiet:
    """A space in which nothing has been published for long."""

    id: int
    key: str
    name: str
    members: int
    since: dt.datetime


def quiet(session: Session, person_id: int, *, months: int | None = None, after: int = 0, most: int = 50) -> list[Quiet]:
    """Open spaces without a publication for so many months (a setting), by id; for site administrators.

    :raises NotFound: for everybody else.
    """
    access.require_site_admin(session, person_id)
    limit = utcnow() - dt.timedelta(days=30 * (months or option(session, "communities.quiet_months")))
    last: ColumnElement[dt.datetime] = func.coalesce(Profile.active_at, Profile.opened_at, Profile.created_at)
    rows = session.execute(
        select(Space.id, Space.key, Space.name, Profile.members, Profile.active_at, Profile.opened_at, Profile.created_at)
        .join(Profile, Profile.space_id == Space.id)
        .where(
            Space.id > after, Space.archived_at.is_(None), Space.merged_into.is_(None), Profile.state == "open", last < limit
        )
        .order_by(Space.id)
        .limit(most)
    )
    return [Quiet(r[0], r[1], r[2], r[3], r[4] or r[5] or r[6]) for r in rows]


def active(session: Session, *, days: int = 30) -> tuple[int, int]:
    """Communities with at least one publication in so many days, and all that are open: the indicator's two numbers."""
    since = utcnow() - dt.timedelta(days=days)
    alive = (Space.archived_at.is_(None), Space.merged_into.is_(None), Profile.state == "open")
    base = select(func.count()).select_from(Profile).join(Space, Space.id == Profile.space_id).where(*alive)
    return session.scalar(base.where(Profile.active_at >= since)) or 0, session.scalar(base) or 0


def _members(session: Session, seat: Seat) -> int:
    return session.scalar(select(Profile.members).where(Profile.space_id == seat.space.id)) or 0


def _waiting(session: Session, model: type[JoinRequest] | type[Invitation], seat: Seat) -> int:
    query = select(func.count()).select_from(model).where(
        model.space_id == seat.space.id, model.state == "pending", model.expires_at > utcnow()
    )  # fmt: skip
    return session.scalar(query) or 0
