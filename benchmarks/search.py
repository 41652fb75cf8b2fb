"""Searching 100,000 documents, on both databases, beside a bare Flask page that reads 20 of their rows by one index.

In one process, without a network: RSE's whole page of results (who asks, scopes, hits, facets, names, markup) against a
page that does nothing but read and render. The kinds of requests take turns in each round. The word "common" stands in one
document of twenty.

    python -m benchmarks.search [sqlite] [postgresql] [--size 100000] [--rounds 40]
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import random
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

import psycopg
from flask import Flask, render_template
from jinja2 import DictLoader
from sqlalchemy import create_engine, func, make_url, select, text

from rse_core import audiences, migrate
from rse_core.api import ContentInfo, ContentType, Manifest, ObjectRef, Plugin, SearchDocument, hookimpl, utcnow
from rse_core.extension import create_app
from rse_core.runtime import Core
from rse_core.settings import Settings
from rse_core.testing import as_person
from rse_core.testing.databases import DEFAULT_POSTGRES
from rse_core.testing.identity import KitIdentity
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_search import plugin, store
from rse_search.models import Document

SPACES, MANY, PEOPLE, ENTITIES = 400, 300, 200, 20
FRENCH = (
    "réunion", "équipe", "accueil", "budget", "projet", "sécurité", "formation", "client", "agence", "qualité", "national",
)  # fmt: skip
BARE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Rows</title></head><body><main><h1>Rows</h1>
{% for row in rows %}
<article><h2>{{ row[0] }}</h2><p><time>{{ row[2] }}</time></p><div>{{ row[1] }}</div></article>
{% endfor %}
</main></body></html>"""
QUERY = "SELECT title, body, at FROM rse_search_document WHERE audience_id = {} ORDER BY at DESC, id DESC LIMIT 20"


class Library(Plugin):
    """Objects to be found; what it knows of them is read by one query, as any plugin's would be."""

    manifest = Manifest(name="library", label="Library")

    @hookimpl
    def rse_content_types(self) -> list[ContentType]:
        def resolve(session: Any, ids: Sequence[str]) -> dict[str, ContentInfo]:
            columns = (Document.ref_id, Document.title, Document.audience_id, Document.author_id, Document.space_id)
            rows = session.execute(select(*columns).where(Document.ref_type == "library.text", Document.ref_id.in_(ids)))
            return {
                row.ref_id: ContentInfo(
                    ObjectRef("library.text", row.ref_id), row.title, f"/library/{row.ref_id}", row.audience_id,
                    space_id=row.space_id, author_id=row.author_id,
                )
                for row in rows
            }  # fmt: skip

        return [ContentType("library.text", "text", resolve, searchable=True)]


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of a database of its own, dropped at the end."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="rse-bench-") as folder:
            yield f"sqlite:///{folder}/search.db"
        return
    server = os.environ.get("RSE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES
    name = f"rse_bench_{uuid.uuid4().hex[:10]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        engine.dispose()


def fill(core: Core, size: int) -> float:
    """An organisation and its documents; documents a second."""
    rng = random.Random(5)
    set_level(core, "comment")
    entities = [make_entity(core, f"entity{number}") for number in range(ENTITIES)]
    people = [make_person(core, f"person{number}", entity=rng.choice(entities)) for number in range(PEOPLE)]
    spaces = [make_space(core, f"space{number}") for number in range(SPACES)]
    make_person(core, "few", entity=entities[0], spaces=spaces[:5])
    make_person(core, "many", entity=entities[0], spaces=spaces[:MANY])
    with core.db.write() as session:
        everyone = audiences.everyone(session)
        places = [(audiences.of_members(session, space.id), space.id) for space in spaces]
    # As in a language, few words are frequent and most are rare.
    vocabulary = [f"{rng.choice(FRENCH)[:4]}{number:x}" for number in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    began, now = time.perf_counter(), utcnow()
    for start in range(0, size, 1_000):
        made = []
        for number in range(start, min(size, start + 1_000)):
            audience, space = (everyone, None) if number % 3 else rng.choice(places)
            words = rng.choices(vocabulary, weights, k=60) + rng.choices(FRENCH, k=2)
            words += ["commun"] if number % 20 == 0 else []
            words += ["rarissime"] if number % (size // 10) == 7 else []
            person = rng.choice(people)
            made.append(
                SearchDocument(
                    ObjectRef("library.text", str(number)),
                    " ".join(rng.sample(words, 5)),
                    " ".join(words),
                    audience,
                    person.id,
                    now - dt.timedelta(minutes=number),
                    space,
                    person.entity_id,
                    kind=("post", "comment", "page")[number % 3],
                )
            )
        with core.db.write() as session:
            store.index(session, made, [])
    rate = size / (time.perf_counter() - began)
    with core.db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return rate


def bare(core: Core) -> Flask:
    """The floor: the database's driver, one indexed query, Jinja."""
    with core.db.write() as session:
        audience = audiences.everyone(session)
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
        return render_template("bare.html", rows=connection.execute(query, (audience,)).fetchall())

    return app


def cases(core: Core) -> dict[str, Callable[[], None]]:
    """What is measured, by name."""
    app, floor = create_app(core), bare(core).test_client()
    clients = {}
    for name in ("few", "many"):
        clients[name] = app.test_client()
        as_person(clients[name], name)

    def ask(who: str, address: str) -> Callable[[], None]:
        def run() -> None:
            answer = clients[who].get(f"/rse/search/{address}")
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")

        return run

    def rows() -> None:
        floor.get("/")

    deep = f"?q=commun&sort=newest&after={quote(_deep(clients['few']))}"
    made = {"bare page, 20 rows": rows}
    for who, audience in (("few", "6 audiences"), ("many", "301 audiences")):
        made |= {
            f"a rare word, {audience}": ask(who, "?q=rarissime"),
            f"a word in one document of 20, {audience}": ask(who, "?q=commun+"),
            f"two words, {audience}": ask(who, f"?q={quote('réunion budget ')}"),
            f"a beginning, {audience}": ask(who, "?q=comm"),
            f"a filter beside it, {audience}": ask(who, "?q=commun+&kind=post&date=month"),
            f"a slip, {audience}": ask(who, "?q=rarisisme"),
        }
    return made | {
        "newest first, page 20": ask("few", deep),
        "proposals while typing": ask("few", "suggest?q=person1"),
    }


def _deep(client: Any) -> str:
    after = ""
    for _ in range(19):
        html = client.get(f"/rse/search/?q=commun&sort=newest{f'&after={quote(after)}' if after else ''}").get_data(
            as_text=True
        )
        after = html.split("after=")[1].split('"')[0]
    return after


def measure(kind: str, size: int, rounds: int) -> None:
    """One database: fill it, take turns, print a table."""
    with database(kind) as url:
        settings = Settings(
            database_url=url, secret_key="a key for a measurement alone", worker=False, jobs="embedded",
            legacy_origins=("https://intranet.example",), secure_cookies=False,
        )  # fmt: skip
        core = Core(settings, plugins=[plugin, Library(), KitIdentity()])
        migrate.upgrade(core)
        core.close()
        core = Core(settings, plugins=[plugin, Library(), KitIdentity()])
        try:
            rate = fill(core, size)
            with core.db.read() as session:
                kept = session.scalar(select(func.count()).select_from(Document))
            print(f"\n{kind}: {kept:,} documents, indexed at {rate:,.0f} a second\n")
            todo = cases(core)
            # Proposals have a limit for each person; a measurement is no typing.
            from rse_search import views

            views.PER_MINUTE = 10**9
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


def table(times: dict[str, list[float]]) -> None:
    """p50 and p99 in ms, and each as a multiple of the first line's."""
    base: tuple[float, float] | None = None
    print(f"{'':46} {'p50 ms':>8} {'p99 ms':>8} {'× p50':>7} {'× p99':>7}")
    for name, found in times.items():
        ordered = sorted(found)
        p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        base = base or (p50, p99)
        print(f"{name:46} {p50:8.1f} {p99:8.1f} {p50 / base[0]:7.1f} {p99 / base[1]:7.1f}")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"], metavar="DATABASE")
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args(sys.argv[1:])
    for kind in options.databases or ["sqlite", "postgresql"]:
        measure(kind, options.size, options.rounds)


if __name__ == "__main__":
    main()
