"""``rse run`` on SQLite with one process: pages hear of changes, always have threads to be served by, and do not hold the
server up when it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from rse_core.identity import Identity
from rse_core.testing.databases import SECRET


@pytest.fixture
def rse_database(_rse_database_kinds):
    return _rse_database_kinds["sqlite"]


def cookie(core, person):
    from flask import session

    from rse_core.extension import create_app
    from rse_core.web.identity import sign_in

    app = create_app(core)
    with app.test_request_context("/rse/"):
        assert sign_in(Identity("kit", person.username, username=person.username)) is not None
        return f"{core.settings.session_cookie}={app.session_interface.get_signing_serializer(app).dumps(dict(session))}"


@pytest.fixture
def run(core, tmp_path):
    """``run(*options)`` starts ``rse run``; gives its process and address."""
    made = []

    def start(*options):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RSE_")},
            "RSE_DATABASE_URL": core.settings.database_url, "RSE_SECRET_KEY": SECRET, "RSE_SAFE_MODE": "1",
            "RSE_SECURE_COOKIES": "0",
        }  # fmt: skip
        command = [sys.executable, "-m", "rse_core.cli", "run", "--port", str(port), *options]
        with (tmp_path / "run.log").open("w") as log:
            process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log)
        made.append(process)
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/rse/healthz", timeout=5).close()
                return process, f"http://127.0.0.1:{port}"
            except OSError:
                time.sleep(0.1)
        raise AssertionError((tmp_path / "run.log").read_text())

    yield start
    for process in made:
        if process.poll() is None:
            process.kill()
            process.wait(10)


def get(address, cookie, timeout=30):
    return urllib.request.urlopen(urllib.request.Request(address, headers={"Cookie": cookie}), timeout=timeout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_pages_hear_and_are_served_while_others_listen_and_the_server_stops_with_them_open(
    core, run, make_person, number
):
    process, origin = run("--threads", "2")
    people = [make_person(f"p{n}") for n in range(4)]
    cookies = [cookie(core, person) for person in people]
    streams = [
        get(f"{origin}/rse/live?topic=core.notices:{person.id}", mine)
        for person, mine in zip(people, cookies, strict=True)
        for _ in range(5)
    ]
    assert all(b"retry" in stream.readline() for stream in streams)
    began = time.monotonic()
    with get(f"{origin}/rse/me/", cookies[0]) as answer:
        assert b'data-rse-live="/rse/live"' in answer.read()
    assert time.monotonic() - began < 10, "twenty streams, two threads besides, and the page is there"
    # As browsers do, to the end.
    readers = [threading.Thread(target=stream.read, daemon=True) for stream in streams]
    for reader in readers:
        reader.start()
    began = time.monotonic()
    process.send_signal(number)
    process.wait(60)
    assert time.monotonic() - began < 15
    for reader, stream in zip(readers, streams, strict=True):
        reader.join(5)
        assert not reader.is_alive()
        stream.close()


def test_several_processes_tell_nothing_and_say_so_by_saying_nothing(core, run, make_person):
    _process, origin = run("--workers", "2")
    mine = cookie(core, make_person("anna"))
    with get(f"{origin}/rse/me/", mine) as answer:
        assert b"data-rse-live" not in answer.read()
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(f"{origin}/rse/live?topic=core.notices:1", mine)
    assert refused.value.code == 404
    refused.value.close()
