"""Rolling up: the raw record of a day becomes one row for each person, days become months; again, whenever more is known.

The same statements make a day the first time, after late news, and in a rebuild: there is one way to a figure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    case,
    cast,
    delete,
    distinct,
    extract,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from . import indicators_standing
from .contributions import Job
from .db import Key, dialect_insert, utcnow
from .indicators_facts import MOST_SIGNALS, VISIT_BIT
from .models.indicators import (
    Fact,
    Presence,
    PresenceMonth,
    PresenceSpace,
    Pseudonym,
    RollupDay,
    RollupState,
    Signal,
    Standing,
)
from .models.runtime import Visit
from .runtime import core_of

if TYPE_CHECKING:
    from .runtime import Core

DAY = dt.timedelta(days=1)


def roll_up(session: Session, *, now: dt.datetime | None = None) -> list[dt.date]:
    """Bring everything up to date: the history of the organisation, every day of which more is known, their months.

    :returns: the days that were rolled up.
    """
    today = (now or utcnow()).astimezone(dt.UTC).date()
    run = _begin(session)
    indicators_standing.note(session, today)
    days = _waiting(session, today)
    fold(session, days, run)
    return days


def _begin(session: Session) -> int:
    """The number of this roll-up; its row keeps another from running beside it."""
    insert = dialect_insert(session, RollupState).values(id=1, run=0, changed_at=utcnow())
    session.execute(insert.on_conflict_do_nothing())
    state = session.scalar(select(RollupState).where(RollupState.id == 1).with_for_update().execution_options(
        populate_existing=True
    ))  # fmt: skip
    assert state is not None  # noqa: S101  it was written above
    state.run, state.changed_at = state.run + 1, utcnow()
    session.flush()
    return state.run


def _waiting(session: Session, today: dt.date) -> list[dt.date]:
    last = session.scalar(select(func.max(RollupDay.day)).where(RollupDay.rolled_at.is_not(None)))
    first = session.scalar(select(func.min(Visit.day))) if last is None else last - DAY
    # Visits leave no mark: a day is looked at until the day after it is over.
    missed = {first + DAY * n for n in range((today - first).days + 1)} if first is not None else set()
    dirty = set(session.scalars(select(RollupDay.day).where(RollupDay.dirty.is_(True))))
    return sorted(missed | dirty | {today - DAY, today})


def fold(session: Session, days: Sequence[dt.date], run: int, *, anew: bool = False) -> None:
    """Roll up these days, and the months that they change.

    :param anew: forget what was rolled up of them before.
    """
    for day in days:
        # Cleared first: an act that becomes known meanwhile waits for this transaction, and marks the day again.
        done = dialect_insert(session, RollupDay).values(day=day, dirty=False, rolled_at=utcnow())
        session.execute(
            done.on_conflict_do_update(index_elements=["day"], set_={"dirty": False, "rolled_at": utcnow()})
        )
        if anew:
            session.execute(delete(Presence).where(Presence.day == day))
        _fold_day(session, day, run)
    changed = select(Presence.day).where(Presence.day.in_(days), Presence.run == run).distinct()
    touched = days if anew else session.scalars(changed).all()
    for month in sorted({day.replace(day=1) for day in touched}):
        _fold_month(session, month, run, anew=anew)


def _fold_day(session: Session, day: dt.date, run: int) -> None:
    visits = (
        select(Pseudonym.who.label("who"), literal(VISIT_BIT, Key).label("bits"))
        .join(Visit, Visit.person_id == Pseudonym.person_id).where(Visit.day == day)
    )  # fmt: skip
    # Bits of different acts are different powers of two: adding them up is joining them.
    acts = select(Fact.who, cast(func.sum(distinct(_bit(Fact.signal))), Key)).where(Fact.day == day).group_by(Fact.who)
    both = union_all(visits, acts).subquery()
    whole = select(literal(day, Date), both.c.who, _either(session, both.c.bits), literal(run, Key)).where(true())
    made = dialect_insert(session, Presence).from_select(["day", "who", "bits", "run"], whole.group_by(both.c.who))
    session.execute(
        made.on_conflict_do_update(
            index_elements=["day", "who"], set_={"bits": made.excluded.bits, "run": made.excluded.run},
            where=Presence.bits != made.excluded.bits,
        )
    )  # fmt: skip
    session.execute(delete(PresenceSpace).where(PresenceSpace.day == day))
    inside = (
        select(literal(day, Date), Fact.space_id, Fact.who, cast(func.sum(distinct(_bit(Fact.signal))), Key))
        .where(Fact.day == day, Fact.space_id.is_not(None)).group_by(Fact.space_id, Fact.who)
    )  # fmt: skip
    session.execute(dialect_insert(session, PresenceSpace).from_select(["day", "space_id", "who", "bits"], inside))


def _fold_month(session: Session, month: dt.date, run: int, *, anew: bool) -> None:
    last = month_end(month)
    if anew:
        session.execute(delete(PresenceMonth).where(PresenceMonth.month == month))
    within = Presence.day.between(month, last)
    whole = select(literal(month, Date), Presence.who, _either(session, Presence.bits), days_here()).where(within)
    whole = whole.group_by(Presence.who)
    if not anew:
        # One pass over the month; a join with those who changed is planned badly, as no statistics know of this run.
        whole = whole.having(func.max(case((Presence.run == run, 1), else_=0)) == 1)
    made = dialect_insert(session, PresenceMonth).from_select(["month", "who", "bits", "days"], whole)
    session.execute(
        made.on_conflict_do_update(
            index_elements=["month", "who"], set_={"bits": made.excluded.bits, "days": made.excluded.days}
        )
    )


def days_here() -> ColumnElement[int]:
    """The days of one month on which somebody came, for a group of :class:`Presence` of that month: one bit for each."""
    # A day is there once for each person: adding up is joining.
    here = case((Presence.bits.op("&")(VISIT_BIT) != 0, _bit(cast(extract("day", Presence.day), Integer) - 1)), else_=0)
    return cast(func.sum(here), Key)


def _bit(signal: Any) -> ColumnElement[int]:
    found: ColumnElement[int] = cast(literal(1), BigInteger).op("<<")(signal)
    return found


def _either(session: Session, bits: Any) -> ColumnElement[int]:
    """The bits that are set in any row of a group."""
    if session.get_bind().dialect.name == "postgresql":
        joined: ColumnElement[int] = func.bit_or(bits)
        return joined
    known = [0, *session.scalars(select(Signal.id))]
    parts = [func.max(bits.op("&")(1 << ident)) for ident in known if ident <= MOST_SIGNALS]
    total: ColumnElement[Any] = parts[0]
    for part in parts[1:]:
        total = total + part
    return cast(total, Key)


def month_end(month: dt.date) -> dt.date:
    """The last day of the month of a day.

    >>> month_end(dt.date(2026, 2, 1))
    datetime.date(2026, 2, 28)
    """
    return (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - DAY


def months_between(first: dt.date, last: dt.date) -> Iterable[tuple[dt.date, dt.date]]:
    """The part of each month that lies between two days: its first and last day."""
    at = first
    while at <= last:
        end = min(month_end(at), last)
        yield at, end
        at = end + DAY


# -- beginning again, and forgetting -------------------------------------------------------------------------------------


def rebuild(core: Core, *, progress: Callable[[dt.date, int, int], None] | None = None, anew: bool = False) -> int:
    """Make every roll-up again from the raw record, a month at a time, each in transactions of its own; the site serves.

    One that was interrupted goes on where it stopped.

    :param progress: told after each month: which, how many are done, of how many.
    :param anew: begin at the start, whatever an earlier one has done.
    :returns: the months that were made.
    """
    with core.db.write() as session:
        run = _begin(session)
        state = session.get(RollupState, 1)
        assert state is not None  # noqa: S101  _begin wrote it
        today = utcnow().date()
        if state.rebuild_to is None or anew:
            state.rebuilt_to, state.rebuild_to = None, today
        first, reached = _first_raw(session), state.rebuilt_to
        indicators_standing.note(session, today)
    months = list(months_between(first.replace(day=1), today)) if first is not None else []
    left = [(begin, end) for begin, end in months if reached is None or end > reached]
    from .indicators_cells import finish, reopen

    for begin, end in left:
        with core.db.write() as session:
            run = _begin(session)
            days = [begin + DAY * n for n in range((end - begin).days + 1)]
            fold(session, days, run, anew=True)
            reopen(session, core, [begin])
            state = session.get(RollupState, 1)
            assert state is not None  # noqa: S101
            state.rebuilt_to = end
        finish(core, begin)
        if progress is not None:
            progress(begin, len(months) - len(left) + left.index((begin, end)) + 1, len(months))
    with core.db.write() as session:
        state = session.get(RollupState, 1)
        assert state is not None  # noqa: S101
        state.rebuilt_to = state.rebuild_to = None
    return len(left)


def _first_raw(session: Session) -> dt.date | None:
    found = [session.scalar(select(func.min(column))) for column in (Visit.day, Fact.day)]
    return min((day for day in found if day is not None), default=None)


def horizon(months: int, *, now: dt.datetime | None = None) -> dt.date:
    """The first day of which single acts are kept: of the month so many months ago."""
    today = (now or utcnow()).date()
    number = today.year * 12 + today.month - 1 - months
    return dt.date(number // 12, number % 12 + 1, 1)


def prune(session: Session, months: int, *, now: dt.datetime | None = None) -> int:
    """Forget what single people did longer ago than so many months; finished figures stay. The rows that went."""
    first, gone = horizon(months, now=now), 0
    for table, column in (
        (Visit, Visit.day), (Fact, Fact.day), (Presence, Presence.day), (PresenceSpace, PresenceSpace.day),
        (PresenceMonth, PresenceMonth.month), (RollupDay, RollupDay.day),
    ):  # fmt: skip
        gone += len(session.execute(delete(table).where(column < first).returning(column)).all())
    ended = Standing.until
    # One month more: the people of a month are those of the end of the one before.
    rows = delete(Standing).where(ended.is_not(None), ended < first - DAY * 31).returning(ended)
    return gone + len(session.execute(rows.execution_options(synchronize_session=False)).all())


def _run(session: Session) -> None:
    from .indicators_cells import reopen, unfinished

    core = core_of(session)
    reopen(session, core, roll_up(session))
    prune(session, core.settings.indicator_months)
    _defer_finishing(session, unfinished(session, core))


def _finish_next(core: Core) -> None:
    """Finish one indicator of one month: nobody waits for all of them, and what is done is done."""
    from .indicators_cells import finish_one, unfinished

    with core.db.read() as session:
        left = unfinished(session, core)
    if left:
        month, names = left[0]
        finish_one(core, month, names[0])


def _finish(session: Session) -> None:
    from .indicators_cells import unfinished

    _defer_finishing(session, unfinished(session, core_of(session)))


def _defer_finishing(session: Session, left: Sequence[tuple[dt.date, Sequence[str]]]) -> None:
    from .jobs import defer

    if left:
        month, names = left[0]
        # The key of the job that runs now is taken until it ends: each part has its own. One that more became known of
        # while it was counted has the same: the next roll-up has it finished.
        defer(session, FINISH.name, key=f"{FINISH.name}:{month}:{names[0]}")


JOB = Job("core.indicators", _run, every=3600)
FINISH = Job("core.indicators_finish", _finish, before=_finish_next)
