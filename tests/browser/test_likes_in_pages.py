"""Reactions under the pages of an intranet, in a real browser: by mouse, by keyboard, with and without JavaScript."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import rse_comments
import rse_likes
from rse_comments import service as comments
from rse_core.api import Actor, ObjectRef
from rse_core.testing.browser import LANGUAGES, WIDTHS, PlainIntranet, overflows
from rse_core.testing.organisation import make_person, set_level
from rse_likes import service

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATH = "/news/1"
PAGE = ObjectRef("page", PATH)
REACT = "/rse/likes/react"
LIKE = {"fr": "J’aime", "en": "Like"}
ONE = {"fr": "J’aime, 1 personne", "en": "Like, 1 person"}
WHO = {"fr": "Qui a réagi", "en": "Who reacted"}

HOSTILE = """<style>
* { box-sizing: content-box !important; list-style: square inside !important; cursor: none !important }
div, span, p, form, fieldset, legend, button, a, ul, li, svg, rse-slot { display: none !important;
    position: absolute !important; left: -9999px !important; float: right !important; opacity: 0 !important;
    visibility: hidden !important; transform: scale(0) !important; color: #fff !important; background: #fff !important;
    font: 90px/3 fantasy !important; text-transform: uppercase !important; letter-spacing: 1em !important;
    width: 9000px !important; margin: -500px !important; pointer-events: none !important }
</style>"""


@pytest.fixture
def fragments():
    """Whether the server fills the slots too."""
    return False


@pytest.fixture
def site(rse_site, fragments):
    made = rse_site([rse_likes.plugin], fragments=fragments)
    set_level(made.core, "react")
    return made


@pytest.fixture
def anna(site):
    return make_person(site.core, "anna", name="Anna Sérès")


def counts(site, ref=PAGE):
    with site.core.db.read() as session:
        return service.counts(session, [ref]).get(ref, {})


def react_as(site, person, kind="like", ref=PAGE):
    with site.core.db.write() as session:
        service.react(session, person.id, ref, kind)


def like(tab, lang="fr"):
    """The button, once the page has it."""
    return tab.get_by_role("button", name=LIKE[lang])


def keep_picture(tab, name):
    """Into the folder that ``RSE_PICTURES`` names, for somebody to look at."""
    folder = os.environ.get("RSE_PICTURES")
    if folder:
        tab.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_click_reacts_and_another_takes_it_back(site, anna, rse_tab, axe_violations, width, lang):
    react_as(site, make_person(site.core), "useful")
    tab = rse_tab(site, anna, width=width, lang=lang)
    tab.goto(site.url(PATH))
    like(tab, lang).click()
    tab.get_by_role("button", name=ONE[lang], exact=True, pressed=True).wait_for()
    assert counts(site) == {"like": 1, "useful": 1}
    assert not overflows(tab)
    assert axe_violations(tab) == []
    keep_picture(tab, f"likes-{lang}-{width}")
    like(tab, lang).click()
    tab.get_by_role("button", name=LIKE[lang], exact=True, pressed=False).wait_for()
    assert counts(site) == {"useful": 1}


def test_by_keyboard_alone_and_the_focus_stays_where_it_was(site, anna, rse_tab):
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    like(tab).wait_for()
    tab.keyboard.press("Tab")
    focused = "() => document.activeElement.shadowRoot.activeElement.value"
    assert tab.evaluate(focused) == "react:like"
    ring = "() => getComputedStyle(document.activeElement.shadowRoot.activeElement).outlineStyle"
    assert tab.evaluate(ring) == "solid"
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    tab.get_by_role("button", name="Utile, 1 personne", pressed=True).wait_for()
    assert tab.evaluate(focused) == "withdraw:useful"
    tab.get_by_role("status").filter(has_text="Votre réaction est ajoutée.").wait_for(state="attached")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Bravo, 1 personne", pressed=True).wait_for()
    assert counts(site) == {"bravo": 1}


def test_a_double_click_reacts_once_however_fast_the_answer_is(site, anna, rse_tab):
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    box = like(tab).bounding_box()
    tab.mouse.move(box["x"] + 20, box["y"] + 15)
    tab.mouse.down()
    tab.mouse.up()
    # The second click of a slow hand comes when the answer already stands there.
    tab.get_by_role("button", pressed=True).wait_for()
    tab.mouse.down(click_count=2)
    tab.mouse.up(click_count=2)
    tab.wait_for_timeout(500)
    assert site.asked("POST", REACT) == 1
    assert counts(site) == {"like": 1}
    tab.get_by_role("button", name="Bravo").dblclick()
    tab.get_by_role("button", name="Bravo, 1 personne", pressed=True).wait_for()
    tab.wait_for_timeout(300)
    assert site.asked("POST", REACT) == 2
    assert counts(site) == {"bravo": 1}


@pytest.mark.parametrize("fragments", [True])
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_without_javascript_a_reaction_goes_and_comes_back_to_the_page(site, anna, rse_tab, width, lang):
    tab = rse_tab(site, anna, width=width, lang=lang, js=False)
    tab.goto(site.url(PATH))
    like(tab, lang).click()
    tab.get_by_role("button", name=ONE[lang], exact=True, pressed=True).wait_for()
    assert tab.url.startswith(site.url(PATH) + "#rse-reactions-")
    assert tab.get_by_role("status").inner_text() == {
        "fr": "Votre réaction est ajoutée.", "en": "Your reaction was added.",
    }[lang]  # fmt: skip
    assert counts(site) == {"like": 1}
    keep_picture(tab, f"likes-nojs-{lang}-{width}")
    like(tab, lang).focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name=LIKE[lang], exact=True, pressed=False).wait_for()
    assert counts(site) == {}


@pytest.mark.parametrize("fragments", [True])
def test_what_the_server_placed_is_accessible_too(site, anna, rse_tab, axe_violations):
    react_as(site, make_person(site.core))
    tab = rse_tab(site, anna, width=320, script=False)
    tab.goto(site.url(PATH))
    like(tab).wait_for()
    assert not overflows(tab)
    assert axe_violations(tab) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_who_reacted_and_my_reactions_are_pages_that_everybody_can_use(site, anna, rse_tab, axe_violations, width):
    with site.core.db.write() as session:
        title = "Un titre d’une longueur que personne n’a voulue pour une page de l’intranet"
        site.core.pages.identify(session, page_claim(title), create=True)
    react_as(site, anna)
    for number in range(service.PAGE + 3):
        person = make_person(site.core, name=f"Maximilienne-Philippine de la Rochefoucauld {number}")
        react_as(site, person, "thanks" if number % 3 else "like")
    tab = rse_tab(site, anna, width=width)
    tab.goto(site.url(PATH))
    tab.get_by_role("link", name=WHO["fr"]).click()
    tab.get_by_role("heading", name=WHO["fr"], level=1).wait_for()
    assert tab.get_by_role("listitem").filter(has_text="Maximilienne").count() == service.PAGE
    assert not overflows(tab)
    assert axe_violations(tab) == []
    keep_picture(tab, f"likes-who-{width}")
    tab.get_by_role("link", name="Afficher la suite").click()
    tab.get_by_text("Anna Sérès").last.wait_for()
    tab.get_by_role("link", name="Merci").click()
    tab.get_by_role("link", name="Merci").and_(tab.locator("[aria-current]")).wait_for()
    tab.goto(site.url("/rse/likes/mine"))
    tab.get_by_role("link", name=title).wait_for()
    assert not overflows(tab)
    assert axe_violations(tab) == []
    keep_picture(tab, f"likes-mine-{width}")


def page_claim(title):
    from rse_core.pages import PageClaim

    return PageClaim(PATH, title=title, trusted=True)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_whose_styles_are_hostile_does_not_reach_the_bar(rse_site, rse_tab, width):
    site = rse_site([rse_likes.plugin], intranet=PlainIntranet(head=HOSTILE))
    set_level(site.core, "react")
    for kind in ("like", "useful", "bravo", "thanks"):
        react_as(site, make_person(site.core), kind)
    tab = rse_tab(site, make_person(site.core), width=width)
    tab.goto(site.url(PATH))
    button = tab.get_by_role("button", name=ONE["fr"], exact=True)
    button.wait_for()
    keep_picture(tab, f"likes-hostile-{width}")
    look = button.evaluate(
        "e => { const s = getComputedStyle(e); return [s.position, s.float, s.textTransform, s.opacity, s.visibility] }"
    )
    assert look == ["static", "none", "none", "1", "visible"]
    boxes = [tab.get_by_role("button").nth(n).bounding_box() for n in range(4)]
    for box in boxes:
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert 30 <= box["height"] <= 80
    button.click()
    tab.get_by_role("button", name="J’aime, 2 personnes", pressed=True).wait_for()


def test_below_react_there_is_nothing_and_no_hole(site, anna, rse_tab):
    set_level(site.core, "inform")
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    tab.wait_for_load_state("networkidle")
    assert tab.locator("rse-slot").count() == 0
    assert tab.get_by_role("button").count() == 0


def test_a_refusal_is_said_beside_the_buttons_in_the_readers_language(site, anna, rse_tab, axe_violations):
    tab = rse_tab(site, anna, width=320)
    tab.goto(site.url(PATH))
    like(tab).wait_for()
    set_level(site.core, "inform")
    like(tab).click()
    tab.get_by_role("alert").wait_for()
    assert "ne vous est pas ouvert" in tab.get_by_role("alert").inner_text()
    assert counts(site) == {}
    assert not overflows(tab)
    assert axe_violations(tab) == []
    keep_picture(tab, "likes-refused-320")


def test_the_charter_is_asked_for_and_leads_back_to_the_page(site, anna, rse_tab, axe_violations):
    from rse_core import charter

    with site.core.db.write() as session:
        charter.publish(session, title="Bon usage", body="Restons aimables.", actor=Actor("cli"))
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    link = tab.get_by_role("link", name="Lire et accepter la charte")
    link.wait_for()
    assert axe_violations(tab) == []
    keep_picture(tab, "likes-charter-1280")
    link.click()
    tab.get_by_role("button", name="J’accepte").or_(tab.get_by_role("button", name="Accepter")).click()
    tab.wait_for_url(site.url(PATH))
    like(tab).click()
    tab.get_by_role("button", name=ONE["fr"], pressed=True).wait_for()


def test_dark_pages_and_forced_colours_keep_the_bar_legible(rse_site, rse_tab, axe_violations):
    head = "<style>:root { color-scheme: dark } body { background: #14181d !important; color: #e8e8e8 !important }</style>"
    site = rse_site([rse_likes.plugin], intranet=PlainIntranet(head=head))
    set_level(site.core, "react")
    anna = make_person(site.core)
    react_as(site, anna)
    tab = rse_tab(site, anna, color_scheme="dark")
    tab.goto(site.url(PATH))
    tab.get_by_role("button", name=ONE["fr"], pressed=True).wait_for()
    assert axe_violations(tab) == []
    keep_picture(tab, "likes-dark-1280")


@pytest.mark.parametrize("js", [True, False])
def test_reacting_to_a_comment_changes_that_comments_bar_alone(rse_site, rse_tab, js):
    site = rse_site([rse_likes.plugin, rse_comments.plugin], fragments=True)
    set_level(site.core, "comment")
    ben, anna = make_person(site.core, "ben"), make_person(site.core, "anna")
    with site.core.db.write() as session:
        first = comments.write(session, ben.id, PAGE, "Premier")
        comments.write(session, ben.id, PAGE, "Second")
    tab = rse_tab(site, anna, js=js)
    tab.goto(site.url(PATH))
    one = tab.get_by_role("article").filter(has_text="Premier").last
    one.wait_for()
    if js:
        tab.get_by_role("textbox").first.fill("À moitié écrit")
    one.get_by_role("button", name=LIKE["fr"]).click()
    one.get_by_role("button", name=ONE["fr"], exact=True, pressed=True).wait_for()
    assert tab.locator("button[name=act][aria-pressed=true]").count() == 1
    assert counts(site, ObjectRef("comments.comment", str(first.id))) == {"like": 1}
    assert counts(site) == {}
    if js:
        assert tab.get_by_role("textbox").first.input_value() == "À moitié écrit"
        assert tab.evaluate("() => [...document.querySelectorAll('rse-slot')].some(s => s.shadowRoot.activeElement)")
    keep_picture(tab, f"likes-on-comment-{'js' if js else 'nojs'}")
