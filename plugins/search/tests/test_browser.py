"""Searching in a real browser: typing, proposals, filters and pages by keyboard, without JavaScript, narrow and wide."""

from __future__ import annotations

import datetime as dt
import os

import pytest

from rse_core.api import utcnow
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, make_person, make_space, set_level
from rse_search import plugin

pytestmark = pytest.mark.browser
#: A folder for pictures, for who wants to look at the page.
PICTURES = os.environ.get("RSE_PICTURES")


@pytest.fixture
def served(rse_site, notes, make_site):
    """The whole application with a small library, and who reads it."""
    running = rse_site([plugin, notes])
    core = running.core
    set_level(core, "comment")
    site = make_site(core, notes)
    north = make_entity(core, "north", name="Direction du Nord")
    anna = make_person(core, "anna", name="Anna Sérès", entity=north)
    paul = make_person(core, "paul", name="Paul Réunion-Lambert")
    space = make_space(core, "garden", name="Jardins partagés", visibility="public", members=[anna])
    site.index_people(anna, paul)
    text = "Compte rendu de la réunion du comité de suivi : les travaux de l’accueil commencent lundi. "
    for number in range(25):
        site.write(
            f"n{number:02}", f"Réunion d’équipe numéro {number}", text * 4, author_id=(anna if number % 2 else paul).id,
            at=utcnow() - dt.timedelta(days=number * 3), space_id=space.id if number % 3 == 0 else None,
            kind="post" if number % 5 else "page",
        )  # fmt: skip
    site.write("odd", "Sans" + "titre" * 40, "réunion " + "x" * 300, kind="post")
    site.work()
    return running, anna


def picture(tab, name):
    if PICTURES:
        tab.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_state_of_the_page_is_accessible_and_fits(served, rse_tab, axe_violations, lang, width):
    running, anna = served
    tab = rse_tab(running, anna, lang=lang, width=width)
    states = {"start": "", "found": "?q=réunion", "filtered": "?q=réunion&author=anna&date=month", "near": "?q=reuinon",
              "nothing": "?q=introuvable&kind=post"}  # fmt: skip
    for name, address in states.items():
        tab.goto(running.url("/rse/search/" + address))
        picture(tab, f"search-{name}-{lang}-{width}")
        assert axe_violations(tab) == [], name
        assert not overflows(tab), name
    tab.goto(running.url("/rse/search/?q=réunion"))
    side, results = (tab.locator(where).bounding_box() for where in (".rse-search-side", ".rse-search-results"))
    assert (
        (side["y"] > results["y"] + results["height"] - 1)
        if width < 900
        else (side["x"] > results["x"] + results["width"] - 1)
    )


def test_by_keyboard_one_types_chooses_a_proposal_filters_and_goes_on(served, rse_tab, axe_violations):
    running, anna = served
    tab = rse_tab(running, anna, lang="en")
    tab.goto(running.url("/rse/search/"))
    # The field has the focus already.
    tab.keyboard.type("ann")
    tab.get_by_role("option", name="Anna Sérès").wait_for()
    picture(tab, "search-proposals-en-1280")
    assert axe_violations(tab) == []
    tab.keyboard.press("Escape")
    tab.get_by_role("listbox").wait_for(state="hidden")
    tab.keyboard.type("a")
    tab.get_by_role("option", name="Anna Sérès").wait_for()
    tab.keyboard.press("ArrowDown")
    tab.get_by_role("option", name="Anna Sérès", selected=True).wait_for()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search/?author=anna")
    assert tab.get_by_role("heading", name="12 results").is_visible()
    tab.goto(running.url("/rse/search/?q=r%C3%A9union"))
    for _ in range(200):
        tab.keyboard.press("Tab")
        if "author=anna" in str(tab.evaluate("() => document.activeElement.getAttribute('href')")):
            break
    tab.keyboard.press("Enter")
    tab.wait_for_url("**author=anna**")
    tab.get_by_role("link", name="Remove the filter: Anna Sérès").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search/?q=r%C3%A9union")


def test_without_javascript_the_form_the_filters_and_the_pages_work(served, rse_tab):
    running, anna = served
    tab = rse_tab(running, anna, lang="fr", js=False)
    tab.goto(running.url("/rse/search/"))
    tab.get_by_role("searchbox").fill("réunion")
    with tab.expect_navigation():
        tab.locator("main").get_by_role("button", name="Rechercher").click()
    assert tab.locator("article").count() == 20
    with tab.expect_navigation():
        tab.get_by_role("link", name="Plus de résultats").click()
    assert tab.locator("article").count() == 7
    tab.get_by_role("link", name="Revenir aux premiers résultats").click()
    tab.locator(".rse-search-side").get_by_role("link", name="Jardins partagés").click()
    tab.get_by_role("heading", name="9 résultats").wait_for()
