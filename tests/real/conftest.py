"""A real sign-in portal, a site behind it, and a browser that finds both."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from rse_core.extension import create_app
from rse_core.testing.browser import FLAGS, chromium_path
from rse_sso.keys import new_secret

sys.path.insert(0, str(Path(__file__).parent))
import lemonldap


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture
def start_portal() -> Iterator[Callable[..., Any]]:
    """``start_portal(prepare, **fields)``: a LemonLDAP::NG of its own; ``prepare`` may still change it before it starts."""
    lacking = lemonldap.missing()
    if lacking:
        pytest.skip(f"lemonldap is not installed here: {', '.join(lacking)}")
    if os.geteuid() != 0:
        pytest.skip("lemonldap is started by root only")
    folder = Path(f"/var/tmp/rse-test-lemonldap-{os.getpid()}")
    started: list[subprocess.Popen[bytes]] = []

    def start(prepare: Callable[[Any], None] = lambda made: None, **fields: Any) -> Any:
        folder.mkdir(mode=0o755)
        made = lemonldap.Portal(folder, *free_ports(3), new_secret(), **fields)
        prepare(made)
        lemonldap.bring_up(made, made.url("open", "/rse/oidc/callback"), made.url("open", "/rse/"), started)
        return made

    try:
        yield start
    finally:
        for one in reversed(started):
            os.killpg(one.pid, signal.SIGTERM)
            one.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """``serve(core, portal)``: the site, where the portal looks for it; it finds the portal's names as browsers do."""
    running: list[Any] = []
    asked = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        ours = str(host if isinstance(host, str) else (host or b"").decode()).endswith(f".{lemonldap.DOMAIN}")
        return asked("127.0.0.1" if ours else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    def start(core: Any, portal: Any) -> None:
        server = make_server("127.0.0.1", portal.service, create_app(core), threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        running.append(server)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def window() -> Iterator[Callable[..., Any]]:
    """``window(**context)``: a tab of a new context, in French, to which the portal's names lead to this machine."""
    path = chromium_path()
    from playwright.sync_api import sync_playwright

    resolver = f"--host-resolver-rules=MAP *.{lemonldap.DOMAIN} 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*FLAGS, resolver])

        def start(**context: Any) -> Any:
            return browser.new_context(**{"ignore_https_errors": True, "locale": "fr", **context}).new_page()

        yield start
        browser.close()
