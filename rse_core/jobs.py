"""Background jobs: deferred in the caller's transaction, run once each, retried, never lost by a crash.

Two engines behind one interface. *Embedded* (the default on SQLite): a table, claimed under a lease, run by a thread of the
server or by ``rse worker``. *Procrastinate* (PostgreSQL): the same calls, on any number of machines.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from .contributions import Job
from .db import dialect_insert, utcnow
from .dispatch import BACKOFF, Dispatcher
from .errors import RseError
from .models.runtime import JobRow

if TYPE_CHECKING:
    from .runtime import Core

logger = logging.getLogger("rse.jobs")
LEASE = dt.timedelta(minutes=5)
#: Events delivered between two looks at the jobs, and between two looks of the worker's thread at whether to stop.
BATCH, FEW = 100, 10
PRUNE = Job("core.prune", lambda session: _prune(session), every=3600)


def defer(
    session: Session, name: str, *, run_at: dt.datetime | None = None, key: str | None = None, **args: Any
) -> None:
    """Run the job ``name`` after this transaction has been committed.

    :param run_at: not before this time.
    :param key: while a job with this key waits, no second one is made.
    :param args: JSON-ready arguments for the job's ``run``.
    """
    from .runtime import core_of

    core_of(session).jobs.defer(session, name, run_at=run_at, key=key, **args)


class Jobs:
    """The core's jobs and its outbox, driven by one thread or by ``rse worker``."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.dispatcher = Dispatcher(core)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._runner: int | None = None
        core.db.on_commit(self._committed)

    @property
    def registered(self) -> dict[str, Job]:
        """Every known job by name."""
        from .directory import JOBS as DIRECTORY
        from .files_upkeep import JOBS as FILES
        from .indicators_roll import FINISH
        from .indicators_roll import JOB as INDICATORS
        from .legacy import JOBS as LEGACY
        from .rollout import JOB as ROLLOUT
        from .search_again import JOB as SEARCH_AGAIN

        own = {job.name: job for job in (PRUNE, SEARCH_AGAIN, INDICATORS, FINISH, ROLLOUT, *FILES, *LEGACY, *DIRECTORY)}
        return own | {job.name: job for _plugin, job in self.core.plugins.contributions(Job)}

    @property
    def on_procrastinate(self) -> bool:
        """Whether jobs go to Procrastinate."""
        wanted = self.core.settings.jobs
        return wanted == "procrastinate" and not self.core.db.is_sqlite

    def defer(
        self, session: Session, name: str, *, run_at: dt.datetime | None = None, key: str | None = None, **args: Any
    ) -> None:
        """See :func:`defer`.

        :raises RseError: for a job that no plugin registered.
        """
        job = self.registered.get(name)
        if job is None:
            raise RseError(f"No job is called “{name}”.", remedy="Register it with rse_jobs.")
        if self.on_procrastinate:
            from .procrastination import defer_there

            defer_there(session, name, run_at=run_at, key=key, args=args)
            return
        values = {"name": name, "args": args, "key": key, "run_at": run_at or utcnow(), "max_attempts": job.max_attempts}
        statement = dialect_insert(session, JobRow).values(
            **values, state="queued", attempts=0, error="", created_at=utcnow()
        )
        session.execute(statement.on_conflict_do_nothing(index_elements=["key"]) if key else statement)

    # -- running ---------------------------------------------------------------------------------------------------

    def run_due(self, limit: int | None = None) -> int:
        """Deliver events and run jobs until nothing is due, in this thread; the number of both done."""
        done = 0
        while limit is None or done < limit:
            step = self.dispatcher.run(BATCH if limit is None else min(BATCH, limit - done)) + self._run_one()
            if not step:
                break
            done += step
        return done

    def _run_one(self) -> int:
        claimed = self._claim()
        if claimed is None:
            return 0
        job = self.registered.get(claimed.name)
        try:
            if job is None:
                raise RseError(f"No job is called “{claimed.name}” any more.", remedy="Its plugin may be switched off.")
            if job.before is not None:
                job.before(self.core)
            with self.core.db.write() as session:
                job.run(session, **claimed.args)
                # The same transaction: what the job wrote and its end stand or fall together. Where the lease ran out
                # and another worker took it, this attempt's work is rolled back.
                ended = delete(JobRow).where(JobRow.id == claimed.id, JobRow.attempts == claimed.attempts)
                if not session.execute(ended.returning(JobRow.id)).all():
                    raise RseError(f"The job {claimed.id} was taken over by another worker.")
        except Exception as error:  # isolation point: a job's fault must not stop the worker
            logger.exception("job %s (%s) failed", claimed.id, claimed.name)
            self._failed(claimed, error)
        return 1

    def _claim(self) -> JobRow | None:
        now = utcnow()
        due = or_(
            (JobRow.state == "queued") & (JobRow.run_at <= now),
            (JobRow.state == "running") & (JobRow.lease_until < now),
        )
        # Looked for without the lock first: an idle worker must not take SQLite's one writing lock every second.
        with self.core.db.read() as session:
            if session.scalar(select(JobRow.id).where(due).limit(1)) is None:
                return None
        with self.core.db.write() as session:
            row = session.scalar(
                select(JobRow).where(due).order_by(JobRow.run_at, JobRow.id).limit(1).with_for_update(skip_locked=True)
            )
            if row is None:
                return None
            # A lease that ran out is an attempt too: a job that kills its worker must not be tried for ever.
            row.attempts += 1
            if row.attempts > row.max_attempts:
                # Its key is free again: what repeats must not stop for good.
                row.state, row.key, row.error = "dead", None, row.error or "the worker died while running it"
                return None
            row.state, row.lease_until = "running", now + LEASE
            session.flush()
            session.expunge(row)
            return row

    def _failed(self, claimed: JobRow, error: Exception) -> None:
        with self.core.db.write() as session:
            row = session.get(JobRow, claimed.id)
            if row is None or row.attempts != claimed.attempts:
                return
            row.error = f"{type(error).__name__}: {error}"[:2000]
            if row.attempts >= row.max_attempts:
                row.state, row.key = "dead", None
                logger.error("job %s (%s) is dead after %d attempts", row.id, row.name, row.attempts)
            else:
                row.state = "queued"
                row.run_at = utcnow() + dt.timedelta(seconds=BACKOFF[min(row.attempts, len(BACKOFF)) - 1])

    def plan_periodic(self) -> None:
        """See that every repeating job is queued for its next turn; called by whoever runs jobs."""
        with self.core.db.write() as session:
            for job in self.registered.values():
                if job.every:
                    turn = int(utcnow().timestamp()) // job.every
                    at = dt.datetime.fromtimestamp((turn + 1) * job.every, dt.UTC)
                    self._plan(session, job, at)

    def _plan(self, session: Session, job: Job, at: dt.datetime) -> None:
        statement = dialect_insert(session, JobRow).values(
            name=job.name, args={}, key=f"every:{job.name}", run_at=at, state="queued", attempts=0,
            max_attempts=job.max_attempts, error="", created_at=utcnow(),
        )  # fmt: skip
        session.execute(statement.on_conflict_do_nothing(index_elements=["key"]))

    # -- the thread ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run a worker thread in this process; again after a fork, never twice."""
        if self._pid == os.getpid() and self._thread is not None and self._thread.is_alive():
            return
        self._pid = os.getpid()
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self.run_forever, name="rse-worker", daemon=True)
        self._thread.start()

    def run_forever(self, *, poll: float = 1.0, stop: Callable[[], bool] | None = None) -> None:
        """Work until :meth:`stop`; woken by commits of this process, looking every ``poll`` seconds for those of others."""
        self._runner = threading.get_ident()
        planned = 0.0
        while not self._stop.is_set() and not (stop and stop()):
            try:
                now = utcnow().timestamp()
                if now - planned > 60:
                    self.plan_periodic()
                    planned = now
                # A few at a time: who stops a server full of events does not wait for them all.
                while self.run_due(FEW) and not self._stop.is_set() and not (stop and stop()):
                    pass
            except Exception:  # isolation point: a database that is away for a while must not end the worker
                logger.exception("the worker could not look for work; it tries again")
                self._stop.wait(5)
            self._wake.wait(poll)
            self._wake.clear()

    def _committed(self) -> None:
        # The worker's own commits do not wake it: it looks again until nothing is due, and would never rest.
        if threading.get_ident() != self._runner:
            self._wake.set()

    def stop(self) -> None:
        """End the thread; what it is doing is finished first."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None and self._pid == os.getpid() and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)
        self._thread = None

    def oldest(self, session: Session) -> dt.datetime | None:
        """When the job that has waited longest was due; None when none is."""
        return session.scalar(
            select(JobRow.run_at).where(JobRow.state == "queued", JobRow.run_at <= utcnow()).order_by(JobRow.run_at).limit(1)
        )


def _prune(session: Session) -> None:
    from . import sessions
    from .runtime import core_of

    core_of(session).jobs.dispatcher.prune(session)
    sessions.prune(session)
