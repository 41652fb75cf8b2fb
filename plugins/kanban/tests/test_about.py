"""What a card is about: found by the address of that, shown both ways to who may see it, taken away."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from rse_core.api import BadInput, Forbidden, ObjectRef
from rse_core.pages import PageClaim
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person
from rse_kanban import about, access
from rse_kanban.models import BoardRole, CardRef

PAGE = ObjectRef("page", "/rh/conges")


@pytest.fixture
def page(desk):
    with desk.core.db.write() as session:
        claim = PageClaim("/rh/conges", title="Les congés", trusted=True)
        return desk.core.pages.identify(session, claim, create=True).ref


@pytest.fixture
def card(desk, anna, columns):
    return desk.card(anna, columns[0], "Haie")


def find(desk, link, host="localhost"):
    return desk.ask(about.find, link, host=host)


def test_an_address_is_known_with_and_without_its_host(desk, page):
    for link in ("/rh/conges", " /rh/conges ", "/rh/conges#haut"):
        assert find(desk, link) == PAGE
    for link in ("", "/rh/nothing", "/rse/kanban/", "/rse/feed/posts/1", "javascript:alert(1)", "x" * 3000, "//[", "a b"):
        with pytest.raises(BadInput):
            find(desk, link)


def test_it_is_there_once_and_can_be_taken_away(desk, anna, page, card):
    for _twice in range(2):
        desk.call(about.add, anna.id, card.id, page)
    assert [info.title for info in desk.ask(about.of_card, anna.id, card.id)] == ["Les congés"]
    with desk.core.db.read() as session:
        assert access.get_card(session, card.id).version == 2
    for _twice in range(2):
        desk.call(about.remove, anna.id, card.id, page)
    assert desk.ask(about.of_card, anna.id, card.id) == []
    with desk.core.db.read() as session:
        assert access.get_card(session, card.id).version == 3


def test_what_one_does_not_see_and_what_is_a_card_is_not_taken(desk, anna, ben, board, card, columns):
    other = make_person(desk.core, "other")
    own = desk.board(other, "me")
    hidden = desk.card(other, desk.columns(own)[0], "Secret")
    for ref in (access.card_ref(hidden.id), access.card_ref(card.id), access.board_ref(own.id), ObjectRef("x.y", "1")):
        with pytest.raises(BadInput):
            desk.call(about.add, anna.id, card.id, ref)
    with desk.core.db.write() as session:
        session.add(BoardRole(board_id=board.id, kind="person", target_id=ben.id, role="reader"))
    with pytest.raises(Forbidden):
        desk.call(about.add, ben.id, card.id, PAGE)


def test_the_forms_of_the_page_and_programs(rse_app, desk, anna, page, card):
    client = rse_app.test_client()
    as_person(client, anna)
    address = f"/rse/kanban/cards/{card.id}"

    def post(**form):
        token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get(address).text)[1]
        headers = {"Origin": "http://localhost"}
        return client.post(f"{address}/about", data={"csrf_token": token, **form}, headers=headers).status_code

    assert post(link="/rh/conges") == 303
    assert "Les congés" in client.get(address).text
    assert post(link="/rh/nothing") == 422
    assert post(ref=str(PAGE), act="remove") == 303
    assert "Les congés" not in client.get(address).text
    headers = {"X-RSE-CSRF": client.get("/rse/embed/slots?address=/news/1&slots=comments").headers["X-RSE-CSRF"]}
    rest = f"/rse/api/v1/kanban/cards/{card.id}/about"
    assert client.post(rest, json={"link": "/rh/conges"}, headers=headers).status_code == 204
    with desk.core.db.read() as session:
        assert session.scalars(select(CardRef.ref_id)).all() == ["/rh/conges"]
    assert client.delete(f"{rest}?ref=page:/rh/conges", headers=headers).status_code == 204
    with desk.core.db.read() as session:
        assert session.scalars(select(CardRef.ref_id)).all() == []
