"""Fifty million events for the benchmark of the indicators, written by the database itself: two statements for each day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, insert, select, text, update

from rse_core import indicators_facts, indicators_standing
from rse_core.models.governance import Charter
from rse_core.models.indicators import Pseudonym, RollupDay, Signal
from rse_core.models.organisation import Entity, EntityPath, Person, Space, SpaceMember
from rse_core.policy import touch
from rse_core.runtime import Core

ENTITIES, SPACES, MEMBERS = 156, 2_000, 60
#: Nobody visits twice a day: three quarters of the people come on a working day, the rest of the events are acts.
PRESENT = 0.75
ACTS = ("likes.reacted", "comments.published", "feed.published", "core.document_opened")
_INDEXES = (
    ("ix_rse_core_fact_day", "rse_core_fact (day, who)"), ("ix_rse_core_fact_signal", "rse_core_fact (signal, day)"),
)  # fmt: skip


def organisation(core: Core, people: int, begin: dt.date) -> None:
    """People in entities and spaces, a charter that most have accepted, and the history's first day."""
    before = dt.datetime.combine(begin - dt.timedelta(days=1), dt.time(8), dt.UTC)
    spaces = min(SPACES, people // 30)
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
        everybody = list(session.scalars(select(Person.id)))
        more = {"visibility": "listed", "created_at": before}
        session.execute(insert(Space), [{"key": f"s{n}", "name": f"S {n}", **more} for n in range(spaces)])
        places = list(session.scalars(select(Space.id)))
        members = [
            {"space_id": space, "person_id": everybody[(number * 37 + n * 101) % people], "role": "member"}
            for number, space in enumerate(places) for n in range(min(MEMBERS, people // 101))
        ]  # fmt: skip
        for start in range(0, len(members), 5_000):
            session.execute(insert(SpaceMember), members[start : start + 5_000])
        session.add(Charter(kind="use", version="1", title="C", body="C", published_at=before))
        session.flush()
        session.execute(
            text(
                "INSERT INTO rse_core_charter_acceptance (charter_id, person_id, accepted_at) "
                "SELECT c.id, p.id, c.published_at FROM rse_core_charter c, rse_core_person p WHERE p.id % 5 < 3"
            )
        )
        session.execute(insert(Signal), [{"id": n, "name": name} for n, name in enumerate(ACTS, 1)])
        touch(session)
        indicators_facts.give_pseudonyms(session)
        indicators_standing.note(session, begin - dt.timedelta(days=1))


def events(core: Core, days: list[dt.date], number: int) -> None:
    """So many events, spread over the working days among ``days``."""
    working = [day for day in days if day.weekday() < 5]
    sqlite = core.db.is_sqlite
    run(core, "CREATE TABLE bench_who (number INTEGER PRIMARY KEY, who BIGINT NOT NULL)")
    with core.db.write() as session:
        session.execute(text("INSERT INTO bench_who SELECT row_number() OVER (ORDER BY who), who FROM rse_core_pseudonym"))
        people = session.scalar(select(func.count()).select_from(Pseudonym)) or 0
        spaces = list(session.scalars(select(Space.id).order_by(Space.id)))
    acts = max(0, number // len(working) - int(people * PRESENT))
    for name, _on in _INDEXES:
        run(core, f"DROP INDEX {name}")
    visits, facts = _statements(sqlite)
    for count, day in enumerate(working):
        with core.db.write() as session:
            at = dt.datetime.combine(day, dt.time(8), dt.UTC)
            given: dict[str, Any] = {"day": day.isoformat() if sqlite else day}
            session.execute(visits, {**given, "share": int(PRESENT * 1000)})
            session.execute(
                facts,
                given | {
                    "most": acts, "people": people, "at": at.strftime("%Y-%m-%d %H:%M:%S") if sqlite else at,
                    "step": 36_000 / max(1, acts), "base": count * 1_000_000, "space": spaces[0], "spaces": len(spaces),
                },
            )  # fmt: skip
            session.add(RollupDay(day=day, dirty=True))
    for name, on in _INDEXES:
        run(core, f"CREATE INDEX {name} ON {on}")
    run(core, "DROP TABLE bench_who")
    with core.db.write() as session:
        session.execute(update(RollupDay).values(dirty=False))


def _statements(sqlite: bool) -> tuple[Any, Any]:
    """Of a day: who came, and what they did. Of twenty acts one is a post, and comments are on posts written before."""
    if sqlite:
        chance = "(abs(random()) % 1000000) / 1000000.0"
        series = "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < :most) "
        source, ident, whole = "g", "lower(hex(randomblob(16)))", "CAST({} AS INTEGER)"
        moment = "strftime('%Y-%m-%d %H:%M:%f000', :at, (n * :step) || ' seconds')"
    else:
        chance, series, source, ident = "random()", "", "generate_series(1, :most) AS g(n)", "gen_random_uuid()::text"
        whole, moment = "floor({})::bigint", "CAST(:at AS timestamptz) + n * :step * interval '1 second'"
    visits = (
        "INSERT INTO rse_core_visit (day, person_id) "
        f"SELECT :day, id FROM rse_core_person WHERE {chance} * 1000 < :share"
    )  # fmt: skip
    post = whole.format(f"1 + {chance} * (n / 20)")
    inner = (
        f"SELECT n, {whole.format(f'1 + {chance} * :people')} AS pick, {chance} AS kind, {chance} AS place, "
        f"{post} AS post FROM {source}"
    )
    # Else the planner would draw anew wherever a column is used.
    inner += " LIMIT -1 OFFSET 0" if sqlite else " OFFSET 0"
    signal = "CASE WHEN n % 20 = 0 THEN 3 WHEN kind < 0.2 THEN 2 WHEN kind < 0.4 THEN 4 ELSE 1 END"
    number = "CAST(:base AS bigint)" if not sqlite else ":base"
    facts = (
        "INSERT INTO rse_core_fact (event_id, signal, who, day, at, space_id, ref, on_ref) "
        + series
        + f"SELECT {ident}, {signal}, w.who, :day, {moment}, "
        f"CASE WHEN place < 0.3 THEN :space + {whole.format('place / 0.3 * :spaces')} END, "
        f"CASE WHEN n % 20 = 0 THEN 'feed.post:' || CAST({number} + n AS text) ELSE '' END, "
        f"CASE WHEN n % 20 <> 0 AND kind < 0.2 THEN 'feed.post:' || CAST({number} + post * 20 AS text) ELSE '' END "
        f"FROM ({inner}) AS drawn JOIN bench_who AS w ON w.number = drawn.pick"
    )
    return text(visits), text(facts)


def run(core: Core, statement: str) -> None:
    """One statement in a transaction of its own."""
    with core.db.write() as session:
        session.execute(text(statement))
