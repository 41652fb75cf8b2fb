"""What every page of ours does, in a real browser: drafts, names after "@", lists that go on, news, shortcuts, the folded
menu; in our own frame and inside the look of an intranet.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Blueprint, jsonify, redirect, render_template_string, request

import rse_comments
from rse_core import audiences, mentions
from rse_core.api import Manifest, NavItem, Plugin, hookimpl
from rse_core.testing.browser import LANGUAGES, WIDTHS, PlainIntranet, overflows
from rse_core.testing.organisation import make_person, set_level
from rse_core.webapi import hidden_fields, require_person, session_read

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESK = "/rse/desk/"
PER_PAGE = 5
WORDS = {
    "fr": {"keys": "Raccourcis clavier", "close": "Fermer", "discard": "L’abandonner",
           "kept": "Votre brouillon a été rétabli.", "letters": "Utiliser les raccourcis d’une lettre sur cet appareil"},
    "en": {"keys": "Keyboard shortcuts", "close": "Close", "discard": "Discard it", "kept": "Your draft was restored.",
           "letters": "Use shortcuts of one letter on this device"},
}  # fmt: skip
PAGE = """{% extends "rse/base.html" %}
{% from "rse/_compose.html" import textarea %}
{% block title %}Desk{% endblock %}
{% block content %}
<h1>Desk</h1>
<div data-rse-new="{{ url_for('rse_desk.news') }}"></div>
<form method="post" action="{{ url_for('rse_desk.write') }}">{{ hidden_fields(once=True) }}
{% set names = url_for("rse_desk.names") %}
{{ textarea("body", typed, "Text", mentions_url=names, draft_key="desk:new", error=error, help="Help.") }}
<button class="rse-button rse-primary" data-rse-key="n">Save</button></form>
<form method="post" action="{{ url_for('rse_desk.quick') }}" data-rse-inline>{{ hidden_fields(once=True) }}
{{ textarea("word", "", "Quick", draft_key="desk:quick", rows=1) }}
<button class="rse-button">Add</button></form>
<details class="rse-menu"><summary class="rse-button">More</summary><ul><li><a href="#top">Top</a></li></ul></details>
<div data-rse-part="desk words:1"><p>{{ words|join(", ") or "none" }}</p></div>
<h2>Notes</h2>
<ul class="rse-list" id="desk-list" data-rse-list>
{% for note in notes %}<li id="note-{{ note }}"><article aria-labelledby="t{{ note }}">
<h3 id="t{{ note }}">Note {{ note }}</h3><p>Text.</p></article></li>{% endfor %}</ul>
{% if more %}
<p><a class="rse-button" data-rse-more="desk-list" href="{{ url_for('rse_desk.page', after=more) }}">More notes</a></p>
{% endif %}
{% endblock %}"""
FAR = '{% extends "rse/base.html" %}{% block title %}Far{% endblock %}{% block content %}<h1>Far</h1>{% endblock %}'


class Desk(Plugin):
    """One page with everything that the pages' scripts do."""

    manifest = Manifest("desk", "Desk")

    def __init__(self):
        self.notes, self.words, self.written, self.fresh = list(range(12, 0, -1)), [], [], 0

    @hookimpl
    def rse_nav_items(self):
        return [
            NavItem("rse_desk.page", "Desk", icon="pencil"),
            NavItem("rse_desk.far", "Far away and a long name", icon="users"),
        ]

    @hookimpl
    def rse_blueprints(self):
        pages = Blueprint("rse_desk", __name__, url_prefix="/desk")

        def shown(typed="", error=None, status=200):
            after = request.args.get("after", type=int)
            rest = [note for note in self.notes if after is None or note < after]
            more = rest[PER_PAGE - 1] if len(rest) > PER_PAGE else None
            values = {"notes": rest[:PER_PAGE], "more": more, "typed": typed, "error": error, "words": self.words}
            return render_template_string(PAGE, hidden_fields=hidden_fields, **values), status

        @pages.get("/")
        def page():
            require_person()
            return shown()

        @pages.get("/far")
        def far():
            return render_template_string(FAR)

        @pages.get("/news")
        def news():
            answer = jsonify(count=self.fresh, label=f"{self.fresh} new notes")
            answer.add_etag()
            return answer.make_conditional(request)

        @pages.get("/names")
        def names():
            person = require_person()
            with session_read() as session:
                cards = mentions.suggest(
                    session, audiences.everyone(session), request.args.get("q", ""), viewer_id=person.id,
                    may=lambda other: other != person.id,
                )  # fmt: skip
            return jsonify(
                [{"username": one.username, "name": one.display_name, "entity": one.entity_name} for one in cards]
            )

        @pages.post("/")
        def write():
            require_person()
            body = request.form["body"]
            if body.startswith("bad"):
                return shown(body, "This is too bad.", 422)
            self.written.append(body)
            return redirect(".", 303)

        @pages.post("/quick")
        def quick():
            require_person()
            word = request.form["word"]
            if not word:
                return jsonify(detail="Write a word.", errors={"word": ["It is empty."]}), 422
            self.words.append(word)
            return jsonify(
                parts={"desk words:1": f'<div data-rse-part="desk words:1"><p>{word}</p></div>'}, announce="Added."
            )

        return [pages]


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def site(rse_site, desk):
    made = rse_site([desk, rse_comments.plugin], site_name="Réseau")
    set_level(made.core, "comment")
    return made


@pytest.fixture
def anna(site):
    make_person(site.core, "ben", name="Benoît Œuvrard")
    make_person(site.core, "bert", name="Bertille Ny")
    return make_person(site.core, "anna", name="Anna Sérès")


def picture(tab, name):
    """Kept for whoever wants to look: RSE_PICTURES names the folder."""
    folder = os.environ.get("RSE_PICTURES")
    if folder:
        tab.screenshot(path=str(Path(folder) / f"own-{name}.png"), full_page=True)


def holds(tab, label, text):
    """Wait until the field has this value: the script restores it a moment after the page has loaded."""
    tab.wait_for_function(
        "([name, text]) => document.querySelector(`[name=${name}]`).value === text",
        arg=["body" if label == "Text" else "word", text],
    )


def focused(tab, script="e => e.textContent.trim()"):
    return tab.evaluate(f"() => ({script})(document.activeElement)")


def kept(tab):
    return tab.evaluate(
        "() => [localStorage, sessionStorage].flatMap(s => Object.keys(s)).filter(k => /draft/.test(k)).length"
    )


# -- drafts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_draft_comes_back_is_said_to_and_can_be_discarded(site, anna, rse_tab, axe_violations, lang):
    tab = rse_tab(site, anna, lang=lang, width=320)
    tab.goto(site.url(DESK))
    tab.get_by_label("Text").fill("Half a thought")
    tab.goto(site.url("/rse/desk/far"))
    tab.goto(site.url(DESK))
    holds(tab, "Text", "Half a thought")
    line = tab.locator(".rse-restored")
    assert line.inner_text() == f"{WORDS[lang]['kept']} {WORDS[lang]['discard']}"
    assert axe_violations(tab) == []
    picture(tab, f"draft-{lang}")
    tab.get_by_role("button", name=WORDS[lang]["discard"]).focus()
    tab.keyboard.press("Enter")
    line.wait_for(state="detached")
    assert tab.get_by_label("Text").input_value() == ""
    assert focused(tab, "e => e.name") == "body"
    assert kept(tab) == 0
    tab.goto(site.url("/rse/desk/far"))
    tab.goto(site.url(DESK))
    tab.wait_for_function("() => window.rseOwn")
    assert tab.get_by_label("Text").input_value() == ""


def test_a_draft_goes_once_it_was_taken_and_stays_when_it_was_refused(site, desk, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(DESK))
    tab.get_by_label("Text").fill("bad words")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_text("This is too bad.").wait_for()
    field = tab.get_by_label("Text")
    assert field.input_value() == "bad words"
    assert field.get_attribute("aria-invalid") == "true"
    tab.goto(site.url(DESK))
    holds(tab, "Text", "bad words")
    tab.get_by_label("Text").fill("good words")
    tab.get_by_role("button", name="Save").click()
    tab.wait_for_function(
        "() => !document.querySelector('.rse-restored') && document.querySelector('[name=body]').value === ''"
    )
    assert desk.written == ["good words"]
    tab.wait_for_function("() => ![localStorage, sessionStorage].some(s => Object.keys(s).some(k => /draft/.test(k)))")


def test_another_tab_gets_the_draft_and_another_person_does_not(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(DESK))
    tab.get_by_label("Text").fill("Mine")
    tab.wait_for_function("() => Object.keys(localStorage).some(k => /draft/.test(k))")
    other = tab.context.new_page()
    other.goto(site.url(DESK))
    holds(other, "Text", "Mine")
    tab.context.add_cookies([{"name": "rse_kit_person", "value": "ben", "url": site.origin}])
    third = tab.context.new_page()
    third.goto(site.url(DESK))
    third.wait_for_function("() => window.rseOwn")
    assert third.get_by_label("Text").input_value() == ""


# -- forms that are sent in place ------------------------------------------------------------------------------------------


def test_a_form_is_sent_in_place_its_part_made_anew_and_heard(site, desk, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(DESK))
    tab.get_by_role("button", name="Add").click()
    tab.get_by_role("alert").get_by_text("Write a word.").wait_for()
    field = tab.get_by_label("Quick")
    assert field.get_attribute("aria-invalid") == "true"
    assert (
        tab.evaluate("e => document.getElementById(e).textContent", field.get_attribute("aria-describedby"))
        == "It is empty."
    )
    field.fill("first")
    tab.get_by_role("button", name="Add").dblclick()
    tab.locator("[data-rse-part] p", has_text="first").wait_for()
    tab.wait_for_function("() => document.getElementById('rse-live').textContent === 'Added.'")
    assert desk.words == ["first"], "a double click sends once"
    assert field.input_value() == ""
    assert field.get_attribute("aria-invalid") is None
    assert tab.get_by_role("alert").count() == 0
    assert kept(tab) == 0
    tab.route("**/desk/quick", lambda route: route.abort())
    field.fill("second")
    tab.get_by_role("button", name="Add").click()
    tab.get_by_role("alert").get_by_text("The service does not answer.").wait_for()
    assert field.input_value() == "second"


# -- names after "@" -----------------------------------------------------------------------------------------------------


def test_names_are_offered_on_our_own_page(site, anna, rse_tab, axe_violations):
    tab = rse_tab(site, anna, lang="en", width=320)
    tab.goto(site.url(DESK))
    field = tab.get_by_label("Text")
    field.click()
    tab.keyboard.type("Hello @be")
    listbox = tab.get_by_role("listbox", name="Colleagues")
    listbox.wait_for()
    assert listbox.get_by_role("option").all_inner_texts() == ["Benoît Œuvrard @ben", "Bertille Ny @bert"]
    assert axe_violations(tab) == []
    assert not overflows(tab)
    picture(tab, "names")
    tab.keyboard.press("ArrowDown")
    chosen = tab.locator("#" + field.get_attribute("aria-activedescendant"))
    assert chosen.inner_text() == "Bertille Ny @bert"
    tab.keyboard.press("Enter")
    assert field.input_value() == "Hello @bert "
    assert not listbox.is_visible()
    tab.keyboard.type("and @be")
    listbox.wait_for()
    tab.keyboard.press("Escape")
    listbox.wait_for(state="hidden")
    assert field.input_value() == "Hello @bert and @be"
    tab.keyboard.type("n")
    listbox.get_by_role("option").first.click()
    assert field.input_value() == "Hello @bert and @ben "


def test_names_are_still_offered_in_the_comments_of_the_intranets_pages(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url("/news/1"))
    field = tab.get_by_label("Your comment")
    field.click()
    tab.keyboard.type("@be")
    tab.get_by_role("option", name="Benoît Œuvrard").wait_for()
    tab.keyboard.press("Enter")
    assert field.input_value() == "@ben "


# -- lists -----------------------------------------------------------------------------------------------------------------


def test_a_list_goes_on_in_place_to_its_end(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(DESK))
    more = tab.get_by_role("link", name="More notes")
    more.focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function("() => document.querySelectorAll('#desk-list > li').length === 10")
    assert focused(tab, "e => e.getAttribute('aria-labelledby')") == "t7"
    tab.wait_for_function("() => document.getElementById('rse-live').textContent === '5 more shown.'")
    more.click()
    more.wait_for(state="detached")
    assert tab.locator("#desk-list h3").all_inner_texts() == [f"Note {number}" for number in range(12, 0, -1)]
    assert tab.url == site.url(DESK)


def test_a_list_that_cannot_go_on_in_place_is_a_page(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(DESK))
    tab.route(
        "**/desk/?after=8",
        lambda route: route.fulfill(status=500) if route.request.resource_type == "fetch" else route.continue_(),
    )
    tab.get_by_role("link", name="More notes").click()
    tab.wait_for_url("**/desk/?after=8")
    assert tab.locator("#desk-list h3").first.inner_text() == "Note 7"


def test_what_is_new_is_offered_and_moves_nothing(site, desk, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.clock.install()
    tab.goto(site.url(DESK))
    place = tab.get_by_label("Text").bounding_box()
    desk.fresh = 3
    tab.clock.fast_forward(31_000)
    bar = tab.get_by_role("link", name="3 new notes")
    bar.wait_for()
    assert tab.get_by_label("Text").bounding_box() == place
    picture(tab, "new")
    tab.clock.fast_forward(200)
    tab.wait_for_function("() => document.getElementById('rse-live').textContent === '3 new notes'")
    desk.notes.insert(0, 13)
    bar.click()
    tab.locator("#note-13").wait_for()


# -- the keyboard ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_shortcuts_are_listed_and_the_focus_comes_back(site, anna, rse_tab, axe_violations, lang, width):
    tab = rse_tab(site, anna, lang=lang, width=width)
    tab.goto(site.url(DESK))
    tab.locator("#desk-list a, .rse-foot [data-rse-keys]").last.focus()
    tab.keyboard.press("?")
    dialog = tab.get_by_role("dialog", name=WORDS[lang]["keys"])
    dialog.wait_for()
    keys = dialog.locator("dt").all_inner_texts()
    assert {"j", "k", "n", "?"} <= {key.strip() for key in keys}
    assert len([key for key in keys if key.startswith("g")]) == 2, "each place once"
    assert axe_violations(tab) == []
    assert not overflows(tab)
    picture(tab, f"keys-{lang}-{width}")
    tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert focused(tab) == WORDS[lang]["keys"]
    tab.keyboard.press("Enter")
    dialog.wait_for()
    dialog.get_by_role("button", name=WORDS[lang]["close"]).click()
    dialog.wait_for(state="hidden")
    assert focused(tab) == WORDS[lang]["keys"]


def test_shortcuts_walk_through_the_page_and_can_be_switched_off(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(DESK))
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    assert focused(tab, "e => e.getAttribute('aria-labelledby')") == "t11"
    tab.keyboard.press("k")
    assert focused(tab, "e => e.getAttribute('aria-labelledby')") == "t12"
    tab.get_by_label("Text").focus()
    tab.keyboard.type("j?g")
    assert tab.get_by_label("Text").input_value() == "j?g", "where one writes, letters are letters"
    assert tab.get_by_role("dialog").count() == 0
    tab.locator("h1").click()
    tab.keyboard.press("g")
    letter = tab.locator("[data-rse-go]", has_text="Far away").first.get_attribute("data-rse-go")
    tab.keyboard.press(letter)
    tab.wait_for_url("**/desk/far")
    tab.keyboard.press("?")
    tab.get_by_label(WORDS["en"]["letters"]).uncheck()
    tab.keyboard.press("Escape")
    tab.goto(site.url(DESK))
    tab.keyboard.press("j")
    assert focused(tab, "e => e.tagName") == "BODY"
    tab.keyboard.press("?")
    assert not tab.get_by_label(WORDS["en"]["letters"]).is_checked()


def test_escape_closes_what_was_opened_last_and_gives_the_focus_back(site, anna, rse_tab):
    tab = rse_tab(site, anna, lang="en", width=320)
    tab.goto(site.url(DESK))
    summary = tab.locator("main details.rse-menu > summary")
    summary.focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("link", name="Top").focus()
    tab.keyboard.press("Escape")
    assert not tab.get_by_role("link", name="Top").is_visible()
    assert focused(tab) == "More"
    summary.click()
    tab.locator("h1").click()
    assert not tab.get_by_role("link", name="Top").is_visible(), "a menu closes when one turns to something else"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_menu_is_folded_when_narrow(site, anna, rse_tab, axe_violations, lang):
    tab = rse_tab(site, anna, lang=lang, width=320)
    tab.goto(site.url(DESK))
    link = tab.get_by_role("link", name="Far away and a long name")
    assert link.count() == 0
    assert not overflows(tab)
    assert axe_violations(tab) == []
    picture(tab, f"folded-{lang}")
    tab.get_by_role("navigation").locator("summary").focus()
    tab.keyboard.press("Enter")
    link.wait_for()
    assert not overflows(tab)
    assert axe_violations(tab) == []
    box = link.bounding_box()
    assert box["height"] >= 44
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 320
    picture(tab, f"unfolded-{lang}")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/desk/far")
    tab.set_viewport_size({"width": 1280, "height": 800})
    assert tab.get_by_role("link", name="Far away and a long name").count() == 1


# -- the intranet's look ---------------------------------------------------------------------------------------------------


@pytest.fixture
def looked(rse_site, desk, tmp_path):
    """The example intranet, its look around our pages."""
    from rse_example_intranet.app import create_intranet

    intranet = create_intranet()
    file = tmp_path / "layout.html"
    file.write_text(intranet.test_client().get("/plan-du-site").text, encoding="utf-8")
    made = rse_site(
        [desk, rse_comments.plugin], intranet=intranet.wsgi_app, layout=str(file), layout_marker="main#contenu",
        sections={"host": {"fragments": False}, "theme": {"accent": "#9a3b1e", "radius": "0px"}}, site_name="Réseau",
    )  # fmt: skip
    set_level(made.core, "comment")
    make_person(made.core, "anna", name="Anna Sérès")
    return made


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_our_page_stands_inside_the_intranets_look(looked, rse_tab, axe_violations, lang, width):
    tab = rse_tab(looked, "anna", lang=lang, width=width)
    refused = []
    tab.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    tab.goto(looked.url(DESK))
    tab.get_by_role("heading", level=1, name="Desk").wait_for()
    tab.wait_for_function("() => window.rseOwn")
    assert tab.locator("main, [role=main]").count() == 1
    assert tab.get_by_role("heading", level=1).count() == 1
    assert tab.get_by_text("Mentions légales").is_visible(), "its footer"
    assert tab.evaluate("() => getComputedStyle(document.querySelector('.menu')).backgroundColor") == "rgb(31, 77, 63)"
    button = tab.get_by_role("button", name="Save")
    assert button.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(154, 59, 30)"
    assert not overflows(tab)
    assert refused == [], "nothing of ours or of the intranet's is barred by the policy"
    assert axe_violations(tab) == []
    picture(tab, f"look-{lang}-{width}")
    tab.keyboard.press("Tab")
    assert "contenu" in focused(tab)
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    inside = "e => Boolean(e.closest('main'))"
    assert focused(tab, inside), "the link leads past the intranet's menu"
    tab.goto(looked.url("/rse/nothing"))
    tab.get_by_role("heading", level=1).wait_for()
    assert axe_violations(tab) == []
    picture(tab, f"look-error-{lang}-{width}")


def test_in_a_dark_intranet_our_page_is_dark(rse_site, desk, rse_tab, axe_violations, tmp_path):
    file = tmp_path / "layout.html"
    style = "html { color-scheme: dark } body { background: #111; color: #eee } a { color: #9cf }"
    file.write_text(
        f"<!doctype html><html lang=en><head><style>{style}</style></head><body><header>Intranet</header>"
        "<!-- rse:content --></body></html>",
        encoding="utf-8",
    )
    site = rse_site([desk, rse_comments.plugin], layout=str(file))
    make_person(site.core, "anna")
    tab = rse_tab(site, "anna", lang="en")
    tab.goto(site.url(DESK))
    button = tab.get_by_role("button", name="Save")
    assert button.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(125, 185, 255)"
    assert tab.locator("main").count() == 1
    assert axe_violations(tab) == []
    picture(tab, "look-dark")


def test_the_scripts_work_inside_the_intranets_look(looked, desk, rse_tab):
    tab = rse_tab(looked, "anna", lang="en")
    tab.goto(looked.url(DESK))
    tab.keyboard.press("j")
    assert focused(tab, "e => e.getAttribute('aria-labelledby')") == "t12"
    tab.keyboard.press("?")
    tab.get_by_role("dialog").wait_for()
    picture(tab, "look-keys")
    tab.keyboard.press("Escape")
    tab.get_by_label("Quick").fill("word")
    tab.get_by_role("button", name="Add").click()
    tab.locator("[data-rse-part] p", has_text="word").wait_for()
    assert desk.words == ["word"]


@pytest.mark.parametrize("width", WIDTHS)
def test_our_pages_stand_in_the_intranets_own_menu(rse_site, desk, rse_tab, axe_violations, width):
    body = (
        '<nav aria-label="Portal"><a href="/news/2">News</a> <rse-slot name="navigation"></rse-slot></nav>'
        "<article><h1>N</h1><p>Text.</p></article>"
    )
    site = rse_site([desk, rse_comments.plugin], intranet=PlainIntranet(body=body), site_name="Réseau")
    set_level(site.core, "comment")
    anna = make_person(site.core, "anna")
    tab = rse_tab(site, anna, lang="fr", width=width)
    tab.goto(site.url("/news/1"))
    link = tab.get_by_role("navigation").get_by_role("link", name="Desk")
    link.wait_for()
    tab.get_by_label("Votre commentaire").wait_for()
    assert tab.locator("article rse-slot[name=comments], article ~ rse-slot[name=comments]").count() == 1
    assert axe_violations(tab) == []
    assert not overflows(tab)
    picture(tab, f"menu-{width}")
    link.click()
    tab.wait_for_url(f"**{DESK}")
