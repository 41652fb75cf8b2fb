"""What single people did in a period, from the roll-ups: the numbers that are then added up by place."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from .contributions import Indicator
from .indicators_built import COMMENTED, POSTED, events_of
from .indicators_facts import VISIT_BIT, mask
from .indicators_packed import numbers, pairs
from .indicators_roll import month_end, months_between
from .models.governance import Charter, CharterAcceptance
from .models.indicators import Fact, Presence, PresenceMonth, PresenceSpace, Pseudonym, Signal, Standing
from .models.organisation import Space

if TYPE_CHECKING:
    from .runtime import Core

DAY = dt.timedelta(days=1)


def did(session: Session, core: Core, indicator: Indicator, first: dt.date, last: dt.date) -> set[int]:
    """Who did at least one act that the indicator counts, between two days, both included.

    Months that lie whole in the period are read by month; of the others, visits are too, since a month keeps on which days
    somebody came: only other acts of its first and last days are read day by day.
    """
    bits = mask(session, events_of(core, indicator))
    if not bits:
        return set()
    queries: list[Select[int]] = []
    whole: list[dt.date] = []
    parts: list[tuple[dt.date, dt.date]] = []
    for begin, end in months_between(first, last):
        if begin.day == 1 and end == month_end(begin):
            whole.append(begin)
            continue
        if bits & VISIT_BIT:
            here = PresenceMonth.days.op("&")(_days(begin, end)) != 0
            queries.append(select(PresenceMonth.who).where(PresenceMonth.month == begin.replace(day=1), here))
        # Days that follow one another are read in one go.
        parts = [*parts[:-1], (parts[-1][0], end)] if parts and parts[-1][1] + DAY == begin else [*parts, (begin, end)]
    if others := bits & ~VISIT_BIT:
        for days in parts:
            there = Presence.day.between(*days)
            queries.append(select(Presence.who).where(there, Presence.bits.op("&")(others) != 0).distinct())
    if whole:
        query = select(PresenceMonth.who).where(
            PresenceMonth.month.between(whole[0], whole[-1]), PresenceMonth.bits.op("&")(bits) != 0
        )
        queries.append(query if len(whole) == 1 else query.distinct())
    return {who for query in queries for who in numbers(session, query)}


def _days(first: dt.date, last: dt.date) -> int:
    """The bits of the days of one month from one to another."""
    return (1 << last.day) - (1 << (first.day - 1))


def days_here(session: Session, first: dt.date, last: dt.date) -> dict[int, int]:
    """On which days everybody was here, between two days of one month: one bit for each, that of its first day is 1."""
    wanted = _days(first, last)
    query = select(PresenceMonth.who, PresenceMonth.days.op("&")(wanted)).where(
        PresenceMonth.month == first.replace(day=1), PresenceMonth.days.op("&")(wanted) != 0
    )
    return dict(pairs(session, query))


def accepted(session: Session, last: dt.date) -> set[int] | None:
    """Who had accepted the site's charter that was in force at the end of a day; None when there was none."""
    end = dt.datetime.combine(last + DAY, dt.time(), dt.UTC)
    query = select(Charter.id).where(Charter.kind == "use", Charter.space_id.is_(None), Charter.published_at < end)
    charter = session.scalar(query.order_by(Charter.published_at.desc(), Charter.id.desc()).limit(1))
    if charter is None:
        return None
    return set(
        numbers(
            session,
            select(Pseudonym.who).join(CharterAcceptance, CharterAcceptance.person_id == Pseudonym.person_id)
            .where(CharterAcceptance.charter_id == charter, CharterAcceptance.accepted_at < end),
        )
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One post: who wrote it and when, and when somebody else first commented on it (None: not so far)."""

    who: int
    at: dt.datetime
    answered: dt.datetime | None


def answers(session: Session, first: dt.date, last: dt.date) -> list[Asked]:
    """The posts of a period, each with its first comment by somebody else that was known by the end of it."""
    signals = {name: ident for name, ident in session.execute(select(Signal.name, Signal.id))}
    if POSTED not in signals:
        return []
    period = Fact.day.between(first, last)
    comments: dict[str, list[tuple[dt.datetime, int]]] = defaultdict(list)
    query = select(Fact.on_ref, Fact.at, Fact.who).where(Fact.signal == signals.get(COMMENTED, -1), period)
    for on, at, who in session.execute(query):
        comments[on].append((at, who))
    # A post that was published again (after a change, out of a hold) counts once, from the first time.
    posts = select(Fact.ref, Fact.who, func.min(Fact.at)).where(Fact.signal == signals[POSTED], period, Fact.ref != "")
    found = []
    for ref, author, asked in session.execute(posts.group_by(Fact.ref, Fact.who)):
        answered = min((at for at, who in comments.get(ref, ()) if who != author and at >= asked), default=None)
        found.append(Asked(author, asked, answered))
    return found


def spaces(session: Session, core: Core, indicator: Indicator, first: dt.date, last: dt.date) -> tuple[int, int]:
    """In how many spaces something that the indicator counts happened, and how many were open at the end of the period."""
    end = dt.datetime.combine(last + DAY, dt.time(), dt.UTC)
    opened = and_(Space.created_at < end, (Space.archived_at.is_(None)) | (Space.archived_at >= end))
    bits = mask(session, events_of(core, indicator))
    lively = select(PresenceSpace.space_id).where(
        PresenceSpace.day.between(first, last), PresenceSpace.bits.op("&")(bits) != 0
    )
    active = select(func.count()).select_from(Space).where(opened, Space.id.in_(lively))
    return session.scalar(active) or 0, session.scalar(select(func.count()).select_from(Space).where(opened)) or 0


def in_spaces(
    session: Session, core: Core, indicator: Indicator, first: dt.date, last: dt.date, day: dt.date,
    only: Sequence[int] | None = None,
) -> Mapping[int, tuple[int, int]]:  # fmt: skip
    """For each space: its members of a day who did such an act *there* in the period, and all its members of that day."""
    from .indicators_standing import at as holds_at

    member = and_(Standing.kind == "space", holds_at(day))
    if only is not None:
        member = and_(member, Standing.target.in_(only))
    bits = mask(session, events_of(core, indicator))
    everybody = {
        space: number
        for space, number in session.execute(
            select(Standing.target, func.count()).where(member).group_by(Standing.target)
        )
    }
    acted = {
        space: number
        for space, number in session.execute(
            select(Standing.target, func.count(Standing.who.distinct()))
            .join(PresenceSpace, and_(PresenceSpace.space_id == Standing.target, PresenceSpace.who == Standing.who))
            .where(member, PresenceSpace.day.between(first, last), PresenceSpace.bits.op("&")(bits) != 0)
            .group_by(Standing.target)
        )
    }  # fmt: skip
    return {space: (acted.get(space, 0), number) for space, number in everybody.items()}
