"""What a leaver leaves, in a real browser: both languages, both widths, by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from handover_people import furnish, leave_all

import rse_communities
import rse_feed
import rse_kanban
from rse_core import handover_acts
from rse_core.api import Actor
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows

pytestmark = pytest.mark.browser


@pytest.fixture
def site(rse_site: Any) -> Any:
    made = rse_site([rse_communities.plugin, rse_feed.plugin, rse_kanban.plugin])
    made.there = leave_all(furnish(made.core))
    return made


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_fits(site: Any, rse_tab: Any, axe_violations: Any, lang: str, width: int) -> None:
    there = site.there
    with site.core.db.write() as session:
        (done,) = handover_acts.give(session, "lea", {"space:vault": "tom"}, actor=Actor("test"), why="Départ en retraite")
    tab = rse_tab(site, there.ada, lang=lang, width=width)
    for path in ("leavers/", "leavers/lea", f"leavers/kept/{done.id}", f"feed/posts/{there.posts[0]}"):
        tab.goto(site.url(f"/rse/{path}?lang={lang}"))
        assert tab.locator("html").get_attribute("lang") == lang
        assert axe_violations(tab) == [], path
        assert not overflows(tab), path


def test_handed_over_by_keyboard(site: Any, rse_tab: Any, axe_violations: Any) -> None:
    tab = rse_tab(site, site.there.ada, lang="en", width=320)
    tab.goto(site.url("/rse/leavers/?lang=en"))
    tab.get_by_role("link", name="Léa Partie").press("Enter")
    tab.get_by_role("heading", name="What Léa Partie leaves").wait_for()
    garden = tab.get_by_role("group", name="Le jardin")
    garden.get_by_label("Somebody else of that place").press("Space")
    garden.get_by_label("Their username").fill("sam@nowhere")
    tab.get_by_role("button", name="See what will happen").press("Enter")
    tab.get_by_role("alert").get_by_text("cannot take over in “Le jardin”").wait_for()
    assert axe_violations(tab) == []
    tab.get_by_role("group", name="Le jardin").get_by_label("Their username").fill("tom")
    tab.get_by_role("button", name="See what will happen").press("Enter")
    tab.get_by_role("heading", name="Le jardin → Tom Reprend").wait_for()
    assert axe_violations(tab) == []
    assert not overflows(tab)
    tab.get_by_role("button", name="Hand over").press("Enter")
    tab.get_by_text("7 things were handed over.").wait_for()
    tab.get_by_role("link", name="Le jardin → Tom Reprend").press("Enter")
    tab.get_by_role("button", name="Take it back").press("Enter")
    tab.get_by_text("7 things were taken back.").wait_for()
