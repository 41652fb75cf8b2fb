"""Cards that are made again and again, by a job, as if the person who asked for it made them.

Times are those of a zone: nine o'clock stays nine o'clock when clocks change. A month is counted from the first card:
what is
made on the 31st is made on the last day of shorter months. What was missed while nothing ran is made once, not many times.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core.api import BadInput, NotFound, RseError, translator, utcnow

from . import access, placing, snapshots
from .changes import Full
from .models_more import Recurrence
from .placing import Place

_ = translator(__file__, "rse_kanban").gettext
EVERY = ("day", "week", "month", "year")
TIMES_MOST, MOST = 99, 50
BATCH = 50


def of_board(session: Session, person_id: int, board_id: int) -> Sequence[Recurrence]:
    """The recurring cards of a board."""
    access.open_board(session, person_id, board_id)
    return session.scalars(select(Recurrence).where(Recurrence.board_id == board_id).order_by(Recurrence.id)).all()


def repeat(
    session: Session, person_id: int, card_id: int, *, every: str, times: int, starts_at: dt.datetime, zone: str,
    column_id: int,
) -> Recurrence:  # fmt: skip
    """Make cards like this one again and again.

    :param starts_at: when the first is made: an aware time, in the future.
    """
    card, chair = access.open_card(session, person_id, card_id, lock=True)
    chair.need_write()
    placing.column_of(session, card.board_id, column_id)
    if every not in EVERY or not 1 <= times <= TIMES_MOST:
        message = _("Say how often: every so many days, weeks, months or years.")
        raise BadInput(message, fields={"every": message})
    if zone not in available_timezones():
        raise BadInput(_("“%(zone)s” is no time zone.", zone=zone[:60]), fields={"zone": _("Choose one.")})
    if starts_at <= utcnow():
        message = _("The first one is made at a time to come.")
        raise BadInput(message, fields={"starts_at": message})
    count = session.scalar(select(func.count()).where(Recurrence.board_id == card.board_id)) or 0
    if count >= MOST:
        raise BadInput(_("A board has at most %(most)s recurring cards.", most=str(MOST)))
    row = Recurrence(
        board_id=card.board_id, column_id=column_id, person_id=person_id, name=card.title,
        data=snapshots.of_cards(session, [card])[0], every=every, times=times, zone=zone, starts_at=starts_at,
        next_at=starts_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def stop(session: Session, person_id: int, recurrence_id: int) -> Recurrence:
    """Make no further ones: one's own, or of a board that one runs."""
    row = session.get(Recurrence, recurrence_id)
    if row is None:
        raise NotFound(_("This card is not made again any more."))
    chair = access.open_board(session, person_id, row.board_id, lock=True)
    if row.person_id != person_id:
        chair.need_manage()
    session.delete(row)
    return row


def moment(row: Recurrence, number: int) -> dt.datetime:
    """When the card of this number is made; 0 is the first."""
    zone = ZoneInfo(row.zone)
    first = row.starts_at.astimezone(zone)
    steps = number * row.times
    if row.every in ("day", "week"):
        day = first.date() + dt.timedelta(days=steps * (7 if row.every == "week" else 1))
    else:
        months = first.month - 1 + steps * (12 if row.every == "year" else 1)
        year, month = first.year + months // 12, months % 12 + 1
        day = dt.date(year, month, min(first.day, calendar.monthrange(year, month)[1]))
    return dt.datetime.combine(day, first.time(), zone).astimezone(dt.UTC)


def make_due(session: Session) -> None:
    """The job: make what is due. Where the person may no longer write, it rests and says why."""
    now = utcnow()
    due = session.scalars(
        select(Recurrence).where(Recurrence.next_at <= now).order_by(Recurrence.next_at).limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip
    for row in due:
        number = row.made
        row.note = ""
        try:
            with session.begin_nested():
                snapshots.make_card(
                    session, row.person_id or 0, Place(row.column_id), row.data, origin=f"recurring:{row.id}:{number}"
                )
        except Full as error:
            # There will be room again: this one is left out.
            row.note = str(error)[:300]
        except RseError as error:
            row.note, row.next_at = str(error)[:300], None
            continue
        number += 1
        while moment(row, number) <= now:
            number += 1
        row.made, row.next_at = number, moment(row, number)
    if len(due) == BATCH:
        from rse_core.api import defer

        defer(session, "kanban.recur")
