"""An organisation of the reference's size in a database: 75,000 people in 156 entities, 2,000 spaces, a million posts, ten
million reactions.

    python -m benchmarks.reference_seed postgresql          python -m benchmarks.reference_seed sqlite
        [--people N] [--spaces N] [--posts N] [--reactions N] [--part 50] [--fresh]

A database that was seeded with the same sizes is left as it is, unless ``--fresh``. On PostgreSQL it is called
``rse_bench_<sizes>``, beside the database that ``RSE_BENCH_POSTGRES_URL`` names; an SQLite file stands in ``var/bench/``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine, insert, inspect, make_url, select

from benchmarks import reference_rows as rows
from benchmarks.reference_bulk import Bulk, moment
from benchmarks.reference_rows import END, Sizes, World
from rse_core import audiences, migrate, organisation, policy
from rse_core.db import metadata
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import Audience, Group
from rse_core.runtime import Core
from rse_core.settings import Settings

SERVER = os.environ.get("RSE_BENCH_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
FILES = Path(__file__).parents[1] / "var" / "bench"
GROUPS = 3
_DONE = "rse_bench_done"
_NUMBERED = ("rse_feed_post", "rse_feed_entry", "rse_feed_topic", "rse_likes_reaction", "rse_core_notification",
             "rse_core_broadcast")  # fmt: skip
_BIG = ("rse_feed_post", "rse_feed_entry", "rse_feed_post_topic", "rse_likes_reaction", "rse_likes_count",
        "rse_core_space_member", "rse_core_notification")  # fmt: skip


def settings(url: str, **other: Any) -> Settings:
    """The configuration of the measurements' servers."""
    return Settings.load(
        {}, database_url=url, secret_key="for a measurement only", worker=False, secure_cookies=False, jobs="embedded",
        legacy_origins=["https://intranet.example"], **other,
    )  # fmt: skip


def ready(kind: str, sizes: Sizes, *, fresh: bool = False, say: Callable[[str], object] = print) -> str:
    """The address of the seeded database of this kind (``sqlite`` or ``postgresql``); seeds it when it is not there."""
    name = f"rse_bench_{sizes.name}"
    if kind == "sqlite":
        FILES.mkdir(parents=True, exist_ok=True)
        file = FILES / f"{name}.db"
        url = f"sqlite:///{file}"
        if not fresh and file.exists() and _seeded(url):
            return url
        for suffix in ("", "-wal", "-shm", "-journal"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    else:
        url = make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        with psycopg.connect(SERVER, autocommit=True) as server:
            there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if there and not fresh and _seeded(url):
                return url
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{name}"')
    began = time.perf_counter()
    seed(url, sizes, say)
    say(f"{name} on {kind}: {time.perf_counter() - began:.0f} s")
    return url


def _seeded(url: str) -> bool:
    engine = create_engine(make_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg"))
    try:
        return inspect(engine).has_table(_DONE)
    finally:
        engine.dispose()


def seed(url: str, sizes: Sizes, say: Callable[[str], object] = print) -> None:
    """Migrate an empty database and fill it."""
    world = World(sizes)
    with running(url) as core:
        for outcome in migrate.upgrade(core):
            if outcome.state == "failed":
                raise SystemExit(f"{outcome.name}: {outcome.error}")
    _organise(url, world, say)
    with running(url) as core:
        _gather(core, world, say)
    _publish(url, world, say)


@contextmanager
def running(url: str) -> Iterator[Core]:
    """A core, closed at the end: on SQLite the bulk loader wants the file for itself."""
    core = Core(settings(url))
    try:
        yield core
    finally:
        core.close()


def _organise(url: str, world: World, say: Callable[[str], object]) -> None:
    tables = metadata.tables
    bulk = Bulk(url, END)
    timed = _timer(bulk, say)
    timed("rse_core_entity", ("id", "key", "name", "parent_id"), rows.entities(world))
    timed(
        "rse_core_person",
        ("id", "external_id", "username", "display_name", "folded_name", "email", "entity_id", "is_manager", "external"),
        rows.people(world),
    )
    timed("rse_core_group", ("id", "key", "name"), [(n, f"g{n}", f"Groupe {n}") for n in range(1, GROUPS + 1)])
    timed("rse_core_group_member", ("group_id", "person_id"), rows.group_members(world, GROUPS))
    timed("rse_core_space", ("id", "key", "name", "visibility"), rows.spaces(world))
    timed("rse_core_space_member", ("space_id", "person_id", "role"), rows.space_members(world))
    bulk.close(tables[name] for name in ("rse_core_entity", "rse_core_person", "rse_core_space", Group.__tablename__))


def _gather(core: Core, world: World, say: Callable[[str], object]) -> None:
    began = time.perf_counter()
    with core.db.write() as session:
        organisation.rebuild_paths(session)
        audiences.refresh(session)
        session.execute(insert(LevelRow).values(
            kind="level", scope="site", scope_key="", level=3, starts_at=END, created_by="benchmark", why="",
        ))  # fmt: skip
        policy.touch(session)
    say(f"  {'memberships':28}{time.perf_counter() - began:8.1f} s")
    with core.db.read() as session:
        world.everyone = audiences.everyone(session)
        for ident, kind, target in session.execute(select(Audience.id, Audience.kind, Audience.target_id)):
            if kind == "entity":
                world.entity_audience[target] = ident
            elif kind == "space":
                world.space_audience[target] = ident


def _publish(url: str, world: World, say: Callable[[str], object]) -> None:
    bulk = Bulk(url, END)
    timed = _timer(bulk, say)
    rows.place_posts(world)
    timed(
        "rse_feed_post",
        ("id", "author_id", "audience_id", "space_id", "title", "body", "state", "announcement", "must_read", "created_at",
         "updated_at", "published_at"),
        rows.posts(world),
    )  # fmt: skip
    timed("rse_feed_topic", ("id", "key", "name"), rows.topics(world))
    timed("rse_feed_post_topic", ("topic_id", "post_id"), rows.post_topics(world))
    timed(
        "rse_feed_entry",
        ("id", "ref_type", "ref_id", "event", "actor_id", "audience_id", "space_id", "created_at", "last_activity"),
        rows.entries(world),
    )
    timed("rse_feed_space_count", ("space_id", "posts", "last_at"), rows.space_counts(world))
    counts: list[tuple[str, str, int]] = []
    timed(
        "rse_likes_reaction",
        ("id", "person_id", "ref_type", "ref_id", "kind", "created_at", "changed_at"),
        rows.reactions(world, counts),
    )
    counts.sort()
    timed("rse_likes_count", ("ref_type", "ref_id", "kind", "count"), (("feed.post", *count) for count in counts))
    del counts
    timed("rse_comments_count", ("ref_type", "ref_id", "count"), rows.comment_counts(world))
    timed(
        "rse_core_notification",
        ("id", "person_id", "type", "ref_type", "ref_id", "group_key", "audience_id", "space_id", "created_at", "updated_at",
         "read_at"),
        rows.notifications(world),
    )  # fmt: skip
    timed(
        "rse_core_broadcast",
        ("id", "audience_id", "space_id", "type", "ref_type", "ref_id", "cause", "actor_id", "created_at"),
        rows.broadcasts(world),
    )
    bulk.run(f"CREATE TABLE {_DONE} (at VARCHAR(40))")
    bulk.run(f"INSERT INTO {_DONE} VALUES ('{moment(END)}')")
    began = time.perf_counter()
    bulk.close(metadata.tables[name] for name in _NUMBERED)
    say(f"  {'statistics':28}{time.perf_counter() - began:8.1f} s")


def _timer(bulk: Bulk, say: Callable[[str], object]) -> Callable[[str, Sequence[str], Iterable[Sequence[Any]]], None]:
    def timed(name: str, columns: Sequence[str], some: Iterable[Sequence[Any]]) -> None:
        began = time.perf_counter()
        table = metadata.tables[name]
        with bulk.unindexed(*([table] if name in _BIG else [])):
            count = bulk.load(table, columns, some)
        say(f"  {name:28}{time.perf_counter() - began:8.1f} s{count:12,} rows")

    return timed


def parse_sizes(arguments: argparse.Namespace) -> Sizes:
    """The sizes that the command line asks for."""
    full, part = Sizes(), arguments.part
    return Sizes(
        arguments.people or full.people // part, arguments.spaces or full.spaces // part,
        arguments.posts or full.posts // part, arguments.reactions or full.reactions // part,
    )  # fmt: skip


def size_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command line say how much there is to be."""
    for name in ("people", "spaces", "posts", "reactions"):
        parser.add_argument(f"--{name}", type=int, default=0)
    parser.add_argument("--part", type=int, default=1, help="everything divided by this")
    parser.add_argument("--fresh", action="store_true", help="seed again a database that is there")


def main() -> None:
    """Seed one database, or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=["sqlite", "postgresql"])
    size_arguments(parser)
    arguments = parser.parse_args()
    for kind in arguments.kinds:
        if kind not in ("sqlite", "postgresql"):
            sys.exit(f"“{kind}” is neither sqlite nor postgresql")
        print(ready(kind, parse_sizes(arguments), fresh=arguments.fresh))


if __name__ == "__main__":
    main()
