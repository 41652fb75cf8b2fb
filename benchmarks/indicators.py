"""Indicators at the reference's scale: a year rolled up day by day, any indicator by entity and month, and the slow query.

A year of visits and acts of 75,000 people in 156 entities and 2,000 spaces. Five million events on each database unless told
otherwise; the reference has fifty million, which want some 15 GB of disk while they last.

.. code-block:: console

    python -m benchmarks.indicators                                     # SQLite, and PostgreSQL where it answers
    python -m benchmarks.indicators --events 50000000 --only postgres   # the reference
    python -m benchmarks.indicators --people 7500 --events 500000       # a look
    python -m benchmarks.indicators --events 50000000 --only postgres --months 2    # the last two months of as many

``--keep`` leaves PostgreSQL's database, ``--reuse`` takes one whose events are written; ``--months`` rolls up the last
months alone and makes nothing again: for an hour in which there is no time for the year.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import create_engine, delete, func, make_url, select, text
from sqlalchemy.exc import OperationalError

from rse_core import indicators_cells, indicators_roll, indicators_standing, migrate
from rse_core.indicators_figures import Asked, ask
from rse_core.indicators_frame import frame
from rse_core.indicators_roll import month_end
from rse_core.models.indicators import Fact, IndicatorCell, Presence, PresenceMonth, PresenceSpace
from rse_core.models.runtime import Visit
from rse_core.runtime import Core
from rse_core.testing.databases import DEFAULT_POSTGRES, kit_settings

from . import indicators_seed
from .broadcast import timed
from .indicators_slow import slow

#: Events a year of the reference.
REFERENCE = 50_000_000
ALL = (
    ("connection_rate", "entity"), ("engagement_rate", "entity"), ("contribution_rate", "entity"),
    ("documents_opened", "entity"), ("habit", "entity"), ("charter_acceptance", "entity"), ("answer_time", "entity"),
    ("active_communities", "site"), ("engagement_rate", "space"),
)  # fmt: skip
AGAIN = 5
#: Seconds given to a slow query of one month.
PATIENCE = 300
_HELP = {"statement_timeout": f"'{PATIENCE}s'", "work_mem": "'512MB'", "enable_nestloop": "off"}


def main() -> None:
    """Measure on each database that answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=75_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    parser.add_argument("--months", type=int, default=0)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--reuse", action="store_true")
    given = parser.parse_args()
    if given.only != "postgres":
        with tempfile.TemporaryDirectory() as folder:
            measure("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", given.people, given.events, months=given.months)
    if given.only == "sqlite":
        return
    server = os.environ.get("RSE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES
    try:
        admin = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
        with admin.connect() as connection:
            if not given.reuse:
                connection.execute(text("DROP DATABASE IF EXISTS rse_bench_indicators"))
                connection.execute(text("CREATE DATABASE rse_bench_indicators"))
            # The rows are thrown away: nothing has to reach the disk before the next statement.
            connection.execute(text("ALTER DATABASE rse_bench_indicators SET synchronous_commit = off"))
            connection.execute(text("ALTER DATABASE rse_bench_indicators SET maintenance_work_mem = '512MB'"))
    except Exception as error:
        print(f"PostgreSQL does not answer: {str(error).splitlines()[0]}")
        return
    try:
        url = make_url(server).set(database="rse_bench_indicators").render_as_string(hide_password=False)
        measure("PostgreSQL", url, given.people, 0 if given.reuse else given.events, months=given.months)
    finally:
        if not given.keep:
            with admin.connect() as connection:
                connection.execute(text("DROP DATABASE rse_bench_indicators WITH (FORCE)"))
        admin.dispose()


def measure(name: str, url: str, people: int, events: int, *, months: int = 0) -> None:
    """Print the figures of one database.

    :param events: how many to write; 0: they are there.
    :param months: roll up only so many of the last whole months; 0: the year, and make everything again at the end.
    """
    core = Core(kit_settings(database_url=url), plugins=[])
    migrate.upgrade(core)
    today = dt.datetime.now(dt.UTC).date()
    begin = (today - dt.timedelta(days=365)).replace(day=1)
    days = [begin + dt.timedelta(days=n) for n in range((today - begin).days)]
    print(f"{name}: {people:,} people, {len(days)} days; load {os.getloadavg()[0]:.1f}", flush=True)
    if events:
        line("people, spaces, a charter", timed(lambda: indicators_seed.organisation(core, people, begin)))
        line("the events", timed(lambda: indicators_seed.events(core, days, events)))
    indicators_seed.run(core, "ANALYZE")
    with core.db.read() as session:
        raw = [session.scalar(select(func.count()).select_from(one)) or 0 for one in (Visit, Fact)]
    print(f"  {raw[0]:,} visits, {raw[1]:,} acts: {sum(raw) / REFERENCE:.0%} of the reference", flush=True)
    firsts = sorted({day.replace(day=1) for day in days})
    # Whole months, and the one that goes on.
    firsts = firsts[-months - 1 :] if months else firsts
    day_by_day(core, [day for day in days if day >= firsts[0]])
    with core.db.read() as session:
        tables = (Presence, PresenceMonth, PresenceSpace, IndicatorCell)
        rows = [session.scalar(select(func.count()).select_from(one)) for one in tables]
    print("  rows: {:,} person and day, {:,} and month, {:,} and space, {:,} finished figures".format(*rows), flush=True)
    month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    hourly(core)
    questions(core, month, firsts[0])
    if not months:
        rebuilding(core)
    core.close()
    print(f"  load at the end {os.getloadavg()[0]:.1f}", flush=True)


def day_by_day(core: Core, days: list[dt.date]) -> None:
    """What the worker does in a year: each day rolled up once it is over, each month finished at its end."""
    folded, finished = [], []
    for number, day in enumerate(days, 1):
        if day.weekday() < 5:

            def fold(day: dt.date = day, number: int = number) -> None:
                with core.db.write() as session:
                    indicators_roll.fold(session, [day], number)

            folded.append(timed(fold))
        if day == month_end(day) or day == days[-1]:

            def finish(day: dt.date = day) -> None:
                with core.db.write() as session:
                    indicators_cells.make(session, core, day)

            finished.append(timed(finish))
            # As a server's own upkeep would; without it the planner knows of no row that was written since.
            indicators_seed.run(core, "ANALYZE")
            print(f"    {day:%Y-%m}: a day {folded[-1]:.2f} s, the month finished {finished[-1]:.2f} s", flush=True)
    line("a day rolled up, median", statistics.median(folded), f"the slowest {max(folded):.2f} s")
    line("every figure of a month finished, median", statistics.median(finished), f"the slowest {max(finished):.2f} s")
    line("the year, day by day", sum(folded) + sum(finished))


def hourly(core: Core) -> None:
    """An hourly roll-up in which little is new; the first one also looks at what was never looked at."""

    def again() -> None:
        with core.db.write() as session:
            indicators_roll.roll_up(session)

    again()
    line("an hourly roll-up in which little is new", timed(again))


def questions(core: Core, month: dt.date, begin: dt.date) -> None:
    """Every indicator of a month: finished, from the roll-ups, and from the raw rows; and a year of one."""
    last = month_end(month)
    with core.db.read() as session:
        day = indicators_standing.anchor(session, last)
        assert day is not None
        line("whom a month is about, and what may be shown, first time", timed(lambda: frame(session, core, day)))
    for name, by in ALL:
        finished = asked(core, Asked(name, month, last, by), live=False)
        live = asked(core, Asked(name, month, last, by), live=True)
        found, raw = patiently(core, name, by, month, last)
        with core.db.read() as session:
            answer = ask(session, core, Asked(name, month, last, by))
        label = f"{name} by {by} and month, finished"
        if found is None:
            line(label, finished, "not compared: the slow query did not end")
        else:
            told = {figure.target: figure.numerator for figure in answer.figures if not figure.suppressed}
            same = all(found.get(target, 0) == number for target, number in told.items())
            line(label, finished, f"{'the same numbers as' if same else 'OTHER NUMBERS THAN'} the slow query")
        line("  from the roll-ups", live)
        line("  the slow query, from the raw rows", raw, f"{raw / finished:,.0f} times as long, {raw / live:,.1f} times")
    year = asked(core, Asked("connection_rate", begin, last, "entity"), live=True, again=2)
    with core.db.read() as session:
        whole = timed(lambda: slow(session, "connection_rate", "entity", begin, last))
    label = f"connection rate by entity from {begin:%Y-%m} on, from person and month"
    line(label, year, f"the slow query is {whole / year:,.0f} times")
    odd = Asked("connection_rate", last - dt.timedelta(days=35), last - dt.timedelta(days=5), "entity")
    line("connection rate by entity and any 31 days", asked(core, odd, live=True, again=3))


def patiently(core: Core, name: str, by: str, first: dt.date, last: dt.date) -> tuple[dict[str, int] | None, float]:
    """The slow query's numbers and its seconds; no numbers if PostgreSQL had not ended it after :data:`PATIENCE`.

    It is helped as whoever writes such a query would help it: memory for its joins, and no loop over millions of rows.
    """
    with core.db.read() as session:
        # Each statement of a session that reads stands alone: what is set stays until it is set back.
        if not core.db.is_sqlite:
            for name_of, value in _HELP.items():
                session.execute(text(f"SET {name_of} = {value}"))
        began = time.perf_counter()
        found: dict[str, int] | None = None
        try:
            found = slow(session, name, by, first, last)
        except OperationalError:
            session.rollback()
        seconds = time.perf_counter() - began
        if not core.db.is_sqlite:
            for name_of in _HELP:
                session.execute(text(f"RESET {name_of}"))
        return found, seconds


def asked(core: Core, question: Asked, *, live: bool, again: int = AGAIN) -> float:
    """The median of a few answers, in seconds."""
    with core.db.read() as session:
        ask(session, core, question, live=live)
        return statistics.median(timed(lambda: ask(session, core, question, live=live)) for _n in range(again))


class Stopped(Exception):
    """As Ctrl+C would stop a rebuild."""


def rebuilding(core: Core) -> None:
    """Everything made again; stopped after a third, and gone on with."""
    with core.db.write() as session:
        for table in (IndicatorCell, PresenceMonth):
            session.execute(delete(table))
    began, reached = time.perf_counter(), []

    def told(month: dt.date, done: int, of: int) -> None:
        reached.append(month)
        print(f"    {month:%Y-%m} made again, {done} of {of}, after {time.perf_counter() - began:.0f} s", flush=True)
        if not stopped and done >= of // 3:
            raise Stopped

    stopped = False
    try:
        indicators_roll.rebuild(core, progress=told)
    except Stopped:
        stopped = True
    before = list(reached)
    left = indicators_roll.rebuild(core, progress=told)
    twice = set(before) & set(reached[len(before) :])
    seconds = time.perf_counter() - began
    line("everything made again, stopped once", seconds, f"{left} months after the stop, {len(twice)} twice")


def line(label: str, seconds: float, more: str = "") -> None:
    """One figure."""
    print(f"  {label:<58} {seconds * 1000:12.1f} ms   {more}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
