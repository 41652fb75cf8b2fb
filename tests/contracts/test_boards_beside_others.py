"""Boards beside other plugins, none of which knows them: on the page of a space, under posts and comments; and their cards,
commented on, found, told of in the feed."""

from __future__ import annotations

import re

import pytest

import rse_comments
import rse_communities
import rse_feed
import rse_kanban
import rse_likes
import rse_search
from rse_comments import service as comments
from rse_core.extension import create_app
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_feed import drafting
from rse_feed.texts import Written
from rse_kanban import access, boards, cards, placing
from rse_kanban.placing import Place

PLUGINS = (rse_feed, rse_comments, rse_likes, rse_communities, rse_search, rse_kanban)


@pytest.fixture
def site(rse_core):
    core = rse_core([module.plugin for module in PLUGINS])
    set_level(core, "collaborate")
    return core


@pytest.fixture
def anna(site):
    return make_person(site, "anna", name="Anna Sérès")


@pytest.fixture
def board(site, anna):
    make_space(site, "garden", name="Jardin", members=[make_person(site, "ben")], managers=[anna])
    with site.db.write() as session:
        return boards.create(session, anna.id, "space:garden", "Plan du jardin")


@pytest.fixture
def visit(site):
    app = create_app(site)

    def client(person):
        made = app.test_client()
        as_person(made, person)
        made.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return made

    return client


def post(client, path, page, **form):
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get(page).text)[1]
    return client.post(path, data={"csrf_token": token, **form}, headers={"Origin": "http://localhost"})


def column(site, board):
    with site.db.read() as session:
        return placing.columns_of(session, board.id)[0].id


def test_the_page_of_a_space_shows_its_boards_to_who_sees_them(site, visit, anna, board):
    page = visit(anna).get("/rse/communities/garden/").text
    assert "Plan du jardin" in page
    assert "boards/new?place=space:garden" in page
    assert "Plan du jardin" not in visit(make_person(site, "outsider")).get("/rse/communities/garden/").text


def test_a_post_becomes_a_card_that_leads_back_to_it(site, visit, anna, board):
    with site.db.write() as session:
        written = Written(body="Il faudrait tailler la haie", title="La haie", audience="space:garden")
        made = drafting.write(session, anna.id, written).post
    client = visit(anna)
    address = f"/rse/feed/posts/{made.id}"
    link = re.search(r'href="([^"]*cards/new\?about=feed\.post:\d+)"', client.get(address).text)
    assert link, "the post offers to make a card of it"
    assert "Plan du jardin" in client.get(link[1]).text
    form = f"/rse/kanban/cards/new?board={board.id}&about=feed.post:{made.id}"
    assert 'value="La haie"' in client.get(form).text
    answer = post(
        client, f"/rse/kanban/boards/{board.id}/cards", form, column=str(column(site, board)), title="Tailler la haie",
        about=f"feed.post:{made.id}", due_at="", remind="", people="",
    )  # fmt: skip
    assert address in client.get(answer.headers["Location"]).text
    assert "Card: Tailler la haie" in client.get(address).text
    stranger = visit(make_person(site, "stranger"))
    assert stranger.get(form).status_code == 404


def test_a_card_is_commented_on_and_a_comment_becomes_a_card(site, visit, anna, board):
    with site.db.write() as session:
        card = cards.create(
            session, anna.id, Place(placing.columns_of(session, board.id)[0].id), cards.Written(title="Haie")
        )
    client = visit(anna)
    page = f"/rse/kanban/cards/{card.id}"
    action = re.search(r'<form[^>]*action="([^"]*)"[^>]*>(?:(?!</form>).)*name="body"', client.get(page).text, re.DOTALL)[1]
    form = dict(re.findall(r'type="hidden" name="(ref|parent)" value="([^"]*)"', client.get(page).text))
    answer = post(client, action.replace("&amp;", "&"), page, **form, body="On loue un taille-haie ?")
    assert answer.status_code in (200, 303)
    shown = client.get(page).text
    assert "On loue un taille-haie" in shown
    assert re.search(r"cards/new\?about=comments\.comment:\d+", shown)
    outsider = visit(make_person(site, "outsider"))
    assert post(outsider, action.replace("&amp;", "&"), "/rse/kanban/mine", **form, body="x").status_code == 404


def test_a_card_is_found_by_who_sees_it_and_its_board_is_told_of_in_the_feed(site, visit, anna, board):
    with site.db.write() as session:
        place = Place(placing.columns_of(session, board.id)[0].id)
        cards.create(session, anna.id, place, cards.Written(title="Tailler la haie", body="avec soin"))
    site.jobs.run_due()
    assert "Tailler la" in visit(anna).get("/rse/search/?q=haie").text
    assert "Tailler la" not in visit(make_person(site, "outsider")).get("/rse/search/?q=haie").text
    ben = visit("ben")
    assert "Plan du jardin" in ben.get("/rse/feed/").text


def test_cards_say_how_many_comments_they_have_in_a_fixed_number_of_queries(site, anna, board, visit, monkeypatch):
    monkeypatch.setattr("rse_comments.service.PER_MINUTE", 1_000)

    def fill(count):
        with site.db.write() as session:
            column = placing.columns_of(session, board.id)[0]
            for number in range(count):
                card = cards.create(session, anna.id, Place(column.id), cards.Written(title=f"Carte {number}"))
                for _twice in range(2):
                    comments.write(session, anna.id, access.card_ref(card.id), "Une remarque")
        while site.jobs.run_due():
            pass

    client = visit(anna)
    paths = (f"/rse/kanban/boards/{board.id}", f"/rse/kanban/boards/{board.id}/state?since=0")

    def cost(path):
        with count_queries(site) as count:
            assert client.get(path).status_code == 200
        return len(count)

    fill(1)
    for path in paths:
        cost(path)
    fill(1)
    # After a change, then from memory.
    few = [[cost(path) for path in paths] for _twice in range(2)]
    fill(10)
    assert [[cost(path) for path in paths] for _twice in range(2)] == few
    for path in paths:
        assert client.get(path).text.count("2 comments") == 12


def test_a_post_is_found_by_its_address_and_both_lead_to_each_other(site, anna, board, visit):
    with site.db.write() as session:
        written = drafting.write(session, anna.id, Written("Tailler la haie", audience="everyone")).post.id
        column = placing.columns_of(session, board.id)[0]
        card = cards.create(session, anna.id, Place(column.id), cards.Written(title="La haie")).id
    client = visit(anna)
    for link in (f"http://localhost/rse/feed/posts/{written}", f"/rse/feed/posts/{written}?x=1"):
        answer = post(client, f"/rse/kanban/cards/{card}/about", f"/rse/kanban/cards/{card}", link=link)
        assert answer.status_code == 303
    page = client.get(f"/rse/kanban/cards/{card}").text
    assert page.count(f'href="/rse/feed/posts/{written}"') == 1
    assert f"/rse/kanban/cards/{card}" in client.get(f"/rse/feed/posts/{written}").text
    form = {"ref": f"feed.post:{written}", "act": "remove"}
    answer = post(client, f"/rse/kanban/cards/{card}/about", f"/rse/kanban/cards/{card}", **form)
    assert answer.status_code == 303
    assert f"/rse/kanban/cards/{card}" not in client.get(f"/rse/feed/posts/{written}").text


def test_the_feed_is_silent_on_boards_where_a_space_keeps_them_from_somebody(site, anna, visit):
    from rse_core.organisation import set_space_rule

    space = make_space(site, "square", name="Place", visibility="public", managers=[anna])
    ben = make_person(site, "reader")
    with site.db.write() as session:
        boards.create(session, anna.id, "space:square", "Plan de la place")
    while site.jobs.run_due():
        pass

    def told(person):
        feed = visit(person).get("/rse/api/v1/feed?sort=new").json
        return ["Plan de la place" in str(feed), "Plan de la place" in visit(person).get("/rse/feed/spaces/square").text]

    assert told(ben) == [True, True]
    with site.db.write() as session:
        set_space_rule(session, space.id, "kanban.read", "managers")
    assert told(ben) == [False, False]
    assert told(anna) == [True, True]
