"""In a real browser: many cards at once, what a card refers to, what it said before, what happened, a large file.

Each page in two languages, narrow and wide, by keyboard.
"""

from __future__ import annotations

import re

import pytest

from rse_core.pages import PageClaim
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_kanban import columns, importing, links, versions
from rse_kanban.importing import later
from rse_kanban.models import Card

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = {
    "fr": {
        "select": "En choisir plusieurs", "more": "Autres actions", "assign": "Assigner", "archive": "Archiver",
        "none": "Choisissez au moins une carte.", "changed": "2 cartes ont été modifiées.", "back": "Annuler",
    },
    "en": {
        "select": "Choose several", "more": "More to do with them", "assign": "Assign", "archive": "Archive",
        "none": "Choose at least one card.", "changed": "2 cards were changed.", "back": "Take it back",
    },
}  # fmt: skip


@pytest.fixture
def todo(desk, board):
    return desk.columns(board)[0]


@pytest.fixture
def card(desk, anna, ben, todo):
    """A card with a history: two texts before, by two people."""
    made = desk.card(anna, todo, "Tailler la haie", body="En mars.\n\n- du nord au sud\n- puis arroser")
    desk.edit(ben, made, body="En avril.\n\n- du nord au sud\n- puis arroser")
    return desk.edit(anna, made, title="Tailler la grande haie", body="En avril.\n\n- du nord au sud", version=2)


def reach(tab, locator, key="Tab"):
    """Go to an element by keyboard alone."""
    for _step in range(80):
        if locator.evaluate("node => node === document.activeElement"):
            return
        tab.keyboard.press(key)
    raise AssertionError(f"{locator} is not reached by {key}")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_these_pages_are_clean_and_fit(site, desk, rse_tab, axe_violations, anna, board, todo, card, lang, width):
    with site.core.db.write() as session:
        site.core.pages.identify(session, PageClaim("/rh/haies", title="Guide des haies", trusted=True), create=True)
    other = desk.card(anna, todo, "mot" * 50)
    desk.call(links.link, anna.id, card.id, other.id, "blocked")
    desk.call(columns.keep_label, anna.id, board.id, "à voir", 4)
    lines = "\n".join(["title,owner", *(f"Carte {number},nobody-{number}" for number in range(4))])
    waiting = desk.call(later.keep, anna.id, board.id, importing.read(lines.encode())).id
    first = desk.ask(versions.of_card, anna.id, card.id).changes[0].row.id
    tab = rse_tab(site, anna, lang=lang, width=width)

    def clean(what):
        tab.get_by_role("heading", level=1).wait_for()
        assert axe_violations(tab) == [], what
        assert not overflows(tab), what

    for address in (
        f"boards/{board.id}/activity", f"cards/{card.id}/activity", f"cards/{card.id}/versions",
        f"cards/{card.id}/versions/{first}", f"cards/{other.id}/versions", f"boards/{board.id}/imports/{waiting}",
        f"cards/new?about=page:/rh/haies&board={board.id}", "cards/new?about=page:/rh/haies",
    ):  # fmt: skip
        tab.goto(site.url(f"/rse/kanban/{address}"))
        clean(address)
    while site.core.jobs.run_due():
        pass
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}/imports/{waiting}"))
    clean("an import that is over")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}?select=1"))
    tab.locator(".kb-acts summary").click()
    tab.locator("#kb-many-people").wait_for()
    clean("many at once, all of it open")
    with tab.expect_navigation():
        tab.locator("button[value=assign]").click()
    clean("many at once, refused")
    tab.goto(site.url(f"/rse/kanban/cards/{card.id}"))
    tab.locator("#links summary").first.click()
    tab.locator("#kb-other").fill("mot")
    tab.locator(".kb-offers [role=option]").first.wait_for()
    clean("what is offered")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_many_cards_are_changed_by_keyboard_and_a_refusal_loses_nothing(site, desk, rse_tab, anna, ben, board, todo, lang):
    first, second = (desk.card(anna, todo, title) for title in ("Un", "Deux"))
    words = WORDS[lang]
    tab = rse_tab(site, anna, lang=lang)
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    with tab.expect_navigation():
        link = tab.get_by_role("link", name=words["select"])
        reach(tab, link)
        tab.keyboard.press("Enter")
    with tab.expect_navigation():
        tab.get_by_role("button", name=words["archive"], exact=True).press("Enter")
    tab.get_by_text(words["none"]).first.wait_for()
    summary = tab.locator(".kb-acts summary")
    tab.locator("#kb-many-people").wait_for()
    for name in ("Un", "Deux"):
        tab.get_by_role("checkbox", name=name, exact=True).press("Space")
    tab.locator("#kb-many-people").fill("@nobody")
    with tab.expect_navigation():
        tab.get_by_role("button", name=words["assign"], exact=True).press("Enter")
    tab.get_by_role("alert").first.wait_for()
    assert summary.is_visible()
    assert tab.locator("#kb-many-people").input_value() == "@nobody"
    assert all(tab.get_by_role("checkbox", name=name, exact=True).is_checked() for name in ("Un", "Deux"))
    tab.locator("#kb-many-people").fill("@ben")
    with tab.expect_navigation():
        tab.get_by_role("button", name=words["assign"], exact=True).press("Enter")
    tab.get_by_text(words["changed"]).first.wait_for()
    now = desk.ask(lambda session: [session.get(Card, one.id).version for one in (first, second)])
    assert now == [2, 2]
    with tab.expect_navigation():
        tab.get_by_role("button", name=words["back"]).press("Enter")
    tab.get_by_text(words["changed"]).first.wait_for()
    assert tab.locator(".kc-people").count() == 0


def test_a_card_is_found_by_typing_and_linked_by_keyboard_alone(site, desk, rse_tab, anna, board, todo):
    card, other = desk.card(anna, todo, "Haie"), desk.card(anna, todo, "Peindre la clôture")
    desk.card(anna, todo, "Peindre le mur")
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(f"/rse/kanban/cards/{card.id}"))
    summary = tab.locator("#links summary").first
    reach(tab, summary)
    tab.keyboard.press("Enter")
    field = tab.get_by_role("combobox", name="The other card")
    field.wait_for()
    reach(tab, field)
    tab.keyboard.type("peindre")
    listed = tab.get_by_role("listbox", name="What was found")
    listed.wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    tab.get_by_text("2 found: choose with the arrow keys and Enter.").wait_for(state="attached")
    assert sorted(listed.get_by_role("option").all_inner_texts()) == [
        "Peindre la clôture card · Plan de travail", "Peindre le mur card · Plan de travail",
    ]  # fmt: skip
    tab.keyboard.press("Escape")
    listed.wait_for(state="hidden")
    assert field.get_attribute("aria-expanded") == "false"
    tab.keyboard.type(" la")
    listed.get_by_role("option").first.wait_for()
    tab.wait_for_function("() => document.querySelectorAll('.kb-offers [role=option]').length === 1")
    tab.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == listed.get_by_role("option").first.get_attribute("id")
    tab.keyboard.press("Enter")
    tab.get_by_text("“Peindre la clôture” is chosen.").wait_for(state="attached")
    assert (field.input_value(), field.evaluate("node => node === document.activeElement")) == ("Peindre la clôture", True)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    tab.get_by_text("Waits for:").wait_for()
    near = desk.ask(lambda session: links.around(session, anna.id, session.get(Card, card.id)))
    assert [one.id for one in near.blockers] == [other.id]
    # What is typed after a choice is no choice any more.
    tab.locator("#links summary").first.click()
    field.fill("peindre le")
    tab.locator(".kb-offers [role=option]").first.click()
    field.fill("du bois")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    tab.get_by_text(re.compile("This is no card.")).first.wait_for()
    assert tab.locator("#kb-other").input_value() == "du bois"


def test_without_javascript_a_number_and_an_address_are_typed(site, desk, rse_tab, anna, board, todo):
    card, other = desk.card(anna, todo, "Haie"), desk.card(anna, todo, "Clôture")
    tab = rse_tab(site, anna, lang="en", js=False)
    tab.goto(site.url(f"/rse/kanban/cards/{card.id}"))
    tab.get_by_text("Add a link to another card").click()
    tab.get_by_label("The other card").fill(f"#{other.id}")
    with tab.expect_navigation():
        tab.get_by_role("button", name="Link", exact=True).click()
    tab.get_by_text("Waits for:").wait_for()
    tab.get_by_text("Add what it is about").click()
    tab.get_by_label("A card, a post, a page or a document").fill(site.url(f"/rse/kanban/cards/{other.id}"))
    with tab.expect_navigation():
        tab.get_by_role("button", name="Add", exact=True).click()
    tab.get_by_text("See also:").wait_for()


@pytest.mark.parametrize("js", [True, False])
def test_an_earlier_text_is_read_and_restored(site, desk, rse_tab, anna, card, js):
    tab = rse_tab(site, anna, lang="en", js=js)
    tab.goto(site.url(f"/rse/kanban/cards/{card.id}"))
    with tab.expect_navigation():
        tab.get_by_role("link", name="What it said before").press("Enter")
    told = tab.get_by_role("heading", level=2).all_inner_texts()
    assert [line.split()[0] for line in told] == ["Anna", "Benoît"]
    changed = tab.locator(".kb-change").nth(1)
    assert changed.locator("del b").all_inner_texts() == ["mars"]
    assert changed.locator("ins b").all_inner_texts() == ["avril"]
    with tab.expect_navigation():
        changed.get_by_role("link", name="Read what it said before this").press("Enter")
    tab.get_by_role("heading", name="Tailler la haie").wait_for()
    assert tab.locator(".kb-then li").all_inner_texts() == ["du nord au sud", "puis arroser"]
    with tab.expect_navigation():
        tab.get_by_role("button", name="Restore this text").press("Enter")
    tab.get_by_text("The earlier text is back.").first.wait_for()
    tab.get_by_role("heading", name="Tailler la haie", level=1).wait_for()
    kept = desk.ask(versions.of_card, anna.id, card.id).changes
    assert [one.row.title for one in kept] == ["Tailler la grande haie", "Tailler la haie", "Tailler la haie"]
