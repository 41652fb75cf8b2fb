"""The printed configuration for Apache, really served where Apache is installed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rse_host.configs import Site, apache
from rse_host.middleware import script_tag

SECRET = "s" * 40
TAG = script_tag().encode()
PAGE = b"<!DOCTYPE html><html><head><title>\xe9t\xe9</title></head>\n<body><h1>Note</h1></body></html>\n"
MODULES = """mpm_event authn_core authn_file authz_core authz_user auth_basic proxy proxy_http headers filter
substitute deflate alias"""


@pytest.fixture
def run_apache(tmp_path: Path) -> Iterator[Callable[[str, int], str]]:
    binary = shutil.which("apache2") or ("/usr/sbin/apache2" if os.path.exists("/usr/sbin/apache2") else None)
    modules = Path("/usr/lib/apache2/modules")
    if binary is None or not (modules / "mod_substitute.so").exists():
        pytest.skip("apache2 is not installed")
    started: list[subprocess.Popen[bytes]] = []

    def start(configuration: str, port: int) -> str:
        (tmp_path / "rse.conf").write_text(configuration)
        loads = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in MODULES.split())
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        tmp_path.chmod(0o755)
        (tmp_path / "apache.conf").write_text(
            f"ServerRoot {tmp_path}\nServerName localhost\nPidFile {tmp_path}/pid\n"
            f"ErrorLog {tmp_path}/error.log\n{loads}\n{user}"
            f"Mutex file:{tmp_path} default\nInclude {tmp_path}/rse.conf\n"
        )
        command = [str(binary), "-f", f"{tmp_path}/apache.conf"]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        started.append(subprocess.Popen([*command, "-DFOREGROUND"], start_new_session=True))
        for _try in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            time.sleep(0.05)
        raise AssertionError((tmp_path / "error.log").read_text())

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


def get(address: str, path: str = "/", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return found


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    headers.setdefault("Content_Type", "text/html; charset=ISO-8859-1")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def intranet(handler: BaseHTTPRequestHandler) -> None:
    seen = {key.lower(): value for key, value in handler.headers.items()}
    if "if-none-match" in seen or "if-modified-since" in seen:
        answer(handler, b"", 304, ETag='"1"')
    elif handler.path == "/packed":
        answer(handler, gzip.compress(PAGE), Content_Encoding="gzip", ETag='"1"')
    elif handler.path == "/echo" or handler.path.startswith("/rse/"):
        answer(handler, json.dumps({"path": handler.path, **seen}).encode(), Content_Type="application/json")
    elif handler.path == "/style.css":
        answer(handler, b"a{}", Content_Type="text/css", ETag='"1"')
    elif handler.path == "/upper":
        answer(handler, PAGE.replace(b"</head>", b"</HEAD>"))
    else:
        answer(handler, PAGE, ETag='"1"', Last_Modified="Mon, 01 Jun 2026 08:00:00 GMT")


@pytest.fixture
def served(serve_http: Any, run_apache: Any, port: int) -> Callable[..., str]:
    def start(rse: bool = True, **site: Any) -> str:
        stub = serve_http(intranet)
        described = Site(
            server_name="_", listen=f"127.0.0.1:{port}", upstream=stub, rse=stub if rse else "http://127.0.0.1:9", **site
        )
        return str(run_apache(apache(described), port))

    return start


def plain(found: tuple[int, dict[str, str], bytes]) -> bytes:
    return gzip.decompress(found[2]) if found[1].get("content-encoding") == "gzip" else found[2]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept_Encoding": "gzip"},
        {"If_None_Match": '"1"'},
        {"If_Modified_Since": "Mon, 01 Jun 2026 08:00:00 GMT"},
    ],
)
@pytest.mark.parametrize("path", ["/note", "/packed", "/upper"])
def test_a_page_comes_whole_with_its_one_tag(served: Callable[..., str], path: str, headers: dict[str, str]) -> None:
    found = get(served(), path, **headers)
    assert found[0] == 200
    assert plain(found).replace(b"</HEAD>", b"</head>") == PAGE.replace(b"</head>", TAG + b"</head>")
    assert (b"</HEAD>" in plain(found)) == (path == "/upper")
    assert "etag" not in found[1]
    assert "last-modified" not in found[1]


def test_files_pass_untouched(served: Callable[..., str]) -> None:
    assert get(served(), "/style.css", If_None_Match='"1"')[0] == 304


@pytest.fixture
def users_file() -> Iterator[Path]:
    """A password file that Apache's own user can read; pytest's folders are closed to it."""
    with tempfile.TemporaryDirectory(prefix="rse-users-") as folder:
        os.chmod(folder, 0o755)
        users = Path(folder, "users")
        digest = base64.b64encode(hashlib.sha1(b"mot", usedforsecurity=False).digest()).decode()
        users.write_text(f"amelie:{{SHA}}{digest}\n")
        users.chmod(0o644)
        yield users


def test_nobody_but_the_server_says_who_is_asking(served: Callable[..., str], users_file: Path) -> None:
    address = served(sso="basic", secret=SECRET, users_file=str(users_file))
    login = {"Authorization": "Basic " + base64.b64encode(b"amelie:mot").decode()}
    forged = {"X_RSE_User": "chef", "X_RSE_Proxy_Secret": "guess"}
    assert get(address, "/rse/feed/", **forged)[0] == 401
    seen = json.loads(get(address, "/rse/feed/", **forged, **login)[2])
    assert (seen["path"], seen["x-rse-user"], seen["x-rse-proxy-secret"]) == ("/rse/feed/", "amelie", SECRET)
    other = json.loads(get(address, "/echo", **forged, **login)[2])
    assert "x-rse-user" not in other
    assert "x-rse-proxy-secret" not in other


def test_our_outage_leaves_the_intranet_answering(served: Callable[..., str]) -> None:
    address = served(rse=False)
    assert get(address, "/rse/embed.js")[0] == 503
    assert TAG in get(address, "/note")[2]


def test_what_rse_live_says_passes_at_once(served: Callable[..., str], serve_http: Any) -> None:
    read = threading.Event()

    def slow_stream(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.close_connection = True
        handler.end_headers()
        handler.wfile.write(f"data: {handler.path}\n\n".encode())
        handler.wfile.flush()
        read.wait(10)

    connection = http.client.HTTPConnection(urlsplit(served(live=serve_http(slow_stream))).netloc, timeout=2)
    connection.request("GET", "/rse/live?topic=a.b:1")
    answer = connection.getresponse()
    assert answer.readline() == b"data: /rse/live?topic=a.b:1\n"
    read.set()
    assert answer.read() == b"\n"
    answer.close()
    connection.close()
