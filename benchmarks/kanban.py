"""A board of 100, 500 and 1,000 cards, on both databases, beside a bare Flask page that reads as many rows by one index.

In one process, without a network: the whole page (who asks, filter, counts, labels, people, markup), what a page asks every
few seconds, and moves of one card to a place among the others. The kinds of requests take turns in each round.

    python -m benchmarks.kanban [sqlite] [postgresql] [--rounds 30]
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
from flask import Flask, render_template
from jinja2 import DictLoader
from sqlalchemy import insert, make_url, select, text

from benchmarks.search import BARE, database, table
from rse_core import migrate
from rse_core.api import utcnow
from rse_core.extension import create_app
from rse_core.runtime import Core
from rse_core.settings import Settings
from rse_core.testing import as_person
from rse_core.testing.identity import KitIdentity
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_kanban import boards, columns, moving, placing, plugin, ranks
from rse_kanban.models import Card, CardLabel, CardPerson, CheckItem
from rse_kanban.placing import Place

SIZES = (100, 500, 1_000)
MOVED = 501
QUERY = "SELECT title, body, updated_at FROM rse_kanban_card WHERE board_id = {0} ORDER BY column_id, rank LIMIT 1000"


def fill(core: Core) -> dict[int, int]:
    """Boards of every size with labels, people and checklists on each card; their ids by size."""
    people = [make_person(core, f"p{number}") for number in range(10)]
    make_space(core, "team", managers=people)
    found: dict[int, int] = {}
    now = utcnow()
    # One more, on which cards are moved: on the others nothing changes while they are measured.
    for size in (*SIZES, MOVED):
        with core.db.write() as session:
            board = boards.create(session, people[0].id, "space:team", f"{size} cards")
            labels = [columns.keep_label(session, people[0].id, board.id, f"Label {n}", n).id for n in range(6)]
            places = placing.columns_of(session, board.id)
            made = list(ranks.spread(size))
            rows = [
                {
                    "board_id": board.id, "column_id": places[number % 3].id, "rank": made[number], "version": 1,
                    "title": f"Card {number}: prepare the room of the second floor", "body": "A text of some words. " * 6,
                    "state": "open", "stamps": {}, "revision": 1, "author_id": people[0].id, "created_at": now,
                    "updated_at": now, "entered_at": now,
                }
                for number in range(size)
            ]  # fmt: skip
            session.execute(insert(Card), rows)
            ids = list(session.scalars(select(Card.id).where(Card.board_id == board.id)))
            session.execute(insert(CardPerson), [{"card_id": i, "person_id": people[i % 10].id, "at": now} for i in ids])
            session.execute(insert(CardLabel), [{"card_id": i, "label_id": labels[i % 6]} for i in ids])
            session.execute(insert(CheckItem), [{"card_id": i, "text": "Line", "position": n} for i in ids for n in (0, 1)])
            found[size] = board.id
    with core.db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return found


def bare(core: Core, board_id: int) -> Flask:
    """The floor: the database's driver, one indexed query, Jinja."""
    url = make_url(core.db.url)
    if core.db.is_sqlite:
        connection: Any = sqlite3.connect(url.database or "", check_same_thread=False)
    else:
        connection = psycopg.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database, autocommit=True
        )
    query = QUERY.format("?" if core.db.is_sqlite else "%s")
    app = Flask(f"bare{board_id}")
    app.jinja_loader = DictLoader({"bare.html": BARE})

    @app.get("/")
    def page() -> str:
        return render_template("bare.html", rows=connection.execute(query, (board_id,)).fetchall())

    return app


def cases(core: Core, found: dict[int, int]) -> dict[str, Callable[[], None]]:
    """What is measured, by name."""
    client = create_app(core).test_client()
    as_person(client, "p1")
    rng = random.Random(5)
    todo: dict[str, Callable[[], None]] = {}

    def ask(address: str, wanted: int = 200, **headers: str) -> Callable[[], None]:
        def run() -> None:
            answer = client.get(f"/rse/kanban/{address}", headers=headers)
            if answer.status_code != wanted:
                raise SystemExit(f"{address}: {answer.status_code}")

        return run

    def mover(board_id: int) -> Callable[[], None]:
        with core.db.read() as session:
            ids = list(session.scalars(select(Card.id).where(Card.board_id == board_id)))
            places = [column.id for column in placing.columns_of(session, board_id)]

        def run() -> None:
            with core.db.write() as session:
                person = session.scalar(select(Card.author_id).where(Card.id == ids[0])) or 0
                place = Place(rng.choice(places), after=rng.choice(ids))
                moving.move(session, person, rng.choice(ids), place, version=None)

        return run

    moved = found.pop(MOVED)
    for size, board_id in found.items():
        floor = bare(core, board_id).test_client()
        todo[f"{size:,} cards: bare page"] = lambda floor=floor: floor.get("/")  # type: ignore[misc]
        todo[f"{size:,} cards: the board"] = ask(f"boards/{board_id}")
        todo[f"{size:,} cards: filtered, who:me"] = ask(f"boards/{board_id}?q=who:me")
        state = f"boards/{board_id}/state?since=9999"
        etag = client.get(f"/rse/kanban/{state}").headers["ETag"]
        todo[f"{size:,} cards: what changed, nothing (304)"] = ask(state, 304, **{"If-None-Match": etag})
    todo["501 cards: a move"] = mover(moved)
    todo["my cards"] = ask("mine")
    return todo


def measure(kind: str, rounds: int) -> None:
    """One database: fill it, take turns, print a table."""
    with database(kind) as url:
        settings = Settings(
            database_url=url, secret_key="a key for a measurement alone", worker=False, jobs="embedded",
            legacy_origins=("https://intranet.example",), secure_cookies=False,
        )  # fmt: skip
        core = Core(settings, plugins=[plugin, KitIdentity()])
        migrate.upgrade(core)
        core.close()
        core = Core(settings, plugins=[plugin, KitIdentity()])
        try:
            set_level(core, "collaborate")
            found = fill(core)
            moving.PER_MINUTE = 10**9
            print(f"\n{kind}: boards of {', '.join(f'{size:,}' for size in SIZES)} cards\n", flush=True)
            todo = cases(core, found)
            times: dict[str, list[float]] = {name: [] for name in todo}
            rng = random.Random(3)
            for turn in range(rounds + 3):
                for name in rng.sample(list(todo), len(todo)):
                    began = time.perf_counter()
                    todo[name]()
                    if turn >= 3:
                        times[name].append((time.perf_counter() - began) * 1e3)
            table(times)
        finally:
            core.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"], metavar="DATABASE")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args(sys.argv[1:])
    for kind in options.databases or ["sqlite", "postgresql"]:
        measure(kind, options.rounds)


if __name__ == "__main__":
    main()
