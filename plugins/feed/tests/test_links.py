"""Previews of links: made when asked for, never led to addresses inside."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from rse_core.api import Actor, BadInput
from rse_core.pages import PageClaim
from rse_feed import fetching, links

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::",
        "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:0a00:0001::", "2002:7f00:0001::",
        "ff02::1", "nonsense",
    ],
)  # fmt: skip
def test_addresses_inside_are_known(address):
    assert fetching.is_inside(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1::1", "2002:0808:0808::"])
def test_addresses_outside_are_let_through(address):
    assert not fetching.is_inside(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/", "file:///etc/passwd", "http://x.example:8080/", "http://a:b@x.example/", "http://", "x.example",
        "http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/", "http://x.example/a b",
        "http://x.example/\r\nX: y", "http://[::ffff:127.0.0.1]/",
    ],
)  # fmt: skip
def test_addresses_that_are_refused_are_never_connected_to(url):
    def connect(*_where):
        raise AssertionError("connected")

    with pytest.raises(BadInput):
        fetching.page(url, connect=connect)


class Server:
    """Answers each connection with the next of some answers, and remembers where it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked, self.where = list(answers), [], []

    def connect(self, address, port, seconds):
        self.where.append((address, port))
        ours, theirs = socket.socketpair()
        theirs.settimeout(5)
        answer = self.answers.pop(0)

        def serve():
            data = b""
            while b"\r\n\r\n" not in data:
                data += theirs.recv(4096)
            self.asked.append(data)
            try:
                theirs.sendall(answer)
            except OSError:
                pass
            theirs.close()

        threading.Thread(target=serve, daemon=True).start()
        return ours


def html(body, *, kind="text/html; charset=utf-8", status="200 OK", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Connection: close\r\n\r\n{body}".encode()


def names(table):
    return lambda host, _port: table[host]


def test_a_page_outside_is_read_at_the_address_that_was_checked():
    server = Server(html("<title>Bonjour</title>"))
    found = fetching.page("http://x.example/a?b=é", resolve=names({"x.example": [PUBLIC]}), connect=server.connect)
    assert "Bonjour" in found.text
    assert server.where == [(PUBLIC, 80)]
    assert server.asked[0].startswith(b"GET /a?b=%C3%A9 HTTP/1.1\r\nHost: x.example\r\n")
    assert b"cookie" not in server.asked[0].lower()


def test_a_redirect_inside_is_refused_at_every_hop():
    table = names({"x.example": [PUBLIC], "inside.example": ["10.0.0.5"]})
    for onward in ("http://inside.example/", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"):
        server = Server(html("", status="302 Found", more=f"Location: {onward}\r\n"))
        resolve = lambda host, port: table(host, port) if host.endswith("example") else [host]  # noqa: E731
        with pytest.raises(BadInput):
            fetching.page("http://x.example/", resolve=resolve, connect=server.connect)
        assert server.where == [(PUBLIC, 80)]


def test_a_name_with_one_address_inside_is_refused_whole():
    server = Server()
    with pytest.raises(BadInput):
        fetching.page("http://x.example/", resolve=names({"x.example": [PUBLIC, "127.0.0.1"]}), connect=server.connect)
    assert server.where == []


def test_redirects_come_to_an_end():
    server = Server(*(html("", status="302 Found", more="Location: /again\r\n") for _ in range(9)))
    with pytest.raises(BadInput):
        fetching.page("http://x.example/", resolve=names({"x.example": [PUBLIC]}), connect=server.connect)
    assert len(server.where) == fetching.MOST_HOPS


@pytest.mark.parametrize(
    "answer",
    [
        html("x", kind="application/pdf"), html("x", status="500 Oops"), html("x", status="404 Not Found"),
        html("x", more="Content-Encoding: gzip\r\n"), b"rubbish\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_page_has_no_preview(answer):
    with pytest.raises(BadInput):
        fetching.page("http://x.example/", resolve=names({"x.example": [PUBLIC]}), connect=Server(answer).connect)


def test_no_more_than_the_beginning_is_read():
    server = Server(html("<title>T</title>" + "x" * (2 * fetching.MOST_BYTES)))
    found = fetching.page("http://x.example/", resolve=names({"x.example": [PUBLIC]}), connect=server.connect)
    assert len(found.text) <= fetching.MOST_BYTES


def test_titles_are_plain_text(monkeypatch):
    page = (
        '<head><title>A &lt;b&gt; \u202e\n B</title><meta property="og:description" content="D &amp; <i>d</i>">'
        '<meta name="og:site_name" content="S"></head><body><title>No</title>'
    )
    monkeypatch.setattr(links.fetching, "page", lambda url: fetching.Fetched(url, page))
    assert links.outside("https://x.example/") == {
        "url": "https://x.example/", "title": "A <b> B", "description": "D & <i>d</i>", "site": "S",
    }  # fmt: skip


def test_outside_is_fetched_only_where_the_site_allows_it(site, anna):
    with site.db.write() as session, pytest.raises(BadInput):
        links.may_fetch(session, anna.id)
    with site.db.write() as session:
        site.options.set(session, links.ALLOWED, True, Actor("test"))
    with site.db.write() as session:
        links.may_fetch(session, anna.id)


def test_a_page_of_the_intranet_is_described_without_being_fetched(site, anna, monkeypatch):
    def never(_url):
        raise AssertionError("fetched")

    monkeypatch.setattr(links.fetching, "page", never)
    with site.db.write() as session:
        site.pages.identify(session, PageClaim("/news/1", title="Nouvelle", trusted=True), create=True)
    with site.db.read() as session:
        found = links.known(session, anna.id, "/news/1")
        assert (found["title"], found["page"]) == ("Nouvelle", "/news/1")
        with pytest.raises(BadInput):
            links.known(session, anna.id, "/news/unknown")
        assert links.known(session, anna.id, "https://x.example/") is None


def test_the_form_asks_for_it_and_nothing_else_does(site, anna, rse_client, as_person):
    as_person(rse_client, anna)
    page = rse_client.get("/rse/feed/compose").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    sent = {"csrf_token": token, "form": "full", "body": "Mon texte", "audience": "everyone"}
    answer = rse_client.post("/rse/feed/compose/preview", data={**sent, "link": "https://x.example/"})
    assert answer.status_code == 422
    assert "Mon texte" in answer.text
    with site.db.write() as session:
        site.pages.identify(session, PageClaim("/news/1", title="Nouvelle", trusted=True), create=True)
    answer = rse_client.post("/rse/feed/compose/preview", data={**sent, "link": "/news/1"})
    assert answer.status_code == 200
    assert 'value="Nouvelle"' in answer.text
    assert "Mon texte" in answer.text
