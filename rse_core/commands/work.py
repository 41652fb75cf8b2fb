"""The worker, and a look at what waits."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import func, select

from . import echo_json, json_option, pass_core

if TYPE_CHECKING:
    from ..runtime import Core


@click.command()
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@pass_core
def worker(core: Core, once: bool) -> None:
    """Deliver events and run jobs until stopped (SIGTERM or Ctrl-C); what is under way is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        if once:
            done = core.jobs.run_due()
            if core.jobs.on_procrastinate:
                from ..procrastination import run_worker

                run_worker(core, stop, wait=False)
            click.echo(f"{done} done.")
            return
        click.echo("The worker runs; stop it with Ctrl-C.", err=True)
        if core.jobs.on_procrastinate:
            from ..procrastination import run_worker

            core.jobs.start()
            run_worker(core, stop)
        else:
            core.jobs.run_forever(stop=stop.is_set)
    finally:
        core.close()


@click.command()
@json_option
@pass_core
def jobs(core: Core, as_json: bool) -> None:
    """What waits: events not delivered, jobs queued, and what died after its last attempt."""
    from ..models.runtime import Delivery, JobRow, Outbox

    with core.db.read() as session:
        rows = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
        states = {state: count for state, count in rows}
        dead: list[dict[str, Any]] = [
            {"job": row.name, "id": row.id, "attempts": row.attempts, "error": row.error}
            for row in session.scalars(select(JobRow).where(JobRow.state == "dead").order_by(JobRow.id).limit(100))
        ]
        dead += [
            {"consumer": row.consumer, "event": row.event_id, "attempts": row.attempts, "error": row.error}
            for row in session.scalars(select(Delivery).where(Delivery.state == "dead").limit(100))
        ]
        waiting = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.done_at.is_(None))) or 0
        oldest = core.jobs.dispatcher.waiting(session)
    result = {"events_waiting": waiting, "oldest_event": oldest, "jobs": states, "dead": dead}
    if as_json:
        echo_json(result)
        return
    click.echo(f"events waiting: {waiting}" + (f", the oldest since {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""))
    click.echo("jobs: " + (", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"))
    for row in dead:
        what = row.get("job") or f"{row['consumer']} on event {row['event']}"
        click.echo(f"dead: {what} after {row['attempts']} attempts: {row['error']}")


COMMANDS: list[click.Command] = [worker, jobs]
