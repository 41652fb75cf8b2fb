"""A board by finger and by folded columns, and told of changes sooner than it asks."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def cell(tab, column):
    return tab.locator(f".kb-cards[data-cell='{column.id}:0']")


def wait_saved(tab):
    tab.wait_for_function("() => !document.querySelector('.kc.is-sent')")


def drag(tab, start, end):
    tab.mouse.move(*start)
    tab.mouse.down()
    tab.mouse.move(start[0] + 30, start[1] + 20, steps=6)
    tab.mouse.move(*end, steps=12)
    tab.wait_for_timeout(250)
    tab.mouse.up()


def test_a_folded_column_takes_what_is_dropped_on_it(site, desk, rse_tab, anna, board):
    todo, doing, _done = desk.columns(board)
    desk.card(anna, todo, "Un")
    desk.card(anna, doing, "Deux")
    tab = rse_tab(site, anna, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    tab.get_by_role("button", name="Fold – In progress").click()
    assert not tab.get_by_role("link", name="Deux", exact=True).is_visible()
    card, place = tab.locator(".kc", has_text="Un").bounding_box(), cell(tab, doing).bounding_box()
    drag(tab, (card["x"] + 20, card["y"] + 10), (place["x"] + 40, place["y"] + 20))
    tab.get_by_text("“Un” was moved to In progress.").first.wait_for()
    wait_saved(tab)
    assert sorted(desk.titles(doing)) == ["Deux", "Un"]
    tab.reload()
    tab.get_by_role("button", name="Unfold – In progress").wait_for()


def test_a_long_press_moves_a_card_and_a_short_one_scrolls(site, desk, rse_tab, anna, board):
    todo, doing, _done = desk.columns(board)
    desk.card(anna, todo, "Un")
    desk.card(anna, doing, "Deux")
    # The columns stand below one another: a swipe aside would turn the pages of the browser.
    tab = rse_tab(site, anna, lang="en", width=390, has_touch=True)
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    finger = tab.context.new_cdp_session(tab)

    def touch(kind, point=None):
        points = [] if point is None else [{"x": point[0], "y": point[1]}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe(wait):
        card, place = tab.locator(".kc", has_text="Un").bounding_box(), tab.locator(".kc", has_text="Deux").bounding_box()
        start, end = (card["x"] + 20, card["y"] + 10), (place["x"] + 40, place["y"] + place["height"] - 4)
        touch("touchStart", start)
        tab.wait_for_timeout(wait)
        for step in range(1, 13):
            touch("touchMove", (start[0] + (end[0] - start[0]) * step / 12, start[1] + (end[1] - start[1]) * step / 12))
            tab.wait_for_timeout(20)
        tab.wait_for_timeout(200)
        touch("touchEnd")

    swipe(0)
    tab.wait_for_timeout(300)
    assert desk.titles(todo) == ["Un"]
    swipe(400)
    tab.get_by_text("“Un” was moved to In progress.").first.wait_for()
    wait_saved(tab)
    assert sorted(desk.titles(doing)) == ["Deux", "Un"]


def test_what_pushes_events_makes_the_page_ask_at_once(site, desk, rse_tab, anna, ben, board):
    todo, _doing, done = desk.columns(board)
    card = desk.card(anna, todo, "Un")
    tab = rse_tab(site, ben, lang="en")
    tab.clock.install()
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    desk.move(anna, card, done)
    tab.evaluate(
        "id => document.dispatchEvent(new CustomEvent('rse:changed', { detail: { topic: 'kanban.board:' + id } }))", board.id
    )
    cell(tab, done).locator(".kc").wait_for()


def test_where_the_site_tells_changes_a_move_shows_on_the_other_board_at_once(site, desk, rse_tab, anna, ben, board):
    todo, _doing, done = desk.columns(board)
    card = desk.card(anna, todo, "Un")
    streams = site.core.live.serve_here(20)
    tab = rse_tab(site, ben, lang="en")
    tab.goto(site.url(f"/rse/kanban/boards/{board.id}"))
    for _ in range(500):
        if streams.opened:
            break
        tab.wait_for_timeout(20)
    assert streams.opened
    asked = site.asked("GET", f"/rse/kanban/boards/{board.id}/state")
    desk.move(anna, card, done)
    # Two seconds are promised; the machine may be busy.
    cell(tab, done).locator(".kc").wait_for(timeout=5_000)
    assert site.asked("GET", f"/rse/kanban/boards/{board.id}/state") > asked, "the page asked anew"
