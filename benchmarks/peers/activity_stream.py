"""django-activity-stream beside RSE's feed: the same posts in the same database, served by the same kind of server."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from benchmarks import serving as servers
from benchmarks.reference_rows import HEAVY, Sizes
from benchmarks.serving import Ask, Server

FOLDER = Path(__file__).parent


def _environ(url: str, kind: str) -> dict[str, str]:
    parsed = make_url(url)
    found = {
        "BENCH_PEER_ENGINE": "sqlite3" if kind == "sqlite" else "postgresql",
        "BENCH_PEER_NAME": parsed.database or "",
        "BENCH_PEER_USER": parsed.username or "",
        "BENCH_PEER_HOST": parsed.host or "",
        "BENCH_PEER_PORT": str(parsed.port or ""),
        "BENCH_PEER_PASSWORD": parsed.password or "",
    }
    return {key: value for key, value in found.items() if value}


@contextlib.contextmanager
def serving(url: str, kind: str, python: str) -> Iterator[Server]:
    """The site, filled at its first run, served by the gunicorn of that Python."""
    environ = _environ(url, kind)
    subprocess.run([python, "activity_site.py"], cwd=FOLDER, env={**os.environ, **environ}, check=True)
    with servers.serving("activity_site:make()", url, python=python, environ=environ, cwd=FOLDER) as server:
        yield server


def asks(sizes: Sizes) -> list[Ask]:
    """The feed's first page, by people of whom nothing is known."""
    rng = random.Random(11)
    return [Ask("/", f"p{ident:05}") for ident in rng.sample(range(HEAVY + 2, sizes.people + 1), 60)]
