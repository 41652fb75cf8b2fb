"""Files of more than a thousand cards: kept, and put on the board by a job, some cards in each transaction.

Each run takes up where the one before has ended, so that a process that dies loses nothing; a card that is there already is
left as it is, so that nothing is there twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from rse_core.api import NotFound, RseError, TooMany, defer, translator, use_locale, utcnow
from rse_core.models.organisation import Person
from rse_core.ratelimit import limit

from .. import access
from ..models_more import Import
from .applying import PER_HOUR, Report, apply
from .shape import Parsed, TakenCard, moment

_ = translator(str(Path(__file__).parent), "rse_kanban").gettext
JOB = "kanban.import"
#: Cards in one transaction: others wait for the board no longer than that takes.
BATCH = 200
#: Imports of one person that wait at once; lines of a report; how long a report is kept.
WAITING_MOST, LINES_MOST = 3, 2_000
KEPT = dt.timedelta(days=30)


def keep(session: Session, person_id: int, board_id: int, parsed: Parsed) -> Import:
    """Keep what was read; a job puts it on the board.

    :raises Forbidden: with the reason.
    :raises TooMany: when others of the person's wait.
    """
    chair = access.open_board(session, person_id, board_id, lock=True)
    chair.need_write()
    limit(session, person_id, "kanban.import", most=PER_HOUR, seconds=3600)
    waiting = session.scalar(
        select(func.count()).where(Import.person_id == person_id, Import.state == "waiting")
    )
    if (waiting or 0) >= WAITING_MOST:
        raise TooMany(_("Others of your files still wait to be taken."), retry_after=60)
    row = Import(
        board_id=board_id, person_id=person_id, source=parsed.source[:20], total=len(parsed.cards),
        left=parsed.left[:LINES_MOST], data=_plain(parsed),
    )  # fmt: skip
    session.add(row)
    session.flush()
    defer(session, JOB, import_id=row.id)
    return row


def of_person(session: Session, person_id: int, board_id: int, import_id: int) -> Import:
    """One of the person's own imports. :raises NotFound: for every other."""
    row = session.get(Import, import_id)
    if row is None or row.board_id != board_id or row.person_id != person_id:
        raise NotFound(_("There is no such import of yours."))
    return row


def of_board(session: Session, person_id: int, board_id: int) -> Sequence[Import]:
    """The person's own imports on a board, the last first."""
    query = select(Import).where(Import.board_id == board_id, Import.person_id == person_id)
    return session.scalars(query.order_by(Import.id.desc()).limit(20)).all()


def run(session: Session, import_id: int) -> None:
    """The job: the next cards of one import; what is left comes in another run."""
    row = session.scalar(select(Import).where(Import.id == import_id).with_for_update())
    if row is None or row.state != "waiting":
        return
    parsed, end = _read(row.data), row.place + BATCH
    locale = session.scalar(select(Person.locale).where(Person.id == row.person_id))
    parsed.cards = parsed.cards[row.place : end]
    with use_locale(locale or "fr"):
        try:
            found = apply(session, row.person_id or 0, row.board_id, parsed, counted=False)
        except RseError as error:
            # Whoever may write there no longer, or a board that is gone: what was made stays.
            _end(row, "failed", [str(error)])
            return
    _note(row, found, end)
    if row.place >= row.total:
        _end(row, "done", [])
    else:
        defer(session, JOB, import_id=row.id)


def prune(session: Session) -> None:
    """The job: reports of long ago go."""
    session.execute(
        delete(Import).where(Import.ended_at < utcnow() - KEPT).execution_options(synchronize_session=False)
    )


def _note(row: Import, found: Report, end: int) -> None:
    row.place = min(end, row.total)
    row.made, row.known = row.made + found.made, row.known + found.known
    # What is said of columns, lanes and labels is the same in each run.
    row.left = list(dict.fromkeys([*row.left, *found.left]))[:LINES_MOST]


def _end(row: Import, state: str, lines: Sequence[str]) -> None:
    row.state, row.ended_at, row.data = state, utcnow(), None
    row.left = [*row.left, *lines][:LINES_MOST]


def _plain(parsed: Parsed) -> dict[str, Any]:
    cards = [
        {**asdict(one), "due_at": one.due_at.isoformat() if one.due_at else None} for one in parsed.cards
    ]  # fmt: skip
    return {"columns": parsed.columns, "lanes": parsed.lanes, "labels": parsed.labels, "cards": cards}


def _read(data: Any) -> Parsed:
    cards = [
        TakenCard(
            one["origin"], one["title"], one["column"], one["body"], one["lane"], tuple(one["labels"]), tuple(one["people"]),
            moment(one["due_at"]), tuple((text, bool(done)) for text, done in one["checklist"]), one["archived"],
        )
        for one in data["cards"]
    ]  # fmt: skip
    return Parsed(
        "", columns=[(name, phase) for name, phase in data["columns"]], lanes=list(data["lanes"]),
        labels=[(name, hue) for name, hue in data["labels"]], cards=cards,
    )  # fmt: skip


__all__ = ["BATCH", "keep", "of_board", "of_person", "prune", "run"]
