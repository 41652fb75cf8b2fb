"""The WSGI middleware: pages get their tag, everything else and every error pass unharmed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from rse_host.headers import add_mark, take_mark
from rse_host.middleware import HostMiddleware, script_tag
from rse_host.profiles import PROFILES, Anchor, PageFacts, Profile
from rse_host.rewriter import Fragment
from rse_host.testing import AWKWARD_PAGES, AwkwardPage

PAGE = b"<!DOCTYPE html><html><head><title>Note</title></head><body><h1>Note</h1></body></html>"
TAG = script_tag().encode()
WITH_TAG = PAGE.replace(b"</head>", TAG + b"</head>")
HTML = ("Content-Type", "text/html; charset=utf-8")
BROWSER = {"HTTP_ACCEPT": "text/html,*/*;q=0.8", "HTTP_ACCEPT_ENCODING": "gzip, deflate, br"}


class Result:
    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, {k.lower(): v for k, v in headers}, body


def ask(app: Any, path: str = "/note", method: str = "GET", **environ: str) -> Result:
    env: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO()}
    setup_testing_defaults(env)
    env.update({"SCRIPT_NAME": "", **environ})
    got: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        got[:] = [status, headers]
        return written.append

    result = app(env, start_response)
    try:
        body = b"".join([*result])
    finally:
        if hasattr(result, "close"):
            result.close()
    return Result(got[0], got[1], b"".join(written) + body)


def serve(
    body: bytes | Iterable[bytes] = PAGE, *headers: tuple[str, str], status: str = "200 OK"
) -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(status, list(headers or (HTML,)))
        return [body] if isinstance(body, bytes) else body

    return app


@pytest.mark.parametrize("page", AWKWARD_PAGES, ids=lambda page: page.name)
def test_every_awkward_page_comes_through(page: AwkwardPage) -> None:
    app = HostMiddleware(serve(page.body, ("Content-Type", page.content_type), ("Content-Length", str(len(page.body)))))
    result = ask(app, **BROWSER)
    assert result.body == page.with_tag(TAG)
    assert result.headers["content-length"] == str(len(result.body))


@pytest.mark.parametrize("page", [p for p in AWKWARD_PAGES if len(p.body) < 10**6], ids=lambda page: page.name)
def test_every_awkward_page_comes_through_in_single_bytes(page: AwkwardPage) -> None:
    chunks = [page.body[i : i + 1] for i in range(len(page.body))]
    assert ask(HostMiddleware(serve(chunks, ("Content-Type", page.content_type)))).body == page.with_tag(TAG)


@pytest.mark.parametrize("cut", range(len(PAGE) + 1))
def test_a_border_between_chunks_may_be_anywhere(cut: int) -> None:
    assert ask(HostMiddleware(serve([PAGE[:cut], PAGE[cut:]]))).body == WITH_TAG


@pytest.mark.parametrize("limit", [1, 55, 75, 200])
@pytest.mark.parametrize("cut", range(0, len(PAGE), 7))
def test_a_page_longer_than_the_limit_is_right_with_or_without_its_tag(limit: int, cut: int) -> None:
    chunks = [PAGE[:cut], PAGE[cut:], b"<p>x" * 100]
    result = ask(HostMiddleware(serve(chunks), limit=limit)).body
    assert result in (PAGE + b"<p>x" * 100, WITH_TAG + b"<p>x" * 100)
    assert limit < len(PAGE) - 30 or result.startswith(WITH_TAG)


def test_a_long_page_streams_without_being_held() -> None:
    asked: list[int] = []

    def parts() -> Iterator[bytes]:
        yield PAGE
        for number in range(100):
            asked.append(number)
            yield b"x" * 1000

    app = HostMiddleware(serve(parts()), limit=5000)
    env: dict[str, Any] = {}
    setup_testing_defaults(env)
    stream = iter(app(env, lambda *args: None))
    assert next(stream).startswith(WITH_TAG)
    assert len(asked) < 10
    assert len(b"".join(stream)) > 90_000


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate", "two gzip members"])
def test_a_page_that_comes_compressed_anyway_is_unpacked(coding: str) -> None:
    bare = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(PAGE),
        "x-gzip": gzip.compress(PAGE) + b"\0\0",
        "deflate": zlib.compress(PAGE),
        "raw deflate": bare.compress(PAGE) + bare.flush(),
        "two gzip members": gzip.compress(PAGE[:30]) + gzip.compress(PAGE[30:]),
    }[coding]
    name = {"raw deflate": "deflate", "two gzip members": "gzip"}.get(coding, coding)
    app = HostMiddleware(serve(packed, HTML, ("Content-Encoding", name), ("Content-Length", str(len(packed)))))
    result = ask(app, **BROWSER)
    assert result.body == WITH_TAG
    assert "content-encoding" not in result.headers
    assert result.headers["content-length"] == str(len(WITH_TAG))


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"\x0b\x02\x80brotli", "br"),
        (gzip.compress(PAGE)[:-9], "gzip"),
        (b"not packed at all", "gzip"),
        (gzip.compress(b"<html><head></head>" + b"0" * 20_000_000), "gzip"),
        (gzip.compress(PAGE), "gzip, br"),
    ],
    ids=["brotli", "cut short", "a lie", "a bomb", "two codings"],
)
def test_what_cannot_be_unpacked_passes_untouched(body: bytes, coding: str) -> None:
    app = HostMiddleware(serve(body, HTML, ("Content-Encoding", coding), ("ETag", '"1"')))
    result = ask(app, **BROWSER)
    assert result.body == body
    assert result.headers["content-encoding"] == coding
    assert result.headers["etag"] == '"1"'


def test_pages_are_asked_for_unpacked_and_other_files_keep_their_coding() -> None:
    seen: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["HTTP_ACCEPT_ENCODING"])
        start_response("200 OK", [("Content-Type", "text/css")])
        return [b""]

    ask(HostMiddleware(app), **BROWSER)
    ask(HostMiddleware(app), HTTP_ACCEPT="text/css", HTTP_ACCEPT_ENCODING="gzip, br")
    assert seen == ["identity", "gzip"]


def cached(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """An application that answers 304 to a copy that is still good, and ranges."""
    kind = "text/html" if "note" in environ["PATH_INFO"] else "image/png"
    if environ.get("HTTP_IF_NONE_MATCH") in ('"v1"', 'W/"v1"') or (
        "HTTP_IF_NONE_MATCH" not in environ and environ.get("HTTP_IF_MODIFIED_SINCE")
    ):
        start_response("304 Not Modified", [("ETag", '"v1"')])
        return []
    if "HTTP_RANGE" in environ:
        start_response("206 Partial Content", [("Content-Type", kind), ("Content-Range", f"bytes 0-9/{len(PAGE)}")])
        return [PAGE[:10]]
    start_response(
        "200 OK",
        [("Content-Type", kind), ("ETag", '"v1"'), ("Last-Modified", "Mon, 01 Jun 2026 08:00:00 GMT")],
    )
    return [PAGE]


@pytest.mark.parametrize(
    "condition",
    [
        {"HTTP_IF_NONE_MATCH": '"v1"'},
        {"HTTP_IF_MODIFIED_SINCE": "Mon, 01 Jun 2026 08:00:00 GMT"},
        {"HTTP_IF_NONE_MATCH": 'W/"v1"', "HTTP_IF_MODIFIED_SINCE": "Mon, 01 Jun 2026 08:00:00 GMT"},
        {"HTTP_RANGE": "bytes=0-9"},
    ],
)
def test_a_page_cached_before_the_installation_gets_its_tag_at_the_next_visit(
    condition: dict[str, str],
) -> None:
    result = ask(HostMiddleware(cached), **BROWSER, **condition)
    assert result.status == "200 OK"
    assert result.body == WITH_TAG


def test_a_page_cached_with_its_tag_is_not_sent_again() -> None:
    app = HostMiddleware(cached)
    tag = ask(app, **BROWSER).headers["etag"]
    assert tag.startswith('W/"v1-rse.')
    again = ask(app, **BROWSER, HTTP_IF_NONE_MATCH=tag, HTTP_IF_MODIFIED_SINCE="Mon, 01 Jun 2026 08:00:00 GMT")
    assert (again.status, again.body, again.headers["etag"]) == ("304 Not Modified", b"", tag)


def test_a_page_cached_with_another_tag_is_sent_again() -> None:
    tag = ask(HostMiddleware(cached, slots=("reactions",)), **BROWSER).headers["etag"]
    assert ask(HostMiddleware(cached), **BROWSER, HTTP_IF_NONE_MATCH=tag).body == WITH_TAG


def test_a_changed_page_has_no_date_that_would_answer_304_for_the_old_one() -> None:
    assert "last-modified" not in ask(HostMiddleware(cached), **BROWSER).headers


@pytest.mark.parametrize("headers", [BROWSER, {"HTTP_ACCEPT": "image/avif,image/png,*/*"}])
def test_pictures_keep_their_304_and_their_ranges(headers: dict[str, str]) -> None:
    app = HostMiddleware(cached)
    assert ask(app, "/logo.png", **headers, HTTP_IF_NONE_MATCH='"v1"').status == "304 Not Modified"
    assert ask(app, "/media", **headers, HTTP_IF_NONE_MATCH='"v1"').headers["etag"] == '"v1"'
    partial = ask(app, "/logo.png", **headers, HTTP_RANGE="bytes=0-9")
    assert (partial.status, partial.body) == ("206 Partial Content", PAGE[:10])


@pytest.mark.parametrize("tag", ['"a"', 'W/"a"', '""', '"a-rse.x"'])
def test_a_marked_etag_gives_back_exactly_the_tag_it_was_made_from(tag: str) -> None:
    marked = add_mark(tag, "1f")
    assert marked.startswith('W/"')
    assert take_mark(marked, "1f") == tag
    assert take_mark(f'"z", {marked}', "1f") == tag
    assert take_mark(marked, "2e") is None
    assert take_mark(tag, "1f") is None


def test_head_promises_no_length_that_get_would_not_keep() -> None:
    app = HostMiddleware(serve(b"", HTML, ("Content-Length", "82"), ("ETag", '"1"')))
    result = ask(app, method="HEAD")
    assert result.status == "200 OK"
    assert result.body == b""
    assert "content-length" not in result.headers
    assert "etag" not in result.headers


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "301 Moved Permanently", "204 No Content"])
def test_only_pages_that_succeeded_are_touched(status: str) -> None:
    assert ask(HostMiddleware(serve(PAGE, status=status))).body == PAGE


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Type", "application/json")],
        [("Content-Type", "text/htmlx")],
        [HTML, ("Content-Disposition", 'attachment; filename="a.html"')],
        [("X-Other", "1")],
    ],
)
def test_what_is_no_page_is_not_touched(headers: list[tuple[str, str]]) -> None:
    assert ask(HostMiddleware(serve(PAGE, *headers))).body == PAGE


@pytest.mark.parametrize("path", ["/rse", "/rse/embed.js", "/rse/feed/"])
def test_our_own_pages_are_not_touched(path: str) -> None:
    assert ask(HostMiddleware(serve()), path).body == PAGE


def test_a_page_whose_path_only_begins_alike_is_touched() -> None:
    assert ask(HostMiddleware(serve()), "/rsept").body == WITH_TAG


def test_excluded_paths_are_not_touched() -> None:
    assert ask(HostMiddleware(serve(), exclude=("/wp-admin/",)), "/wp-admin/index.php").body == PAGE


def test_an_application_that_writes_and_yields_keeps_its_order() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        write = start_response("200 OK", [HTML])
        write(PAGE[:10])
        write(PAGE[10:20])
        yield PAGE[20:40]
        yield PAGE[40:]

    assert ask(HostMiddleware(app)).body == WITH_TAG


def test_a_generator_that_starts_late_passes_when_it_is_no_page() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"a"
        yield b"b"

    assert ask(HostMiddleware(app)).body == b"ab"


def test_the_iterable_of_the_application_is_closed_exactly_once_and_a_file_stays_a_file() -> None:
    class Body:
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            return iter([PAGE])

        def close(self) -> None:
            self.closed += 1

    for headers in ((HTML,), (("Content-Type", "image/png"),)):
        body = Body()
        ask(HostMiddleware(serve(body, *headers)))
        assert body.closed == 1
    picture = Body()
    env: dict[str, Any] = {}
    setup_testing_defaults(env)
    assert HostMiddleware(serve(picture, ("Content-Type", "image/png")))(env, lambda *args: None) is picture


def test_an_error_of_the_intranet_stays_its_own() -> None:
    class Body:
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            yield PAGE[:30]
            raise LookupError("database")

        def close(self) -> None:
            Body.closed = True

    with pytest.raises(LookupError, match="database"):
        ask(HostMiddleware(serve(Body())))
    assert Body.closed


def test_an_error_page_that_replaces_a_page_halfway_is_sent_as_it_is() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [HTML])
        yield b""
        try:
            raise LookupError("database")
        except LookupError as error:
            start_response("500 Oh", [("Content-Type", "text/plain")], (type(error), error, error.__traceback__))
        yield b"sorry"

    result = ask(HostMiddleware(app))
    assert (result.status, result.body) == ("500 Oh", b"sorry")


def test_any_error_of_ours_hands_back_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    for name in ("rewrite_safely", "script_tag"):
        app = HostMiddleware(serve(PAGE, HTML, ("ETag", '"1"'), ("Content-Security-Policy", "script-src 'nonce-a'")))
        with monkeypatch.context() as patch:
            patch.setattr(f"rse_host.middleware.{name}", fail)
            result = ask(app)
        assert result.body == PAGE
        assert result.headers["etag"] == '"1"'


def test_the_pages_own_nonce_is_reused() -> None:
    policy = ("Content-Security-Policy", "default-src 'self'; script-src 'strict-dynamic' 'nonce-R4nd=='")
    assert b' nonce="R4nd=="' in ask(HostMiddleware(serve(PAGE, HTML, policy))).body


def test_digests_of_the_old_body_are_dropped() -> None:
    old = [(name, "x") for name in ("Content-MD5", "Digest", "Content-Digest", "Repr-Digest", "Accept-Ranges")]
    assert set(ask(HostMiddleware(serve(PAGE, HTML, *old))).headers) == {"content-type", "content-length"}


def test_the_request_is_given_back_as_it_came() -> None:
    env: dict[str, Any] = {"PATH_INFO": "/note", "HTTP_IF_NONE_MATCH": '"v1"', **BROWSER}
    setup_testing_defaults(env)
    before = dict(env)
    list(HostMiddleware(cached)(env, lambda *args: None))
    assert env == before


def test_the_middleware_keeps_to_the_wsgi_standard() -> None:
    app = validator(HostMiddleware(validator(serve([PAGE[:20], PAGE[20:]]))))
    assert ask(app, QUERY_STRING="").body == WITH_TAG


def test_fragments_are_placed_by_the_profile_for_readers_without_javascript() -> None:
    page = (
        b"<html lang=fr><head><title>\xc9t\xe9</title><link rel=shortlink href='http://h/?p=42'></head>"
        b"<body class='single postid-42'><article><div class=entry-content><p>x</div></article></body></html>"
    )
    seen: list[PageFacts] = []

    def source(environ: object, facts: PageFacts) -> dict[str, str]:
        seen.append(facts)
        return {"reactions": "<p>j’aime</p>", "comments": ""}

    app = HostMiddleware(
        serve(page, ("Content-Type", "text/html; charset=ISO-8859-1"), ("ETag", '"1"')),
        profile="wordpress",
        source=source,
    )
    result = ask(app, QUERY_STRING="utm_source=mail")
    assert seen[0].native == "wordpress:42"
    assert (seen[0].title, seen[0].lang, seen[0].address) == ("Été", "fr", "/note?utm_source=mail")
    assert b'</div><rse-slot name="reactions" data-rse-server><template shadowrootmode="open">' in result.body
    assert b"<p>j&#8217;aime</p>" in result.body
    assert b"comments" not in result.body.split(b"</head>")[1]
    assert "etag" not in result.headers
    assert result.headers["cache-control"] == "private, no-cache"


def test_a_source_that_fails_leaves_the_script() -> None:
    def source(environ: object, facts: PageFacts) -> dict[str, str]:
        raise ConnectionError

    assert ask(HostMiddleware(serve(), source=source)).body == WITH_TAG


def test_fragments_with_selectors_of_ones_own() -> None:
    app = HostMiddleware(serve(), fragments=lambda environ: [Fragment("h1", "after", "<p>é</p>")])
    assert ask(app).body == WITH_TAG.replace(b"</h1>", b"</h1><p>&#233;</p>")


@pytest.mark.parametrize("bad", ["é", "\u2028"])
def test_a_tag_that_is_not_ascii_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        script_tag(slots=(bad,))


def test_a_profile_of_ones_own_travels_in_the_tag() -> None:
    own = Profile("generic", (Anchor('td[bgcolor="#eef"]', "append"),), only="body.note")
    tag = script_tag(profile=own)
    assert 'data-anchors="[[&quot;td[bgcolor=\\&quot;#eef\\&quot;]&quot;, &quot;append&quot;]]"' in tag
    assert 'data-only="body.note"' in tag
    assert "data-anchors" not in script_tag(profile="wordpress") + script_tag(profile=PROFILES["spip"])
    assert ask(HostMiddleware(serve(), profile=own)).body == PAGE.replace(b"</head>", tag.encode() + b"</head>")


def test_attributes_of_the_tag_are_escaped() -> None:
    assert script_tag(slots=('"><script>',)).count("<script") == 1
