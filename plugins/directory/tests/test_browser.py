"""The directory in a real browser: every page narrow and wide, in both languages, by keyboard and without JavaScript."""

from __future__ import annotations

import os
import re

import pytest

from rse_core.api import Actor
from rse_core.roles import grant
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_entity, set_level
from rse_directory import plugin

pytestmark = pytest.mark.browser
#: A folder for pictures, for who wants to look at the pages.
PICTURES = os.environ.get("RSE_PICTURES")


@pytest.fixture
def served(rse_site, make_site):
    """The whole application with a small organisation, and who looks."""
    running = rse_site([plugin])
    site = make_site(running.core)
    set_level(running.core, "comment")
    north = make_entity(running.core, "north", name="Direction régionale du Nord")
    lille = make_entity(running.core, "lille", name="Agence de Lille", parent=north)
    anna = site.person("anna", name="Anna Sérès", entity=north, is_manager=True, job_title="Directrice")
    paul = site.person(
        "paul", name="Paul Lœuillet", entity=lille, manager=anna, job_title="Chargé d’études statistiques",
        phone="01 45 67 89 01", email="paul.loeuillet@example.org", site="Tour A",
    )  # fmt: skip
    site.edit(
        paul, skills=["Python", "Statistiques", "Droit du travail"], about="Je réponds volontiers.", experience="x" * 200
    )
    for number in range(24):
        site.person(f"p{number}", name=f"Camille Durand-{chr(97 + number)}", entity=lille, manager=paul, site="Tour B")
    with running.core.db.write() as session:
        grant(session, anna.id, "site_admin", actor=Actor("test"))
    return running, anna


def picture(tab, name):
    if PICTURES:
        tab.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_fits(served, rse_tab, axe_violations, lang, width):
    running, anna = served
    tab = rse_tab(running, anna, lang=lang, width=width)
    pages = {
        "list": "", "found": "?q=loeu&site=Tour+A", "nothing": "?q=introuvable", "profile": "people/paul", "mine": "me",
        "chart": "chart", "entities": "chart?by=entity", "newcomers": "newcomers", "expertise": "expertise",
        "ask": "people/paul/ask", "report": "people/paul/report",
    }  # fmt: skip
    for name, address in pages.items():
        tab.goto(running.url("/rse/directory/" + address))
        picture(tab, f"directory-{name}-{lang}-{width}")
        assert axe_violations(tab) == [], name
        assert not overflows(tab), name


def test_by_keyboard_one_types_chooses_and_confirms(served, rse_tab, axe_violations):
    running, anna = served
    tab = rse_tab(running, anna, lang="en")
    tab.goto(running.url("/rse/directory/"))
    tab.get_by_role("combobox").focus()
    tab.keyboard.type("loe")
    tab.get_by_role("option", name="Paul Lœuillet").wait_for()
    picture(tab, "directory-proposals-en-1280")
    assert axe_violations(tab) == []
    tab.keyboard.press("Escape")
    tab.get_by_role("listbox").wait_for(state="hidden")
    tab.keyboard.type("u")
    tab.get_by_role("option", name="Paul Lœuillet").wait_for()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/directory/people/paul")
    tab.get_by_role("button", name=re.compile("Confirm.*Python")).focus()
    tab.keyboard.press("Enter")
    tab.get_by_text("confirmed by 1 person").wait_for()
    assert tab.get_by_role("button", name=re.compile("Confirm.*Python")).get_attribute("aria-pressed") == "true"


def test_without_javascript_one_searches_filters_and_fills_in(served, rse_tab):
    running, anna = served
    tab = rse_tab(running, anna, lang="fr", js=False)
    tab.goto(running.url("/rse/directory/"))
    tab.get_by_role("searchbox").fill("camille")
    with tab.expect_navigation():
        tab.locator("main").get_by_role("button", name="Rechercher").click()
    assert tab.locator("article").count() == 20
    with tab.expect_navigation():
        tab.get_by_role("link", name="Plus de personnes").click()
    assert tab.locator("article").count() == 4
    tab.goto(running.url("/rse/directory/me"))
    tab.get_by_label("Expertise", exact=True).fill("Concertation")
    tab.get_by_role("button", name="Enregistrer mon profil").click()
    tab.get_by_text("Votre profil a été enregistré.").wait_for()
    assert tab.get_by_role("link", name="Concertation").is_visible()
