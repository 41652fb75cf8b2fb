"""The slots of a page with 200 comments, beside a bare Flask page that reads the same rows from the same database.

Both are asked in-process through WSGI, by one person who may comment; the bare page joins comments and authors by index and
renders them with Jinja. What RSE adds is told apart: the whole answer, the answer when nothing changed (304), and the page
with reactions alone.

    python -m benchmarks.slots          RSE_BENCH_POSTGRES=postgresql://… adds PostgreSQL
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from flask import Flask, render_template_string
from sqlalchemy import insert, select, text, update

import rse_comments
import rse_likes
from rse_comments.models import Comment, CommentCount
from rse_core import migrate
from rse_core.db import Database, utcnow
from rse_core.extension import create_app
from rse_core.models.organisation import Person
from rse_core.runtime import Core
from rse_core.settings import Settings
from rse_core.testing.identity import KitIdentity, as_person
from rse_core.testing.organisation import make_person, set_level

COMMENTS, AUTHORS, ROUNDS, PER_ROUND = 200, 40, 9, 10
PAGE = "/news/1"
BARE = """<!doctype html><title>Comments</title><ol>{% for row in rows %}
<li id="c{{ row.id }}"><h3>{{ row.display_name }}</h3><p>{{ row.created_at }}</p><div>{{ row.body }}</div></li>
{% endfor %}</ol>"""


@contextlib.contextmanager
def seeded(url: str) -> Iterator[tuple[Core, Person]]:
    """A core on a fresh database with a thread of 200 comments, a quarter of them answers."""
    settings = Settings(
        database_url=url, secret_key="for a measurement", worker=False, secure_cookies=False,
        legacy_origins=("https://intranet.example",),
    )  # fmt: skip
    core = Core(settings, plugins=[rse_likes.plugin, rse_comments.plugin, KitIdentity()])
    try:
        migrate.upgrade(core)
        set_level(core, "comment")
        people = [make_person(core) for _ in range(AUTHORS)]
        everyone = core.policy.everyone()
        start = utcnow() - dt.timedelta(days=2)
        rows = [
            {
                "ref_type": "page", "ref_id": PAGE, "author_id": people[n % AUTHORS].id, "audience_id": everyone,
                "parent_id": None, "body": f"Comment **{n}**: what this changes for us, in two lines of text.",
                "state": "published", "created_at": start + dt.timedelta(minutes=n),
            }
            for n in range(COMMENTS)
        ]  # fmt: skip
        with core.db.write() as session:
            core.pages.ensure(session, core.pages.resolve_ref(session, PAGE).ref)
            session.execute(insert(Comment), rows)
            ids = list(session.scalars(select(Comment.id).order_by(Comment.id)))
            for n, ident in enumerate(ids):
                if n % 4 == 3:
                    session.execute(update(Comment).where(Comment.id == ident).values(parent_id=ids[n - 3]))
            session.execute(update(Comment).where(Comment.id.in_(ids[::4])).values(replies=1))
            session.execute(insert(CommentCount).values(ref_type="page", ref_id=PAGE, count=COMMENTS))
        yield core, people[0]
    finally:
        core.close()


def bare(url: str) -> Flask:
    """The floor: one indexed query, Jinja, nothing else."""
    database = Database(url)
    app = Flask("bare")
    query = text(
        "SELECT c.id, c.body, c.created_at, p.display_name FROM rse_comments_comment c "
        "JOIN rse_core_person p ON p.id = c.author_id "
        "WHERE c.ref_type = 'page' AND c.ref_id = :page ORDER BY c.id DESC LIMIT 200"
    )

    @app.get("/")
    def page() -> str:
        with database.engine.connect() as connection:
            rows = connection.execute(query, {"page": PAGE}).all()
        return render_template_string(BARE, rows=rows)

    return app


def milliseconds(ask: Callable[[], object]) -> float:
    """For each call, the median of the rounds."""
    ask()
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(PER_ROUND):
            ask()
        times.append((time.perf_counter() - begin) / PER_ROUND * 1e3)
    return statistics.median(times)


def measure(url: str) -> dict[str, float]:
    """Milliseconds a request."""
    with seeded(url) as (core, person):
        client, floor = create_app(core).test_client(), bare(url).test_client()
        as_person(client, person)
        # RSE shows 20 comments with their answers at a time, the bare page all 200; so is the service asked for.
        address = f"/rse/embed/slots?address={PAGE}&slots="

        def get(slots: str, headers: dict[str, str] | None = None, expect: int = 200) -> str:
            answer = client.get(address + slots, headers=headers)
            if answer.status_code != expect:
                raise SystemExit(f"{slots}: {answer.status_code} {answer.get_data(as_text=True)[:300]}")
            return answer.headers.get("ETag", "")

        etag = get("reactions,comments")
        return {
            "floor": milliseconds(lambda: floor.get("/")),
            "slots": milliseconds(lambda: get("reactions,comments")),
            "unchanged": milliseconds(lambda: get("reactions,comments", {"If-None-Match": etag}, 304)),
            "reactions": milliseconds(lambda: get("reactions")),
            "whole": milliseconds(lambda: whole(core, person)),
        }


def whole(core: Core, person: Person) -> None:
    """All 200 comments read and made ready, by the service."""
    from rse_comments import access, reading
    from rse_core.content import ObjectRef

    with core.db.read() as session:
        info = access.place(session, person.id, ObjectRef("page", PAGE))
        page = reading.page(session, person.id, info, most=reading.MOST)
        if sum(1 + len(top.replies) for top in page.comments) != COMMENTS:
            raise SystemExit("not all comments were read")


def main() -> None:
    """Print the figures for each database that is there."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; a page with {COMMENTS} comments")
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite": f"sqlite:///{folder}/rse.db"}
        if os.environ.get("RSE_BENCH_POSTGRES"):
            urls["PostgreSQL"] = os.environ["RSE_BENCH_POSTGRES"]
        for name, url in urls.items():
            found = measure(url)
            floor = found["floor"]
            print(f"{name}: bare Flask page, the same 200 rows   {floor:7.2f} ms")
            for key, label in (
                ("slots", "all slots, first page of the thread"),
                ("unchanged", "the same, not changed (304)"),
                ("reactions", "reactions alone"),
                ("whole", "200 comments read by the service"),
            ):
                print(f"{name}: {label:38} {found[key]:7.2f} ms   {found[key] / floor:5.2f} x the bare page")


if __name__ == "__main__":
    main()
