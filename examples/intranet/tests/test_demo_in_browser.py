"""The demo as a visitor walks through it, in a real browser, by mouse and by keyboard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rse_example_intranet import demo
from rse_example_intranet.demo_guard import Permit
from rse_example_intranet.demo_identity import COOKIE, DemoIdentity

from rse_core.testing.browser import PATIENCE, WIDTHS, overflows

pytestmark = pytest.mark.browser
PAGE = "/actualites/2026/exposition-memoire"
PAGES = (PAGE, "/", "/rh/contacts", "/english/welcome", "/divers/plan-acces.html", "/recherche?q=accueil")


@pytest.fixture(scope="module")
def origin(demo_permit: Permit) -> Iterator[str]:
    """The address of a running demo."""
    with demo.listening("127.0.0.1", 0) as server, demo.running_core(demo_permit, "127.0.0.1", server.port) as core:
        # As the demo's first request does, with the other threads that these tests do without.
        core.live.serve_here()
        server.app = demo.wrap(core, DemoIdentity(demo_permit))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.port}"
        server.shutdown()
        thread.join(10)


@pytest.fixture
def visit(rse_chromium: Any, origin: str, demo_permit: Permit) -> Iterator[Callable[..., Any]]:
    """``visit(username, path, width=1280, js=True)`` opens a tab as one of the accounts."""
    opened = []

    def open_tab(username: str, path: str, *, width: int = 1280, js: bool = True) -> Any:
        context = rse_chromium.new_context(viewport={"width": width, "height": 800}, java_script_enabled=js)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        value = DemoIdentity(demo_permit).cookie_value(username)
        context.add_cookies([{"name": COOKIE, "value": value, "url": origin}])
        tab = context.new_page()
        tab.goto(origin + path)
        return tab

    yield open_tab
    for context in opened:
        context.close()


def _reaction(tab: Any, kind: str = "useful") -> Any:
    return tab.locator(f"rse-slot[name=reactions] button[value$=':{kind}']")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("username", ["helene.dupont", "emma.nguyen"])
def test_pages_are_accessible_and_narrow(
    visit: Callable[..., Any], axe_violations: Callable[..., list[str]], origin: str, width: int, username: str
) -> None:
    tab = visit(username, PAGE, width=width)
    for path in PAGES:
        tab.goto(origin + path)
        if path == PAGE:
            _reaction(tab).wait_for()
        assert not overflows(tab), path
        assert axe_violations(tab) == [], path
    tab.locator(".rse-demo-bar summary").click()
    assert axe_violations(tab) == []
    assert not overflows(tab)


@pytest.mark.parametrize("js", [True, False])
def test_the_person_is_changed_by_keyboard_and_sees_another_page(visit: Callable[..., Any], js: bool) -> None:
    tab = visit("chloe.bremond", PAGE, js=js)
    assert tab.locator("rse-slot button").count() == 0, "at INFORM the intranet is as it was"
    tab.locator(".rse-demo-bar summary").focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert "Guénolé Tréguer" in tab.locator(".rse-demo-bar summary").inner_text()
    assert tab.url.endswith(PAGE)
    _reaction(tab).wait_for()
    assert tab.locator("rse-slot[name=comments] textarea").count() == 0


@pytest.mark.parametrize("js", [True, False])
def test_a_reaction_and_a_comment_are_written_in_the_intranets_page(visit: Callable[..., Any], js: bool) -> None:
    tab = visit("awa.diallo", "/rh/mobilite", js=js)
    kind = "bravo" if js else "thanks"
    _reaction(tab, kind).click()
    tab.locator(f"rse-slot[name=reactions] button[value='withdraw:{kind}'][aria-pressed=true]").wait_for()
    words = f"Une question sur le délai de départ, {'avec' if js else 'sans'} script."
    tab.locator("rse-slot[name=comments] textarea").fill(words)
    tab.locator("rse-slot[name=comments] form .rse-primary").first.click()
    tab.locator("rse-slot[name=comments] article", has_text=words).wait_for()
    other = visit("helene.dupont", "/page?id=205", js=js)
    other.locator("rse-slot[name=comments] article", has_text=words).wait_for()


def test_moving_the_slider_changes_the_intranets_pages(visit: Callable[..., Any], origin: str) -> None:
    reader = visit("chloe.bremond", PAGE)
    assert reader.locator("rse-slot button").count() == 0
    admin = visit("solene.kerbrat", "/rse/admin/?scope=entity&key=HAUT-PLATEAU")

    def place(level: str) -> None:
        slider = admin.get_by_role("slider")
        slider.focus()
        admin.keyboard.press("Home")
        for _ in range(int(level)):
            admin.keyboard.press("ArrowUp")
        admin.locator("#effect .rse-effect-sentence").wait_for()
        with admin.expect_navigation():
            admin.locator(".rse-apply").click()

    place("1")
    reader.reload()
    _reaction(reader).wait_for()
    assert "réagir" in reader.locator(".rse-demo-bar summary").inner_text()
    place("0")
    reader.reload()
    reader.wait_for_load_state("networkidle")
    assert _reaction(reader).count() == 0
    assert "informer" in reader.locator(".rse-demo-bar summary").inner_text()


def test_pages_of_the_demo_hear_of_changes_through_everything_around_them(visit: Callable[..., Any]) -> None:
    tab = visit("helene.dupont", "/rse/feed/")
    said = tab.evaluate(
        """async () => {
            const topic = document.querySelector('[data-rse-new]').dataset.rseTopic;
            const answer = await fetch(document.getElementById('rse-live').dataset.rseLive + '?topic=' + topic);
            const reader = answer.body.getReader(), first = await reader.read();
            reader.cancel();
            return answer.headers.get('Content-Type') + new TextDecoder().decode(first.value);
        }"""
    )
    assert said.startswith("text/event-stream")
    assert "event: ready" in said


@pytest.mark.parametrize("width", [1280, 1440])
def test_what_runs_the_site_is_one_menu_in_one_line(
    visit: Callable[..., Any], axe_violations: Callable[..., list[str]], width: int
) -> None:
    tab = visit("solene.kerbrat", "/rse/admin/rollout/", width=width)
    for one in tab.locator(".rse-nav-wide").all():
        tops = {item.bounding_box()["y"] for item in one.locator("> li").all()}
        assert len(tops) == 1, "the header and the pages of the administration have a line each"
    menu = tab.locator(".rse-nav-more")
    menu.locator("summary").focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Modération"
    assert axe_violations(tab) == []
    tab.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    narrow = visit("solene.kerbrat", "/rse/admin/rollout/", width=320)
    narrow.locator(".rse-admin-nav summary").click()
    narrow.locator(".rse-admin-nav .rse-nav-fold").get_by_role("link", name="Capacités").click()
    narrow.wait_for_url("**/admin/capabilities/")
    assert not overflows(narrow)


def test_without_a_script_the_menu_opens_too(visit: Callable[..., Any]) -> None:
    tab = visit("solene.kerbrat", "/rse/feed/", js=False)
    tab.locator(".rse-nav-more summary").click()
    tab.locator(".rse-nav-more").get_by_role("link", name="Indicateurs").click()
    tab.wait_for_url("**/indicators/")
