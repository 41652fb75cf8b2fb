"""An announcement to everybody: how long its author waits, and how long one worker needs until every mail is queued.

Beside it, in the same run on the same database: the least that writing so many rows can cost (one INSERT … SELECT of as many
rows into a bare table), and ``notify_many``, which writes a row for each person.

.. code-block:: console

    python -m benchmarks.broadcast                     # SQLite, and PostgreSQL where it answers
    python -m benchmarks.broadcast --people 5000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, func, insert, make_url, select, text

from rse_core import audiences, migrate, notify
from rse_core.api import (
    Capability,
    ContentInfo,
    ContentType,
    Level,
    Manifest,
    NotificationTransport,
    NotificationType,
    ObjectRef,
    Plugin,
    hookimpl,
    utcnow,
)
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import Entity, EntityPath, Person
from rse_core.models.runtime import NotificationRow
from rse_core.policy import touch
from rse_core.runtime import Core
from rse_core.testing.databases import DEFAULT_POSTGRES, kit_settings
from rse_notifications import planning
from rse_notifications.models import Message
from rse_notifications.plugin import Notifications

NOTE = ObjectRef("bulletin.note", "1")
ENTITIES = 156


class Bulletin(Plugin):
    """A note for everybody, and a transport that is never reached."""

    manifest = Manifest("bulletin", "Bulletin")

    @hookimpl
    def rse_capabilities(self) -> Any:
        return [Capability("bulletin.read", "Read", Level.REACT, writes=False)]

    @hookimpl
    def rse_content_types(self) -> Any:
        def resolve(session: Any, ids: Any) -> Any:
            everybody = audiences.everyone(session)
            return {one: ContentInfo(ObjectRef("bulletin.note", one), "Note", "/n", everybody) for one in ids}

        return [ContentType("bulletin.note", "note", resolve)]

    @hookimpl
    def rse_notification_types(self) -> Any:
        return [
            NotificationType("bulletin.noted", "Noted", lambda _c, _d: "x", mail="immediate", capability="bulletin.read")
        ]

    @hookimpl
    def rse_notification_transports(self) -> Any:
        return [NotificationTransport("mail", "Mail", lambda _message: None)]


def main() -> None:
    """Measure on each database that answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=75_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", people)
    import os

    server = os.environ.get("RSE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES
    try:
        admin = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS rse_bench_broadcast"))
            connection.execute(text("CREATE DATABASE rse_bench_broadcast"))
    except Exception as error:
        print(f"PostgreSQL does not answer: {str(error).splitlines()[0]}")
        return
    try:
        url = make_url(server).set(database="rse_bench_broadcast").render_as_string(hide_password=False)
        measure("PostgreSQL", url, people)
    finally:
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE rse_bench_broadcast WITH (FORCE)"))
        admin.dispose()


def measure(name: str, url: str, people: int) -> None:
    """Print the figures of one database."""
    core = Core(kit_settings(database_url=url, legacy_origins=("https://i.example",)), plugins=[])
    migrate.upgrade(core)
    core.close()
    core = Core(kit_settings(database_url=url, legacy_origins=("https://i.example",)), plugins=[Notifications(), Bulletin()])
    migrate.upgrade(core)
    core.close()
    core = Core(kit_settings(database_url=url, legacy_origins=("https://i.example",)), plugins=[Notifications(), Bulletin()])
    seed(core, people)
    print(f"{name}, {people:,} people in {ENTITIES} entities")
    floor = timed(lambda: bare(core))
    with core.db.read() as session:
        everybody = audiences.everyone(session)

    def announce() -> None:
        with core.db.write() as session:
            notify.broadcast(session, everybody, "bulletin.noted", NOTE, actor_id=1, cause="all")

    def tell() -> None:
        with core.db.write() as session:
            notify.notify_many(session, select(Person.id), "bulletin.noted", NOTE, actor_id=1, cause="each")

    shown = timed(announce)
    queued = timed(lambda: planning.forward(core))
    rows = timed(tell)
    again = timed(tell)
    with core.db.read() as session:
        mails = session.scalar(select(func.count()).select_from(Message)) or 0
        told = session.scalar(select(func.count()).select_from(NotificationRow)) or 0
    assert mails == told == people - 1, (mails, told)
    mailed = timed(lambda: planning.forward(core))
    for label, seconds in (
        ("bare INSERT … SELECT of as many rows", floor), ("broadcast(): the author waits", shown),
        ("every mail queued, one worker", queued), ("notify_many(): a row for each", rows),
        ("the same cause once more", again), ("their mails queued, one worker", mailed),
    ):  # fmt: skip
        print(f"  {label:<40} {seconds:8.3f} s   {seconds / floor:7.2f} × the bare insert")
    core.close()


def bare(core: Core) -> None:
    """As many rows as people, by one statement, into a table with nothing but a key."""
    table = Table("bench_bare", MetaData(), Column("person_id", Integer, primary_key=True), Column("key", String(120)))
    with core.db.write() as session:
        table.create(session.connection())
        session.execute(insert(table).from_select(["person_id", "key"], select(Person.id, Person.username)))
    with core.db.write() as session:
        table.drop(session.connection())


def seed(core: Core, people: int) -> None:
    """People spread over entities, all at REACT."""
    with core.db.write() as session:
        session.execute(insert(Entity), [{"key": f"e{n}", "name": f"E {n}"} for n in range(ENTITIES)])
        ids = list(session.scalars(select(Entity.id)))
        session.execute(insert(EntityPath), [{"entity_id": one, "ancestor_id": one, "depth": 0} for one in ids])
        for start in range(0, people, 5_000):
            session.execute(
                insert(Person),
                [
                    {"external_id": f"x{n}", "username": f"u{n}", "display_name": f"U {n}", "folded_name": f"u {n}",
                     "email": f"u{n}@example.org", "entity_id": ids[n % ENTITIES], "status": "active"}
                    for n in range(start, min(start + 5_000, people))
                ],
            )  # fmt: skip
        audiences.refresh(session)
        session.add(LevelRow(kind="level", scope="site", scope_key="", level=1, starts_at=utcnow(), created_by="bench"))
        touch(session)
    if not core.db.is_sqlite:
        with core.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
