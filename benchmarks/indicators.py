"""Indicators at the reference's scale: a year rolled up, a day added, any indicator by entity and month, and the slow query.

A year of visits and acts of 75,000 people in 156 entities, five million events unless told otherwise; the reference has ten
times as many. What depends on the number of events is then said for that number too, in proportion, and named as such.

.. code-block:: console

    python -m benchmarks.indicators                     # SQLite, and PostgreSQL where it answers
    python -m benchmarks.indicators --people 7500 --events 500000
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, func, insert, make_url, select, text

from rse_core import indicators_cells, indicators_facts, indicators_roll, indicators_standing, migrate
from rse_core.indicators_figures import Asked, ask
from rse_core.indicators_frame import frame
from rse_core.indicators_roll import month_end
from rse_core.models.indicators import Fact, IndicatorCell, Presence, PresenceMonth, RollupDay, Signal
from rse_core.models.organisation import Entity, EntityPath, Person
from rse_core.models.runtime import Visit
from rse_core.policy import touch
from rse_core.runtime import Core
from rse_core.testing.databases import DEFAULT_POSTGRES, kit_settings

from .broadcast import timed

ENTITIES = 156
#: Events a year of the reference.
REFERENCE = 50_000_000
#: Of a hundred events so many are visits; the others are reactions and comments.
VISITS = 90
ACTS = ("likes.reacted", "comments.published", "feed.published")
NAMES = ("connection_rate", "engagement_rate", "contribution_rate", "habit")


def main() -> None:
    """Measure on each database that answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=75_000)
    parser.add_argument("--events", type=int, default=5_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", given.people, given.events)
    server = os.environ.get("RSE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES
    try:
        admin = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS rse_bench_indicators"))
            connection.execute(text("CREATE DATABASE rse_bench_indicators"))
    except Exception as error:
        print(f"PostgreSQL does not answer: {str(error).splitlines()[0]}")
        return
    try:
        url = make_url(server).set(database="rse_bench_indicators").render_as_string(hide_password=False)
        measure("PostgreSQL", url, given.people, given.events)
    finally:
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE rse_bench_indicators WITH (FORCE)"))
        admin.dispose()


def measure(name: str, url: str, people: int, events: int) -> None:
    """Print the figures of one database."""
    core = Core(kit_settings(database_url=url), plugins=[])
    migrate.upgrade(core)
    today = dt.datetime.now(dt.UTC).date()
    begin = (today - dt.timedelta(days=365)).replace(day=1)
    days = [begin + dt.timedelta(days=n) for n in range((today - begin).days)]
    seed(core, people, days, events)
    with core.db.read() as session:
        visits = session.scalar(select(func.count()).select_from(Visit)) or 0
        acts = session.scalar(select(func.count()).select_from(Fact)) or 0
    factor = REFERENCE / (visits + acts)
    print(f"{name}: {people:,} people, {ENTITIES} entities, {len(days)} days, {visits:,} visits, {acts:,} acts")
    whole = timed(lambda: indicators_roll.rebuild(core))
    analyse(core)
    line("a rebuild of everything", whole, f"in proportion for 50 million events: {whole * factor / 60:.0f} min")
    with core.db.read() as session:
        rows = [session.scalar(select(func.count()).select_from(one)) for one in (Presence, PresenceMonth, IndicatorCell)]
    print(f"  rows: {rows[0]:,} person and day, {rows[1]:,} person and month, {rows[2]:,} finished figures")
    increments(core, days[-1])
    month = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    questions(core, month, begin)
    core.close()


def increments(core: Core, day: dt.date) -> None:
    """What a day costs: yesterday and today looked at again, a day that is new, the month's figures made again."""

    def hourly() -> None:
        with core.db.write() as session:
            indicators_roll.roll_up(session)

    def fresh() -> None:
        with core.db.write() as session:
            session.execute(Presence.__table__.delete().where(Presence.day == day))
            indicators_roll.fold(session, [day], 1_000_000)

    def finished() -> None:
        with core.db.write() as session:
            indicators_cells.make(session, core, day.replace(day=1))

    line("an hourly roll-up in which little is new", timed(hourly))
    line("a whole day rolled up for the first time", timed(fresh))
    line("every figure of the month finished again", timed(finished))


def questions(core: Core, month: dt.date, begin: dt.date) -> None:
    """One month by entity and a year by entity, from finished figures, from the roll-ups, and from the raw rows."""

    def asked(first: dt.date, last: dt.date, *, live: bool) -> float:
        times = []
        with core.db.read() as session:
            for name in NAMES:
                for _again in range(3):
                    times.append(timed(lambda name=name: ask(session, core, Asked(name, first, last, "entity"), live=live)))
        return statistics.median(times)

    last = month_end(month)
    with core.db.read() as session:
        day = indicators_standing.anchor(session, last)
        assert day is not None
        line("whom a month is about, and what may be shown, first time", timed(lambda: frame(session, core, day)))
    finished, live = asked(month, last, live=False), asked(month, last, live=True)
    raw = timed(lambda: slow(core, month, last))
    line("by entity and month, finished", finished, f"the slow query is {raw / finished:,.0f} times that")
    line("by entity and month, from person and month", live, f"{raw / live:,.1f} times")
    line("the same from the raw rows (connection rate)", raw)
    year = asked(begin, last, live=True)
    whole = timed(lambda: slow(core, begin, last))
    line("by entity and year, from person and month", year, f"the slow query is {whole / year:,.0f} times that")
    line("the same from the raw rows (connection rate)", whole)
    odd = asked(begin + dt.timedelta(days=100), begin + dt.timedelta(days=130), live=True)
    line("by entity and any 31 days, from person and day", odd)


def slow(core: Core, first: dt.date, last: dt.date) -> None:
    """The connection rate by entity as one would ask it of the raw rows."""
    with core.db.read() as session:
        session.execute(
            select(EntityPath.ancestor_id, func.count(Visit.person_id.distinct()))
            .join(Person, Person.id == Visit.person_id).join(EntityPath, EntityPath.entity_id == Person.entity_id)
            .where(Visit.day.between(first, last)).group_by(EntityPath.ancestor_id)
        ).all()  # fmt: skip


def line(label: str, seconds: float, more: str = "") -> None:
    """One figure."""
    print(f"  {label:<58} {seconds * 1000:10.1f} ms   {more}".rstrip(), flush=True)


def seed(core: Core, people: int, days: list[dt.date], events: int) -> None:
    """People, their history, and what they did, written by the database itself."""
    with core.db.write() as session:
        session.execute(insert(Entity), [{"key": f"e{n}", "name": f"E {n}"} for n in range(ENTITIES)])
        ids = list(session.scalars(select(Entity.id)))
        session.execute(insert(EntityPath), [{"entity_id": one, "ancestor_id": one, "depth": 0} for one in ids])
        for start in range(0, people, 5_000):
            rows = [
                {
                    "external_id": f"x{n}", "username": f"u{n}", "display_name": f"U {n}", "folded_name": f"u {n}",
                    "entity_id": ids[n * n % ENTITIES], "is_manager": n % 12 == 0, "status": "active",
                }
                for n in range(start, min(start + 5_000, people))
            ]  # fmt: skip
            session.execute(insert(Person), rows)
        session.execute(insert(Signal), [{"id": n, "name": name} for n, name in enumerate(ACTS, 1)])
        touch(session)
        indicators_standing.note(session, days[0] - dt.timedelta(days=1))
        indicators_facts.give_pseudonyms(session)
    working = [day for day in days if day.weekday() < 5]
    share = events / len(working) / people
    chance = "abs(random()) % 1000000 < :share" if core.db.is_sqlite else "random() * 1000000 < :share"
    sign = "abs(random()) % 3" if core.db.is_sqlite else "floor(random() * 3)::int"
    ident = "lower(hex(randomblob(16)))" if core.db.is_sqlite else "gen_random_uuid()::text"
    visits = text(f"INSERT INTO rse_core_visit (day, person_id) SELECT :day, id FROM rse_core_person WHERE {chance}")
    acts = text(
        "INSERT INTO rse_core_fact (event_id, signal, who, day, at, ref, on_ref) "
        f"SELECT {ident}, 1 + {sign}, who, :day, :at, '', '' FROM rse_core_pseudonym WHERE {chance}"
    )
    # Posts are called by their number; a comment stands on one of them.
    refs = text(
        "UPDATE rse_core_fact SET ref = CASE WHEN signal = 3 THEN 'feed.post:' || CAST(id AS text) ELSE '' END, "
        f"on_ref = CASE WHEN signal = 2 THEN 'feed.post:' || CAST(id - ({sign}) AS text) ELSE '' END WHERE day = :day"
    )
    for day in working:
        with core.db.write() as session:
            at = dt.datetime.combine(day, dt.time(10), dt.UTC)
            given = day.isoformat() if core.db.is_sqlite else day
            moment = at.strftime("%Y-%m-%d %H:%M:%S.%f") if core.db.is_sqlite else at
            session.execute(visits, {"day": given, "share": int(share * 10_000 * VISITS)})
            session.execute(acts, {"day": given, "at": moment, "share": int(share * 10_000 * (100 - VISITS))})
            session.execute(refs, {"day": given})
            session.add(RollupDay(day=day, dirty=True))
    analyse(core)


def analyse(core: Core) -> None:
    """Let the planner know what there is."""
    with core.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


if __name__ == "__main__":
    main()
