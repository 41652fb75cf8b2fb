"""The pilot proxy against a real server: pages get their tag, everything else passes in both directions."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import make_server

from rse_host.middleware import script_tag
from rse_host.proxy import BadUpstream, Upstream, main, make_proxy
from rse_host.testing import AWKWARD_PAGES, AwkwardPage

TAG = script_tag().encode()
PAGE = b"<!DOCTYPE html><html><head><title>Note</title></head><body><h1>Note</h1></body></html>"
WITH_TAG = PAGE.replace(b"</head>", TAG + b"</head>")


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    headers.setdefault("Content_Type", "text/html; charset=utf-8")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def intranet(handler: BaseHTTPRequestHandler) -> None:
    if handler.path.startswith("/echo"):
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        seen = {key.lower(): value for key, value in handler.headers.items()}
        text = json.dumps({"path": handler.path, "method": handler.command, "body": body.decode("latin-1"), **seen})
        answer(handler, text.encode(), Content_Type="application/json", Connection="X-Hop, close", X_Hop="1", X_End="2")
    elif handler.path == "/packed":
        answer(handler, gzip.compress(PAGE), Content_Encoding="gzip")
    elif handler.path == "/chunked":
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (PAGE[:47], PAGE[47:], b""):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            handler.wfile.flush()
    elif handler.path == "/cookies":
        handler.send_response(302)
        for value in ("a=1", "b=2"):
            handler.send_header("Set-Cookie", value)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    elif handler.path == "/cut":
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"x")
        handler.close_connection = True
    else:
        answer(handler, PAGE, Set_Cookie="s=1")


@pytest.fixture
def serve_wsgi() -> Iterator[Callable[[Any], str]]:
    running: list[Any] = []

    def start(app: Any) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def proxied(serve_http: Any, serve_wsgi: Any) -> Callable[..., str]:
    def rse(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"RSE " + environ["PATH_INFO"].encode()]

    def start(handle: Any = intranet, **options: Any) -> str:
        return str(serve_wsgi(make_proxy(serve_http(handle), rse=rse, **options)))

    return start


def get(address: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    found = connection.getresponse()
    found.body = found.read() if method != "HEAD" else b""  # type: ignore[attr-defined]
    connection.close()
    return found


@pytest.mark.parametrize("path", ["/note", "/packed", "/chunked"])
def test_pages_get_their_tag(proxied: Callable[..., str], path: str) -> None:
    result = get(proxied(), path, Accept_Encoding="gzip, br", Accept="text/html")
    assert result.body == WITH_TAG
    assert result.getheader("Content-Encoding") is None


@pytest.mark.parametrize("page", AWKWARD_PAGES, ids=lambda page: page.name)
def test_awkward_pages_come_through_the_proxy(proxied: Callable[..., str], page: AwkwardPage) -> None:
    address = proxied(lambda handler: answer(handler, page.body, Content_Type=page.content_type))
    assert get(address, "/p").body == page.with_tag(TAG)


def test_below_the_prefix_rse_answers(proxied: Callable[..., str]) -> None:
    address = proxied()
    assert get(address, "/rse/feed/").body == b"RSE /rse/feed/"
    assert get(address, "/rsept").body == WITH_TAG


def test_a_client_cannot_say_who_it_is(proxied: Callable[..., str]) -> None:
    seen = json.loads(
        get(
            proxied(), "/echo", X_RSE_User="chef", X_RSE_Proxy_Secret="x", Auth_User="chef", Remote_User="chef",
            X_Forwarded_For="1.2.3.4", X_Forwarded_Host="evil", Cookie="a=1",
        ).body
    )  # fmt: skip
    assert not {"x-rse-user", "x-rse-proxy-secret", "auth-user", "remote-user"} & set(seen)
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-host"].startswith("127.0.0.1:")
    assert seen["cookie"] == "a=1"


def test_headers_of_one_connection_stay_on_it(proxied: Callable[..., str]) -> None:
    result = get(proxied(), "/echo", Connection="X-Mine, keep-alive", X_Mine="1", TE="trailers", X_Other="2")
    seen = json.loads(result.body)
    assert "x-mine" not in seen
    assert "te" not in seen
    assert seen["x-other"] == "2"
    assert result.getheader("X-Hop") is None
    assert result.getheader("X-End") == "2"


def test_bodies_and_odd_addresses_reach_the_intranet_as_they_are(proxied: Callable[..., str]) -> None:
    address = proxied()
    body = bytes(range(256)) * 3000
    seen = json.loads(get(address, "/echo/%C3%A9/a%2Fb?q=%20+&x=%E9", "POST", body, Content_Type="application/x").body)
    assert seen["path"] == "/echo/%C3%A9/a%2Fb?q=%20+&x=%E9"
    assert seen["method"] == "POST"
    assert seen["body"].encode("latin-1") == body


def test_head_redirects_and_several_cookies_pass(proxied: Callable[..., str]) -> None:
    address = proxied()
    assert get(address, "/note", "HEAD").status == 200
    result = get(address, "/cookies")
    assert result.status == 302
    assert result.headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_an_intranet_that_is_down_is_said_plainly(serve_wsgi: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = serve_wsgi(Upstream(f"http://127.0.0.1:{closed.getsockname()[1]}", timeout=2))
        result = get(address, "/")
    assert result.status == 502
    assert b"does not answer" in result.body


def test_an_intranet_that_hangs_is_given_up(serve_wsgi: Any) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = serve_wsgi(Upstream(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.5))
        assert get(address, "/").status == 504


def test_an_answer_cut_short_is_not_passed_off_as_whole(proxied: Callable[..., str]) -> None:
    with pytest.raises(http.client.IncompleteRead):
        get(proxied(), "/cut")


@pytest.mark.parametrize("bad", ["ftp://a", "intranet", "http://a/path", "http://", "http://a?x"])
def test_an_address_that_cannot_be_proxied_to_is_refused(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadUpstream, match="without a path"):
        Upstream(bad)
    assert main(["--upstream", bad, "--rse", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"]) == 1
    assert "cannot be proxied to" in capsys.readouterr().err
