"""The pages that people look at most, at the reference's scale, beside a bare Flask page in the same run.

Real servers (gunicorn, two processes of four threads, loopback), one client and sixteen. The floor reads 20 posts of a
space by one index from the same database and renders them with Jinja: with the database's own driver, and with
SQLAlchemy. Every figure of RSE stands as a ratio to both. The kinds of requests take turns in each round.

    python -m benchmarks.feed [sqlite] [postgresql] [--part 50] [--rounds 6] [--only feed] [--peer PYTHON]

The database is seeded first when it is not there (``benchmarks.reference_seed``). ``--peer`` names a Python that has
Django, gunicorn, psycopg and django-activity-stream; without it that comparison is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import html
import os
import random
import re
import sys
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from sqlalchemy import func, select

from benchmarks import reference_seed
from benchmarks.reference_rows import HEAVY, Sizes
from benchmarks.serving import Ask, Case, Client, Server, interleaved, serving
from rse_core import migrate
from rse_core.models.organisation import Membership, Person, Space, SpaceMember

PREFIX = "/rse"
FEED = f"{PREFIX}/feed/"
PEOPLE, FIRST_TIMES = 60, 2_000
DEEP = 200
WORDS = ("réunion", "securite", "bonne pratique", "terrain", "documen", "propose améliore", "équipe agence", "client")
MORE = re.compile(r"<a[^>]*\bdata-rse-more\b[^>]*>")
HREF = re.compile(r'href="([^"]+)"')


class Sample:
    """Who asks for what: drawn from the database, always the same."""

    def __init__(self, url: str, sizes: Sizes) -> None:
        rng = random.Random(11)
        with reference_seed.running(url) as core, core.db.read() as session:
            ids = rng.sample(range(HEAVY + 2, sizes.people + 1), min(PEOPLE + FIRST_TIMES, sizes.people - HEAVY - 1))
            names = dict(session.execute(select(Person.id, Person.username).where(Person.id.in_(ids))).all())  # type: ignore[arg-type]
            self.people = [names[ident] for ident in ids[:PEOPLE]]
            self.newcomers = [names[ident] for ident in ids[PEOPLE:]]
            self.heavy = [f"heavy{n}" for n in range(1, HEAVY + 1)]
            count = select(func.count()).select_from(Membership).join(Person, Person.id == Membership.person_id)
            self.heavy_memberships = session.scalar(count.where(Person.username == "heavy1"))
            self.spaces = rng.choices(range(1, sizes.spaces), k=PEOPLE)
            rows = session.execute(
                select(Person.username, Space.key)
                .join(SpaceMember, SpaceMember.person_id == Person.id)
                .join(Space, Space.id == SpaceMember.space_id)
                .where(Person.id.in_(ids[:PEOPLE]))
                .order_by(Person.id, Space.id)
            ).all()
            self.places = [(name, key) for name, key in rng.sample(rows, min(PEOPLE, len(rows)))]


def follow(server: Server, person: str, pages: int, path: str = FEED) -> str:
    """The address of the feed's page of this number, by its own links; the last there is when it has fewer."""
    client = Client(server.port)
    for _ in range(pages - 1):
        link = MORE.search(client.get(Ask(path, person)).decode())
        if link is None:
            break
        href = HREF.search(link[0])
        if href is None:
            raise SystemExit("the link to the next page has no address")
        path = html.unescape(href[1])
    client.close()
    return path


def cases(floor: Server, alchemy: Server, rse: Server, sample: Sample, plugins: Sequence[str]) -> Iterator[Case]:
    """The kinds of requests; the first two are the floors."""
    bare = [Ask(f"/?space={space}") for space in sample.spaces]
    yield Case("bare page, driver", floor, bare)
    yield Case("bare page, SQLAlchemy", alchemy, bare)
    if "feed" in plugins:
        yield Case("feed, anybody", rse, [Ask(FEED, name) for name in sample.people])
        yield Case(f"feed, {sample.heavy_memberships} memberships", rse, [Ask(FEED, name) for name in sample.heavy])
        yield Case("feed, sees ten posts", rse, [Ask(FEED, "few1")])
        if sample.newcomers:
            yield Case("feed, first page ever asked for", rse, [Ask(FEED, n) for n in sample.newcomers], once=True)
        deep = [Ask(follow(rse, name, DEEP), name) for name in sample.people[:6]]
        yield Case(f"feed, page {DEEP}", rse, deep)
        deep = [Ask(follow(rse, name, DEEP), name) for name in sample.heavy[:3]]
        yield Case(f"feed, page {DEEP}, {sample.heavy_memberships} memberships", rse, deep)
    if "communities" in plugins:
        yield Case("space", rse, [Ask(f"{PREFIX}/communities/{key}/", name) for name, key in sample.places])
    if "notifications" in plugins:
        bell = f"{PREFIX}/embed/slots?address=/news/1&slots=bell"
        yield Case("bell (slot)", rse, [Ask(bell, name) for name in sample.people])
    if "search" in plugins:
        found = [Ask(f"{PREFIX}/search/?q={quote(WORDS[n % len(WORDS)])}", name) for n, name in enumerate(sample.people)]
        yield Case("search", rse, found)


def measure(kind: str, arguments: argparse.Namespace) -> None:
    """Measure on one database and print a table."""
    sizes = reference_seed.parse_sizes(arguments)
    url = reference_seed.ready(kind, sizes, fresh=arguments.fresh)
    with reference_seed.running(url) as core:
        migrate.upgrade(core)
        serve = {name for plugin, blueprint in core.plugins.blueprints for name in (plugin, blueprint.name)}
    sample = Sample(url, sizes)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(serving(f"benchmarks.feed_apps:{app}()", url)) for app in ("driver", "core", "rse")]
        some = [
            case for case in cases(servers[0], servers[1], servers[2], sample, sorted(serve))
            if not arguments.only or "bare" in case.name or any(word in case.name for word in arguments.only)
        ]  # fmt: skip
        if arguments.peer:
            from benchmarks.peers import activity_stream

            peer = stack.enter_context(activity_stream.serving(url, kind, arguments.peer))
            some.append(Case("django-activity-stream, feed", peer, activity_stream.asks(sizes)))
        warm = [case for case in some if not case.once]
        for case in warm:
            case.run(4, max(len(case.asks), 20) * 3)
            case.forget()
        interleaved(some, rounds=arguments.rounds, plan={1: arguments.requests, 16: arguments.requests * 4})
    print(
        f"\n{kind}: {sizes.people:,} people, {sizes.spaces:,} spaces, {sizes.posts:,} posts, {sizes.reactions:,} reactions;"
    )
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    table(some)


def table(some: Sequence[Case]) -> None:
    """Print a table in Markdown: ms, requests a second, and ratios to the two floors."""
    heads = ("page", "clients", "p50 ms", "p99 ms", "requests/s", "CPU ms", "p50 × driver", "p99 × driver",
             "CPU × driver", "p50 × SQLAlchemy", "rate of SQLAlchemy's")  # fmt: skip
    print(f"\n| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for clients in sorted(some[0].times):
        floor, alchemy = some[0].figures(clients), some[1].figures(clients)
        for case in some:
            one = case.figures(clients)
            cells = (f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.rate:.0f}", f"{one.cpu:.2f}", f"{one.p50 / floor.p50:.2f}",
                     f"{one.p99 / floor.p99:.2f}", f"{one.cpu / floor.cpu:.2f}", f"{one.p50 / alchemy.p50:.2f}",
                     f"{one.rate / alchemy.rate:.2f}")  # fmt: skip
            print(f"| {case.name} | {clients} | {' | '.join(cells)} |")


def main() -> None:
    """Measure on each database named, on both without a name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=["sqlite", "postgresql"])
    reference_seed.size_arguments(parser)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--requests", type=int, default=60, help="of one client in one round")
    parser.add_argument("--only", nargs="*", default=[], help="kinds of requests whose name has one of these words")
    parser.add_argument("--peer", default="", help="a Python that has django-activity-stream")
    arguments = parser.parse_args()
    for kind in arguments.kinds:
        measure(kind, arguments)


if __name__ == "__main__":
    main()
