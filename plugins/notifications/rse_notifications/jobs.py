"""The plugin's jobs. Each works in transactions of its own, a short while at a time, and asks to go on when there is more.

A job is called within a transaction, which on SQLite keeps everybody else from writing: it is ended first, so that nothing
is held while a mail server answers. What a job has done stands in its own rows, not in the job's.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from rse_core import notify
from rse_core.api import Core, Job, core_of, option, utcnow
from rse_core.models.notices import Broadcast

from . import options, planning, rounds, sending
from .models import Message, Round, Spread

log = logging.getLogger("rse.notifications")
FORWARD, SEND, DIGESTS, PRUNE = (f"notifications.{name}" for name in ("forward", "send", "digests", "prune"))
#: Chunks of one run: a minute's work at most, far below the lease of a job.
CHUNKS = 40
#: How long what has been dealt with is kept, so that an administrator can see what left.
KEEP = dt.timedelta(days=30)


def jobs() -> Iterable[Job]:
    """What repeats; ``forward`` also runs right after somebody was notified."""
    return [
        Job(FORWARD, forward, every=60, after="notify"),
        Job(SEND, send, every=60),
        Job(DIGESTS, digests, every=300),
        Job(PRUNE, prune, every=6 * 3600),
    ]


def forward(session: Session) -> None:
    """Turn notifications into messages."""
    core = _apart(session)
    done = _quietly(lambda: planning.forward(core, limit=CHUNKS), FORWARD)
    if done:
        _again(core, SEND)
    if done >= CHUNKS:
        _again(core, FORWARD)


def send(session: Session) -> None:
    """Send what is due."""
    core = _apart(session)
    _quietly(lambda: sending.send_due(core), SEND)
    with core.db.read() as reading:
        more = reading.scalar(select(Message.id).where(Message.state == "queued", Message.due_at <= utcnow()).limit(1))
    if more is not None and planning.outgoing(core):
        _again(core, SEND)


def digests(session: Session) -> None:
    """Make the digests that are due."""
    core = _apart(session)
    if _quietly(lambda: rounds.plan(core, limit=CHUNKS), DIGESTS):
        _again(core, SEND)


def prune(session: Session) -> None:
    """Drop what is old: read notifications, then any; messages dealt with; progress of what is gone."""
    core = _apart(session)
    while True:
        with core.db.write() as writing:
            now = utcnow()
            read = now - dt.timedelta(days=int(option(writing, options.KEEP_READ)))
            told = now - dt.timedelta(days=int(option(writing, options.KEEP_ALL)))
            gone = notify.prune(writing, read_before=read, told_before=told)
            old = select(Message.id).where(Message.done_at < now - KEEP).limit(planning.CHUNK)
            dropped = writing.execute(
                delete(Message).where(Message.id.in_(old.scalar_subquery())).returning(Message.id)
                .execution_options(synchronize_session=False)
            )  # fmt: skip
            gone += len(dropped.all())
        if not gone:
            break
    with core.db.write() as writing:
        known = select(Broadcast.id).where(Broadcast.id == Spread.broadcast_id).exists()
        writing.execute(delete(Spread).where(~known).execution_options(synchronize_session=False))
        past = (utcnow() - dt.timedelta(days=60)).date().isoformat()
        writing.execute(
            delete(Round).where(or_(Round.done_at.is_not(None), Round.upto == 0), Round.day < past)
            .execution_options(synchronize_session=False)
        )  # fmt: skip


def _apart(session: Session) -> Core:
    core = core_of(session)
    session.commit()
    return core


def _quietly(work: Callable[[], int], name: str) -> int:
    try:
        return work()
    except Exception:  # isolation point: a repeating job that died would never run again
        log.exception("the job %s failed; it runs again at its next turn", name)
        return 0


def _again(core: Core, name: str) -> None:
    with core.db.write() as session:
        # A key of a few seconds: one that is running now may have looked already.
        core.jobs.defer(session, name, key=f"{name}:{int(utcnow().timestamp()) // 5}")
