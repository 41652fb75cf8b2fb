"""“View as” and “Why can't they?” in a real browser: by keyboard, in both languages, on a phone, in the intranet's look."""

from __future__ import annotations

from typing import Any

import pytest

import rse_comments
import rse_feed
import rse_search
from rse_core import roles
from rse_core.api import Actor, Level
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, make_person, set_level

pytestmark = pytest.mark.browser
WORDS = {
    "fr": {"look": "Regarder", "stop": "Arrêter", "level": "commenter", "who": "Quelqu’un de l’entité Caisse"},
    "en": {"look": "Look", "stop": "Stop", "level": "comment", "who": "Somebody of Caisse"},
}
PAGES = ("/rse/", "/rse/feed/", "/rse/search/", "/rse/me/", "/rse/admin/view-as", "/rse/nowhere")


@pytest.fixture
def site(rse_site: Any) -> Any:
    made = rse_site([module.plugin for module in (rse_feed, rse_comments, rse_search)], site_name="Assurance publique")
    top = make_entity(made.core, "top", name="Assurance publique")
    make_entity(made.core, "north", name="Caisse régionale du Nord-Pas-de-Calais", parent=top)
    made.boss = make_person(made.core, "boss", name="Solène Kerbrat", entity=top)
    set_level(made.core, Level.REACT, why="Départ")
    with made.core.db.write() as session:
        roles.grant(session, made.boss.id, "site_admin", actor=Actor("test"))
    return made


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_one_looks_and_stops(site: Any, rse_tab: Any, axe_violations: Any, lang: str, width: int) -> None:
    words = WORDS[lang]
    tab = rse_tab(site, site.boss, lang=lang, width=width)
    for path in ("/rse/admin/view-as", "/rse/admin/view-as?find=nord", "/rse/admin/view-as?entity=north"):
        tab.goto(site.url(path))
        assert axe_violations(tab) == [], path
        assert not overflows(tab), path
    tab.get_by_label(words["level"], exact=True).check()
    tab.keyboard.press("Tab")
    tab.keyboard.type("Formation")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    bar = tab.locator(".rse-viewing")
    for path in PAGES:
        tab.goto(site.url(path))
        bar.get_by_role("status").get_by_text(words["who"]).wait_for()
        assert axe_violations(tab) == [], path
        assert not overflows(tab), path
    tab.goto(site.url("/rse/feed/"))
    with tab.expect_navigation():
        bar.get_by_role("button", name=words["stop"]).click()
    tab.locator("[data-rse-said]").wait_for()
    assert bar.count() == 0
    tab.goto(site.url("/rse/admin/journal/"))
    log = tab.locator(".rse-journal")
    log.get_by_text("view_as.begin", exact=True).wait_for()
    assert log.get_by_text("Formation", exact=True).count() == 1


def test_the_bar_holds_in_the_dark(site: Any, rse_tab: Any, axe_violations: Any) -> None:
    tab = rse_tab(site, site.boss, lang="en", color_scheme="dark")
    tab.goto(site.url("/rse/admin/view-as?entity=north"))
    with tab.expect_navigation():
        tab.get_by_role("button", name="Look", exact=True).click()
    tab.locator(".rse-viewing").wait_for()
    assert axe_violations(tab) == []
