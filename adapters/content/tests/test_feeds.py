"""RSS and Atom as intranets write them: encodings, dates, conditions, links that are no pages, entries that go."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from rse_content.config import SourceConfig
from rse_content.dates import parse_date
from rse_content.reading import address_of
from rse_core.legacy_text import plain


@pytest.mark.parametrize(
    ("encoding", "declared", "title"),
    [
        ("utf-8", "utf-8", "L’été à Œuilly – 10 €"),
        ("iso-8859-15", "ISO-8859-15", "L'été à Œuilly : 10 €"),
        ("cp1252", "windows-1252", "L’été à Œuilly – 10 €"),
        # What Windows software declares, and is not.
        ("cp1252", "ISO-8859-1", "L’été à Œuilly – 10 €"),
        ("utf-16", "utf-16", "L’été à Œuilly – 10 €"),
    ],
)
@pytest.mark.parametrize("media_type", ["text/xml", "application/rss+xml", "text/html"])
def test_french_titles_survive_every_encoding(intranet, documents, source, read, encoding, declared, title, media_type):
    body = documents.rss(documents.item(f"{intranet.origin}/a", title), encoding=declared)
    intranet.serve("/feed", body, encoding=encoding, Content_Type=media_type)
    (said,) = read(source("rss", "/feed")).said
    assert said.title == title


def test_a_charset_of_the_server_counts(intranet, documents, source, read):
    body = documents.rss(documents.item("/a", "Été")).replace(' encoding="utf-8"', "")
    intranet.serve("/feed", body, encoding="iso-8859-15", Content_Type="text/xml; charset=iso-8859-15")
    assert [one.title for one in read(source("rss", "/feed")).said] == ["Été"]


def test_spip_gives_the_page_its_id_the_language_and_a_summary_without_the_section(intranet, documents, source, read):
    intranet.serve("/spip.php", documents.spip(intranet.origin, [12]), Content_Type="text/xml; charset=utf-8")
    (said,) = read(source("rss", "/spip.php?page=backend")).said
    assert (said.address, said.native, said.title, said.lang) == ("/spip.php?article12", "spip:12", "Résultats 12", "fr")
    assert said.byline == "CPAM du Finistère"
    assert said.published_at == dt.datetime(2026, 11, 12, 3, 53, 43, tzinfo=dt.UTC)
    assert plain(said.summary, 1000) == "Note n°12 Bonjour à tous, c'est publié."


def test_a_server_that_answers_200_to_every_condition_is_not_read_twice(intranet, documents, source, read):
    intranet.serve("/spip.php", documents.spip(intranet.origin, [1, 2]), Last_Modified="Wed, 25 Nov 2026 08:00:00 GMT")
    config = source("rss", "/spip.php?page=backend")
    first = read(config)
    second = read(config, first.notes)
    assert (len(first.said), second.said) == (2, [])
    assert intranet.requests[1].headers["if-modified-since"] == "Wed, 25 Nov 2026 08:00:00 GMT"


def test_conditions_are_kept_and_an_unchanged_feed_costs_a_304(intranet, documents, source, read):
    body = documents.rss(documents.item("/a"), "<item><title>x</title").encode()

    def answer(request):
        tag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        from types import SimpleNamespace as Reply

        same = request.headers.get("if-none-match") == tag
        return Reply(body=b"" if same else body, status=304 if same else 200, headers={"ETag": tag})

    intranet.pages["/feed"] = answer
    config = source("rss", "/feed")
    first = read(config)
    second = read(config, first.notes)
    assert second.said == []
    # What was wrong with it still is.
    assert second.warnings == first.warnings != []
    assert read(source("rss", "/feed", audience="entity:north"), second.notes).addresses != []


def test_a_broken_feed_with_entries_is_used_and_said_to_be_broken(intranet, documents, source, read):
    body = documents.rss(documents.item("/a", "A & B"), documents.item("/b", "B")).replace("</channel></rss>", "<p>")
    intranet.serve("/feed", body)
    reading = read(source("rss", "/feed"))
    assert reading.addresses == ["/a", "/b"]
    assert "mal formé" in reading.warnings[0]


@pytest.mark.parametrize(
    "root",
    [
        '<rss version="0.91"><channel>{}</channel></rss>',
        '<rss version="0.92"><channel>{}</channel></rss>',
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">'
        '<rss version="0.91"><channel>{}</channel></rss>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">{}</rdf:RDF>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">{}</rdf:RDF>',
    ],
)
def test_every_generation_of_rss_is_read(intranet, source, read, root):
    intranet.serve("/feed", root.format("<item><title>T</title><link>/a</link></item>"))
    assert read(source("rss", "/feed")).addresses == ["/a"]


def test_atom_takes_the_alternate_link_and_the_dates(intranet, source, read):
    intranet.serve(
        "/feed",
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><title type="html">A &amp;amp; B</title>'
        '<link rel="edit" href="/edit"/><link href="/a"/><published>2026-11-01T10:00:00+01:00</published>'
        "<updated>2026-11-02T10:00:00+01:00</updated><summary>Texte</summary></entry></feed>",
    )
    (said,) = read(source("rss", "/feed")).said
    assert (said.address, said.title) == ("/a", "A & B")
    assert said.published_at.astimezone(dt.UTC) == dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)
    assert said.updated_at.astimezone(dt.UTC) == dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)


def test_links_of_a_wikis_feed_to_changes_do_not_become_pages(intranet, documents, source, read):
    intranet.serve("/feed", documents.MEDIAWIKI_ATOM.replace("{origin}", intranet.origin))
    reading = read(source("rss", "/feed"))
    assert reading.said == []
    assert "2" in reading.warnings[0]
    assert "mediawiki" in reading.warnings[1]


@pytest.mark.parametrize(
    "query", ["?id=x&rev=179&do=diff", "?id=x&do=revisions", "?title=A&action=edit", "?title=A&oldid=3"]
)
def test_what_shows_a_change_or_a_form_is_no_page(intranet, documents, source, read, query):
    link = f"{intranet.origin}/doku.php{query}".replace("&", "&amp;")
    intranet.serve("/feed", documents.rss(documents.item(link), documents.item("/actu.php?action=voir&amp;id=3")))
    assert read(source("rss", "/feed")).addresses == ["/actu.php?action=voir&id=3"]


def test_wordpress_tells_its_id_in_the_guid(intranet, documents, source, read):
    guid = f'<guid isPermaLink="false">{intranet.origin}/?p=42</guid>'
    other = '<guid isPermaLink="false">https://elsewhere.test/?page=2</guid>'
    body = documents.rss(
        documents.item("/a", more=guid), documents.item("/b", more=other), generator="https://wordpress.org/?v=6.1.9"
    )
    intranet.serve("/feed", body)
    assert [one.native for one in read(source("rss", "/feed")).said] == ["wordpress:42", None]


def test_without_a_link_the_guid_is_the_address_if_it_is_one(intranet, source, read):
    body = (
        f'<rss version="2.0"><channel><item><title>A</title><guid>{intranet.origin}/a</guid></item>'
        '<item><title>B</title><guid isPermaLink="false">tag:1</guid></item></channel></rss>'
    )
    intranet.serve("/feed", body)
    assert read(source("rss", "/feed")).addresses == ["/a", ""]


def test_names_of_authors_and_categories_stand_for_entities(intranet, documents, source, read):
    entities = {"cpam du finistere": "cpam29", "RH": "drh"}
    items = [
        documents.item("/a", more="<author>CPAM  du Finistère</author>"),
        documents.item("/b", more="<category>Rh</category><author>Anne</author>"),
        documents.item("/c", more="<author>noreply@intranet.test (Direction)</author>"),
        documents.item("/d", more="<author>anne@intranet.test</author>"),
    ]
    intranet.serve("/feed", documents.rss(*items))
    said = read(source("rss", "/feed", entities=entities, entity="siege")).said
    assert [one.entity for one in said] == ["cpam29", "drh", "siege", "siege"]
    assert [one.byline for one in said] == ["CPAM  du Finistère", "Anne", "Direction", ""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed, 25 Nov 2026 08:00:00 +0100", dt.datetime(2026, 11, 25, 7, tzinfo=dt.UTC)),
        ("25 Nov 26 08:00 GMT", dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC)),
        ("mer., 25 nov. 2026 08:00:00 CET", dt.datetime(2026, 11, 25, 7, tzinfo=dt.UTC)),
        ("Lundi 3 août 2026 09:30 CEST", dt.datetime(2026, 8, 3, 7, 30, tzinfo=dt.UTC)),
        ("1er février 2026", dt.datetime(2026, 2, 1)),
        ("2026-11-25T08:00:00Z", dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC)),
        ("2026-11-25 08:00:00", dt.datetime(2026, 11, 25, 8)),
        ("Wed, 25 Nov 2026 08:00:00", dt.datetime(2026, 11, 25, 8)),
        ("Wed, 25 Nov 2026 24:00:00 +0100", None),
        ("31 Feb 2026 08:00:00 GMT", None),
        ("hier", None),
        ("", None),
        (None, None),
        ("9" * 5000, None),
    ],
)
def test_dates_are_read_as_they_are_written(text, expected):
    found = parse_date(text)
    assert found == expected
    if expected is not None:
        assert (found.tzinfo is None) == (expected.tzinfo is None)


def test_an_entry_that_vanished_before_its_time_is_asked_for_and_gone_when_it_is(intranet, documents, source, read):
    config = source("rss", "/spip.php?page=backend")
    intranet.serve("/spip.php", documents.spip(intranet.origin, [9, 10, 11, 12]))
    first = read(config)
    # 9 is merely older than all the rest; 11 is missing from between; 12 stands where it stood.
    intranet.pages["/spip.php?page=backend"] = intranet.pages["/spip.php"]
    intranet.serve("/spip.php?page=backend", documents.spip(intranet.origin, [10, 12, 13, 14]))
    del intranet.pages["/spip.php"]
    second = read(config, first.notes)
    assert second.gone == ["/spip.php?article11"]
    assert sum(request.query == {"article11": ""} for request in intranet.requests) == 1
    assert not any("article9" in request.query for request in intranet.requests)


def test_an_entry_that_vanished_but_can_still_be_seen_stays(intranet, documents, source, read):
    config = source("rss", "/feed")
    intranet.serve("/feed", documents.spip(intranet.origin, [10, 11, 12]))
    first = read(config)
    intranet.serve("/feed", documents.spip(intranet.origin, [10, 12]))
    intranet.serve("/spip.php", "<html>here</html>")
    assert read(config, first.notes).gone == []


def test_a_page_behind_a_sign_in_is_not_taken_for_gone(intranet, documents, source, read):
    config = source("rss", "/feed")
    intranet.serve("/feed", documents.spip(intranet.origin, [10, 11, 12]))
    first = read(config)
    intranet.serve("/feed", documents.spip(intranet.origin, [10, 12]))
    from types import SimpleNamespace as Reply

    intranet.pages["/spip.php"] = Reply(body=b"", status=302, headers={"Location": "https://portal.test/login"})
    second = read(config, first.notes)
    assert second.gone == []
    # Nobody could tell: it is asked for again.
    intranet.serve("/feed", documents.spip(intranet.origin, [10, 12, 13]))
    del intranet.pages["/spip.php"]
    assert read(config, second.notes).gone == ["/spip.php?article11"]


def test_a_feed_that_is_suddenly_empty_withdraws_nothing(intranet, documents, source, read):
    config = source("rss", "/feed")
    intranet.serve("/feed", documents.spip(intranet.origin, [10, 11]))
    first = read(config)
    intranet.serve("/feed", documents.spip(intranet.origin, []))
    second = read(config, first.notes)
    assert (second.said, len(second.warnings)) == ([], 1)
    assert second.notes["recent"] == first.notes["recent"]


def test_the_internal_host_and_the_intranets_own_names_are_one_place():
    config = SourceConfig("a", "rss", "http://spip.internal:8080/feed", origins=("https://intranet.example",))
    for link in ("http://spip.internal:8080/x?a=1#b", "https://intranet.example/x?a=1", "/x?a=1", "x?a=1"):
        assert address_of(config, link, config.url) == "/x?a=1"
    assert address_of(config, "https://elsewhere.test/x", config.url) == "https://elsewhere.test/x"
    assert address_of(config, "javascript:alert(1)", config.url) == "javascript:alert(1)"
    assert address_of(SourceConfig("a", "rss", "https://wiki.test/f", site="wiki"), "/x", "https://wiki.test/f") == "wiki:/x"
    assert address_of(config, "http://[bad/x", config.url) == "http://[bad/x"
