"""Comments under the pages of an intranet, in a real browser: by mouse, by keyboard, with and without JavaScript."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import rse_comments
import rse_likes
from rse_comments import service
from rse_comments.models import Comment
from rse_core import roles
from rse_core.api import Actor, ObjectRef
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import make_person, set_level

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATH = "/news/1"
PAGE = ObjectRef("page", PATH)
WORDS = {
    "fr": {
        "yours": "Votre commentaire", "send": "Commenter", "answer": "Répondre", "edit": "Modifier", "save": "Enregistrer",
        "delete": "Supprimer", "one": "1 commentaire", "two": "2 commentaires", "answering": "Votre réponse à Anna Sérès",
        "editing": "Modifier votre commentaire", "answer_to": "Répondre à Anna Sérès", "more": "1 nouveau commentaire",
        "saved": "Votre commentaire est enregistré.", "delete_of": "Supprimer le commentaire de Anna Sérès",
    },
    "en": {
        "yours": "Your comment", "send": "Comment", "answer": "Answer", "edit": "Edit", "save": "Save", "delete": "Delete",
        "one": "1 comment", "two": "2 comments", "answering": "Your answer to Anna Sérès",
        "editing": "Edit your comment", "answer_to": "Answer Anna Sérès", "more": "1 new comment",
        "saved": "Your comment was saved.", "delete_of": "Delete the comment of Anna Sérès",
    },
}  # fmt: skip


@pytest.fixture
def site(rse_site):
    made = rse_site([rse_likes.plugin, rse_comments.plugin], fragments=True)
    set_level(made.core, "comment")
    return made


@pytest.fixture
def anna(site):
    return make_person(site.core, "anna", name="Anna Sérès")


@pytest.fixture
def ben(site):
    return make_person(site.core, "ben", name="Benoît Œuvrard")


def write(site, person, body, **values):
    with site.core.db.write() as session:
        return service.write(session, person.id, PAGE, body, **values)


def rows(site):
    with site.core.db.read() as session:
        return [(row.body, row.state) for row in session.query(Comment).order_by(Comment.id)]


def heading(tab, text):
    return tab.get_by_role("heading", name=text, exact=True)


def holds(tab, area, text):
    """Wait until the field has this value: the script restores it a moment after the page has loaded."""
    for _ in range(100):
        if area.input_value() == text:
            return
        tab.wait_for_timeout(100)
    assert area.input_value() == text


def keep_picture(tab, name):
    """Into the folder that ``RSE_PICTURES`` names, for somebody to look at."""
    folder = os.environ.get("RSE_PICTURES")
    if folder:
        tab.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_write_answer_edit_and_delete_by_mouse(site, anna, rse_tab, axe_violations, width, lang):
    words = WORDS[lang]
    tab = rse_tab(site, anna, width=width, lang=lang)
    tab.goto(site.url(PATH))
    tab.get_by_label(words["yours"]).fill("Which **day**?")
    assert axe_violations(tab) == []
    tab.get_by_role("button", name=words["send"], exact=True).click()
    heading(tab, words["one"]).wait_for()
    assert tab.get_by_label(words["yours"]).input_value() == ""
    tab.locator("rse-slot[name=comments] [role=status]").filter(has_text=words["saved"]).wait_for(state="attached")
    tab.get_by_role("link", name=words["answer_to"]).click()
    tab.get_by_label(words["answering"]).fill("Tuesday")
    assert axe_violations(tab) == []
    tab.get_by_role("button", name=words["answer"], exact=True).click()
    heading(tab, words["two"]).wait_for()
    # The form has closed, and the one for a new comment is back.
    assert tab.get_by_label(words["answering"]).count() == 0
    tab.get_by_label(words["yours"]).wait_for()
    tab.get_by_role("link", name=words["edit"], exact=True).last.click()
    tab.get_by_label(words["editing"]).fill("Wednesday")
    tab.get_by_role("button", name=words["save"]).click()
    tab.get_by_text("Wednesday").wait_for()
    assert not overflows(tab)
    assert axe_violations(tab) == []
    keep_picture(tab, f"comments-{lang}-{width}")
    tab.get_by_role("link", name=words["delete_of"]).first.click()
    tab.get_by_role("button", name=words["delete"], exact=True).click()
    heading(tab, words["one"]).wait_for()
    assert rows(site) == [("Which **day**?", "deleted"), ("Wednesday", "published")]
    assert axe_violations(tab) == []


def test_everything_by_keyboard_with_the_focus_where_one_works(site, anna, rse_tab):
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    tab.get_by_label("Votre commentaire").wait_for()
    focused = (
        "() => { const e = document.activeElement.shadowRoot.activeElement; return e && (e.name || e.textContent.trim()); }"
    )
    for _ in range(12):
        tab.keyboard.press("Tab")
        if tab.evaluate("() => !!document.activeElement.shadowRoot") and tab.evaluate(focused) == "body":
            break
    tab.keyboard.type("By keyboard")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    heading(tab, "1 commentaire").wait_for()
    tab.get_by_role("link", name="Modifier", exact=True).focus()
    tab.keyboard.press("Enter")
    tab.get_by_label("Modifier votre commentaire").wait_for()
    assert tab.evaluate(focused) == "body"
    tab.keyboard.press("End")
    tab.keyboard.type(" alone")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.get_by_text("By keyboard alone").wait_for()
    assert rows(site) == [("By keyboard alone", "published")]
    tab.get_by_role("link", name="Supprimer le commentaire de Anna Sérès").focus()
    tab.keyboard.press("Enter")
    tab.get_by_label("Motif").wait_for()
    assert tab.evaluate(focused) == "reason"
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.get_by_text("Pas encore de commentaire.").wait_for()
    assert rows(site)[0][1] == "deleted"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_without_javascript_all_of_it_works_too(site, anna, rse_tab, width, lang):
    words = WORDS[lang]
    tab = rse_tab(site, anna, width=width, lang=lang, js=False)
    tab.goto(site.url(PATH))
    tab.get_by_label(words["yours"]).fill("Which day?")
    tab.get_by_role("button", name=words["send"], exact=True).click()
    heading(tab, words["one"]).wait_for()
    assert tab.url.startswith(site.url(PATH))
    tab.get_by_role("link", name=words["answer_to"]).click()
    tab.get_by_label(words["answering"]).fill("Tuesday")
    tab.get_by_role("button", name=words["answer"], exact=True).click()
    heading(tab, words["two"]).wait_for()
    assert tab.get_by_label(words["answering"]).count() == 0
    tab.get_by_role("link", name=words["edit"], exact=True).last.click()
    tab.get_by_label(words["editing"]).fill("Wednesday")
    tab.get_by_role("button", name=words["save"]).click()
    tab.get_by_text("Wednesday").wait_for()
    assert not overflows(tab)
    keep_picture(tab, f"comments-nojs-{lang}-{width}")
    tab.get_by_role("link", name=words["delete_of"]).first.click()
    tab.get_by_role("button", name=words["delete"], exact=True).click()
    heading(tab, words["one"]).wait_for()
    assert rows(site) == [("Which day?", "deleted"), ("Wednesday", "published")]


def test_our_own_page_of_a_thread_is_accessible(site, anna, ben, rse_tab, axe_violations):
    top = write(site, ben, "Top")
    write(site, anna, "Reply @ben", parent_id=top.id)
    with site.core.db.write() as session:
        roles.grant(session, anna.id, "moderator", actor=Actor("cli"))
    for width in WIDTHS:
        tab = rse_tab(site, anna, width=width)
        tab.goto(site.url(f"/rse/comments/thread?ref=page:{PATH}&slot.comments.reply={top.id}"))
        tab.get_by_text("Ouvrir et fermer ces commentaires").click()
        assert axe_violations(tab) == []
        assert not overflows(tab)
        keep_picture(tab, f"comments-thread-{width}")


def test_a_double_click_writes_once(site, anna, rse_tab):
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    tab.get_by_label("Votre commentaire").fill("Once")
    tab.get_by_role("button", name="Commenter", exact=True).dblclick()
    heading(tab, "1 commentaire").wait_for()
    tab.wait_for_timeout(300)
    assert rows(site) == [("Once", "published")]


def test_what_was_typed_survives_a_reload_and_a_refusal(site, anna, rse_tab):
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    area = tab.get_by_label("Votre commentaire")
    area.fill("A long thought")
    tab.reload()
    holds(tab, area, "A long thought")
    set_level(site.core, "react")
    tab.get_by_role("button", name="Commenter", exact=True).click()
    tab.get_by_role("alert").wait_for()
    assert area.input_value() == "A long thought"
    assert rows(site) == []


def test_what_was_typed_before_the_script_came_is_kept_with_the_place_of_the_cursor(site, anna, rse_tab):
    held = []
    tab = rse_tab(site, anna)
    tab.route("**/embed/slots*", lambda route: held.append(route))
    tab.goto(site.url(PATH))
    area = tab.get_by_label("Votre commentaire")
    area.click()
    tab.keyboard.type("Early bird")
    while not held:
        tab.wait_for_timeout(50)
    held[0].continue_()
    # The list of names comes with the script's own markup.
    tab.locator("[role=listbox]").wait_for(state="attached")
    holds(tab, area, "Early bird")
    tab.keyboard.type("s")
    assert area.input_value() == "Early birds"


def test_names_are_offered_and_taken_with_the_keyboard(site, anna, ben, rse_tab, axe_violations):
    make_person(site.core, "bertha", name="Bertha Klein")
    make_person(site.core, "berta0", name="Berta Quiet", level=0)
    tab = rse_tab(site, anna, lang="en", width=320)
    tab.goto(site.url(PATH))
    area = tab.get_by_label("Your comment")
    area.click()
    tab.keyboard.type("Ask @be", delay=30)
    listed = tab.get_by_role("option")
    listed.first.wait_for()
    assert [text.split("@")[0].strip() for text in listed.all_inner_texts()] == ["Benoît Œuvrard", "Bertha Klein"]
    assert axe_violations(tab) == []
    assert not overflows(tab)
    keep_picture(tab, "comments-mention-320")
    tab.keyboard.press("ArrowDown")
    tab.get_by_role("option", selected=True, name="Bertha Klein").wait_for()
    tab.keyboard.press("Escape")
    tab.get_by_role("option").first.wait_for(state="hidden")
    tab.keyboard.type("n", delay=30)
    listed.first.wait_for()
    tab.keyboard.press("Enter")
    assert area.input_value() == "Ask @ben "
    tab.keyboard.type("please")
    tab.get_by_role("button", name="Comment", exact=True).click()
    tab.locator(".rse-mention").wait_for()
    assert tab.locator(".rse-mention").inner_text() == "@Benoît Œuvrard"


def test_the_link_of_a_comment_opens_the_page_at_it(site, anna, ben, rse_tab):
    first = write(site, ben, "The first of all")
    for number in range(11):
        write(site, ben, f"n° {number}")
    for number in range(12):
        write(site, anna, f"m° {number}")
    tab = rse_tab(site, anna)
    tab.goto(site.url(f"/rse/comments/{first.id}"))
    place = tab.locator(f"#rse-comment-{first.id}")
    place.wait_for()
    assert "The first of all" in place.inner_text()
    assert tab.url.endswith(f"{PATH}#rse-comment-{first.id}")
    tab.wait_for_function("id => document.activeElement.shadowRoot?.activeElement?.id === id", arg=f"rse-comment-{first.id}")


def test_more_comments_come_below_and_a_reaction_among_them_moves_nothing(site, anna, ben, rse_tab):
    for number in range(12):
        write(site, ben, f"n° {number}")
    clara = make_person(site.core, "clara")
    for number in range(12):
        write(site, clara, f"m° {number}")
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    tab.get_by_role("link", name="Afficher plus de commentaires").click()
    tab.get_by_text("n° 0", exact=True).wait_for()
    assert tab.locator("article.rse-comment").count() == 24
    last = tab.locator("article.rse-comment").last
    last.get_by_role("button", name="J’aime").click()
    last.get_by_role("button", name="J’aime, 1 personne", pressed=True).wait_for()
    assert tab.locator("article.rse-comment").count() == 24


def test_a_new_comment_is_announced_and_waits(site, anna, ben, rse_tab):
    write(site, ben, "First")
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    heading(tab, "1 commentaire").wait_for()
    write(site, ben, "Second")
    # What the clock does every half minute, for as long as somebody looks: one answer may come before the comment.
    tab.wait_for_function(
        "() => { document.dispatchEvent(new Event('visibilitychange'));"
        " const slot = document.querySelector('rse-slot[name=comments]');"
        " return (slot.shadowRoot || slot).querySelector('.rse-stale') !== null; }",
        polling=1_000,
    )
    bar = tab.get_by_role("button", name="1 nouveau commentaire")
    bar.wait_for()
    assert tab.get_by_text("Second", exact=True).count() == 0
    bar.click()
    tab.get_by_text("Second", exact=True).wait_for()


def test_the_order_is_chosen_and_kept_for_the_next_page(site, anna, ben, rse_tab):
    for body in ("one", "two"):
        write(site, ben, body)
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    tab.get_by_role("button", name="Les plus anciens").click()
    tab.get_by_role("button", name="Les plus anciens", pressed=True).wait_for()
    assert tab.locator(".rse-comment__body").all_inner_texts() == ["one", "two"]
    tab.reload()
    tab.get_by_role("button", name="Les plus anciens", pressed=True).wait_for()


def test_below_comment_the_page_has_no_thread(site, anna, ben, rse_tab):
    write(site, ben, "Hello")
    set_level(site.core, "react")
    tab = rse_tab(site, anna)
    tab.goto(site.url(PATH))
    tab.get_by_role("button", name="J’aime").wait_for()
    assert tab.locator("rse-slot[name=comments]").count() == 0
    assert tab.get_by_text("Hello").count() == 0
