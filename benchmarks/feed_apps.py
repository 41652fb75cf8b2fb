"""The servers that the benchmark of the feed compares, each made by gunicorn in a process of its own.

All read the database that ``RSE_BENCH_URL`` names. The bare pages read 20 posts of a space by one index, with their
authors, and render them with Jinja; nothing else.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Mapping
from typing import Any

import psycopg
from flask import Flask, render_template, request
from jinja2 import DictLoader
from sqlalchemy import make_url, select

from benchmarks.reference_seed import settings
from rse_core.api import Identity, Manifest, Plugin, hookimpl
from rse_core.db import Database
from rse_core.models.organisation import Person
from rse_core.runtime import Core

BARE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Posts</title></head><body><main><h1>Posts</h1>
{% for row in rows %}
<article id="p{{ row[0] }}"><h2>{{ row[4] }}</h2><p><time>{{ row[3] }}</time></p>
{% if row[1] %}<h3>{{ row[1] }}</h3>{% endif %}<div>{{ row[2] }}</div></article>
{% endfor %}
</main></body></html>"""
QUERY = (
    "SELECT p.id, p.title, p.body, p.published_at, a.display_name FROM rse_feed_post p "
    "JOIN rse_core_person a ON a.id = p.author_id WHERE p.space_id = {} ORDER BY p.id DESC LIMIT 20"
)
HEADER = "HTTP_X_BENCH_PERSON"


def _bare(rows: Any) -> Flask:
    app = Flask("bare")
    app.jinja_loader = DictLoader({"bare.html": BARE})

    @app.get("/")
    def page() -> str:
        return render_template("bare.html", rows=rows(int(request.args["space"])))

    return app


def driver() -> Flask:
    """The floor: the database's own driver, a connection for each thread."""
    url = make_url(os.environ["RSE_BENCH_URL"])
    local = threading.local()

    def connect() -> Any:
        if url.get_backend_name() == "sqlite":
            return sqlite3.connect(url.database or "")
        return psycopg.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database, autocommit=True
        )

    query = QUERY.format("?" if url.get_backend_name() == "sqlite" else "%s")

    def rows(space: int) -> list[Any]:
        if not hasattr(local, "connection"):
            local.connection = connect()
        found: list[Any] = local.connection.execute(query, (space,)).fetchall()
        return found

    return _bare(rows)


def core() -> Flask:
    """The same with SQLAlchemy: a pool, a transaction, columns."""
    from rse_feed.models import Post

    database = Database(os.environ["RSE_BENCH_URL"])
    query = select(Post.id, Post.title, Post.body, Post.published_at, Person.display_name).join(
        Person, Person.id == Post.author_id
    )

    def rows(space: int) -> Any:
        with database.engine.connect() as connection:
            return connection.execute(query.where(Post.space_id == space).order_by(Post.id.desc()).limit(20)).all()

    return _bare(rows)


class _Header:
    name = "bench"

    def identify(self, environ: Mapping[str, Any]) -> Identity | None:
        username = environ.get(HEADER)
        return Identity("bench", username, username=username) if username else None

    def login_url(self, return_to: str) -> str | None:
        return None

    def logout_url(self, return_to: str) -> str | None:
        return None


class BenchIdentity(Plugin):
    """Believes a header: the server of a measurement listens on this machine only."""

    manifest = Manifest("bench", "Benchmark", "Signs in whoever the request names", kind="adapter")

    @hookimpl(tryfirst=True)
    def rse_identity_source(self) -> _Header:
        return _Header()


def rse() -> Flask:
    """RSE with every plugin that is installed."""
    from rse_core.extension import RSE

    running = Core(settings(os.environ["RSE_BENCH_URL"]), extra=[BenchIdentity()])
    return RSE(core=running).app
