"""Jobs on Procrastinate (PostgreSQL): deferred in our transaction, run on any number of machines by ``rse worker``.

Procrastinate notes a job's end in a transaction of its own; between ours and that one a worker may be killed, and the job
runs again. Every job therefore carries a token, noted in the job's own transaction: a second run finds it and ends.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import procrastinate
from sqlalchemy import text
from sqlalchemy.orm import Session

from .db import dialect_insert, utcnow
from .dispatch import BACKOFF
from .models.runtime import Delivery

if TYPE_CHECKING:
    from .runtime import Core

logger = logging.getLogger("rse.jobs")
QUEUE = "rse"
TASK = "rse.run"
#: A running job whose worker has not been heard of for this long (seconds) is given to another.
STALLED = 60


def _dsn(core: Core) -> str:
    return core.db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def make_app(core: Core | None, connector: Any) -> procrastinate.App:
    """An app with our one task, bound to this connector."""
    app = procrastinate.App(connector=connector)
    retry = procrastinate.RetryStrategy(max_attempts=len(BACKOFF), exponential_wait=3)

    @app.task(name=TASK, queue=QUEUE, retry=retry)
    def run(name: str, args: dict[str, Any], token: str) -> None:
        if core is None:
            raise RuntimeError("this app only defers")
        run_once(core, name, args, token)

    return app


_deferring = make_app(None, procrastinate.SyncPsycopgConnector())


def defer_there(
    session: Session, name: str, *, run_at: dt.datetime | None, key: str | None, args: Mapping[str, Any]
) -> None:
    """Write the job within the session's own transaction."""
    options: dict[str, Any] = {"schedule_at": run_at, "queueing_lock": key}
    chosen = {name: value for name, value in options.items() if value is not None}
    try:
        # A lock that is taken is a unique violation: the savepoint keeps it from spoiling the caller's transaction. It is
        # set when the session's connection is first asked for within the block.
        with session.begin_nested():
            connection = session.connection().connection.driver_connection
            task = _deferring.tasks[TASK].configure(connection=connection, **chosen)
            task.defer(name=name, args=dict(args), token=str(uuid.uuid4()))
    except procrastinate.exceptions.AlreadyEnqueued:
        return


def run_once(core: Core, name: str, args: Mapping[str, Any], token: str) -> None:
    """Run a job unless its token says that it has been."""
    job = core.jobs.registered.get(name)
    if job is None:
        raise LookupError(f"no job is called {name}; its plugin may be switched off")
    if job.before is not None:
        job.before(core)
    with core.db.write() as session:
        noted = dialect_insert(session, Delivery).values(
            event_id=token, consumer=f"job:{name}"[:120], state="done", attempts=0, error="", at=utcnow()
        )
        fresh = session.execute(noted.on_conflict_do_nothing().returning(Delivery.event_id)).scalar()
        if fresh is not None:
            job.run(session, **args)


def apply_schema(core: Core) -> bool:
    """Create Procrastinate's own tables where they are missing; True when it did. Part of ``rse upgrade``."""
    with core.db.read() as session:
        if session.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is not None:
            return False
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=_dsn(core)))
    with app.open():
        app.schema_manager.apply_schema()
    return True


def run_worker(core: Core, stop: threading.Event, *, concurrency: int = 2, wait: bool = True) -> None:
    """Work off Procrastinate's queue until ``stop`` is set (or, without ``wait``, until it is empty)."""
    asyncio.run(_work(core, stop, concurrency, wait))


async def _work(core: Core, stop: threading.Event, concurrency: int, wait: bool) -> None:
    app = make_app(core, procrastinate.PsycopgConnector(conninfo=_dsn(core)))
    async with app.open_async():
        await _recover(app)
        work = asyncio.ensure_future(
            app.run_worker_async(
                queues=[QUEUE], concurrency=concurrency, wait=wait, install_signal_handlers=False,
                fetch_job_polling_interval=1.0,
            )
        )  # fmt: skip
        last = asyncio.get_running_loop().time()
        while not work.done() and not stop.is_set():
            await asyncio.wait([work], timeout=0.2)
            if asyncio.get_running_loop().time() - last > STALLED:
                last = asyncio.get_running_loop().time()
                await _recover(app)
        if not work.done():
            work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _recover(app: procrastinate.App) -> None:
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
        logger.warning("job %s stalled with its worker and is given to another", job.id)
        await app.job_manager.retry_job(job)
