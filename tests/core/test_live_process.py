"""``rse live`` as a process of its own, on PostgreSQL: what others commit reaches those who may hear it, and nothing else.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from rse_core.api import say_changed
from rse_core.identity import Identity
from rse_core.testing.databases import SECRET

pytestmark = pytest.mark.postgres
pytest.importorskip("gevent")


@pytest.fixture
def rse_database(_rse_database_kinds):
    """PostgreSQL alone: on SQLite no other process hears of a change."""
    databases = _rse_database_kinds["postgres"]
    databases.check()
    return databases


@pytest.fixture
def core(rse_core):
    return rse_core(live=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """``rse live`` on a port."""

    def __init__(self, core, folder, *options):
        self.port, self.log, self.options = free_port(), folder / "live.log", options
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RSE_")},
            "RSE_DATABASE_URL": core.settings.database_url, "RSE_SECRET_KEY": SECRET, "RSE_LIVE": "1",
            "RSE_SAFE_MODE": "1", "RSE_SECURE_COOKIES": "0", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        self.start()

    def start(self):
        command = [sys.executable, "-m", "rse_core.cli", "live", "--port", str(self.port), *self.options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, env=self.environment, cwd="/", stdout=log, stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.get("/rse/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        self.kill()
        raise AssertionError(f"it does not become ready: {self.log.read_text()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def process(core, tmp_path):
    made = Process(core, tmp_path)
    yield made
    made.kill()


@pytest.fixture
def anna(make_person):
    return make_person("anna")


def cookie(core, person):
    """The cookie of a session, as RSE's own sign-in gives it."""
    from flask import session

    from rse_core.extension import create_app
    from rse_core.web.identity import sign_in

    app = create_app(core)
    with app.test_request_context("/rse/"):
        assert sign_in(Identity("kit", person.username, username=person.username)) is not None
        serializer = app.session_interface.get_signing_serializer(app)
        return f"{core.settings.session_cookie}={serializer.dumps(dict(session))}"


class Stream:
    """A browser's EventSource, without the browser."""

    def __init__(self, port, cookie, *topics, **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        query = "&".join(f"topic={topic}" for topic in topics)
        self.connection.request("GET", f"/rse/live?{query}", headers={"Cookie": cookie, **headers})
        self.answer = self.connection.getresponse()
        self.status, self.events, self.over = self.answer.status, [], threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        name = ""
        try:
            for line in self.answer:
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text[7:]
                elif text.startswith("data: "):
                    self.events.append((name, json.loads(text[6:]), time.monotonic()))
        except (OSError, http.client.HTTPException, ValueError):
            pass
        self.over.set()

    def until(self, name, count=1, seconds=15):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [data for kind, data, _at in self.events if kind == name]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{name} did not come: {self.events}")

    def close(self):
        # The reading thread holds the file of the answer: it ends first.
        with contextlib.suppress(OSError):
            (self.connection.sock or self.answer.fp.raw._sock).shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.answer.close()
        self.connection.close()


@pytest.fixture
def listen():
    """``listen(port, cookie, topic, …)`` opens a stream that is closed at the end."""
    made = []

    def open_stream(*args, **headers):
        made.append(Stream(*args, **headers))
        return made[-1]

    yield open_stream
    for stream in made:
        stream.close()


def test_a_commit_elsewhere_is_heard_within_two_seconds_and_a_rollback_never(core, process, anna, listen):
    topic = f"core.notices:{anna.id}"
    stream = listen(process.port, cookie(core, anna), topic, "core.notices:999", "likes.page:1")
    assert stream.answer.getheader("Content-Type").startswith("text/event-stream")
    assert stream.until("ready") == [{"topics": [topic]}]
    with pytest.raises(RuntimeError), core.db.write() as session:
        say_changed(session, topic)
        raise RuntimeError("no")
    with core.db.write() as session:
        say_changed(session, "core.notices:999")
    time.sleep(0.5)
    assert [kind for kind, _data, _at in stream.events] == ["ready"]
    began = time.monotonic()
    with core.db.write() as session:
        say_changed(session, topic)
    stream.until("changed")
    assert stream.events[-1][2] - began < 2


def test_nobody_a_stranger_and_hostile_topics_are_refused(core, process, anna, make_person, listen):
    topic = f"core.notices:{anna.id}"
    assert process.get(f"/rse/live?topic={topic}")[0] == 401
    ben = cookie(core, make_person("ben"))
    assert process.get(f"/rse/live?topic={topic}", Cookie=ben)[0] == 404
    mine = cookie(core, anna)
    assert process.get("/rse/live", Cookie=mine)[0] == 404
    assert process.get("/rse/live?topic=core.notices:%00", Cookie=mine)[0] == 404
    assert process.get(f"/rse/live?topic={'a' * 3000}", Cookie=mine)[0] == 404
    many = "&".join(f"topic=a.b:{number}" for number in range(400))
    assert process.get(f"/rse/live?{many}", Cookie=mine)[0] == 422
    assert process.get(f"/rse/live?{'&'.join(f'topic=core.notices:{n}' for n in range(5000))}", Cookie=mine)[0] in (414, 400)
    assert process.get(f"/rse/live?topic={topic}", Cookie=mine.replace("session=", "session=x"))[0] == 401
    assert process.get("/rse/feed/", Cookie=mine)[0] == 404, "it serves nothing else"
    assert process.get("/rse/healthz")[0] == 200
    assert process.process.poll() is None


def test_a_session_that_is_ended_elsewhere_closes_its_stream(core, process, anna, listen):
    from rse_core import sessions

    stream = listen(process.port, cookie(core, anna), f"core.notices:{anna.id}")
    stream.until("ready")
    with core.db.write() as session:
        sessions.end_of(session, [anna.id], "test")
    assert stream.over.wait(10)
    assert stream.until("end") == [{"reason": "over"}]


def test_the_numbers_say_how_many_listen(core, process, anna, listen):
    streams = [listen(process.port, cookie(core, anna), f"core.notices:{anna.id}") for _ in range(3)]
    for stream in streams:
        stream.until("ready")
    with core.db.write() as session:
        say_changed(session, f"core.notices:{anna.id}")
    for stream in streams:
        stream.until("changed")
    text = process.get("/rse/metrics")[1]
    assert "rse_live_streams 3.0" in text
    assert "rse_live_events_total 3.0" in text
    assert "rse_live_listening 1.0" in text
    assert json.loads(process.get("/rse/readyz")[1])["streams"] == 3
    from rse_core.health import examine

    (line,) = [line for line in examine(core) if line.name == "live"]
    assert line.result.ok, line.result


def test_too_many_streams_are_refused_and_the_rest_goes_on(core, anna, make_person, tmp_path, listen):
    made = Process(core, tmp_path, "--streams", "2")
    try:
        kept = [listen(made.port, cookie(core, anna), f"core.notices:{anna.id}") for _ in range(2)]
        for stream in kept:
            stream.until("ready")
        ben = make_person("ben")
        assert made.get(f"/rse/live?topic=core.notices:{ben.id}", Cookie=cookie(core, ben))[0] in (429, 503)
        with core.db.write() as session:
            say_changed(session, f"core.notices:{anna.id}")
        for stream in kept:
            stream.until("changed")
    finally:
        made.kill()


def test_a_lost_database_connection_is_made_again_and_everybody_looks_again(core, process, anna, listen):
    topic = f"core.notices:{anna.id}"
    stream = listen(process.port, cookie(core, anna), topic)
    stream.until("ready")
    with core.db.engine.connect() as connection:
        ended = connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'rse-live'"
        ).all()
    assert len(ended) == 1
    stream.until("again")
    with core.db.write() as session:
        say_changed(session, topic)
    stream.until("changed")
    assert not stream.over.is_set()


def test_it_stops_gracefully_and_who_comes_back_after_a_kill_looks_again(core, process, anna, listen):
    topic, mine = f"core.notices:{anna.id}", cookie(core, anna)
    stream = listen(process.port, mine, topic)
    stream.until("ready")
    process.end(signal.SIGKILL)
    assert stream.over.wait(10)
    process.start()
    back = listen(process.port, mine, topic, **{"Last-Event-ID": "0-7"})
    back.until("again")
    began = time.monotonic()
    assert process.end() == 0
    assert back.over.wait(5)
    assert time.monotonic() - began < 10


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_told(core, tmp_path):
    """The server's own loop, with a client whose buffers are full, and a patience of two seconds."""
    script = tmp_path / "slow.py"
    script.write_text(_SLOW, encoding="utf-8")
    environment = {**os.environ, "RSE_DATABASE_URL": core.settings.database_url, "RSE_SECRET_KEY": SECRET}
    environment["RSE_SAFE_MODE"] = "1"
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["dropped", "told"]


_SLOW = '''
import socket, sys, time
import gevent
from rse_core.live import hub as hubs
hubs.SLOW = 2.0
from rse_core.runtime import Core
from rse_core.commands import live_server
live_server.BUFFER = 4096
core = Core.from_environment()
server = live_server.LiveServer(core, "127.0.0.1", 0, total=10)
server.hub.quiet = 0
topics = {f"a.b:{n}{'x' * 90}": frozenset(["a.b:1"]) for n in range(50)}
def ask(environ, openings):
    openings.append(hubs.Opening(1, "", topics))
    return "200 OK", [("Content-Type", "text/event-stream")], b""
server._ask = ask
server.rounds.go = lambda: None
def drive():
    def connect():
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", server.server.server_port))
        client.sendall(b"GET /rse/live HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        return client
    pool = gevent.get_hub().threadpool
    slow, quick = pool.apply(connect), pool.apply(connect)
    got = []
    def read():
        quick.settimeout(60)
        while data := quick.recv(65536):
            got.append(len(data))
    reader = pool.spawn(read)
    end = time.monotonic() + 40
    while not server.hub.dropped and time.monotonic() < end:
        server.hub.tell(["a.b:1"])
        gevent.sleep(0.02)
    if server.hub.dropped == 1 and len(server.hub.streams) == 1:
        print("dropped")
    before = sum(got)
    server.hub.tell(["a.b:1"])
    gevent.sleep(0.5)
    if sum(got) > before:
        print("told")
    server._ended.set()
gevent.spawn_later(0.5, drive)
server.run()
'''


NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{ }}
http {{
    access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        listen 127.0.0.1:{port};
{location}
    }}
}}
"""


def test_the_location_of_the_documentation_passes_events_on_at_once(core, process, anna, tmp_path, listen):
    """nginx with the very lines of the page on live."""
    from pathlib import Path

    page = Path(__file__).resolve().parents[2] / "docs" / "live.md"
    if not page.is_file():
        pytest.skip("the documentation is not beside these tests")
    nginx = shutil.which("nginx")
    if nginx is None:
        from rse_core.testing.databases import missing_part

        missing_part("nginx", "not installed here")
    location = page.read_text(encoding="utf-8").split("```nginx\n")[1].split("```")[0]
    location = location.replace("127.0.0.1:8401", f"127.0.0.1:{process.port}")
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(folder=tmp_path, port=port, location=location), encoding="utf-8")
    server = subprocess.Popen([nginx, "-c", str(config), "-p", str(tmp_path)])
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                stream = listen(port, cookie(core, anna), f"core.notices:{anna.id}")
                break
            except OSError:
                time.sleep(0.1)
        stream.until("ready")
        began = time.monotonic()
        with core.db.write() as session:
            say_changed(session, f"core.notices:{anna.id}")
        stream.until("changed")
        assert time.monotonic() - began < 2
    finally:
        server.terminate()
        server.wait(10)
