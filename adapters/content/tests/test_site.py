"""Whole: a configured source, read by the core's job, into the pages that people visit."""

from __future__ import annotations

import datetime as dt

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from rse_content.plugin import Content
from rse_core import legacy
from rse_core.api import Consumer, Manifest, ObjectRef, Plugin, hookimpl
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.models.content import LegacySync, Page
from rse_core.models.runtime import JobRow
from rse_core.pages import PageClaim
from rse_core.testing import make_entity, make_person


class Listener(Plugin):
    """Hears what is published."""

    manifest = Manifest(name="listener", label="Listener")

    def __init__(self):
        self.heard = []

    @hookimpl
    def rse_consumers(self):
        return [Consumer("listener.hear", ("page.*",), lambda session, event: self.heard.append((event.name, event.ref.id)))]


@pytest.fixture
def site(rse_core, intranet):
    """``site({…})``: a core whose one source is this."""

    def make(**source):
        listener = Listener()
        source = {"name": "news", "kind": "rss", "url": f"{intranet.origin}/feed", "audience": "everyone", **source}
        core = rse_core(
            [Content(), listener], sections={"content": {"sources": [source]}}, legacy_origins=("https://intranet.example",),
            default_locale="en",
        )  # fmt: skip
        core.heard = listener.heard
        return core

    return make


def sync(core, **values):
    return legacy.sync(core, legacy.source_named(core, "news"), **values)


def recent(number=1):
    return f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=number):%a, %d %b %Y %H:%M:%S} +0000"


def pages(core):
    with core.db.read() as session:
        return {page.key: page for page in session.scalars(select(Page))}


def test_the_worker_reads_the_feed_and_the_news_are_told(site, intranet, documents):
    items = [documents.item(f"{intranet.origin}/a/?utm_source=rss", "Les congés", recent())]
    items.append(documents.item("https://intranet.example/old", "Archive", "Wed, 01 Jan 2020 08:00:00 +0100"))
    items.append(documents.item("https://elsewhere.example/x", "Ailleurs", recent()))
    intranet.serve("/feed", documents.rss(*items))
    core = site(entity="com")
    entity = make_entity(core, "com", name="Communication")
    core.jobs.plan_periodic()
    with core.db.write() as session:
        for row in session.scalars(select(JobRow).where(JobRow.name == "core.legacy")):
            row.run_at = dt.datetime.now(dt.UTC)
    core.jobs.run_due()
    found = pages(core)
    assert sorted(found) == ["/a", "/old"]
    assert found["/a"].entity_id == entity.id
    assert core.heard == [("page.published", "/a"), ("page.updated", "/old")]
    with core.db.read() as session:
        info = core.pages.content_type().resolve(session, ["/a"])["/a"]
        (status,) = legacy.statuses(core, session)
    assert (info.title, info.extra["entity"]) == ("Les congés", "Communication")
    assert (status.counts.elsewhere, status.error) == (1, "")


@pytest.mark.parametrize("first", ["source", "visit"])
def test_the_source_and_a_visit_by_way_of_single_sign_on_are_one_page(site, intranet, documents, first):
    """The source is read on an internal host; people come by the public one, and the page names the internal host too."""
    core = site(url=f"{intranet.origin}/spip.php?page=backend")
    intranet.serve("/spip.php", documents.spip(intranet.origin, [12]))
    person = make_person(core, "anne")

    def visit():
        with core.db.write() as session:
            claim = PageClaim(
                "https://intranet.example/spip.php?article12&utm_campaign=x",
                canonical=f"{intranet.origin}/spip.php?article12",
                native="spip:12",
                person_id=person.id,
            )
            return core.pages.identify(session, claim, create=True)

    if first == "visit":
        page = visit()
        sync(core)
    else:
        sync(core)
        page = visit()
    assert page.ref == ObjectRef("page", "/spip.php?article12")
    assert list(pages(core)) == ["/spip.php?article12"]
    assert pages(core)["/spip.php?article12"].native_id in ("spip:12", None)


def test_a_wikis_page_and_its_visit_by_another_address_are_one(site, intranet, documents):
    core = site(kind="dokuwiki", url=f"{intranet.origin}/")
    intranet.serve("/feed.php", documents.dokuwiki(intranet.origin, {"rh:conges": ("Les congés", recent())}))
    assert sync(core).counts.new == 1
    with core.db.write() as session:
        claim = PageClaim("/rh/conges?do=show", native="dokuwiki:rh:conges", trusted=True)
        assert core.pages.identify(session, claim, create=True).ref.id == "/doku.php?id=rh:conges"
    assert len(pages(core)) == 1


def test_a_withdrawn_post_leaves_and_the_event_says_so(site, intranet, documents):
    core = site(kind="wordpress", url=intranet.origin, types=["posts"])
    headers = {"Content-Type": "application/json", "X-WP-TotalPages": "1"}
    posts = [documents.post(1, intranet.origin), documents.post(2, intranet.origin)]

    def answer(request):
        from types import SimpleNamespace as Reply

        some = [p for p in posts if "include" not in request.query or str(p["id"]) in request.query["include"].split(",")]
        return Reply(body=documents.dumps(some), status=200, headers=headers)

    intranet.pages["/wp-json/wp/v2/posts"] = answer
    sync(core)
    assert sync(core).counts.touched == 0
    posts[1]["title"] = {"rendered": "Un autre titre"}
    del posts[0]
    report = sync(core)
    assert (report.counts.changed, report.counts.gone) == (1, 1)
    found = pages(core)
    assert found["/2026/note-1"].gone_at is not None
    assert found["/2026/note-2"].title == "Un autre titre"
    core.jobs.run_due()
    assert ("page.gone", "/2026/note-1") in core.heard


def test_a_changed_audience_counts_for_what_was_read_before(site, rse_core, intranet, documents):
    intranet.serve("/feed", documents.rss(documents.item("/a", "A", recent())))
    links = site(audience="group:nobody")
    assert sync(links).warnings
    assert pages(links)["/a"].audience_id is None
    sources = [{"name": "news", "kind": "rss", "url": f"{intranet.origin}/feed", "audience": "everyone"}]
    core = rse_core([Content(), Listener()], database_url=links.db.url, sections={"content": {"sources": sources}})
    assert sync(core).counts.announced == 1
    assert pages(core)["/a"].audience_id is not None


def test_a_failing_feed_shows_in_the_status_and_keeps_what_there_was(site, intranet, documents):
    intranet.serve("/feed", documents.rss(documents.item("/a", "A", recent())))
    core = site()
    sync(core)
    intranet.serve("/feed", "<html>Maintenance</html>", Content_Type="text/html")
    assert "text/html" in sync(core).error
    assert pages(core)["/a"].gone_at is None
    result = CliRunner(env={"LC_ALL": "C"}).invoke(cli, ["content", "status"], obj=State(lambda: core))
    assert "failed once" in result.stdout
    assert "text/html" in result.stdout


def test_check_names_the_pages_and_the_keys_that_people_would_find_them_by(site, intranet, documents):
    intranet.serve(
        "/feed", documents.rss(documents.item("/a/?utm_source=x", "A", recent()), documents.item("https://x.test/b"))
    )
    core = site()
    result = CliRunner(env={"LC_ALL": "C"}).invoke(cli, ["content", "check"], obj=State(lambda: core))
    assert result.exit_code == 0
    assert "page:/a  A  [everyone]" in result.stdout
    assert "elsewhere: https://x.test/b" in result.stdout
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(LegacySync)) == 0


def test_pages_of_another_site_carry_its_name(rse_core, intranet, documents):
    intranet.serve("/feed", documents.rss(documents.item("/a", "A", recent())))
    source = {"name": "news", "kind": "rss", "url": f"{intranet.origin}/feed", "audience": "everyone", "site": "wiki"}
    core = rse_core(
        [Content()], sections={"content": {"sources": [source]}}, legacy_sites={"wiki": ("https://wiki.example",)}
    )
    sync(core)
    assert list(pages(core)) == ["wiki:/a"]


def test_a_hostile_feed_leaves_no_address_that_runs(site, intranet, documents):
    items = [documents.item("javascript:alert(1)"), documents.item("data:text/html,x"), documents.item("")]
    items.append(documents.item("/a", "&lt;script&gt;alert(1)&lt;/script&gt;Titre", recent()))
    intranet.serve("/feed", documents.rss(*items))
    core = site()
    report = sync(core)
    assert (report.counts.new, report.counts.elsewhere, report.counts.unusable) == (1, 2, 1)
    assert [(key, page.title) for key, page in pages(core).items()] == [("/a", "Titre")]
