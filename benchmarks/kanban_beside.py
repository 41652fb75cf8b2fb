"""A board of 500 cards and moves on it beside Kanboard, each on its own server on this machine, in turns in each round.

Kanboard is taken from the folder that ``RSE_BENCH_KANBOARD`` names (its source with ``vendor/``; PHP with SQLite serves it
by its own server, with as many processes as ours has threads). Without it only our side is measured, and the table says so.
Both keep SQLite; both pages are whole, for somebody who is signed in; both moves are what the browser sends after a drag.
A move that a server gives up (its database is busy, or nothing is to be moved) counts in no rate, but is told of.

    RSE_BENCH_KANBOARD=/srv/kanboard python -m benchmarks.kanban_beside [--rounds 5] [--count 24] [--clients 4]
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Flask

from benchmarks import feed_apps, kanban
from benchmarks.search import database
from benchmarks.serving import THREADS, WORKERS, free_port, serving
from rse_core import migrate
from rse_core.runtime import Core
from rse_core.testing.organisation import set_level
from rse_kanban import moving, placing
from rse_kanban.models import Card

FOLDER = "RSE_BENCH_KANBOARD"
SIZE = 500
Send = Callable[[random.Random], int]


def rse() -> Flask:
    """Our site; nobody of the measurement is too fast for it."""
    moving.PER_MINUTE = 10**9
    return feed_apps.rse()


class Browser:
    """One connection with its cookies."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers, self.cookies = {"Accept-Language": "en", **(headers or {})}, dict[str, str]()

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str, Any]:
        """Status, text and headers of the answer."""
        sent = {**self.headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, text, answer.headers


def _wanted(status: int, text: str, what: str) -> None:
    if not 200 <= status < 400:
        raise SystemExit(f"{what}: {status} {text[:300]}")


@contextlib.contextmanager
def our_side(url: str) -> Iterator[tuple[Callable[[], Send], Callable[[], Send]]]:
    """Ways to make a client that asks for the page, and one that moves."""
    core = Core(feed_apps.settings(url), extra=[feed_apps.BenchIdentity()])
    migrate.upgrade(core)
    core.close()
    core = Core(feed_apps.settings(url), extra=[feed_apps.BenchIdentity()])
    set_level(core, "collaborate")
    board = kanban.fill(core)[SIZE]
    with core.db.read() as session:
        ids = [card.id for card in session.query(Card).where(Card.board_id == board)]
        columns = [column.id for column in placing.columns_of(session, board)]
    core.close()
    with serving("benchmarks.kanban_beside:rse()", url) as server:

        def browser() -> Browser:
            return Browser(server.port, {"X-Bench-Person": "p1", "Accept": "text/html"})

        def page() -> Send:
            made = browser()

            def run(_rng: random.Random) -> int:
                status, text, _headers = made.ask("GET", f"/rse/kanban/boards/{board}")
                _wanted(status, text, "our page")
                return len(text.encode())

            return run

        def move() -> Send:
            made = browser()
            token = made.ask("GET", "/rse/embed/slots?address=/news/1&slots=comments")[2].get("X-RSE-CSRF", "")
            headers = {"X-RSE-CSRF": token, "Content-Type": "application/json", "Accept": "application/json"}

            def run(rng: random.Random) -> int:
                body = json.dumps({"column": rng.choice(columns), "after": rng.choice(ids), "version": None})
                path = f"/rse/api/v1/kanban/cards/{rng.choice(ids)}/move"
                status, text, _headers = made.ask("POST", path, body, **headers)
                _wanted(status, text, "our move")
                return len(text)

            return run

        yield page, move


@contextlib.contextmanager
def kanboard(folder: Path) -> Iterator[tuple[Callable[[], Send], Callable[[], Send]]]:
    """The same for Kanboard, with a database of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        environ = {**os.environ, "DATA_DIR": data, "PHP_CLI_SERVER_WORKERS": str(WORKERS * THREADS)}
        process = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{port}", "-t", str(folder)], cwd=folder, env=environ, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(port)
            project, tasks = _fill(port)
            yield _sides(port, project, tasks)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(15)


def _said(text: str) -> str:
    """What a page says to who reads it, in short."""
    seen = re.sub(r"<(style|script|head)\b.*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)
    return " ".join(seen.split())[:300]


def _wait(port: int) -> None:
    for _attempt in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("PHP did not answer")


def _fill(port: int) -> tuple[int, list[int]]:
    made = Browser(port, {"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()})

    def call(method: str, many: list[dict[str, Any]]) -> list[Any]:
        calls = [{"jsonrpc": "2.0", "id": place, "method": method, "params": one} for place, one in enumerate(many)]
        body = json.dumps(calls)
        status, text, _headers = made.ask("POST", "/jsonrpc.php", body, **{"Content-Type": "application/json"})
        _wanted(status, text, method)
        return [one["result"] for one in json.loads(text)]

    project = int(call("createProject", [{"name": "500 cards"}])[0])
    columns = [int(one["id"]) for one in call("getColumns", [{"project_id": project}])[0]]
    tasks: list[int] = []
    for start in range(0, SIZE, 50):
        tasks += map(int, call("createTask", [
            {
                "title": f"Card {number}: prepare the room of the second floor", "project_id": project,
                "column_id": columns[number % len(columns)], "description": "A text of some words. " * 6, "owner_id": 1,
                "tags": [f"Label {number % 6}"],
            }
            for number in range(start, start + 50)
        ]))  # fmt: skip
    return project, tasks


def _sides(port: int, project: int, tasks: list[int]) -> tuple[Callable[[], Send], Callable[[], Send]]:
    address = f"/?controller=BoardViewController&action=show&project_id={project}"
    turn = threading.Lock()

    def signed_in() -> Browser:
        # One after the other: it counts failed sign-ins, and writes sessions into the one file that all its processes share.
        with turn:
            made = Browser(port)
            form = made.ask("GET", "/?controller=AuthController&action=login")[1]
            token = re.search(r'name="csrf_token" value="([^"]+)"', form)
            values = {"username": "admin", "password": "admin", "csrf_token": token[1] if token else ""}
            body = urllib.parse.urlencode(values)
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            status, text, headers = made.ask("POST", "/?controller=AuthController&action=check", body, **kind)
            if status != 302 or "Dashboard" not in headers.get("Location", ""):
                raise SystemExit(f"Kanboard let nobody in: {status} {_said(text)}")
            return made

    def page() -> Send:
        made = signed_in()

        def run(_rng: random.Random) -> int:
            status, text, _headers = made.ask("GET", address)
            _wanted(status, text, "Kanboard's page")
            if "Card 499" not in text:
                raise SystemExit(f"Kanboard's page shows no cards: {status} {_said(text)}")
            return len(text.encode())

        return run

    def move() -> Send:
        made = signed_in()
        text = made.ask("GET", address)[1]
        found = re.search(r'data-save-url="([^"]+)"', text)
        if found is None:
            raise SystemExit("Kanboard's page has no address for moves")
        save = found[1].replace("&amp;", "&")
        columns = sorted(set(map(int, re.findall(r'data-column-id="(\d+)"', text))))
        lane = re.search(r'data-swimlane-id="(\d+)"', text)

        def run(rng: random.Random) -> int:
            body = {
                "task_id": rng.choice(tasks), "src_column_id": rng.choice(columns), "dst_column_id": rng.choice(columns),
                "swimlane_id": int(lane[1]) if lane else 1, "position": rng.randrange(1, 100),
            }  # fmt: skip
            headers = {"Content-Type": "application/json", "X-Requested-With": "XMLHttpRequest"}
            status, text, _headers = made.ask("POST", save, json.dumps(body), **headers)
            if "database is locked" in text or (status == 400 and not text):
                # Two of its processes wrote at once: it gives one of them up. Or the task stood at that very place.
                return 0
            _wanted(status, text, "Kanboard's move")
            return len(text.encode())

        return run

    return page, move


def measure(make: Callable[[], Send], clients: int, count: int) -> tuple[float, float, int, int]:
    """Requests a second that were done, their median milliseconds, bytes of an answer, how many were given up."""
    ready, times, sizes = threading.Barrier(clients + 1), list[float](), list[int]()
    wrong: list[BaseException] = []

    def work(number: int) -> None:
        try:
            send, rng = make(), random.Random(number)
            ready.wait()
            for _one in range(count // clients):
                began = time.perf_counter()
                sizes.append(send(rng))
                if sizes[-1]:
                    times.append((time.perf_counter() - began) * 1e3)
        except BaseException as error:
            wrong.append(error)
            ready.abort()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        ready.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(str(wrong[0]))
    rate = len(times) / (time.perf_counter() - began)
    return rate, statistics.median(times or [0.0]), max(sizes, default=0), sizes.count(0)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=24, help="Requests of each kind in a round, of all clients together.")
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    folder = os.environ.get(FOLDER, "")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(database("sqlite"))
        page, move = stack.enter_context(our_side(url))
        sides = {"page, ours": page, "move, ours": move}
        if folder and Path(folder, "jsonrpc.php").is_file():
            their_page, their_move = stack.enter_context(kanboard(Path(folder)))
            sides |= {"page, Kanboard": their_page, "move, Kanboard": their_move}
        else:
            print(f"Kanboard is absent: name its folder in {FOLDER} to measure it beside.")
        found: dict[str, list[tuple[float, float, int, int]]] = {name: [] for name in sides}
        rng = random.Random(7)
        for turn in range(options.rounds + 1):
            for name in rng.sample(list(sides), len(sides)):
                figures = measure(sides[name], options.clients, options.count)
                if turn:
                    found[name].append(figures)
        print(f"a board of {SIZE} cards, {options.clients} clients, {options.rounds} rounds of {options.count} requests")
        for name, rows in sorted(found.items()):
            rate, middle = (statistics.median(row[place] for row in rows) for place in (0, 1))
            size, lost = max(row[2] for row in rows), sum(row[3] for row in rows)
            print(f"{name:<16} {rate:8.1f} a second  {middle:8.1f} ms  {size:>9,} bytes  {lost} given up")


if __name__ == "__main__":
    main()
