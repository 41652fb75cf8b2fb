"""The bar and the tour in a real browser: by keyboard, in both languages, on our pages and the intranet's."""

from __future__ import annotations

import datetime as dt
import os

import pytest

import rse_comments
import rse_feed
import rse_likes
from rse_core import indicators, indicators_roll, rollout
from rse_core.api import Actor, utcnow
from rse_core.roles import grant
from rse_core.testing.browser import LANGUAGES, WIDTHS, PlainIntranet, overflows
from rse_core.testing.organisation import make_entity, make_person, set_level
from rse_onboarding import plugin, standing

pytestmark = pytest.mark.browser
#: A folder for pictures, for who wants to look at the pages.
PICTURES = os.environ.get("RSE_PICTURES")
WORDS = {
    "fr": {"can": "Vous pouvez désormais réagir et commenter.", "show": "Me montrer", "next": "Suivant", "done": "Terminé",
           "on": "Continuer la visite", "close": "Fermer", "step": "Étape 2 sur 3", "later": "Pas maintenant",
           "where": "Me montrer où"},
    "en": {"can": "You can now react and comment.", "show": "Show me", "next": "Next", "done": "Done",
           "on": "Go on with the tour", "close": "Close", "step": "Step 2 of 3", "later": "Not now",
           "where": "Show me where"},
}  # fmt: skip
FIRST = {"fr": "Dire qu’une chose vous aide", "en": "Say that something helps you"}
SECOND = {"fr": "Suivre ce qui se passe", "en": "Follow what happens"}
LAST = {"fr": "Poser une question ou répondre sous un article", "en": "Ask and answer under an article"}
TOP = '<rse-slot name="top"></rse-slot><article><h1>Actualité</h1><p>Texte de la page.</p></article>'


@pytest.fixture
def served(rse_site):
    modules = (rse_likes, rse_comments, rse_feed)
    running = rse_site([plugin, *(module.plugin for module in modules)], intranet=PlainIntranet(body=TOP))
    north = make_entity(running.core, "north", name="Direction régionale du Nord")
    anna = make_person(running.core, "anna", name="Anna Sérès", entity=north, is_manager=True)
    set_level(running.core, "comment", entity=north)
    return running, anna


def picture(tab, name):
    if PICTURES:
        tab.screenshot(path=f"{PICTURES}/{name}.png")


def title(tab):
    """What has the focus, in a shadow root too."""
    return tab.evaluate(
        "() => { let a = document.activeElement; while (a.shadowRoot) a = a.shadowRoot.activeElement; return a.textContent }"
    )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_tour_is_walked_by_keyboard_closed_found_again_and_ended(served, rse_tab, axe_violations, lang, width):
    running, anna = served
    words = WORDS[lang]
    tab = rse_tab(running, anna, lang=lang, width=width)
    tab.goto(running.url("/rse/me/"))
    tab.get_by_text(words["can"]).wait_for()
    picture(tab, f"onboarding-bar-{lang}-{width}")
    assert axe_violations(tab) == []
    assert not overflows(tab)
    tab.get_by_role("link", name=words["show"], exact=True).focus()
    tab.keyboard.press("Enter")
    tour = tab.get_by_role("dialog", name=FIRST[lang])
    tour.wait_for()
    assert title(tab) == FIRST[lang]
    tab.keyboard.press("ArrowRight")
    tab.get_by_role("dialog", name=SECOND[lang]).wait_for()
    assert title(tab) == SECOND[lang]
    assert words["step"] in tab.get_by_role("dialog").inner_text()
    picture(tab, f"onboarding-tour-{lang}-{width}")
    assert axe_violations(tab) == []
    assert not overflows(tab)
    with tab.expect_response("**/onboarding/shown"):
        tab.keyboard.press("Escape")
    tab.get_by_role("dialog").wait_for(state="hidden")
    assert tab.evaluate("() => document.activeElement.hasAttribute('data-rse-tour-open')")
    tab.goto(running.url("/rse/feed/"))
    tab.get_by_role("link", name=words["on"]).press("Enter")
    tab.get_by_role("dialog", name=SECOND[lang]).wait_for()
    assert tab.evaluate("() => document.querySelector('.rse-feed-kinds').style.outline") != ""
    assert tab.get_by_role("dialog").get_by_role("link").count() == 0, "what it points at is here"
    tab.keyboard.press("ArrowLeft")
    tab.get_by_role("dialog", name=FIRST[lang]).wait_for()
    for _step in range(2):
        tab.get_by_role("button", name=words["next"]).press("Enter")
    tab.get_by_role("dialog", name=LAST[lang]).wait_for()
    tab.get_by_role("button", name=words["done"]).press("Enter")
    tab.wait_for_load_state()
    tab.get_by_text(words["can"]).wait_for(state="detached")
    tab.goto(running.url("/rse/onboarding/"))
    assert tab.get_by_text(words["can"]).count() == 0
    assert axe_violations(tab) == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_show_me_where_opens_the_tour_there(served, rse_tab, lang):
    running, anna = served
    tab = rse_tab(running, anna, lang=lang)
    tab.goto(running.url("/rse/onboarding/tour"))
    tab.get_by_role("link", name=WORDS[lang]["where"]).nth(1).click()
    tab.wait_for_url("**/rse/feed/?*")
    tab.get_by_role("dialog", name=SECOND[lang]).wait_for()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_on_a_page_of_the_intranet_too_and_nothing_when_nothing_is_new(served, rse_tab, axe_violations, lang, width):
    running, anna = served
    words = WORDS[lang]
    tab = rse_tab(running, anna, lang=lang, width=width)
    tab.goto(running.url("/news/1"))
    tab.get_by_text(words["can"]).wait_for()
    picture(tab, f"onboarding-intranet-{lang}-{width}")
    tab.get_by_role("link", name=words["show"], exact=True).press("Enter")
    tab.get_by_role("dialog", name=FIRST[lang]).wait_for()
    assert title(tab) == FIRST[lang]
    assert tab.evaluate("() => getComputedStyle(document.querySelector('rse-slot[name=reactions]')).outlineWidth") == "3px"
    tab.keyboard.press("ArrowRight")
    tab.get_by_role("dialog", name=SECOND[lang]).wait_for()
    picture(tab, f"onboarding-intranet-tour-{lang}-{width}")
    assert axe_violations(tab) == []
    assert not overflows(tab)
    tab.keyboard.press("Escape")
    tab.get_by_role("link", name=words["on"]).wait_for()
    tab.get_by_role("button", name=words["later"]).press("Enter")
    tab.get_by_text(words["can"]).wait_for(state="detached")
    assert tab.locator("rse-slot[name=top]").count() == 0, "no empty hole"
    tab.goto(running.url("/news/1"))
    tab.wait_for_function("() => document.querySelectorAll('rse-slot[name=top]').length === 0")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_javascript_the_steps_are_a_page(served, rse_tab, lang):
    running, anna = served
    words = WORDS[lang]
    tab = rse_tab(running, anna, lang=lang, js=False)
    tab.goto(running.url("/rse/me/"))
    tab.get_by_role("link", name=words["show"], exact=True).click()
    tab.get_by_role("heading", name=FIRST[lang], level=2).wait_for()
    assert tab.get_by_role("heading", level=2).all_inner_texts() == [FIRST[lang], SECOND[lang], LAST[lang]]
    tab.get_by_role("button", name=words["done"]).click()
    tab.wait_for_url("**/rse/onboarding/")
    tab.goto(running.url("/rse/me/"))
    assert tab.get_by_text(words["can"]).count() == 0


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_and_fits(served, rse_tab, axe_violations, lang, width):
    running, anna = served
    core = running.core
    north = make_entity(core, "north2", name="Une agence au nom particulièrement long pour être vrai")
    lille = make_entity(core, "lille", name="Agence de Lille", parent=north)
    boss = make_person(core, "boss", name="Bérénice Huët", entity=north, is_manager=True)
    people = [make_person(core, f"p{number}", entity=lille if number % 2 else north) for number in range(60)]
    set_level(core, "contribute", entity=north)
    with core.db.write() as session:
        for one in people[:40]:
            indicators.record_visit(session, one.id)
        standing.acknowledge(session, boss.id)
        grant(session, anna.id, "site_admin", actor=Actor("test"))
        from rse_onboarding import editing

        draft = editing.Draft("Poser une bonne question", "Un texte.\n\n- un\n- deux", 2, video="https://visio.example/")
        key = editing.add(session, Actor("anna", anna.id), draft).key
    plan = 'name = "plan"\n[[wave]]\nname = "pilote"\nstarts = 2026-01-10\nlevel = "comment"\nentities = ["north2"]\n'
    with core.db.write() as session:
        rollout.apply(session, core, plan, actor=Actor("test"))
        indicators_roll.roll_up(session, now=utcnow() - dt.timedelta(days=40))
        indicators_roll.roll_up(session)
    set_level(core, "react", entity=north)
    tab = rse_tab(running, boss, lang=lang, width=width)
    tab.goto(running.url("/rse/onboarding/wave"))
    tab.get_by_role("heading", name="pilote").wait_for()
    for name in ("", "tour", "wave", "tutorials/", "tutorials/onboarding.levels"):
        tab.goto(running.url("/rse/onboarding/" + name))
        picture(tab, f"onboarding-page-{name.replace('/', '-') or 'index'}-{lang}-{width}")
        assert axe_violations(tab) == [], name
        assert not overflows(tab), name
    tab = rse_tab(running, anna, lang=lang, width=width)
    for name in ("admin/", "admin/new", f"admin/{key.removeprefix('site.')}", f"tutorials/{key}"):
        tab.goto(running.url("/rse/onboarding/" + name))
        picture(tab, f"onboarding-{name.replace('/', '-')}-{lang}-{width}")
        assert axe_violations(tab) == [], name
        assert not overflows(tab), name
