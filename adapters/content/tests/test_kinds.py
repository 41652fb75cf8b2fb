"""WordPress, MediaWiki, DokuWiki and sitemaps: pages of answers, what changed since, what is gone."""

from __future__ import annotations

import datetime as dt
import gzip
from types import SimpleNamespace as Reply

import pytest

from rse_content.dokuwiki import page_id
from rse_content.reading import SPIP_ID, WORDPRESS_ID
from rse_core.api import RseError
from rse_core.legacy_text import plain

JSON = {"Content-Type": "application/json"}


class WordPress:
    """As much of ``/wp-json/wp/v2`` as is asked for."""

    def __init__(self, intranet, documents, posts):
        self.documents, self.posts, self.asked = documents, {"posts": posts, "pages": []}, []
        for kind in self.posts:
            intranet.pages[f"/wp-json/wp/v2/{kind}"] = lambda request, kind=kind: self.answer(kind, request)

    def answer(self, kind, request):
        query = request.query
        self.asked.append((kind, query))
        found = list(self.posts[kind])
        if "include" in query:
            wanted = query["include"].split(",")
            found = [post for post in found if str(post["id"]) in wanted]
        if "modified_after" in query:
            after = query["modified_after"].removesuffix("Z")
            found = [post for post in found if post["modified_gmt"] > after]
        order = {"modified": "modified_gmt", "date": "date_gmt"}.get(query.get("orderby", "date"))
        found.sort(key=lambda post: (post[order], str(post["id"])), reverse=query.get("order", "desc") == "desc")
        per_page, page = int(query["per_page"]), int(query.get("page", 1))
        pages = -(-len(found) // per_page)
        if page > max(1, pages):
            return Reply(
                body=b'{"code":"rest_post_invalid_page_number"}', status=400, headers={"Content-Type": "application/json"}
            )
        body = self.documents.dumps(found[(page - 1) * per_page : page * per_page])
        return Reply(body=body, status=200, headers={**JSON, "X-WP-TotalPages": str(pages)})


@pytest.fixture
def wordpress(intranet, documents):
    posts = [documents.post(number, intranet.origin) for number in range(1, 231)]
    return WordPress(intranet, documents, posts)


def test_wordpress_is_read_page_by_page_and_then_only_what_changed(wordpress, intranet, documents, source, read):
    config = source("wordpress", "/")
    first = read(config)
    assert len(first.said) == 230
    said = first.said[-1]
    assert (said.address, said.native, said.title) == ("/2026/note-1/", "wordpress:1", "L’agence n°1 – été")
    assert (said.byline, said.section) == ("Direction régionale", "/category/rh")
    assert plain(said.summary, 1000) == "Note & suite…"
    assert said.published_at == dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
    assert [q.get("page") for kind, q in wordpress.asked if kind == "posts" and "include" not in q] == ["1", "2", "3"]

    wordpress.posts["posts"][6] = documents.post(7, intranet.origin, modified=24)
    wordpress.asked.clear()
    second = read(config, first.notes)
    assert {one.native for one in second.said} >= {"wordpress:7"}
    third = read(config, second.notes)
    # What was modified in the last second known comes again, and changes nothing.
    assert [one.native for one in third.said] == ["wordpress:7"]
    asked = next(q for kind, q in wordpress.asked if kind == "posts")
    assert asked["modified_after"] == "2026-11-20T09:29:59Z"


def test_the_first_pass_takes_the_newest_and_says_what_it_left(wordpress, intranet, documents, source, read):
    wordpress.posts["posts"] = [documents.post(n, intranet.origin, day=1 + n // 10) for n in range(1, 231)]
    reading = read(source("wordpress", "/", max_items=100))
    assert len(reading.said) == 100
    assert "wordpress:230" in {one.native for one in reading.said}
    assert "max_items" in reading.warnings[0]


def test_a_post_that_is_withdrawn_is_missed_by_its_id(wordpress, source, read):
    config = source("wordpress", "/", types=("posts",))
    notes = read(config).notes
    del wordpress.posts["posts"][229]
    gone = []
    for _turn in range(3):
        reading = read(config, notes)
        notes = reading.notes
        gone += [one.native for one in reading.said if one.gone]
    assert gone == ["wordpress:230"]


def test_posts_that_are_all_missing_at_once_are_kept(wordpress, source, read):
    config = source("wordpress", "/", types=("posts",))
    first = read(config)
    wordpress.posts["posts"].clear()
    second = read(config, first.notes)
    assert second.gone == []
    assert second.warnings


def test_without_rewriting_the_interface_is_a_parameter(wordpress, intranet, source, read):
    for kind in ("posts", "pages"):
        intranet.pages.pop(f"/wp-json/wp/v2/{kind}")
    intranet.pages["/"] = lambda request: wordpress.answer(request.query["rest_route"].rsplit("/", 1)[1], request)
    assert len(read(source("wordpress", "/")).said) == 230


def test_a_protected_post_gives_no_summary_and_an_odd_one_no_crash(wordpress, intranet, documents, source, read):
    secret = documents.post(1, intranet.origin, excerpt={"rendered": "<p>secret</p>", "protected": True})
    odd = {"id": 2, "link": None, "title": None, "_embedded": {"author": {"code": "rest_user_invalid_id"}, "wp:term": None}}
    odd |= {"date_gmt": None, "modified_gmt": "2026-11-20T00:00:00"}
    wordpress.posts["posts"][:] = [secret, odd | {"date_gmt": ""}, {**odd, "id": "x", "date_gmt": ""}]
    said = {one.native: one for one in read(source("wordpress", "/", types=("posts",))).said}
    assert said["wordpress:1"].summary == ""
    assert said["wordpress:2"].address == ""
    assert len(said) == 2


def test_paging_without_end_is_noticed(intranet, documents, source, read):
    same = documents.dumps([documents.post(n, intranet.origin) for n in range(100)])
    headers = {"X-WP-TotalPages": "999999", "Content-Type": "application/json"}
    intranet.pages["/wp-json/wp/v2/posts"] = Reply(body=same, status=200, headers=headers)
    with pytest.raises(RseError, match="/"):
        read(source("wordpress", "/", types=("posts",)))
    assert len(intranet.requests) == 2

    def endless(request):
        page = int(request.query.get("page", 1))
        posts = [documents.post(page * 1000 + n, intranet.origin) for n in range(100)]
        return Reply(body=documents.dumps(posts), status=200, headers=headers)

    intranet.pages["/wp-json/wp/v2/posts"] = endless
    reading = read(source("wordpress", "/", types=("posts",), max_items=500))
    assert len([one for one in reading.said if not one.gone]) == 500
    assert "max_items" in reading.warnings[0]


def test_what_is_no_wordpress_is_said(intranet, source, read):
    for body, status in ((b'{"code":"rest_no_route"}', 404), (b'{"a":1}', 200), (b"<html>", 200), (b"[" * 100_000, 200)):
        intranet.pages["/wp-json/wp/v2/posts"] = Reply(
            body=body, status=status, headers={"Content-Type": "application/json"}
        )
        with pytest.raises(RseError):
            read(source("wordpress", "/"))


class MediaWiki:
    """As much of ``api.php`` as is asked for."""

    def __init__(self, intranet, documents):
        self.intranet, self.documents, self.pages, self.changes, self.asked = intranet, documents, {}, [], []
        intranet.pages["/api.php"] = self.answer

    def page(self, number, title, *, new=True, **values):
        url = f"{self.intranet.origin}/index.php/{title.replace(' ', '_')}"
        self.pages[number] = {
            "pageid": number, "ns": 0, "title": title, "pagelanguage": "fr", "fullurl": url, "canonicalurl": url, "new": new,
            "revisions": [{"timestamp": "2026-11-20T10:00:00Z"}], **values,
        }  # fmt: skip

    def change(self, kind, number, title, at, **values):
        self.changes.append({"type": kind, "ns": 0, "title": title, "pageid": number, "timestamp": at, **values})

    def answer(self, request):
        query = request.query
        self.asked.append(query)
        assert query["format"] == "json"
        found: dict = {"general": {"time": "2026-11-25T00:00:00Z", "articlepath": "/index.php/$1"}}
        onward = None
        if query.get("generator") == "allpages":
            start, size = int(query.get("gapcontinue", 0)), 200
            pages = sorted(self.pages.values(), key=lambda page: page["pageid"])
            found["pages"] = pages[start : start + size]
            if start + size < len(pages):
                onward = {"gapcontinue": str(start + size), "continue": "gapcontinue||"}
        if query.get("list") == "recentchanges":
            kinds = query["rctype"].split("|")
            some = [c for c in self.changes if c["type"] in kinds and c["timestamp"] >= query.get("rcstart", "")]
            found["recentchanges"] = some
        if "pageids" in query:
            ids = [int(one) for one in query["pageids"].split("|")]
            found["pages"] = [self.pages.get(one, {"pageid": one, "missing": True}) for one in ids]
        body = {"batchcomplete": True, "query": found} | ({"continue": onward} if onward else {})
        return Reply(body=self.documents.dumps(body), status=200, headers={"Content-Type": "application/json"})


@pytest.fixture
def wiki(intranet, documents):
    return MediaWiki(intranet, documents)


def test_a_wiki_gives_its_pages_with_their_ids_and_old_ones_are_no_news(wiki, source, read):
    wiki.page(1, "Accueil", new=False)
    wiki.page(2, "Télétravail", new=False)
    wiki.page(3, "Note 3")
    wiki.page(4, "Renvoi", redirect=True)
    wiki.change("new", 2, "Télétravail", "2026-11-22T08:00:00Z")
    said = read(source("mediawiki", "/index.php")).said
    assert [(one.address, one.native, one.title) for one in said] == [
        ("/index.php/Accueil", "mediawiki:1", "Accueil"),
        ("/index.php/Télétravail", "mediawiki:2", "Télétravail"),
        ("/index.php/Note_3", "mediawiki:3", "Note 3"),
    ]
    assert [one.published_at and one.published_at.day for one in said] == [None, 22, 20]


def test_a_large_wiki_is_read_in_parts_up_to_the_limit(wiki, source, read):
    for number in range(1, 501):
        wiki.page(number, f"Page {number}")
    assert len(read(source("mediawiki", "/api.php")).said) == 500
    assert [q.get("gapcontinue") for q in wiki.asked if "generator" in q] == [None, "200", "400"]
    reading = read(source("mediawiki", "/api.php", max_items=200))
    assert len(reading.said) == 200
    assert "max_items" in reading.warnings[0]


def test_later_only_what_changed_is_asked_for_and_what_was_deleted_is_gone(wiki, source, read):
    wiki.page(1, "Accueil")
    wiki.page(2, "Été & C° ?")
    config = source("mediawiki", "/api.php")
    first = read(config)
    wiki.asked.clear()
    wiki.page(3, "Nouvelle")
    wiki.change("new", 3, "Nouvelle", "2026-11-25T09:00:00Z")
    del wiki.pages[2]
    wiki.change("log", 2, "Été & C° ?", "2026-11-25T10:00:00Z", logtype="delete", logaction="delete")
    wiki.change("log", 1, "Accueil", "2026-11-25T10:00:01Z", logtype="protect", logaction="protect")
    second = read(config, first.notes)
    assert second.addresses == ["/index.php/Nouvelle", "/index.php/Accueil"]
    assert second.gone == ["/index.php/%C3%89t%C3%A9_%26_C%C2%B0_%3F"]
    assert not any("generator" in query for query in wiki.asked)
    assert read(config, second.notes).gone == []


def test_a_wiki_not_read_for_months_is_read_anew(wiki, source, read):
    wiki.page(1, "Accueil")
    config = source("mediawiki", "/api.php")
    old = {"config": config.fingerprint, "since": "2020-01-01T00:00:00Z"}
    assert read(config, old).addresses == ["/index.php/Accueil"]


def test_a_wiki_that_refuses_says_why(intranet, source, read):
    intranet.serve("/api.php", '{"error":{"code":"readapidenied","info":"You need read permission to use this module."}}')
    with pytest.raises(RseError, match="read permission"):
        read(source("mediawiki", "/"))
    intranet.serve("/api.php", '{"error":"x"}')
    with pytest.raises(RseError):
        read(source("mediawiki", "/"))


NOTES = {"actualites:note1": ("Note n°1", "Mon, 02 Nov 2026 08:00:00 +0000"),
         "actualites:note2": ("Note n°2", "Tue, 03 Nov 2026 08:00:00 +0000")}  # fmt: skip


def test_dokuwiki_lists_its_namespaces_and_finds_the_heading(intranet, documents, source, read):
    asked = []

    def feed(request):
        asked.append(request.query)
        pages = NOTES if request.query["ns"] == "actualites" else {"start": ("Accueil", "Mon, 02 Nov 2026 08:00:00 +0000")}
        return Reply(body=documents.dokuwiki(intranet.origin, pages).encode(), status=200, headers={})

    intranet.pages["/feed.php"] = feed
    said = read(source("dokuwiki", "/doku.php", namespaces=("", "actualites"))).said
    assert [(one.address, one.native, one.title, one.published_at) for one in said] == [
        ("/doku.php?id=start", "dokuwiki:start", "Accueil", None),
        ("/doku.php?id=actualites:note1", "dokuwiki:actualites:note1", "Note n°1", None),
        ("/doku.php?id=actualites:note2", "dokuwiki:actualites:note2", "Note n°2", None),
    ]
    assert plain(said[1].summary, 100) == "Texte d'ici."
    assert said[0].byline == ""
    assert {query["mode"] for query in asked} == {"list"}


def test_dokuwiki_tells_what_is_new_what_changed_and_what_is_gone(intranet, documents, source, read):
    config = source("dokuwiki", "/", namespaces=("actualites",))
    intranet.serve("/feed.php", documents.dokuwiki(intranet.origin, NOTES))
    first = read(config)
    assert read(config, first.notes).said == []
    later = {
        "actualites:note2": ("Note n°2 bis", "Wed, 04 Nov 2026 08:00:00 +0000"),
        "actualites:note3": ("Note n°3", "Wed, 04 Nov 2026 08:00:00 +0000"),
    }
    intranet.serve("/feed.php", documents.dokuwiki(intranet.origin, later))
    second = read(config, first.notes)
    assert [(one.native, one.published_at is not None) for one in second.said if not one.gone] == [
        ("dokuwiki:actualites:note2", False),
        ("dokuwiki:actualites:note3", True),
    ]
    assert second.gone == ["/doku.php?id=actualites:note1"]


def test_a_list_of_dokuwiki_that_is_suddenly_empty_withdraws_nothing(intranet, documents, source, read):
    config = source("dokuwiki", "/")
    many = {f"note{n}": (f"Note {n}", "Mon, 02 Nov 2026 08:00:00 +0000") for n in range(10)}
    intranet.serve("/feed.php", documents.dokuwiki(intranet.origin, many))
    first = read(config)
    intranet.serve("/feed.php", documents.dokuwiki(intranet.origin, {}))
    second = read(config, first.notes)
    assert (second.said, len(second.warnings)) == ([], 1)
    intranet.serve("/feed.php", documents.dokuwiki(intranet.origin, many))
    assert read(config, second.notes).said == []


@pytest.mark.parametrize(
    ("link", "base"),
    [
        ("https://w.test/doku.php?id=rh:conges", "https://w.test"),
        ("https://w.test/wiki/doku.php/rh:conges", "https://w.test/wiki"),
        ("https://w.test/wiki/rh/conges", "https://w.test/wiki"),
        ("https://w.test/doku.php?id=rh%3Aconges&lang=fr", "https://w.test"),
    ],
)
def test_dokuwikis_id_is_found_in_every_kind_of_address(link, base):
    assert page_id(link, base) == "rh:conges"


def test_a_sitemap_gives_pages_without_titles_and_later_only_what_is_new(intranet, documents, source, read):
    o = intranet.origin
    pages = [(f"{o}/", ""), (f"{o}/rh/conges", "2026-11-01"), (f"{o}/rh/paie", "2026-11-02T10:00:00+01:00")]
    intranet.serve("/sitemap.xml", documents.sitemap(*pages))
    config = source("sitemap", "/sitemap.xml")
    first = read(config)
    assert first.addresses == ["/", "/rh/conges", "/rh/paie"]
    assert {one.title for one in first.said} == {""}
    pages[1] = (f"{o}/rh/conges", "2026-11-20")
    intranet.serve("/sitemap.xml", documents.sitemap(*pages[1:], (f"{o}/new", "")))
    second = read(config, first.notes)
    assert (second.addresses, second.gone) == (["/rh/conges", "/new"], ["/"])


def test_an_index_is_followed_packed_lists_and_broken_ones_included(intranet, documents, source, read):
    o = intranet.origin
    lists = [
        f"{o}/a.xml.gz",
        f"{o}/b.xml",
        f"{o}/missing.xml",
        "https://evil.test/c.xml",
        "http://169.254.169.254/x",
        f"{o}/index.xml",
    ]
    intranet.serve("/index.xml", documents.sitemap_index(*lists))
    intranet.serve("/a.xml.gz", gzip.compress(documents.sitemap((f"{o}/a", "")).encode()))
    intranet.serve("/b.xml", documents.sitemap((f"{o}/b", ""), ("https://evil.test/x", ""), ("javascript:alert(1)", "")))
    reading = read(source("sitemap", "/index.xml"))
    assert reading.addresses == ["/a", "/b", "https://evil.test/x"]
    assert len(reading.warnings) == 3
    # A list that could not be read withdraws nothing.
    intranet.serve("/b.xml", b"broken")
    assert read(source("sitemap", "/index.xml"), reading.notes).gone == []


def test_a_sitemap_is_narrowed_by_path_and_cut_at_the_limit(intranet, documents, source, read):
    pages = [(f"{intranet.origin}/{part}/{n}", "") for n in range(40) for part in ("news", "news/old", "tag")]
    intranet.serve("/sitemap.xml", documents.sitemap(*pages))
    reading = read(source("sitemap", "/sitemap.xml", under=("/news/",), not_under=("/news/old/",)))
    assert len(reading.addresses) == 40
    cut = read(source("sitemap", "/sitemap.xml", max_items=10))
    assert len(cut.addresses) == 10
    assert "max_items" in cut.warnings[0]


def test_an_index_without_end_is_bounded(intranet, documents, source, read):
    def index(request):
        number = int(request.query.get("n", 0))
        lists = (f"{intranet.origin}/index.xml?n={number * 100 + n}" for n in range(1, 100))
        return Reply(body=documents.sitemap_index(*lists).encode(), status=200, headers={})

    intranet.pages["/index.xml"] = index
    reading = read(source("sitemap", "/index.xml"))
    assert reading.said == []
    assert len(intranet.requests) == 50
    assert "50" in reading.warnings[0]


def test_native_ids_follow_the_rules_by_which_pages_are_recognised():
    profiles = pytest.importorskip("rse_host.profiles").PROFILES
    assert WORDPRESS_ID.pattern in [rule.pattern for rule in profiles["wordpress"].native]
    assert SPIP_ID.pattern in [rule.pattern for rule in profiles["spip"].native]
    assert {"wordpress", "spip", "mediawiki", "dokuwiki"} <= set(profiles)
