"""A board in a real browser: by mouse, keyboard and menu; two at once; without a network; narrow and wide, in two
languages."""

from __future__ import annotations

import re

import pytest

from rse_core.api import Actor
from rse_core.testing.browser import LANGUAGES, WIDTHS, overflows
from rse_core.testing.organisation import set_level
from rse_kanban import addresses as addresses_service
from rse_kanban import checklist, columns, fields, rules
from rse_kanban.models import Card

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HEARD = "text => document.getElementById('rse-live').textContent.includes(text)"
WORDS = {
    "fr": {"picked": "est saisie", "dropped": "a été déposée dans", "cancelled": "est revenue à sa place"},
    "en": {"picked": "is picked up", "dropped": "was dropped in", "cancelled": "is back where it was"},
}


def cell(tab, column):
    return tab.locator(f".kb-cards[data-cell='{column.id}:0']")


def shown(tab, column):
    return cell(tab, column).locator(".kc-title").all_inner_texts()


def wait_saved(tab):
    tab.wait_for_function("() => !document.querySelector('.kc.is-sent')")


def test_a_card_is_dragged_with_the_mouse(site, desk, rse_tab, anna, board):
    todo, doing, _done = desk.columns(board)
    for title in ("Un", "Deux", "Trois"):
        desk.card(anna, todo, title)
    desk.card(anna, doing, "Quatre")
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    source, target = tab.locator(".kc", has_text="Deux"), tab.locator(".kc", has_text="Quatre")
    start, end = source.bounding_box(), target.bounding_box()
    tab.mouse.move(start["x"] + 20, start["y"] + 10)
    tab.mouse.down()
    tab.mouse.move(start["x"] + 60, start["y"] + 30, steps=6)
    tab.mouse.move(end["x"] + 30, end["y"] + end["height"] - 4, steps=12)
    tab.wait_for_timeout(250)
    tab.mouse.up()
    wait_saved(tab)
    tab.get_by_text("“Deux” was moved to In progress.").first.wait_for()
    assert desk.titles(todo) == ["Un", "Trois"]
    assert sorted(desk.titles(doing)) == ["Deux", "Quatre"]
    assert desk.titles(doing) == shown(tab, doing)
    tab.get_by_role("button", name="Take it back").click()
    tab.wait_for_function("() => !document.querySelector('.kc.is-sent')")
    tab.get_by_text("“Deux” is back in To do.").wait_for(state="attached")
    assert desk.titles(todo) == ["Un", "Deux", "Trois"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_whole_board_is_worked_by_keyboard(site, desk, rse_tab, anna, board, lang):
    todo, doing, done = desk.columns(board)
    for title in ("Un", "Deux"):
        desk.card(anna, todo, title)
    desk.card(anna, doing, "Trois")
    tab = rse_tab(site, anna, lang=lang)
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    voice = tab.locator("#rse-live")
    link = tab.get_by_role("link", name="Un", exact=True)
    for _ in range(60):
        if tab.evaluate("() => document.activeElement.textContent.trim() === 'Un'"):
            break
        tab.keyboard.press("Tab")
    assert link.evaluate("node => node === document.activeElement")
    tab.keyboard.press("Space")
    tab.wait_for_function(HEARD, arg=WORDS[lang]["picked"])
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Escape")
    tab.wait_for_function(HEARD, arg=WORDS[lang]["cancelled"])
    assert shown(tab, todo) == ["Un", "Deux"] == desk.titles(todo)
    tab.keyboard.press("Space")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    tab.wait_for_function(HEARD, arg=WORDS[lang]["dropped"])
    wait_saved(tab)
    assert desk.titles(done) == ["Un"]
    assert tab.evaluate("() => document.activeElement.textContent.trim()") == "Un"
    assert voice.count() == 1
    # The menu, by keyboard too: the second of the columns.
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.get_by_role("dialog").wait_for()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    wait_saved(tab)
    assert desk.titles(doing) == ["Trois", "Un"]
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", level=1, name="Un").wait_for()


def test_what_others_move_appears_by_itself_and_never_under_the_pointer(site, desk, rse_tab, anna, ben, board):
    todo, doing, done = desk.columns(board)
    first, second = (desk.card(anna, todo, title) for title in ("Un", "Deux"))
    tab = rse_tab(site, ben, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    tab.mouse.move(1, 1)
    desk.move(anna, first, done)
    tab.locator(f".kb-cards[data-cell='{done.id}:0'] .kc").wait_for()
    assert (shown(tab, todo), shown(tab, done)) == (["Deux"], ["Un"])
    box = tab.locator(".kc", has_text="Deux").bounding_box()
    tab.mouse.move(box["x"] + 20, box["y"] + 10)
    desk.move(anna, second, doing)
    tab.get_by_text("Others have changed this list.").wait_for()
    assert shown(tab, todo) == ["Deux"]
    tab.mouse.move(1, 1)
    cell(tab, doing).locator(".kc").wait_for()
    assert shown(tab, todo) == []
    unchanged = site.asked("GET", f"/rse/kanban/boards/{board.id}/state")
    tab.wait_for_timeout(4_500)
    assert site.asked("GET", f"/rse/kanban/boards/{board.id}/state") > unchanged


def test_of_two_who_move_one_card_the_second_is_told_and_decides(site, desk, rse_tab, anna, ben, board):
    todo, doing, done = desk.columns(board)
    card = desk.card(anna, todo, "Un")
    tab = rse_tab(site, ben, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    desk.move(anna, card, done)
    tab.get_by_role("link", name="Un", exact=True).focus()
    tab.keyboard.press("Space")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    notice = tab.get_by_text("Somebody else has moved “Un” to Done meanwhile.")
    notice.wait_for()
    cell(tab, done).locator(".kc").wait_for()
    assert desk.titles(done) == ["Un"]
    tab.get_by_role("button", name="Move it all the same").click()
    cell(tab, doing).locator(".kc").wait_for()
    wait_saved(tab)
    assert desk.titles(doing) == ["Un"]


def test_two_who_edit_one_card_lose_no_word(site, desk, rse_tab, anna, ben, board):
    todo, *_others = desk.columns(board)
    card = desk.card(anna, todo, "Le titre", body="Le texte")
    tabs = [rse_tab(site, person, lang="en") for person in (anna, ben)]
    for tab in tabs:
        tab.goto(site.url(f"/rse/kanban/cards/{card.id}/edit"))
    tabs[0].get_by_label("Title").fill("Le titre d’Anna")
    tabs[0].get_by_role("button", name="Save").click()
    tabs[0].get_by_role("heading", level=1, name="Le titre d’Anna").wait_for()
    # Another field: both are kept, without a question.
    tabs[1].get_by_label("Text").fill("Le texte de Ben")
    tabs[1].get_by_role("button", name="Save").click()
    tabs[1].get_by_role("heading", level=1, name="Le titre d’Anna").wait_for()
    assert desk.ask(lambda s: s.get(Card, card.id).body) == "Le texte de Ben"
    # The same field: both are shown, and one chooses.
    for tab in tabs:
        tab.goto(site.url(f"/rse/kanban/cards/{card.id}/edit"))
    tabs[0].get_by_label("Text").fill("Les mots d’Anna")
    tabs[1].get_by_label("Text").fill("Les mots de Ben")
    tabs[0].get_by_role("button", name="Save").click()
    tabs[0].get_by_text("Les mots d’Anna").wait_for()
    tabs[1].get_by_role("button", name="Save").click()
    tabs[1].get_by_role("alert").wait_for()
    assert tabs[1].get_by_label("Text").input_value() == "Les mots de Ben"
    assert "Les mots d’Anna" in tabs[1].get_by_role("group", name=re.compile("Text: two versions")).inner_text()
    tabs[1].get_by_label("Text").fill("Les mots d’Anna\n\nLes mots de Ben")
    tabs[1].get_by_role("button", name="Save").click()
    tabs[1].get_by_role("heading", level=1, name="Le titre d’Anna").wait_for()
    assert desk.ask(lambda s: s.get(Card, card.id).body) == "Les mots d’Anna\n\nLes mots de Ben"


def test_moves_wait_while_the_network_is_gone_and_settle_when_it_is_back(site, desk, rse_tab, anna, board):
    todo, doing, done = desk.columns(board)
    desk.call(columns.change_column, anna.id, done.id, name="Done", phase="done", wip_limit=1, wip_hard=True)
    first, second = (desk.card(anna, todo, title) for title in ("Un", "Deux"))
    desk.card(anna, done, "Trois")
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    tab.context.set_offline(True)
    for title, steps in (("Un", 1), ("Deux", 2)):
        tab.get_by_role("link", name=title, exact=True).focus()
        tab.keyboard.press("Space")
        for _ in range(steps):
            tab.keyboard.press("ArrowRight")
        tab.keyboard.press("Space")
    tab.get_by_text(re.compile("No connection: moves that wait: [12]")).wait_for()
    assert desk.titles(todo) == ["Un", "Deux"]
    tab.context.set_offline(False)
    tab.get_by_text(re.compile("“Deux” was not moved: “Done” takes at most 1 card")).wait_for()
    wait_saved(tab)
    assert (desk.titles(doing), desk.titles(todo)) == (["Un"], ["Deux"])
    tab.wait_for_function("([id]) => document.querySelector(`[data-cell='${id}:0'] .kc-title`)", arg=[todo.id])
    assert (shown(tab, doing), shown(tab, todo), shown(tab, done)) == (["Un"], ["Deux"], ["Trois"])
    assert first.id != second.id


def test_moves_that_wait_outlive_the_page(site, desk, rse_tab, anna, board):
    todo, doing, _done = desk.columns(board)
    desk.card(anna, todo, "Un")
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    tab.route("**/api/v1/kanban/cards/*/move", lambda route: route.abort())
    tab.get_by_role("link", name="Un", exact=True).focus()
    tab.keyboard.press("Space")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    tab.get_by_text(re.compile("No connection")).wait_for()
    tab.unroute("**/api/v1/kanban/cards/*/move")
    tab.reload()
    wait_saved(tab)
    cell(tab, doing).locator(".kc").wait_for()
    assert desk.titles(doing) == ["Un"]


def test_a_draft_stays_with_the_card_it_was_typed_in(site, desk, rse_tab, anna, board):
    todo, *_others = desk.columns(board)
    first, second = (desk.card(anna, todo, title, body="Vide") for title in ("Un", "Deux"))
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(f"/rse/kanban/cards/{first.id}/edit"))
    tab.get_by_label("Text").fill("Une demi-pensée")
    tab.goto(site.url(f"/rse/kanban/cards/{second.id}/edit"))
    assert tab.get_by_label("Text").input_value() == "Vide"
    tab.goto(site.url(f"/rse/kanban/cards/{first.id}/edit"))
    tab.wait_for_function("() => document.querySelector('#rse-body').value === 'Une demi-pensée'")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_clean_and_fits(site, desk, rse_tab, axe_violations, anna, ben, board, lang, width):
    todo, doing, _done = desk.columns(board)
    lane = desk.call(columns.add_lane, anna.id, board.id, "Urgences")
    label = desk.call(columns.keep_label, anna.id, board.id, "à voir", 4)
    own = desk.call(fields.keep, anna.id, board.id, name="Salle", kind="choice", choices=["A", "B"], on_board=True)
    desk.call(
        rules.keep, anna.id, board.id, name="Ranger", trigger="moved", trigger_id=doing.id, act="label", act_id=label.id
    )
    card = desk.card(
        anna, todo, "Une carte au titre plutôt long, qui continue encore un peu", lane=lane, body="**Gras** @ben\n\n- un",
        people=[anna.id, ben.id], labels=[label.id], values={own.id: "A"},
    )  # fmt: skip
    desk.call(checklist.add, anna.id, card.id, "Une ligne", people=["anna"])
    desk.card(anna, todo, "mot" * 60)
    desk.move(anna, card, doing)
    actor = Actor("anna", anna.id)
    _row, screen = desk.call(addresses_service.create, actor, "screen", "Mur", board_id=board.id)
    tab = rse_tab(site, anna, lang=lang, width=width)
    addresses = [
        "", f"boards/{board.id}", f"boards/{board.id}?q=who:me", f"boards/{board.id}?select=1", f"cards/{card.id}",
        f"cards/{card.id}/edit", f"cards/{card.id}/move", f"cards/new?board={board.id}", f"boards/{board.id}/settings",
        f"boards/{board.id}/settings/columns", f"boards/{board.id}/settings/people", f"boards/{board.id}/settings/fields",
        f"boards/{board.id}/settings/rules", f"boards/{board.id}/archive", f"boards/{board.id}/filters", "boards/new",
        "mine", f"boards/{board.id}/templates", f"cards/{card.id}/keep", f"team?board={board.id}",
        f"boards/{board.id}/figures", f"boards/{board.id}/sharing", f"boards/{board.id}/transfer", "addresses",
        f"screen/{screen}",
    ]  # fmt: skip
    for address in addresses:
        tab.goto(site.url(f"/rse/kanban/{address}"))
        tab.get_by_role("heading", level=1).wait_for()
        assert axe_violations(tab) == [], address
        assert not overflows(tab), address


def test_without_javascript_everything_is_a_form_and_a_page(site, desk, rse_tab, anna, board):
    todo, doing, done = desk.columns(board)
    tab = rse_tab(site, anna, lang="en", js=False)
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    tab.get_by_text("Add a card").first.click()
    tab.get_by_label("Title of the new card").first.fill("Sans script")
    tab.get_by_role("button", name="Add", exact=True).first.click()
    tab.get_by_role("link", name="Sans script", exact=True).wait_for()
    tab.get_by_role("link", name="Move Sans script").click()
    tab.get_by_label("Column").select_option(label="In progress")
    tab.get_by_role("button", name="Move").click()
    tab.get_by_text("The card was moved.").wait_for()
    assert desk.titles(doing) == ["Sans script"]
    tab.get_by_role("button", name="Take it back").click()
    assert desk.titles(todo) == ["Sans script"]
    tab.get_by_role("link", name="Choose several").click()
    tab.get_by_role("checkbox", name="Sans script").check()
    tab.get_by_label("Move the chosen cards to").select_option(label="Done")
    tab.get_by_role("button", name="Move", exact=True).click()
    tab.get_by_text("1 card was moved.").wait_for()
    assert desk.titles(done) == ["Sans script"]


def test_the_menu_stays_below_the_level_of_moving(site, desk, rse_tab, anna, ben, board):
    todo, *_others = desk.columns(board)
    desk.card(anna, todo, "Un")
    set_level(site.core, "comment")
    tab = rse_tab(site, ben, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    tab.get_by_role("link", name="Un", exact=True).wait_for()
    for name in ("Choose several", "New card"):
        assert tab.get_by_role("link", name=name).count() == 0
    assert tab.locator(".kc-move").count() == 0
    assert tab.get_by_text("Add a card").count() == 0
    tab.get_by_role("link", name="Un", exact=True).focus()
    tab.keyboard.press("Space")
    assert tab.locator(".is-picked").count() == 0


def test_a_quick_card_is_added_in_place(site, desk, rse_tab, anna, board):
    todo, *_others = desk.columns(board)
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    tab.get_by_text("Add a card").first.click()
    for title in ("Un", "Deux"):
        tab.get_by_label("Title of the new card").first.fill(title)
        tab.keyboard.press("Enter")
        tab.get_by_role("link", name=title, exact=True).wait_for()
    assert desk.titles(todo) == ["Un", "Deux"] == shown(tab, todo)
