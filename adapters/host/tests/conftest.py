"""Servers for the tests: a stub of the intranet, and nginx with a printed configuration."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rse_core.api import use_locale

Handler = Callable[[BaseHTTPRequestHandler], None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Texts are compared as they stand in the code, whatever the site's language."""
    with use_locale("en"):
        yield


@pytest.fixture
def serve_http() -> Iterator[Callable[[Handler], str]]:
    """Start a small HTTP server whose every answer a function gives; returns its address."""
    running: list[ThreadingHTTPServer] = []

    def start(handle: Handler) -> str:
        class Stub(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                handle(self)

            do_POST = do_HEAD = do_GET

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def run_nginx(tmp_path: Path) -> Iterator[Callable[[str, int], str]]:
    """Run nginx with a printed configuration; returns its address."""
    nginx = shutil.which("nginx") or ("/usr/sbin/nginx" if os.path.exists("/usr/sbin/nginx") else None)
    if nginx is None:
        pytest.skip("nginx is not installed")
    started: list[subprocess.Popen[bytes]] = []

    def start(configuration: str, port: int) -> str:
        (tmp_path / "rse.conf").write_text(configuration)
        main = tmp_path / "nginx.conf"
        main.write_text(
            f"daemon off; worker_processes 1; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
            "user root;\nevents { worker_connections 64; }\n"
            f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;\n"
            f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
            f"default_type application/octet-stream; include {tmp_path}/rse.conf; }}\n"
        )
        command = [str(nginx), "-e", f"{tmp_path}/error.log", "-p", str(tmp_path), "-c", str(main)]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr.replace('the "user" directive', ""), checked.stderr
        started.append(subprocess.Popen(command, start_new_session=True))
        for _try in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            time.sleep(0.05)
        raise AssertionError((tmp_path / "error.log").read_text())

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(5)


@pytest.fixture
def port() -> int:
    """A free port on loopback."""
    return free_port()
