"""The intranet's own content: the same page whichever way it comes, told once, by sources that cannot harm each other."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import func, select, update

from rse_core import legacy, legacy_state
from rse_core.api import Consumer, LegacySource, Manifest, ObjectRef, Plugin, Publication, RseError, hookimpl, utcnow
from rse_core.models.content import LegacySync, Page
from rse_core.models.runtime import JobRow, Outbox
from rse_core.pages import PageClaim

ORIGIN = "https://intranet.test"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


class Press(Plugin):
    """Two sources that say what they are told to."""

    manifest = Manifest(name="press", label="Press")

    def __init__(self):
        self.items, self.other_items, self.states, self.heard = [], [], [], []
        self.fault, self.returns, self.limits = None, {}, {}

    def read(self, state):
        self.states.append(dict(state))
        yield from self.items
        if self.fault is not None:
            raise self.fault
        return self.returns

    def read_other(self, state):
        yield from self.other_items
        return {}

    @hookimpl
    def rse_legacy_sources(self):
        return [
            LegacySource("press.news", "News", self.read, every=300, **self.limits),
            LegacySource("press.wiki", "Wiki", self.read_other, every=600),
        ]

    @hookimpl
    def rse_consumers(self):
        return [Consumer("press.hear", ("page.*",), lambda session, event: self.heard.append(event))]


@pytest.fixture
def press():
    return Press()


@pytest.fixture
def rse_plugins(press):
    return [press]


@pytest.fixture
def core(rse_core):
    # Faults are kept in the site's language.
    return rse_core(legacy_origins=[ORIGIN], default_locale="en")


def said(address="/actualites/1", title="Le télétravail", **values):
    values = {"published_at": NOW, "audience": "everyone"} | values
    return Publication(address, title, **values)


def sync(core, name="press.news", **values):
    return legacy.sync(core, legacy.source_named(core, name), **values)


def page_at(core, address):
    with core.db.read() as session:
        ref = core.pages.resolve_ref(session, address).ref
        return session.scalar(select(Page).where(Page.key == ref.id))


def events(core):
    with core.db.read() as session:
        return [
            (e.name, e.ref_id) for e in session.scalars(select(Outbox).where(Outbox.name.like("page.%")).order_by(Outbox.id))
        ]


def visit(core, address, **claim):
    with core.db.write() as session:
        return core.pages.identify(session, PageClaim(address, **claim), create=True)


def test_what_is_published_becomes_a_page_with_its_facts(core, press, make_entity):
    entity = make_entity("cpam29", name="CPAM du Finistère")
    press.items = [
        said(summary="<p>Deux jours&nbsp;par semaine,<br>d&egrave;s janvier.</p><script>x()</script>", entity="cpam29",
             byline="La rédaction", section="/rh", lang="fr", native="wordpress:42")
    ]  # fmt: skip
    report = sync(core)
    assert (report.error, report.counts.seen, report.counts.new, report.counts.announced) == ("", 1, 1, 1)
    page = page_at(core, "/actualites/1")
    assert (page.title, page.summary) == ("Le télétravail", "Deux jours par semaine, dès janvier.")
    assert (page.published_at, page.entity_id, page.byline) == (NOW, entity.id, "La rédaction")
    assert (page.section, page.locale, page.native_id, page.source) == ("/rh", "fr", "wordpress:42", "press.news")
    with core.db.read() as session:
        info = core.pages.content_type().resolve(session, ["/actualites/1"])["/actualites/1"]
    assert (info.created_at, info.author_id, info.title) == (NOW, None, "Le télétravail")
    assert info.extra["entity"] == "CPAM du Finistère"
    assert info.extra["summary"].startswith("Deux jours")
    assert info.extra["source"] == "press.news"


def test_the_event_carries_the_page_and_its_audience_and_reaches_consumers_once(core, press, make_entity):
    make_entity("north")
    press.items = [said(audience="entity:north")]
    sync(core)
    sync(core)
    core.jobs.run_due()
    (event,) = press.heard
    assert (event.name, event.ref) == ("page.published", ObjectRef("page", "/actualites/1"))
    assert event.audience_id == page_at(core, "/actualites/1").audience_id is not None


@pytest.mark.parametrize(
    ("listed", "visited"),
    [
        ({"address": "/actualites/1/"}, {"address": "/actualites/1"}),
        ({"address": f"{ORIGIN}/actualites/1?utm_source=rss&utm_medium=feed"}, {"address": "/actualites/1#titre"}),
        ({"address": "/spip.php?article12"}, {"address": "/spip.php?article12&var_mode=calcul"}),
        ({"address": "/spip.php?page=article&id_article=7"}, {"address": "/spip.php?id_article=7&page=article&lang=fr"}),
        (
            {"address": "/2026/teletravail/", "native": "wordpress:42"},
            {"address": "/?p=42", "native": "wordpress:42", "canonical": f"{ORIGIN}/2026/teletravail/"},
        ),
        ({"address": "/l%27été"}, {"address": "/l'%C3%A9t%C3%A9/"}),
        ({"address": "/Les-conges"}, {"address": "/spip.php?article3", "canonical": "http://spip-interne:8084/Les-conges"}),
    ],
)
@pytest.mark.parametrize("visitor", ["browser", "injector"])
@pytest.mark.parametrize("first", ["source", "visit"])
def test_a_source_and_a_visit_speak_of_one_page(core, press, listed, visited, first, visitor, make_person):
    press.items = [said(**listed)]
    who = {"trusted": True} if visitor == "injector" else {"person_id": make_person().id}
    if first == "visit":
        page = visit(core, **visited, **who)
        sync(core)
    else:
        sync(core)
        page = visit(core, **visited, **who)
    with core.db.read() as session:
        (only,) = session.scalars(select(Page))
    assert only.key == page.ref.id
    assert only.source == "press.news"
    assert ("page.published", only.key) in events(core)


def test_without_an_audience_there_is_a_link_and_no_entry(core, press):
    press.items = [said(audience=None)]
    assert sync(core).counts.new == 1
    page = page_at(core, "/actualites/1")
    assert (page.audience_id, page.title) == (None, "Le télétravail")
    assert events(core) == []
    from rse_core.search import documents

    with core.db.read() as session:
        assert documents(session, [ObjectRef("page", page.key)])[0] == []


def test_an_audience_that_does_not_exist_shows_nothing_to_anybody_and_says_so(core, press):
    press.items = [said(audience="entity:nowhere"), said("/b", audience="group:nobody"), said("/c", audience="Everyone")]
    report = sync(core)
    assert page_at(core, "/actualites/1").audience_id is page_at(core, "/b").audience_id is None
    assert page_at(core, "/c").audience_id is None
    assert events(core) == []
    assert any("entity:nowhere" in sentence for sentence in report.warnings)


def test_an_audience_that_becomes_known_publishes_and_one_that_is_lost_withdraws(core, press, make_group):
    make_group("managers")
    press.items = [said(audience=None)]
    sync(core)
    press.items = [said(audience="group:managers")]
    sync(core)
    press.items = [said(audience=None)]
    sync(core)
    assert events(core) == [("page.published", "/actualites/1"), ("page.gone", "/actualites/1")]
    assert page_at(core, "/actualites/1").gone_at is None


def test_an_audience_that_narrows_counts_at_once_and_consumers_hear_of_the_former_one(core, press, make_entity, make_person):
    make_entity("north")
    outsider = make_person()
    press.items = [said()]
    sync(core)
    with core.db.read() as session:
        before = core.pages.target(session, ObjectRef("page", "/actualites/1")).audience_id
    press.items = [said(audience="entity:north")]
    sync(core)
    with core.db.read() as session:
        target = core.pages.target(session, ObjectRef("page", "/actualites/1"))
        assert target.audience_id != before
        assert not core.policy.can(session, outsider.id, "press.read", target).allowed
    core.jobs.run_due()
    assert press.heard[-1].name == "page.updated"
    assert press.heard[-1].data["audience_before"] == before


def test_an_unknown_entity_is_a_byline(core, press):
    press.items = [said(entity="cpam99", byline="CPAM du Nulle-Part"), said("/b", entity="dcom")]
    report = sync(core)
    assert page_at(core, "/actualites/1").entity_id is None
    assert page_at(core, "/actualites/1").byline == "CPAM du Nulle-Part"
    assert page_at(core, "/b").byline == "dcom"
    assert any("cpam99" in sentence for sentence in report.warnings)


def test_the_archive_does_not_flood_the_feed(core, press):
    old = NOW - dt.timedelta(days=31)
    press.items = [said(f"/archive/{n}", f"Archive {n}", published_at=old) for n in range(250)]
    press.items += [said("/undated", published_at=None), said("/new")]
    report = sync(core)
    assert (report.counts.new, report.counts.announced) == (252, 1)
    assert [e for e in events(core) if e[0] == "page.published"] == [("page.published", "/new")]
    # An index hears of them all the same.
    assert len([e for e in events(core) if e[0] == "page.updated"]) == 251


def test_what_has_no_date_is_old_at_first_and_new_later(core, press):
    press.items = [said("/a", published_at=None)]
    sync(core)
    press.items.append(said("/b", published_at=None))
    sync(core)
    assert [e for e in events(core) if e[0] == "page.published"] == [("page.published", "/b")]
    assert page_at(core, "/a").published_at is None
    assert page_at(core, "/b").published_at >= NOW


def test_a_date_in_the_future_is_now_and_one_without_a_zone_is_the_sites(core, press):
    press.items = [
        said("/a", published_at=NOW + dt.timedelta(days=400)),
        said("/b", published_at=dt.datetime(2026, 7, 1, 8, 0)),
    ]
    sync(core)
    assert page_at(core, "/a").published_at <= utcnow()
    assert page_at(core, "/b").published_at == dt.datetime(2026, 7, 1, 6, 0, tzinfo=dt.UTC)


def test_the_same_again_changes_nothing(core, press):
    press.items = [said(summary="Un résumé", native="wordpress:1", section="/rh"), said("/b", audience=None)]
    sync(core)
    before = events(core), page_at(core, "/actualites/1").last_seen
    report = sync(core)
    assert (report.counts.seen, report.counts.touched) == (2, 0)
    assert (events(core), page_at(core, "/actualites/1").last_seen) == before


def test_a_changed_title_is_told_as_a_change(core, press):
    press.items = [said()]
    sync(core)
    press.items = [said(title="Le télétravail, saison 2")]
    assert sync(core).counts.changed == 1
    assert page_at(core, "/actualites/1").title == "Le télétravail, saison 2"
    core.jobs.run_due()
    assert [e.name for e in press.heard] == ["page.published", "page.updated"]
    assert press.heard[1].data["fields"] == ["title"]


def test_a_moved_page_keeps_its_key_by_its_native_id(core, press):
    press.items = [said("/2026/a", native="wordpress:9")]
    sync(core)
    press.items = [said("/2027/a", native="wordpress:9")]
    sync(core)
    page = page_at(core, "/2027/a")
    assert (page.key, page.address) == ("/2026/a", "/2027/a")


def test_what_is_withdrawn_goes_and_what_returns_comes_back(core, press):
    press.items = [said(native="wordpress:1")]
    sync(core)
    press.items = [said(gone=True), said("/never-seen", gone=True)]
    assert sync(core).counts.gone == 1
    assert sync(core).counts.gone == 0
    with core.db.read() as session:
        resolved = core.pages.content_type().resolve(session, ["/actualites/1"])
        assert resolved["/actualites/1"].state == "deleted"
        assert session.scalar(select(func.count()).select_from(Page)) == 1
    press.items = [said(native="wordpress:1")]
    sync(core)
    assert page_at(core, "/actualites/1").gone_at is None
    assert [name for name, _ in events(core)] == ["page.published", "page.gone", "page.published"]


def test_a_second_source_of_the_same_page_does_not_pull_it_to_and_fro(core, press):
    press.items, press.other_items = [said()], [said(title="", audience=None, published_at=None)]
    for _round in range(2):
        sync(core)
        report = sync(core, "press.wiki")
    assert report.counts.others == 1
    assert events(core) == [("page.published", "/actualites/1")]
    # A source that knows the audience takes over from one that does not.
    press.items, press.other_items = [said("/b")], [said("/b", audience=None)]
    sync(core, "press.wiki")
    sync(core)
    assert page_at(core, "/b").source == "press.news"


def test_a_title_that_the_source_does_not_know_is_made_from_the_address_until_somebody_comes(core, press, make_person):
    press.items = [said("/rh/les-conges_2026.html", title="")]
    sync(core)

    def title():
        with core.db.read() as session:
            return core.pages.content_type().resolve(session, ["/rh/les-conges_2026.html"])["/rh/les-conges_2026.html"].title

    assert title() == "Les conges 2026"
    visit(core, "/rh/les-conges_2026.html", title="Les congés en 2026", person_id=make_person().id)
    sync(core)
    assert title() == "Les congés en 2026"


def test_what_points_out_of_the_intranet_or_nowhere_is_counted_and_left(core, press):
    press.items = [
        said("https://evil.test/x"), said("javascript:alert(1)"), said("mailto:a@b.c"), said("//evil.test/y"), said(""),
        said("/" + "x" * 600), said("\x00/a"), said("/good"),
    ]  # fmt: skip
    report = sync(core)
    assert (report.counts.new, report.counts.elsewhere, report.counts.unusable) == (1, 6, 1)
    assert report.error == ""


def test_one_publication_that_cannot_be_kept_costs_only_itself(core, press):
    press.items = [said("/a"), Publication("/b", "B", lang=object(), native=3, audience="everyone"), said("/c"), None]
    report = sync(core)
    assert report.error == ""
    assert page_at(core, "/a") is not None
    assert page_at(core, "/c") is not None
    assert report.counts.unusable >= 1


def test_texts_are_cut_and_cleaned_of_what_no_database_takes(core, press):
    press.items = [said(title="T\x00itre \x92 " + "x" * 900, summary="mot " * 900, byline="b" * 900, section="s" * 900)]
    assert sync(core).error == ""
    page = page_at(core, "/actualites/1")
    assert page.title.startswith("Titre ’ x")
    assert (len(page.title), len(page.byline)) == (500, 300)
    assert len(page.summary) <= 1000
    assert page.summary.endswith("mot…")


def test_a_failing_source_waits_longer_each_time_and_harms_no_other(core, press):
    press.items, press.fault, press.other_items = [said()], RseError("The intranet is away."), [said("/wiki/a")]
    assert "away" in sync(core).error
    assert sync(core, "press.wiki").error == ""
    # What came before the fault counts, and is read again: the notes stayed.
    assert page_at(core, "/actualites/1") is not None
    sync(core)
    with core.db.read() as session:
        news, wiki = legacy.statuses(core, session)
    assert (news.failures, news.error, news.ok_at) == (2, "The intranet is away.", None)
    assert dt.timedelta(minutes=19) < news.due_at - utcnow() <= dt.timedelta(minutes=20)
    assert (wiki.failures, wiki.error) == (0, "")
    assert [state for state in press.states if state] == []


def test_a_source_that_keeps_failing_shows_in_readyz_and_serves_on(core, press, rse_client):
    press.fault = ValueError("boom")
    for _round in range(3):
        sync(core)
    answer = rse_client.get("/rse/readyz")
    assert answer.status_code == 200
    line = answer.json["checks"]["sources"]
    assert not line["ok"]
    assert "press.news" in line["detail"]
    assert "boom" in line["detail"]
    press.fault = None
    sync(core)
    assert rse_client.get("/rse/readyz").json["checks"]["sources"]["ok"]


def test_notes_are_kept_and_given_back(core, press):
    press.returns = {"etag": '"1"', "warnings": ["The feed is not well formed."]}
    report = sync(core)
    sync(core)
    assert press.states == [{}, {"etag": '"1"'}]
    assert report.warnings == ["The feed is not well formed."]
    with core.db.read() as session:
        assert legacy.statuses(core, session)[0].warnings == ("The feed is not well formed.",)


def test_a_long_list_is_resumed_where_it_stopped(core, press):
    """Killed between two pages, the next run goes on from the page after the last one kept."""

    def read(state):
        page = state.get("page", 0)
        press.states.append(page)
        if page == 2 and press.fault is not None:
            raise press.fault
        yield from (said(f"/p/{page}/{n}", f"{page}.{n}") for n in range(3))
        return {"page": page + 1, "more": page < 3}

    press.read = read
    source = LegacySource("press.news", "News", read)
    press.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        legacy.sync(core, source)
    press.fault = None
    with core.db.write() as session:
        # The dead reader's claim lapses.
        row = session.get(LegacySync, "press.news")
        row.state = {**row.state, "until": utcnow().isoformat()}
    assert legacy.sync(core, source).counts.new == 6
    assert press.states == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("limits", [{"max_items": 120}, {"max_seconds": -1}])
def test_a_runaway_source_is_stopped_and_the_error_names_the_limit(rse_core, limits):
    press = Press()
    press.limits = limits
    core = rse_core([press], legacy_origins=[ORIGIN])

    def endless(state):
        number = 0
        while True:
            number += 1
            yield said(f"/n/{number}")

    press.read = endless
    source = LegacySource("press.news", "News", endless, **limits)
    report = legacy.sync(core, source)
    assert next(iter(limits)) in report.error
    assert report.counts.seen <= 120


def test_a_source_that_always_has_more_goes_on_later_and_one_that_stands_still_is_stopped(core):
    calls = []

    def forever(state):
        calls.append(1)
        yield said(f"/n/{len(calls)}")
        return {"at": len(calls), "more": True}

    report = legacy.sync(core, LegacySource("press.news", "News", forever, max_items=5))
    assert (report.unfinished, report.error, report.counts.new) == (True, "", 5)
    with core.db.read() as session:
        assert legacy.statuses(core, session)[0].due_at <= utcnow()

    def stuck(state):
        yield from ()
        return {"more": True}

    assert "the same place" in legacy.sync(core, LegacySource("press.wiki", "Wiki", stuck)).error


def test_notes_that_are_no_json_or_too_long_are_refused_by_name(core, press, monkeypatch):
    press.returns = {"x": object()}
    assert "press.news" in sync(core).error
    monkeypatch.setattr(legacy_state, "MAX_NOTES", 100)
    press.returns = {"x": "y" * 200}
    assert "100" in sync(core).error


def test_two_workers_never_read_one_source_at_once(core, press):
    inside, go_on, reports = threading.Event(), threading.Event(), []

    def slow(state):
        inside.set()
        assert go_on.wait(30)
        yield said()
        return {}

    source = LegacySource("press.news", "News", slow)
    thread = threading.Thread(target=lambda: reports.append(legacy.sync(core, source)))
    thread.start()
    assert inside.wait(30)
    assert sync(core).busy
    go_on.set()
    thread.join(30)
    assert [r.counts.new for r in reports] == [1]
    assert events(core) == [("page.published", "/actualites/1")]


def test_a_reader_that_lost_its_claim_stops_before_it_writes(core, press):
    def overtaken(state):
        with core.db.write() as session:
            session.execute(update(LegacySync).values(state={"by": "another", "until": "2999-01-01T00:00:00+00:00"}))
        yield said()
        return {}

    report = legacy.sync(core, LegacySource("press.news", "News", overtaken))
    assert "another worker" in report.error
    assert page_at(core, "/actualites/1") is None
    assert sync(core).busy


def test_the_worker_reads_what_is_due_and_nothing_else(core, press):
    press.items, press.other_items = [said()], [said("/wiki/a")]

    def turn():
        core.jobs.plan_periodic()
        with core.db.write() as session:
            session.execute(update(JobRow).where(JobRow.name == "core.legacy").values(run_at=utcnow()))
        core.jobs.run_due()

    turn()
    assert page_at(core, "/actualites/1") is not None
    assert page_at(core, "/wiki/a") is not None
    assert len(press.states) == 1
    turn()
    assert len(press.states) == 1
    with core.db.write() as session:
        row = session.get(LegacySync, "press.news")
        row.state = {**row.state, "due": utcnow().isoformat()}
    turn()
    assert len(press.states) == 2
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(JobRow).where(JobRow.key.like("core.legacy_read%"))) == 0


def test_reading_holds_no_transaction_so_that_others_write_meanwhile(core, press):
    def read(state):
        with core.db.write() as session:
            session.add(Outbox(event_id="x", name="thing.done", at=utcnow()))
        yield said()
        return {}

    press.read = read
    source = LegacySource("press.news", "News", read)
    core.plugins.legacy_sources = lambda: {"press.news": source}
    with core.db.write() as session:
        from rse_core.api import defer

        defer(session, "core.legacy_read", source="press.news")
    core.jobs.run_due()
    assert page_at(core, "/actualites/1") is not None


def test_a_source_whose_plugin_is_gone_is_no_fault(core):
    with core.db.write() as session:
        from rse_core.api import defer

        defer(session, "core.legacy_read", source="gone.news")
    core.jobs.run_due()
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(JobRow)) == 0


def test_a_dry_run_writes_nothing(core, press):
    press.items, press.returns = [said(), said("/b", audience=None)], {"etag": "1"}
    report = sync(core, dry_run=True)
    assert (report.counts.seen, report.counts.new, report.counts.announced) == (2, 2, 1)
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Page)) == 0
        assert session.scalar(select(func.count()).select_from(LegacySync)) == 0
    assert events(core) == []
    sync(core)
    assert press.states == [{}, {}]


def test_an_unchanged_list_costs_few_queries_an_item(core, press):
    from rse_core.testing import count_queries

    press.items = [said(f"/n/{n}", f"N {n}") for n in range(60)]
    sync(core)
    with count_queries(core) as queries:
        sync(core)
    assert len(queries) <= 60 * 3 + 25


def test_the_fixed_spaces_of_french_stay_and_those_of_an_editor_go():
    from rse_core.legacy_text import one_line, plain

    title = "«\u00a0Quatre-vingts ans\u00a0»\u00a0: l’exposition\u202f!"
    assert one_line(f"\u00a0 {title}\u00a0\n", 200) == title
    assert one_line("Le\u00a0plan\u00a0 \u00a0canicule \u00a0: oui", 200) == "Le plan canicule : oui"
    assert plain("Deux&nbsp;jours&nbsp;: voilà&nbsp;<b>tout</b>", 200) == "Deux jours\u00a0: voilà tout"
