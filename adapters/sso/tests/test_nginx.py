"""The configuration of nginx that the documentation shows, served by a real nginx before a real gunicorn."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rse_sso.keys import new_secret

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "signin.md"
SECRET = new_secret()
pytestmark = [
    pytest.mark.nginx,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here"),
    pytest.mark.skipif(not PAGE.is_file(), reason="the documentation is not beside these tests"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def documented(backend: int, front: int, folder: Path) -> str:
    """The block of the page in a whole configuration, with the ports of this test and a basic sign-in."""
    block = PAGE.read_text(encoding="utf-8").split("```nginx\n")[1].partition("```")[0]
    for wanted in ("http://127.0.0.1:8400", "/etc/nginx/rse-secret.conf", "/etc/nginx/people"):
        assert wanted in block
    block = block.replace("127.0.0.1:8400", f"127.0.0.1:{backend}")
    block = block.replace("/etc/nginx/rse-secret.conf", str(folder / "secret.conf"))
    block = block.replace("/etc/nginx/people", str(folder / "people"))
    before, location, rest = block.partition("location /rse/ {")
    (folder / "secret.conf").write_text(f'proxy_set_header X-RSE-Proxy-Secret "{SECRET}";\n')
    digest = base64.b64encode(hashlib.sha1(b"word").digest()).decode()
    (folder / "people").write_text(f"u1042:{{SHA}}{digest}\n")
    temp = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
user {getpass.getuser()}; daemon off; error_log {folder}/error.log; pid {folder}/pid; events {{ }}
http {{ access_log off; {temp}
{before}
server {{ listen 127.0.0.1:{front};
{location}{rest}
}} }}
"""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, tmp_path = free_port(), tmp_path_factory.mktemp("nginx")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += ["--no-control-socket", "--log-level", "critical"]
        command += ["--pythonpath", str(HERE), "header_application:application"]
        environment = {**os.environ, "HEADER_APPLICATION_SECRET": SECRET}
        backend = subprocess.Popen(command, pass_fds=[listener.fileno()], env=environment)
        file = tmp_path / "nginx.conf"
        file.write_text(documented(listener.getsockname()[1], port, tmp_path))
        nginx = subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(file), "-e", str(tmp_path / "error.log")])
        try:
            _wait(port, nginx, tmp_path)
            yield port
        finally:
            for server in (nginx, backend):
                server.terminate()
                server.wait(timeout=20)


def _wait(port: int, nginx: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(100):
        if nginx.poll() is not None:
            pytest.fail(f"nginx refused the documented configuration: {(folder / 'error.log').read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("nginx did not begin to listen")


def get(port: int, *headers: str) -> tuple[int, str]:
    """Status and body; plain sockets, since clients of the library tidy headers up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        lines = ("GET /rse/x HTTP/1.0", "Host: intranet.test", *headers, "", "")
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode().strip()


def basic(user: str, word: str) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()


@pytest.mark.parametrize(
    "spoof",
    [
        "X-Nothing: 1",
        "X-RSE-User: admin",
        "X_RSE_User: admin",
        "x-rse-user: -\r\nX-RSE-User: admin",
        "X-RSE-Name: The Director",
        "X-RSE-Proxy-Secret: guess",
        "Remote-User: admin",
    ],
)
def test_the_person_whom_nginx_verified_is_recognised_whatever_the_browser_sends(front: int, spoof: str) -> None:
    assert get(front, basic("u1042", "word"), spoof) == (200, "u1042")


def test_nobody_passes_whom_nginx_did_not_verify(front: int) -> None:
    for headers in ([], ["X-RSE-User: admin"], [basic("u1042", "guess")], [basic("admin", "word")]):
        assert get(front, *headers)[0] == 401
