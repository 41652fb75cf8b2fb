"""Servers that are broken or mean: everything has an end, and the error says which."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from types import SimpleNamespace as Reply

import pytest

from rse_content.fetch import Fetcher, FetchError
from rse_core.api import RseError


def error_of(read, config):
    with pytest.raises(RseError) as caught:
        read(config)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_external_entities_are_refused_and_nothing_is_fetched(intranet, documents, source, read, tmp_path, encoding):
    secret = tmp_path / "secret"
    secret.write_text("the secret of the machine")
    intranet.serve("/secret", "the secret of the machine")
    for system in (secret.as_uri(), f"{intranet.origin}/secret"):
        doctype = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{system}">]>'
        body = documents.rss(documents.item("/a", "T &x; T"), encoding=encoding).replace("<rss", f"{doctype}<rss", 1)
        intranet.serve("/feed", body, encoding=encoding)
        assert "/feed" in error_of(read, source("rss", "/feed"))
    assert [request.path for request in intranet.requests] == ["/feed", "/feed"]


def test_an_external_document_type_is_not_fetched(intranet, documents, source, read):
    doctype = f'<!DOCTYPE rss SYSTEM "{intranet.origin}/rss.dtd">'
    intranet.serve("/feed", documents.rss(documents.item("/a")).replace("<rss", f"{doctype}<rss", 1))
    assert read(source("rss", "/feed")).addresses == ["/a"]
    assert [request.path for request in intranet.requests] == ["/feed"]


def test_a_billion_laughs_are_not_told(intranet, documents, source, read):
    more = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE rss [<!ENTITY l0 "haha">{more}]>'
    intranet.serve("/feed", documents.rss(documents.item("/a", "&l9;")).replace("<rss", f"{doctype}<rss", 1))
    started = time.monotonic()
    error_of(read, source("rss", "/feed"))
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("kind", ["entities", "external"])
def test_a_sitemap_that_declares_entities_is_refused(intranet, documents, source, read, kind):
    inside = '<!ENTITY a "b">' if kind == "entities" else '<!ENTITY a SYSTEM "file:///etc/passwd">'
    body = documents.sitemap((f"{intranet.origin}/&a;", "")).replace("<urlset", f"<!DOCTYPE urlset [{inside}]><urlset", 1)
    intranet.serve("/sitemap.xml", body)
    assert "sitemap" in error_of(read, source("sitemap", "/sitemap.xml"))


def test_a_title_of_ten_megabytes_is_beyond_the_limit(intranet, documents, source, read):
    intranet.serve("/feed", documents.rss(documents.item("/a", "x" * 10_000_000)))
    assert "max_bytes" in error_of(read, source("rss", "/feed"))


def test_a_long_title_within_the_limit_is_cut(intranet, documents, source, read):
    intranet.serve("/feed", documents.rss(documents.item("/a", "mot " * 200_000)))
    (said,) = read(source("rss", "/feed")).said
    assert len(said.title) <= 500


def test_an_answer_without_end_is_cut_off(intranet, source, read):
    def forever():
        while not intranet.leave.is_set():
            yield b"x" * 65536

    intranet.pages["/feed"] = Reply(body=forever(), status=200, headers={})
    assert "max_bytes" in error_of(read, source("rss", "/feed"))


def test_a_gzip_bomb_is_not_unpacked(intranet, source, read):
    bomb = gzip.compress(b"\x00" * 200_000_000, compresslevel=9)
    assert len(bomb) < 400_000
    intranet.serve("/feed", bomb, Content_Encoding="gzip")
    intranet.serve("/sitemap.xml.gz", bomb, Content_Type="application/gzip")
    tracemalloc.start()
    assert "max_bytes" in error_of(read, source("rss", "/feed"))
    assert "max_bytes" in error_of(read, source("sitemap", "/sitemap.xml.gz"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


def test_a_packed_feed_is_read_and_a_damaged_one_refused(intranet, documents, source, read):
    packed = gzip.compress(documents.rss(documents.item("/a")).encode())
    intranet.serve("/feed", packed, Content_Encoding="gzip")
    assert read(source("rss", "/feed")).addresses == ["/a"]
    intranet.serve("/feed", b"no gzip at all", Content_Encoding="gzip")
    error_of(read, source("rss", "/feed"))
    intranet.serve("/feed", packed, Content_Encoding="br")
    assert "br" in error_of(read, source("rss", "/feed"))


@pytest.mark.parametrize("where", ["body", "head"])
def test_a_byte_now_and_then_does_not_hold_the_worker_up(intranet, source, read, where):
    def drip():
        while not intranet.leave.wait(0.2):
            yield b"x"

    if where == "body":
        intranet.pages["/feed"] = Reply(body=drip(), status=200, headers={})
    else:
        import socket
        import threading

        listener = socket.create_server(("127.0.0.1", 0))

        def talk():
            connection, _peer = listener.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    for byte in drip():
                        connection.sendall(byte)
                except OSError:
                    pass

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
    config = source("rss", "/feed", timeout=1)
    if where == "head":
        from dataclasses import replace

        config = replace(config, url=f"http://127.0.0.1:{listener.getsockname()[1]}/feed")
    started = time.monotonic()
    assert "timeout" in error_of(read, config)
    assert time.monotonic() - started < 5
    if where == "head":
        intranet.leave.set()
        thread.join(10)
        listener.close()


def test_redirects_are_followed_at_home_and_counted(intranet, documents, source, read):
    intranet.pages["/old"] = Reply(body=b"", status=301, headers={"Location": "/feed"})
    intranet.serve("/feed", documents.rss(documents.item("/a")))
    assert read(source("rss", "/old")).addresses == ["/a"]
    intranet.pages["/loop"] = Reply(body=b"", status=302, headers={"Location": "/loop"})
    assert "5" in error_of(read, source("rss", "/loop"))
    assert sum(request.path == "/loop" for request in intranet.requests) == 6


def test_redirects_do_not_leave_the_intranet(intranet, source, read):
    for target in (
        "https://evil.test/feed",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "//evil.test/",
        "",
        "http://[x",
    ):
        intranet.pages["/feed"] = Reply(body=b"", status=302, headers={"Location": target})
        error_of(read, source("rss", "/feed"))
    assert {request.path for request in intranet.requests} == {"/feed"}


def test_a_redirect_to_a_named_origin_is_followed_without_the_secret(intranet, documents, source, read, monkeypatch):
    from dataclasses import replace

    monkeypatch.setenv("INTRANET_TOKEN", "Bearer s3cret")
    other = intranet.origin.replace("127.0.0.1", "localhost")
    intranet.pages["/moved"] = Reply(body=b"", status=302, headers={"Location": f"{other}/feed"})
    intranet.serve("/feed", documents.rss(documents.item("/a")))
    config = source("rss", "/moved", secret_headers={"Authorization": "INTRANET_TOKEN"})
    error_of(read, config)
    read(replace(config, origins=(other,)))
    sent = [(request.path, request.headers.get("authorization")) for request in intranet.requests]
    assert sent == [("/moved", "Bearer s3cret"), ("/moved", "Bearer s3cret"), ("/feed", None)]


def test_from_https_no_way_leads_back_to_http(source):
    with Fetcher(source("rss", "/")) as web, pytest.raises(FetchError, match="http"):
        web._next("https://intranet.test/a", "http://intranet.test/a")


def test_a_secret_that_is_not_set_is_named_and_never_its_value(intranet, source, read, monkeypatch):
    config = source("rss", "/feed", secret_headers={"Authorization": "INTRANET_TOKEN"})
    monkeypatch.delenv("INTRANET_TOKEN", raising=False)
    assert "INTRANET_TOKEN" in error_of(read, config)
    monkeypatch.setenv("INTRANET_TOKEN", "Bearer s3cret")
    assert "s3cret" not in error_of(read, config)


def test_the_environments_proxy_does_not_count(intranet, documents, source, read, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    intranet.serve("/feed", documents.rss(documents.item("/a")))
    assert read(source("rss", "/feed")).addresses == ["/a"]


def test_a_sign_in_page_in_the_feeds_place_says_so(intranet, source, read):
    intranet.serve("/feed", "<!doctype html><html><form>Mot de passe</form></html>", Content_Type="text/html")
    assert "text/html" in error_of(read, source("rss", "/feed"))
    assert "text/html" in error_of(read, source("sitemap", "/feed"))
    intranet.pages["/feed"] = Reply(body=b"no", status=403, headers={})
    assert "secret_headers" in error_of(read, source("rss", "/feed"))


def test_a_server_that_is_away_is_an_error_and_not_a_crash(source, read):
    from dataclasses import replace

    assert "127.0.0.1" in error_of(read, replace(source("rss", "/"), url="http://127.0.0.1:9/feed"))
    assert "nowhere.invalid" in error_of(read, replace(source("rss", "/"), url="http://nowhere.invalid/feed"))


def test_links_that_are_no_pages_are_passed_on_as_they_are(intranet, documents, source, read):
    links = ["javascript:alert(1)", "data:text/html,x", "https://evil.test/x", "/good"]
    intranet.serve("/feed", documents.rss(*(documents.item(link) for link in links)))
    addresses = read(source("rss", "/feed")).addresses
    assert addresses[-1] == "/good"
    assert not any(address.startswith("/") for address in addresses[:-1])


def test_a_feed_of_too_many_entries_is_taken_in_part_and_says_so(intranet, documents, source, read):
    intranet.serve("/feed", documents.rss(*(documents.item(f"/{n}") for n in range(300))))
    reading = read(source("rss", "/feed", max_items=100))
    assert len(reading.said) == 100
    assert "max_items" in reading.warnings[0]


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff<rss", b"<rss", b"<rss version='2.0'>" + b"<a>" * 50_000, b"<feed>&#xD800;</feed>"]
)
def test_rubbish_is_an_error_or_nothing(intranet, source, read, body):
    intranet.serve("/feed", body)
    try:
        assert read(source("rss", "/feed")).said == []
    except RseError:
        pass
