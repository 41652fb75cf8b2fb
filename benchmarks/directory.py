"""The directory with 75,000 people, on both databases, beside a bare Flask page that reads 20 of their rows by one index.

In one process, without a network: RSE's whole page (who asks, search, facets, cards, markup) and its proposals while one
types, against a page that does nothing but read and render. The kinds of requests take turns in each round.

    python -m benchmarks.directory [sqlite] [postgresql] [--size 75000] [--rounds 30]
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg
from flask import Flask, render_template
from jinja2 import DictLoader
from sqlalchemy import insert, make_url, select, text

from benchmarks.search import BARE, database, table
from rse_core import audiences, migrate
from rse_core.api import Actor, utcnow
from rse_core.extension import create_app
from rse_core.models.organisation import Person
from rse_core.people import folded
from rse_core.runtime import Core
from rse_core.settings import Settings
from rse_core.testing import as_person
from rse_core.testing.identity import KitIdentity
from rse_core.testing.organisation import make_entity, make_person
from rse_directory import indexing, plugin
from rse_directory.models import PersonSkill, Skill

FIRST = (
    "Anne",
    "Élodie",
    "Jean",
    "Jean-Paul",
    "Marie",
    "Hélène",
    "Zoé",
    "François",
    "Chloé",
    "Luc",
    "Noël",
    "Inès",
    "Rémi",
    "Sophie",
    "Théo",
    "Agnès",
    "Paul",
    "Maëlle",
)
START = ("Mar", "Du", "Le", "Ber", "Gar", "Lam", "Fon", "Rou", "Vin", "Mou", "Cha", "Bou", "Per", "Sim", "Lau")
END = (
    "tin",
    "pont",
    "roux",
    "nard",
    "nier",
    "bert",
    "taine",
    "sseau",
    "cent",
    "lin",
    "pelle",
    "cher",
    "rin",
    "on",
    "rent",
    "ier",
    "eau",
)
JOBS = [f"Chargé de mission {number}" for number in range(300)]
SKILLS = [f"Expertise {number}" for number in range(400)]
QUERY = (
    "SELECT display_name, job_title, updated_at FROM rse_core_person WHERE folded_name >= {0} ORDER BY folded_name LIMIT 20"
)


def fill(core: Core, size: int) -> float:
    """An organisation and its words; people a second that were indexed."""
    rng = random.Random(7)
    tops = [make_entity(core, f"e{number}") for number in range(20)]
    leaves = [make_entity(core, f"e{top.key}-{number}", parent=top) for top in tops for number in range(25)]
    make_person(core, "reader", entity=leaves[0])
    rows, now = [], utcnow()
    for number in range(size):
        name = f"{rng.choice(FIRST)} {rng.choice(START)}{rng.choice(END)}{rng.choice(END) if number % 3 else ''}"
        rows.append(
            {
                "external_id": f"b{number}", "username": f"b{number}", "display_name": name, "folded_name": folded(name),
                "email": f"b{number}@example.org", "entity_id": rng.choice(leaves).id, "job_title": rng.choice(JOBS),
                "phone": f"01 {number // 10000:02} {number // 100 % 100:02} {number % 100:02} 42",
                "site": f"Site {number % 60}", "status": "active", "source": "csv", "created_at": now, "updated_at": now,
            }
        )  # fmt: skip
    with core.db.write() as session:
        for start in range(0, size, 5_000):
            session.execute(insert(Person), rows[start : start + 5_000])
        session.execute(insert(Skill), [{"key": one.lower(), "label": one, "created_at": now} for one in SKILLS])
        audiences.refresh(session)
        skills = list(session.scalars(select(Skill.id)))
        people = list(session.scalars(select(Person.id)))
        declared = [
            {"person_id": one, "skill_id": skill, "declared_at": now}
            for one in people if rng.random() < 0.3 for skill in rng.sample(skills, 3)
        ]  # fmt: skip
        session.execute(insert(PersonSkill), declared)
    began = time.perf_counter()
    while True:
        with core.db.write() as session:
            found = indexing.behind(session)
            indexing.refresh(session, found)
        if not found:
            break
    rate = size / (time.perf_counter() - began)
    with core.db.write() as session:
        for key in ("directory.pages_an_hour", "directory.profiles_an_hour"):
            core.options.set(session, key, 100_000, Actor("benchmark"))
    with core.db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return rate


def bare(core: Core) -> Flask:
    """The floor: the database's driver, one indexed query, Jinja."""
    url = make_url(core.db.url)
    if core.db.is_sqlite:
        connection: Any = sqlite3.connect(url.database or "", check_same_thread=False)
    else:
        connection = psycopg.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database, autocommit=True
        )
    query = QUERY.format("?" if core.db.is_sqlite else "%s")
    app = Flask("bare")
    app.jinja_loader = DictLoader({"bare.html": BARE})

    @app.get("/")
    def page() -> str:
        return render_template("bare.html", rows=connection.execute(query, ("m",)).fetchall())

    return app


def cases(core: Core) -> dict[str, Callable[[], None]]:
    """What is measured, by name."""
    client, floor = create_app(core).test_client(), bare(core).test_client()
    as_person(client, "reader")

    def ask(address: str) -> Callable[[], None]:
        def run() -> None:
            answer = client.get(f"/rse/directory/{address}")
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")

        return run

    def rows() -> None:
        floor.get("/")

    after = ""
    for _turn in range(19):
        html = client.get(f"/rse/directory/?q=mar{f'&after={quote(after)}' if after else ''}").get_data(as_text=True)
        after = html.split("after=")[1].split('"')[0]
    return {
        "bare page, 20 rows": rows,
        "proposals: 1 letter": ask("suggest?q=m"),
        "proposals: 3 letters": ask("suggest?q=dup"),
        "proposals: a first name and a letter": ask(f"suggest?q={quote('zoé m')}"),
        "proposals: one slip": ask("suggest?q=mratin"),
        "proposals: a part of a number": ask("suggest?q=0103"),
        "page: two words": ask(f"?q={quote('hélène dup')}"),
        "page: 3 letters": ask("?q=dup"),
        "page: 3 letters, a quarter of everybody": ask("?q=mar"),
        "page: the same, page 20": ask(f"?q=mar&after={quote(after)}"),
        "page: a word of everybody's job": ask("?q=mission"),
        "page: an entity and a site": ask("?entity=e3&site=Site+7"),
        "page: an expertise": ask("?skill=expertise+7"),
        "page: everybody": ask(""),
        "a profile": ask("people/b77"),
        "organisation chart by entity": ask("chart?by=entity"),
    }


def measure(kind: str, size: int, rounds: int) -> None:
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
            print(f"\n{kind}: {size:,} people, indexed at {fill(core, size):,.0f} a second\n", flush=True)
            # Proposals have a limit for each person; a measurement is no typing.
            from rse_directory.views import listing

            listing.PER_MINUTE = 10**9
            todo = cases(core)
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
    parser.add_argument("--size", type=int, default=75_000)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args(sys.argv[1:])
    for kind in options.databases or ["sqlite", "postgresql"]:
        measure(kind, options.size, options.rounds)


if __name__ == "__main__":
    main()
