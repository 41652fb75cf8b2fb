"""A thousand pages that listen to one process: how long until the last of them hears of a commit, and the memory it takes.

Beside it, in the same run: the round trip of a bare NOTIFY between two connections of psycopg, below which nothing can be.

.. code-block:: console

    python -m benchmarks.live                      # PostgreSQL; needs gevent
    python -m benchmarks.live --streams 200
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
from flask import session as cookie_session
from sqlalchemy import create_engine, insert, make_url, select, text

from benchmarks.serving import free_port
from rse_core import audiences, migrate
from rse_core.extension import create_app
from rse_core.identity import Identity
from rse_core.live.bell import say_broadcast
from rse_core.live.hub import PER_PERSON
from rse_core.models.organisation import Person
from rse_core.policy import touch
from rse_core.runtime import Core
from rse_core.testing.databases import DEFAULT_POSTGRES, SECRET, kit_settings
from rse_core.web.identity import sign_in

ROUNDS = 20
DATABASE = "rse_bench_live"


def main() -> None:
    """Measure, where PostgreSQL answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--streams", type=int, default=1_000)
    streams = parser.parse_args().streams
    server = os.environ.get("RSE_TEST_POSTGRES_URL") or DEFAULT_POSTGRES
    try:
        admin = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {DATABASE}"))
    except Exception as error:
        print(f"PostgreSQL does not answer: {str(error).splitlines()[0]}")
        return
    try:
        measure(make_url(server).set(database=DATABASE).render_as_string(hide_password=False), streams)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {DATABASE} WITH (FORCE)"))
        admin.dispose()


def measure(url: str, streams: int) -> None:
    """Print the figures."""
    core = Core(kit_settings(database_url=url, live=True), plugins=[])
    migrate.upgrade(core)
    cookies, everyone = seed(core, -(-streams // PER_PERSON))
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RSE_")},
        "RSE_DATABASE_URL": url, "RSE_SECRET_KEY": SECRET, "RSE_LIVE": "1", "RSE_SAFE_MODE": "1", "RSE_SECURE_COOKIES": "0",
    }  # fmt: skip
    command = [sys.executable, "-m", "rse_core.cli", "live", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        until_ready(port)
        empty = memory(process.pid)
        began = time.perf_counter()
        clients = [Client(port, *cookies[number // PER_PERSON]) for number in range(streams)]
        read(clients, b"event: ready")
        opened = time.perf_counter() - began
        full = memory(process.pid)
        first: list[float] = []
        last: list[float] = []
        for _ in range(ROUNDS):
            # The quiet second after an event is no part of what is measured.
            time.sleep(1.2)
            with core.db.write() as session:
                say_broadcast(session, [everyone])
                began = time.perf_counter()
            times = read(clients, b"event: changed")
            first.append(min(times) - began)
            last.append(max(times) - began)
        told = figure(port, "rse_live_events_total")
        assert told == streams * ROUNDS, (told, streams * ROUNDS)
        direct = round_trips(url)
        print(f"{streams} streams of {len(cookies)} people in one process, {ROUNDS} rounds")
        for label, values in (
            ("bare NOTIFY between two connections", direct), ("the first page hears", first), ("the last page hears", last),
        ):  # fmt: skip
            middle = statistics.median(values) * 1000
            print(f"  {label:<40} median {middle:8.1f} ms   worst {max(values) * 1000:8.1f} ms")
        print(f"  {'all streams opened, with their rights':<40} {opened:8.1f} s")
        print(f"  {'memory without a stream':<40} {empty:8.0f} MB")
        print(f"  {'memory with all':<40} {full:8.0f} MB   {(full - empty) * 1024 / streams:.0f} KB a stream")
    finally:
        process.terminate()
        process.wait(20)
        core.close()


def seed(core: Core, people: int) -> tuple[list[tuple[int, str]], int]:
    """People with a session each: their ids and cookies, and the audience of everyone."""
    with core.db.write() as session:
        session.execute(
            insert(Person),
            [
                {"external_id": f"x{n}", "username": f"u{n}", "display_name": f"U {n}", "folded_name": f"u {n}",
                 "email": "", "status": "active"}
                for n in range(people)
            ],
        )  # fmt: skip
        audiences.refresh(session)
        touch(session)
        everyone = audiences.everyone(session)
        rows = session.execute(select(Person.id, Person.username).order_by(Person.id)).all()
    app = create_app(core)
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookies = []
    for ident, username in rows:
        with app.test_request_context("/rse/"):
            sign_in(Identity("bench", username, username=username))
            cookies.append((ident, f"{core.settings.session_cookie}={serializer.dumps(dict(cookie_session))}"))
    return cookies, everyone


class Client:
    """One page that listens: a socket, and what came over it."""

    def __init__(self, port: int, person: int, cookie: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        request = f"GET /rse/live?topic=core.notices:{person} HTTP/1.1\r\nHost: bench\r\nCookie: {cookie}\r\n\r\n"
        self.socket.sendall(request.encode())
        self.socket.setblocking(False)
        self.data = b""


def read(clients: list[Client], wanted: bytes, seconds: float = 120) -> list[float]:
    """When each client had this event; what was read is forgotten."""
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < len(clients):
        assert time.perf_counter() < end, f"{len(times)} of {len(clients)} heard"
        for key, _events in selector.select(1):
            client = key.data
            client.data += client.socket.recv(65_536)
            if wanted in client.data:
                times.append(time.perf_counter())
                client.data = b""
                selector.unregister(client.socket)
    selector.close()
    return times


def round_trips(url: str) -> list[float]:
    """A bare NOTIFY, from one connection to another."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    times = []
    with psycopg.connect(address, autocommit=True) as listening, psycopg.connect(address, autocommit=True) as saying:
        listening.execute("LISTEN bench")
        for number in range(ROUNDS):
            began = time.perf_counter()
            saying.execute("SELECT pg_notify('bench', %s)", [str(number)])
            assert next(listening.notifies(timeout=10, stop_after=1)).payload == str(number)
            times.append(time.perf_counter() - began)
    return times


def memory(pid: int) -> float:
    """Resident megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def figure(port: int, name: str) -> float:
    """A number of the process."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/rse/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(name)).split()[1])


def until_ready(port: int) -> None:
    """Wait until the process hears the database."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/rse/readyz", timeout=5).close()
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.2)
    raise RuntimeError("rse live does not become ready")


if __name__ == "__main__":
    main()
