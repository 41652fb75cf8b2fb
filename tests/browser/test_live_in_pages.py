"""Two browsers: what one does shows in the other, at once where changes are told, else within the interval; nothing is shown
that the page did not ask for anew."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import delete

import rse_feed
import rse_notifications
from rse_core import audiences, notify
from rse_core.api import Manifest, NotificationType, ObjectRef, Plugin, hookimpl
from rse_core.models.organisation import SpaceMember
from rse_core.policy import touch
from rse_core.testing.browser import overflows
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_feed import drafting
from rse_feed.texts import Written

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FEED = "/rse/feed/"
#: The promise, and the milliseconds that this machine may take besides when it is busy.
PROMISE, BUSY = 2_000, 3_000


class Bulletin(Plugin):
    """Something to be told of."""

    manifest = Manifest("bulletin", "Bulletin")

    @hookimpl
    def rse_notification_types(self):
        return [NotificationType("bulletin.noted", "Noted", lambda _count, _data: "Noted", stays=True)]


@pytest.fixture
def site(rse_site, tmp_path):
    made = rse_site([rse_feed.plugin, rse_notifications.plugin, Bulletin()], data_dir=str(tmp_path))
    set_level(made.core, "contribute")
    return made


@pytest.fixture
def live(site):
    """The site tells changes."""
    return site.core.live.serve_here(20)


@pytest.fixture
def anna(site):
    return make_person(site.core, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site.core, "ben", name="Benoît Œuvrard")


def write(site, person, body, audience="everyone"):
    with site.core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience)).post


def tell(site, person, cause):
    with site.core.db.write() as session:
        notify.notify(session, person.id, "bulletin.noted", ObjectRef("page", f"/{cause}"), actor_id=None, cause=cause)


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def open_listening(site, live, tab, address=FEED):
    """Open a page and wait until it listens."""
    before = live.opened
    tab.goto(site.url(address))
    until(lambda: live.opened > before)


def test_a_post_in_one_browser_is_a_bar_in_the_other_at_once(site, live, rse_tab, anna, ben):
    reader, writer = rse_tab(site, ben, lang="en"), rse_tab(site, anna, lang="en")
    open_listening(site, live, reader)
    writer.goto(site.url(FEED))
    writer.get_by_label("What is new?").fill("Deux places libres")
    asked = site.asked("GET", "/rse/feed/new")
    writer.get_by_role("button", name="Publish", exact=True).click()
    began = time.monotonic()
    bar = reader.get_by_role("link", name="1 new post")
    bar.wait_for(timeout=PROMISE + BUSY)
    assert time.monotonic() - began < (PROMISE + BUSY) / 1000
    assert site.asked("GET", "/rse/feed/new") > asked, "the page asked anew"
    assert reader.get_by_role("article").count() == 0, "nothing moved"
    assert not overflows(reader)
    bar.click()
    reader.get_by_role("article").filter(has_text="Deux places libres").wait_for()


def test_the_bell_counts_up_and_down_in_every_browser_of_a_person(site, live, rse_tab, ben, axe_violations):
    wide, narrow = rse_tab(site, ben, lang="en"), rse_tab(site, ben, lang="en", width=320)
    for tab in (wide, narrow):
        open_listening(site, live, tab)
    tell(site, ben, "one")
    badge = wide.locator(".rse-nav-wide [data-rse-badge] .rse-count-badge")
    badge.wait_for(timeout=PROMISE + BUSY)
    assert badge.inner_text() == "1"
    menu = narrow.locator(".rse-nav-fold summary .rse-count-badge")
    menu.wait_for(timeout=PROMISE + BUSY)
    tell(site, ben, "two")
    for tab, place in ((wide, ".rse-nav-wide [data-rse-badge]"), (narrow, ".rse-nav-fold summary")):
        tab.wait_for_function("place => document.querySelector(place + ' .rse-count-badge').textContent === '2'", arg=place)
    assert axe_violations(wide) == []
    with site.core.db.write() as session:
        notify.mark_read(session, ben.id)
    badge.wait_for(state="detached", timeout=PROMISE + BUSY)
    menu.wait_for(state="detached", timeout=PROMISE + BUSY)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_without_live_the_page_asks_within_its_interval_and_is_told_nothing(site, rse_tab, anna, ben, lang):
    tab = rse_tab(site, ben, lang=lang)
    tab.clock.install()
    tab.goto(site.url(FEED))
    write(site, anna, "Le second")
    tell(site, ben, "one")
    tab.clock.fast_forward(31_000)
    tab.locator("[data-rse-new] a").wait_for()
    tab.clock.fast_forward(31_000)
    tab.locator(".rse-nav-wide [data-rse-badge] .rse-count-badge").wait_for()
    assert site.asked("GET", "/rse/live") == 0


def test_an_unchanged_answer_is_asked_for_conditionally_and_shows_nothing(site, rse_tab, ben):
    tab = rse_tab(site, ben, lang="en")
    answers = []
    tab.on("response", lambda answer: "/feed/new" in answer.url and answers.append(answer))
    tab.clock.install()
    tab.goto(site.url(FEED))
    for _ in range(20):
        tab.clock.fast_forward(31_000)
        tab.wait_for_timeout(100)
        if len(answers) >= 2:
            break
    assert tab.locator("[data-rse-new] a").count() == 0
    assert "if-none-match" in answers[1].request.all_headers()


def test_what_was_missed_while_the_process_was_away_is_found_when_it_is_back(site, live, rse_tab, anna, ben):
    tab = rse_tab(site, ben, lang="en")
    open_listening(site, live, tab)
    site.core.live.stop()
    until(lambda: not live.streams)
    write(site, anna, "Entre-temps")
    back = site.core.live.serve_here(20)
    # Refused once or twice, the browser is let back in: it looks again.
    tab.get_by_role("link", name="1 new post").wait_for(timeout=40_000)
    until(lambda: back.opened > 0, 40)


def test_a_service_that_stays_away_is_replaced_by_asking(site, rse_tab, anna, ben):
    """The page says that changes are told, and the address answers as a server does whose process is down."""
    live = site.core.live.serve_here(20)
    tab = rse_tab(site, ben, lang="en")
    tab.route("**/rse/live?*", lambda route: route.fulfill(status=502, body="down"))
    tab.clock.install()
    tab.goto(site.url(FEED))
    write(site, anna, "Tout de même")
    tab.clock.fast_forward(31_000)
    tab.get_by_role("link", name="1 new post").wait_for()
    assert live.opened == 0


def test_who_is_put_out_of_a_space_no_longer_hears_of_it(site, live, rse_tab, anna, ben):
    space = make_space(site.core, "garden", visibility="secret", members=[anna, ben])
    with site.core.db.write() as session:
        audience = audiences.of_space(session, space.id)
    tab = rse_tab(site, ben, lang="en")
    open_listening(site, live, tab)
    (stream,) = live.streams
    signal, topic = f"feed.audience:{audience}", f"feed.mine:{ben.id}"
    assert signal in stream.topics[topic]
    with site.core.db.write() as session:
        session.execute(delete(SpaceMember).where(SpaceMember.space_id == space.id, SpaceMember.person_id == ben.id))
        audiences.refresh(session, [ben.id])
        touch(session, ben.id)
    until(lambda: signal not in stream.topics[topic], 15)
    told = live.told
    write(site, anna, "Entre nous", audience="space:garden")
    time.sleep(0.5)
    assert live.told == told, "not even that something changed"


def test_a_hidden_page_neither_listens_nor_asks_and_looks_when_it_is_seen_again(site, live, rse_tab, anna, ben):
    tab = rse_tab(site, ben, lang="en")
    tab.clock.install()
    open_listening(site, live, tab)
    hide = """hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange')); }"""
    tab.evaluate(hide, True)
    tab.clock.fast_forward(11_000)
    write(site, anna, "Pendant ce temps")
    until(lambda: not live.streams or live.told > 0)
    asked = site.asked("GET", "/rse/feed/new")
    tab.clock.fast_forward(400_000)
    time.sleep(0.3)
    assert site.asked("GET", "/rse/feed/new") == asked
    opened = live.opened
    tab.evaluate(hide, False)
    tab.get_by_role("link", name="1 new post").wait_for()
    until(lambda: live.opened > opened)


def test_one_page_listens_once_whatever_it_shows(site, live, rse_tab, ben):
    tab = rse_tab(site, ben, lang="en")
    open_listening(site, live, tab)
    assert site.asked("GET", "/rse/live") == 1
    (stream,) = live.streams
    assert set(stream.topics) == {f"feed.mine:{ben.id}", f"core.notices:{ben.id}"}


def test_a_plugins_own_script_hears_of_a_change_by_an_event(site, live, rse_tab, ben):
    """The seam that the page “Plugins” describes."""
    tab = rse_tab(site, ben, lang="en")
    open_listening(site, live, tab)
    tab.evaluate(
        """([topic, ask]) => {
            const box = document.createElement('div');
            box.dataset.rseTopic = topic; box.dataset.rseAsk = ask; box.id = 'mine';
            document.querySelector('main').append(box);
            window.seen = [];
            box.addEventListener('rse:changed', event => window.seen.push(event.detail));
            window.rseLive.follow(box);
        }""",
        [f"core.notices:{ben.id}", "/rse/api/v1/notifications/count"],
    )
    tell(site, ben, "one")
    tab.wait_for_function("() => window.seen.some(detail => detail.answer.count === 1)", timeout=PROMISE + BUSY)
    assert tab.evaluate("() => window.seen[0].topic") == f"core.notices:{ben.id}"
