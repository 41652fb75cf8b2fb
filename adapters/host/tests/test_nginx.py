"""The printed configuration for nginx, really served: pages get one tag, the rest passes, our outage breaks
nothing.
"""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rse_core.api import RseError
from rse_host.configs import Site, apache, nginx, snippet, ssi_fragments
from rse_host.middleware import script_tag
from rse_host.testing import AWKWARD_PAGES, AwkwardPage

SECRET = "s" * 40
TAG = script_tag().encode()
PAGE = b"<!DOCTYPE html><html><head><title>Note</title></head><body><h1>Note</h1></body></html>"
WITH_TAG = PAGE.replace(b"</head>", TAG + b"</head>")
SENT_BY_NGINX = {page.name: page for page in AWKWARD_PAGES}


def get(address: str, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return found


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    headers.setdefault("Content_Type", "text/html; charset=utf-8")
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def echo(handler: BaseHTTPRequestHandler) -> None:
    seen = {key.lower(): value for key, value in handler.headers.items()}
    answer(handler, json.dumps({"path": handler.path, **seen}).encode(), Content_Type="application/json")


def intranet(handler: BaseHTTPRequestHandler) -> None:
    """An intranet that caches, packs and cuts."""
    conditional = "If-None-Match" in handler.headers or "If-Modified-Since" in handler.headers
    if conditional:
        answer(handler, b"", 304, ETag='"1"')
    elif "Range" in handler.headers:
        answer(handler, PAGE[:10], 206, Content_Range=f"bytes 0-9/{len(PAGE)}")
    elif handler.path.startswith("/packed"):
        answer(handler, gzip.compress(PAGE), Content_Encoding="gzip", ETag='"1"')
    elif handler.path.startswith("/style.css"):
        answer(handler, b"a{}", Content_Type="text/css", ETag='"1"')
    elif handler.path.startswith("/echo"):
        echo(handler)
    else:
        answer(handler, PAGE, ETag='"1"', Last_Modified="Mon, 01 Jun 2026 08:00:00 GMT")


def slow_stream(handler: BaseHTTPRequestHandler) -> None:
    """One line at once, who asked in it, and nothing more for longer than anybody waits here."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.close_connection = True
    handler.end_headers()
    who = f"{handler.path} {handler.headers['X-RSE-User']} {handler.headers['X-RSE-Proxy-Secret']}"
    handler.wfile.write(f"data: {who}\n\n".encode())
    handler.wfile.flush()
    time.sleep(4)


def first_line(address: str, headers: dict[str, str]) -> str:
    """What is said first, if it comes within two seconds."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=2)
    connection.request("GET", "/rse/live?topic=a.b:1", headers=headers)
    answer = connection.getresponse()
    line = answer.readline().decode()
    answer.close()
    connection.close()
    return line.removeprefix("data: ").strip()


@pytest.fixture
def served(serve_http: Any, run_nginx: Any, port: int) -> Callable[..., str]:
    def start(site: dict[str, Any] | None = None, *, pages: Any = intranet, rse: Any = echo, ssi: bool = False) -> str:
        described = Site(
            server_name="_", listen=f"127.0.0.1:{port}", upstream=serve_http(pages),
            **{"rse": serve_http(rse) if rse else "http://127.0.0.1:9", **(site or {})},
        )  # fmt: skip
        return str(run_nginx(nginx(described, ssi=ssi), port))

    return start


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept_Encoding": "gzip", "User_Agent": "x"},
        {"If_None_Match": '"1"', "Accept": "text/html"},
        {"If_Modified_Since": "Mon, 01 Jun 2026 08:00:00 GMT"},
        {"Range": "bytes=0-9", "If_Range": '"1"'},
    ],
)
def test_a_page_always_comes_whole_with_its_one_tag(served: Callable[..., str], headers: dict[str, str]) -> None:
    status, found, body = get(served(), "/note", **headers)
    assert (status, body) == (200, WITH_TAG)
    assert "etag" not in found
    assert "last-modified" not in found


def test_a_page_packed_against_orders_is_unpacked(served: Callable[..., str]) -> None:
    address = served()
    for headers in ({}, {"Accept_Encoding": "gzip", "User_Agent": "Mozilla"}):
        assert get(address, "/packed", **headers)[2] == WITH_TAG


def test_an_intranet_that_obeys_may_have_its_pages_packed(served: Callable[..., str]) -> None:
    address = served({"obeys_encoding": True})
    _status, found, body = get(address, "/note", Accept_Encoding="gzip", User_Agent="Mozilla")
    assert (gzip.decompress(body) if found.get("content-encoding") == "gzip" else body) == WITH_TAG


def test_files_keep_their_conditions(served: Callable[..., str]) -> None:
    address = served()
    assert get(address, "/style.css", If_None_Match='"1"')[0] == 304
    assert get(address, "/photo", If_None_Match='"1"', Accept="image/avif,image/*,*/*;q=0.8")[0] == 304
    assert get(address, "/film.mp4", Range="bytes=0-9")[0] == 206


@pytest.mark.parametrize("sso", ["none", "basic"])
def test_nobody_but_the_server_says_who_is_asking(served: Callable[..., str], tmp_path: Path, sso: str) -> None:
    users = tmp_path / "users"
    users.write_text("amelie:{PLAIN}mot\n")
    address = served({"sso": sso, "secret": SECRET, "users_file": str(users)})
    forged = {"X_RSE_User": "chef", "X_RSE_Proxy_Secret": "guess"}
    login = {"Authorization": "Basic " + base64.b64encode(b"amelie:mot").decode()} if sso == "basic" else {}
    seen = json.loads(get(address, "/rse/feed/", **forged, **login)[2])
    assert seen["x-rse-user"] == ("amelie" if sso == "basic" else "-")
    assert seen["x-rse-proxy-secret"] == SECRET
    assert seen["path"] == "/rse/feed/"
    for path in ("/echo", "/rse/embed.js"):
        plain = json.loads(get(address, path, **forged, **login)[2])
        assert "x-rse-user" not in plain
        assert "x-rse-proxy-secret" not in plain
    if sso == "basic":
        assert get(address, "/rse/feed/", **forged)[0] == 401


def test_what_rse_live_says_passes_at_once_for_the_person_that_the_server_knows(
    served: Callable[..., str], serve_http: Any
) -> None:
    address = served({"live": serve_http(slow_stream), "sso": "header", "secret": SECRET})
    assert first_line(address, {"Auth-User": "anna", "X-RSE-User": "mallory"}) == f"/rse/live?topic=a.b:1 anna {SECRET}"


def test_the_name_may_come_from_a_sub_request(served: Callable[..., str], serve_http: Any) -> None:
    def verify(handler: BaseHTTPRequestHandler) -> None:
        known = "SESSION" in (handler.headers.get("Cookie") or "")
        answer(handler, b"", 200 if known else 401, **({"Auth_User": "amelie"} if known else {}))

    address = served({"sso": "auth_request", "secret": SECRET, "auth_url": serve_http(verify) + "/verify"})
    assert get(address, "/rse/x", Auth_User="chef")[0] == 401
    assert json.loads(get(address, "/rse/x", Cookie="SESSION=1", Auth_User="chef")[2])["x-rse-user"] == "amelie"


def test_large_uploads_and_large_headers_pass_as_before(served: Callable[..., str]) -> None:
    def pages(handler: BaseHTTPRequestHandler) -> None:
        size = len(handler.rfile.read(int(handler.headers["Content-Length"])))
        answer(handler, str(size).encode(), Content_Type="text/plain", Set_Cookie="s=" + "x" * 6000)

    connection = http.client.HTTPConnection(urlsplit(served(pages=pages)).netloc, timeout=20)
    connection.request("POST", "/upload", body=b"x" * 3_000_000, headers={"Cookie": "a=" + "b" * 5000})
    assert connection.getresponse().read() == b"3000000"
    connection.close()


def test_a_web_socket_of_the_intranet_is_passed_on(served: Callable[..., str]) -> None:
    address = served()
    seen = json.loads(get(address, "/echo", Upgrade="websocket", Connection="Upgrade")[2])
    assert (seen["upgrade"], seen["connection"]) == ("websocket", "upgrade")
    assert "upgrade" not in json.loads(get(address, "/echo")[2])


def test_our_outage_leaves_the_intranet_answering(served: Callable[..., str]) -> None:
    address = served(rse=None)
    assert get(address, "/note")[::2] == (200, WITH_TAG)
    status, headers, body = get(address, "/rse/embed.js")
    assert status == 503
    assert headers["cache-control"] == "no-store"
    assert b"The intranet is." in body


def test_a_service_that_hangs_holds_no_page_for_long(served: Callable[..., str]) -> None:
    import threading
    import time

    hung = threading.Event()
    address = served(rse=lambda handler: hung.wait(20))
    began = time.monotonic()
    assert get(address, "/rse/embed.js")[0] == 503
    hung.set()
    assert time.monotonic() - began < 6


@pytest.mark.parametrize(
    "page",
    [p for p in AWKWARD_PAGES if p.name in (
        "ordinary", "uppercase tags", "cp1252", "ISO-8859-15", "Shift_JIS", "null bytes", "UTF-8 byte order mark",
        "two heads", "ten megabytes", "plain text", "download", "frameset without a head", "fragment for a script",
        "UTF-16 with mark", "empty", "blank", "no head end",
    )],
    ids=lambda page: page.name,
)  # fmt: skip
def test_awkward_pages_keep_every_byte_but_the_tag(served: Callable[..., str], page: AwkwardPage) -> None:
    def pages(handler: BaseHTTPRequestHandler) -> None:
        answer(handler, page.body, Content_Type=page.content_type)

    body = get(served(pages=pages), "/p")[2]
    assert body.count(TAG) <= 1
    # nginx finds </HEAD> too, and writes it back as it is spelt in the configuration.
    same = body.replace(TAG, b"")
    assert same == (page.body.replace(b"</HEAD>", b"</head>") if page.name == "uppercase tags" else page.body)
    if page.regular_head or page.name in ("uppercase tags", "two heads", "ten megabytes"):
        assert body == page.with_tag(TAG) or page.name == "uppercase tags"


def test_a_border_between_chunks_inside_the_tag(served: Callable[..., str]) -> None:
    def pages(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        cut = int(handler.path.rsplit("/", 1)[1])
        for part in (PAGE[:cut], PAGE[cut:], b""):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            handler.wfile.flush()

    address = served(pages=pages)
    start = PAGE.index(b"</head>")
    for cut in range(start, start + 8):
        assert get(address, f"/p/{cut}")[2] == WITH_TAG


def test_server_side_includes_bring_fragments_of_the_page_asked_for(served: Callable[..., str]) -> None:
    def rse(handler: BaseHTTPRequestHandler) -> None:
        slot = handler.path.rsplit("/", 1)[1]
        answer(handler, f"<p>{slot} {handler.headers['X-RSE-Page']} {handler.headers.get('Cookie')}</p>".encode())

    body = get(served(rse=rse, ssi=True), "/spip.php?page=article&id_article=1", Cookie="a=1")[2].decode()
    assert body.count("</head>") == 1
    assert TAG.decode() in body
    assert "<p>comments /spip.php?page=article&id_article=1 a=1</p></template></rse-slot></body>" in body
    assert "<!--#" not in body


def test_a_fragment_that_fails_leaves_no_error_in_the_page(served: Callable[..., str]) -> None:
    body = get(served(rse=None, ssi=True), "/note")[2].decode()
    assert "error" not in body
    assert body.startswith("<!DOCTYPE html><html><head><title>Note</title>")


@pytest.mark.parametrize("render", [nginx, apache, snippet, lambda site: nginx(site, ssi=True)])
@pytest.mark.parametrize("sso", ["none", "basic", "header", "auth_request"])
def test_every_configuration_is_complete_and_ascii(render: Callable[[Site], str], sso: str) -> None:
    text = render(Site(sso=sso, secret=SECRET, profile="spip", live="http://127.0.0.1:8401"))
    assert text.isascii()
    assert "~~" not in text
    assert text.count("<script") == 1


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"server_name": "a; include /etc/passwd"}, "--server-name"),
        ({"listen": "99999"}, "--listen"),
        ({"listen": "80;"}, "--listen"),
        ({"upstream": "http://a/b"}, "--upstream"),
        ({"upstream": "http://a b"}, "--upstream"),
        ({"rse": "unix:relative"}, "--rse"),
        ({"live": "http://a b"}, "--live"),
        ({"user_header": "X-User; x"}, "--user-header"),
        ({"users_file": "/etc/a b"}, "--users-file"),
        ({"slots": ("a'b",)}, "--slots"),
        ({"sso": "basic", "secret": "short"}, "--secret"),
        ({"sso": "basic", "secret": "a" * 40 + '"'}, "--secret"),
        ({"auth_url": "http://a/x?y"}, "--auth-url"),
    ],
)
def test_what_would_break_a_configuration_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(RseError, match=named):
        Site(**wrong)


def test_includes_are_ascii_and_name_each_slot() -> None:
    assert ssi_fragments(Site()).count("include virtual") == 2
