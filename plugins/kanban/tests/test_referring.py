"""What a card may refer to, offered while one types; without a search plugin: the cards that the person sees."""

from __future__ import annotations

import re

import pytest

from rse_core.api import BadInput, Forbidden, NotFound
from rse_core.pages import PageClaim
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space
from rse_kanban import boards, ending, links, referring
from rse_kanban.models import BoardRole


@pytest.fixture
def card(desk, anna, columns):
    return desk.card(anna, columns[0], "Haie")


def offered(desk, person, card, text, **values):
    return [one.title for one in desk.ask(referring.suggest, person.id, card.id, text, **values)]


def test_cards_are_found_by_words_of_their_titles_and_by_number(desk, anna, card, columns):
    one = desk.card(anna, columns[0], "Peindre la clôture")
    desk.card(anna, columns[1], "La clôture du nord, à peindre")
    desk.card(anna, columns[1], "100 % fini")
    assert offered(desk, anna, card, "PEINDRE") == ["Peindre la clôture", "La clôture du nord, à peindre"]
    assert offered(desk, anna, card, "clôture nord") == ["La clôture du nord, à peindre"]
    assert offered(desk, anna, card, f"#{one.id}") == ["Peindre la clôture"]
    assert offered(desk, anna, card, "0 %") == ["100 % fini"]
    assert offered(desk, anna, card, "%%") == offered(desk, anna, card, "p") == offered(desk, anna, card, " ") == []
    assert offered(desk, anna, card, "Haie") == [], "a card is not offered to itself"
    [offer] = desk.ask(referring.suggest, anna.id, card.id, "nord")
    assert (str(offer.ref), offer.where) == (f"kanban.card:{one.id + 1}", "Chantier")


def test_nothing_is_offered_that_the_person_does_not_see(desk, anna, ben, board, card, columns):
    make_space(desk.core, "secret", visibility="secret", managers=[ben])
    hidden = desk.columns(desk.call(boards.create, ben.id, "space:secret", "Caché"))[0]
    desk.card(ben, hidden, "Plan secret")
    own = desk.columns(desk.board(ben, "me"))[0]
    desk.card(ben, own, "Plan privé")
    gone = desk.card(anna, columns[0], "Plan jeté")
    desk.call(ending.delete, anna.id, gone.id)
    desk.card(anna, columns[0], "Plan ouvert")
    assert offered(desk, anna, card, "plan") == ["Plan ouvert"]
    assert offered(desk, ben, card, "plan") == ["Plan ouvert", "Plan privé", "Plan secret"]
    with desk.core.db.write() as session:
        session.add(BoardRole(board_id=board.id, kind="person", target_id=ben.id, role="reader"))
    with pytest.raises(Forbidden):
        desk.ask(referring.suggest, ben.id, card.id, "plan")
    with pytest.raises(NotFound):
        desk.ask(referring.suggest, make_person(desk.core, "stranger").id, card.id, "plan")


def test_what_is_typed_instead_is_a_number_or_an_address(desk, anna, card):
    for text in (
        f"{card.id}",
        f" #{card.id} ",
        f"/rse/kanban/cards/{card.id}",
        f"http://localhost/rse/kanban/cards/{card.id}#links",
    ):
        assert desk.ask(referring.other_card, text, host="localhost") == card.id
    assert desk.ask(referring.other_card, "Haie", ref=f"kanban.card:{card.id}") == card.id
    for text, ref in (("Haie", ""), ("", ""), ("3 haies", ""), ("/rh/conges", ""), ("", "page:/x"), ("", "kanban.card:x")):
        with pytest.raises(BadInput):
            desk.ask(referring.other_card, text, ref=ref, host="localhost")


def test_the_forms_take_what_was_chosen_and_lose_nothing_that_was_typed(rse_app, desk, anna, ben, card, columns):
    other = desk.card(anna, columns[0], "Clôture")
    hidden = desk.card(ben, desk.columns(desk.board(ben, "me"))[0], "Privé")
    with desk.core.db.write() as session:
        desk.core.pages.identify(session, PageClaim("/rh/conges", title="Les congés", trusted=True), create=True)
    client = rse_app.test_client()
    as_person(client, anna)
    address = f"/rse/kanban/cards/{card.id}"
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get(address).text)[1]

    def post(where, **form):
        headers = {"Origin": "http://localhost"}
        return client.post(f"{address}/{where}", data={"csrf_token": token, **form}, headers=headers)

    assert post("link", kind="blocked", other="Clôture", ref=f"kanban.card:{other.id}").status_code == 303
    assert post("about", link="Clôture", ref=f"kanban.card:{other.id}").status_code == 303
    assert post("about", link="Les congés", ref="page:/rh/conges").status_code == 303
    near = desk.ask(lambda session: links.around(session, anna.id, card))
    assert [one.title for one in (*near.blockers, *near.related)] == ["Clôture", "Clôture"]
    assert "Les congés" in client.get(address).text
    for where, form in (
        ("link", {"kind": "blocks", "other": "du bois"}), ("about", {"link": "du bois"}),
        ("about", {"link": "du bois", "ref": "kanban.card:x"}),
    ):  # fmt: skip
        answer = post(where, **form)
        assert (answer.status_code, 'value="du bois"' in answer.text) == (422, True)
    # Two cards that wait for each other; and one that does not exist for this person.
    assert post("link", kind="blocks", other=str(other.id)).status_code == 422
    for where, form in (
        ("link", {"kind": "blocks", "other": str(hidden.id)}),
        ("about", {"link": "x", "ref": f"kanban.card:{hidden.id}"}),
    ):
        answer = post(where, **form)
        assert answer.status_code == 404
        assert "Privé" not in answer.text


def test_programs_are_offered_the_same_at_a_fixed_cost(rse_app, desk, anna, card, columns, monkeypatch):
    monkeypatch.setattr("rse_kanban.cards.PER_MINUTE", 1_000)
    client = rse_app.test_client()
    as_person(client, anna)
    client.environ_base = {**client.environ_base, "HTTP_ACCEPT_LANGUAGE": "en"}
    address = f"/rse/kanban/cards/{card.id}/offers?q=mur"

    def cost():
        with count_queries(desk.core) as count:
            assert client.get(address).status_code == 200
        return len(count)

    first = desk.card(anna, columns[0], "Un mur")
    cost()
    few = cost()
    assert client.get(address).json == [{"ref": f"kanban.card:{first.id}", "title": "Un mur", "label": "card · Chantier"}]
    for number in range(20):
        desk.card(anna, columns[0], f"mur {number}")
    assert cost() == few
    assert len(client.get(address).json) == referring.CARDS_MOST
    as_person(client, None)
    assert client.get(address).status_code in (302, 401, 403)
