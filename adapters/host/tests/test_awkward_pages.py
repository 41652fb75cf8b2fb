"""Every awkward page comes through with its one tag, or untouched, and nothing else changed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rse_host.lolhtml_rewriter import LolhtmlRewriter
from rse_host.rewriter import (
    Fragment,
    Insert,
    RewriteFailed,
    Rewriter,
    ascii_html,
    insert_script,
    rewrite_safely,
)
from rse_host.scanner import Unfinished, _plain_head_end, _walk, head_insertion_point
from rse_host.testing import AWKWARD_PAGES, AwkwardPage
from rse_host.turbohtml_rewriter import TurbohtmlRewriter

TAG = '<script src="/rse/embed.js" defer></script>'
INSERT = Insert(script=TAG, script_address="/rse/embed.js")
HTML_PAGES = [page for page in AWKWARD_PAGES if page.content_type.startswith("text/html")]
SMALL_PAGES = [page for page in HTML_PAGES if len(page.body) < 1_000_000]


def charset_of(page: AwkwardPage) -> str | None:
    found = re.search(r"charset=(\S+)", page.content_type)
    return found.group(1) if found else None


def test_the_corpus_is_large_and_has_both_kinds_of_pages() -> None:
    assert len(AWKWARD_PAGES) >= 40
    assert len({page.name for page in AWKWARD_PAGES}) == len(AWKWARD_PAGES)
    assert sum(page.receives_script for page in AWKWARD_PAGES) >= 25
    assert sum(not page.receives_script for page in AWKWARD_PAGES) >= 15


@pytest.mark.parametrize("page", HTML_PAGES, ids=lambda page: page.name)
def test_a_page_gets_its_tag_at_the_one_right_place_or_stays_as_it_is(page: AwkwardPage) -> None:
    result = rewrite_safely(page.body, charset=charset_of(page), insert=INSERT)
    assert result == page.with_tag(TAG.encode())


@pytest.mark.parametrize("page", HTML_PAGES, ids=lambda page: page.name)
def test_a_second_pass_changes_nothing(page: AwkwardPage) -> None:
    once = rewrite_safely(page.body, charset=charset_of(page), insert=INSERT)
    assert rewrite_safely(once, charset=charset_of(page), insert=INSERT) is once


@pytest.mark.parametrize("page", SMALL_PAGES, ids=lambda page: page.name)
def test_the_quick_pattern_and_the_careful_walk_agree(page: AwkwardPage) -> None:
    assert quick_or_careful(page.body) == careful(page.body)


@pytest.mark.parametrize("page", [page for page in SMALL_PAGES if page.regular_head], ids=lambda page: page.name)
def test_an_independent_parser_puts_the_tag_at_the_same_place(page: AwkwardPage) -> None:
    placed = LolhtmlRewriter().place(page.body, (Fragment("head", "append", TAG),))
    assert placed == insert_script(page.body, INSERT)


@pytest.mark.parametrize("rewriter", [LolhtmlRewriter(), TurbohtmlRewriter()], ids=lambda rewriter: rewriter.name)
@pytest.mark.parametrize("page", SMALL_PAGES, ids=lambda page: page.name)
def test_fragments_leave_every_other_byte_alone(page: AwkwardPage, rewriter: Rewriter) -> None:
    fragments = (Fragment("h1", "after", "<i>é</i>"), Fragment("body", "prepend", "<b>2</b>"))
    insert = Insert(TAG, "/rse/embed.js", fragments)
    result = rewrite_safely(page.body, charset=charset_of(page), insert=insert, rewriters=(rewriter,))
    for fragment in fragments:
        assert result.count(ascii_html(fragment.html)) <= 1
        result = result.replace(ascii_html(fragment.html), b"")
    assert result == page.with_tag(TAG.encode())


@pytest.mark.parametrize("page", SMALL_PAGES, ids=lambda page: page.name)
def test_both_rewriters_place_fragments_alike_where_both_can(page: AwkwardPage) -> None:
    fragments = (Fragment("h1", "before", "<i>1</i>"), Fragment("body", "prepend", "<b>2</b>"))
    if page.name == "select around xmp":
        with pytest.raises(RuntimeError, match="ambiguous"):
            LolhtmlRewriter().place(page.body, fragments)
        return
    first = LolhtmlRewriter().place(page.body, fragments)
    try:
        assert TurbohtmlRewriter().place(page.body, fragments) == first
    except RewriteFailed:
        assert b"\0" in page.body or page.name == "cut inside a tag"


def test_a_fragment_is_placed_at_its_first_match_only() -> None:
    page = b"<html><head></head><body><h1>a</h1><h1>b</h1></body></html>"
    for rewriter in (LolhtmlRewriter(), TurbohtmlRewriter()):
        assert rewriter.place(page, (Fragment("h1", "after", "<hr>"),)) == page.replace(b"a</h1>", b"a</h1><hr>")


def test_a_fragment_lost_beside_an_unclosed_element_leaves_the_script_alone() -> None:
    page = b"<html><head></head><body><section><p>a"
    insert = Insert(TAG, "/rse/embed.js", (Fragment("section", "append", "<hr>"),))
    for rewriter in (LolhtmlRewriter(), TurbohtmlRewriter()):
        result = rewrite_safely(page, charset=None, insert=insert, rewriters=(rewriter,))
        assert result.replace(b"<hr>", b"") == page.replace(b"</head>", TAG.encode() + b"</head>")


def test_a_rewriter_that_fails_gives_way_to_the_next() -> None:
    class Broken:
        name = "broken"

        def place(self, body: bytes, fragments: tuple[Fragment, ...], *, also: tuple[int, bytes] | None = None) -> bytes:
            raise ValueError("out of order")

    page = b"<html><head></head><body><h1>a</h1></body></html>"
    insert = Insert(TAG, "/rse/embed.js", (Fragment("h1", "after", "<hr>"),))
    assert b"</h1><hr>" in rewrite_safely(page, charset=None, insert=insert, rewriters=(Broken(), LolhtmlRewriter()))
    assert rewrite_safely(page, charset=None, insert=insert, rewriters=(Broken(),)) == insert_script(page, INSERT)


def careful(html: bytes) -> int | None:
    try:
        return _walk(html)
    except Unfinished:
        return None


def quick_or_careful(html: bytes) -> int | None:
    return head_insertion_point(html)


PIECES = st.sampled_from([
    b"<title>", b"</title>", b"<script>", b"</script>", b"<script", b"<!--", b"-->", b"--!>", b"<!-->", b"-",
    b">", b"<", b"/", b"<style>", b"</style>", b"<meta a='", b"'>", b'"', b"=", b" ", b"x", b"<link rel=a>",
    b"<base>", b"\r\n", b"<noscript>", b"</noscript>", b"<!doctype html>", b"</head>", b"</HEAD\n>",
    b"<head>", b"<html>", b"<body>", b"</x>", b"<?",
])  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=14).map(b"".join))
def test_the_two_paths_agree_on_any_head(middle: bytes) -> None:
    page = b"<!DOCTYPE html><html><head>" + middle + b"</head><body>x</body></html>"
    assert quick_or_careful(page) == careful(page)


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=14).map(b"".join))
def test_the_quick_pattern_finds_what_an_independent_parser_finds(middle: bytes) -> None:
    page = b"<!DOCTYPE html><html><head>" + middle + b"</head><body>x</body></html>"
    quick = _plain_head_end(page)
    if quick is None or b"<noscript" in page or b"<head>" in middle:
        return
    placed = LolhtmlRewriter().place(page, (Fragment("head", "append", "@"),))
    assert placed.index(b"@</" + page[quick + 2 : quick + 6]) == quick


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=200) | st.lists(PIECES, max_size=30).map(b"".join))
def test_no_bytes_make_the_scanner_fail_or_change_more_than_one_place(page: bytes) -> None:
    result = insert_script(page, INSERT)
    assert result == page or (result.count(TAG.encode()) == 1 and result.replace(TAG.encode(), b"") == page)


@pytest.mark.timeout(60)  # one that reads in quadratic time would need hours
@pytest.mark.parametrize("filler", [b"<", b"<a ", b"<!--", b"<script>", b"<meta a=", b"<meta a='", b"<title>", b"-", b"<p>"])
def test_a_hostile_page_is_scanned_in_linear_time(filler: bytes) -> None:
    page = b"<html><head>" + filler * (600_000 // len(filler))
    assert len(insert_script(page, INSERT)) >= len(page)
