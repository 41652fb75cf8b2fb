"""What happened on a board and to a card: page by page, and of what the reader may see."""

from __future__ import annotations

import pytest

from rse_core.api import NotFound
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space
from rse_kanban import boards, cards, ending, history


def told(desk, person, board, **values):
    found = desk.ask(history.of_board, person.id, board.id, **values)
    return [(line.who.username if line.who else "", line.row.verb, line.title) for line in found.lines]


def test_who_did_what_the_latest_first(desk, anna, ben, board, columns):
    card = desk.card(anna, columns[0], "Haie")
    desk.move(ben, card, columns[1])
    desk.call(cards.edit, ben.id, card.id, cards.Written(title="Haie taillée"), version=None)
    assert told(desk, ben, board) == [
        ("ben", "edited", "Haie taillée"), ("ben", "moved", "Haie taillée"), ("anna", "created", "Haie taillée"),
        ("anna", "board", ""),
    ]  # fmt: skip
    found = desk.ask(history.of_card, anna.id, card.id)
    assert [line.row.verb for line in found.lines] == ["edited", "moved", "created"]


def test_pages_follow_one_another_and_miss_nothing(desk, anna, board, columns):
    for number in range(7):
        desk.card(anna, columns[0], f"n{number}")
    whole, parts, after = told(desk, anna, board), [], None
    while True:
        found = desk.ask(history.of_board, anna.id, board.id, after=after, most=3)
        parts += [(line.who.username, line.row.verb, line.title) for line in found.lines]
        after = found.after
        if after is None:
            break
    assert parts == whole
    assert len(whole) == 8


def test_what_was_deleted_is_told_to_who_runs_the_board(desk, anna, ben, board, columns):
    card = desk.card(anna, columns[0], "Haie")
    desk.call(ending.delete, anna.id, card.id)
    assert [verb for _who, verb, _title in told(desk, anna, board)] == ["deleted", "created", "board"]
    assert told(desk, ben, board) == [("anna", "board", "")]
    with pytest.raises(NotFound):
        desk.ask(history.of_board, make_person(desk.core, "outsider").id, board.id)


def test_a_card_that_has_gone_elsewhere_is_told_of_there_and_no_column_of_before_is_named(desk, anna, ben, board, columns):
    other = make_space(desk.core, "roof", managers=[anna])
    there = desk.call(boards.create, anna.id, f"space:{other.key}", "Toit")
    card = desk.card(anna, columns[0], "Haie")
    desk.move(anna, card, desk.columns(there)[0])
    assert told(desk, ben, board) == [("anna", "board", "")]
    [line, _made] = desk.ask(history.of_board, anna.id, there.id).lines
    assert (line.row.verb, line.row.data["from"], line.title) == ("moved", "", "Haie")
    found = desk.ask(history.of_card, anna.id, card.id)
    assert [line.row.verb for line in found.lines] == ["moved"]


def test_pages_and_rest_cost_as_many_queries_whatever_there_is(rse_app, desk, anna, board, columns, monkeypatch):
    monkeypatch.setattr("rse_kanban.cards.PER_MINUTE", 1_000)
    client = rse_app.test_client()
    as_person(client, anna)

    def cost(path):
        with count_queries(desk.core) as count:
            assert client.get(path).status_code == 200
        return len(count)

    card = desk.card(anna, columns[0], "n")
    paths = (f"/rse/kanban/boards/{board.id}/activity", f"/rse/kanban/cards/{card.id}/activity")
    for path in paths:
        cost(path)
    few = [cost(path) for path in paths]
    for number in range(60):
        desk.card(anna, columns[0], f"n{number}")
        desk.call(cards.edit, anna.id, card.id, cards.Written(title=f"m{number}"), version=None)
    assert [cost(path) for path in paths] == few
    page = client.get(paths[0]).text
    assert page.count("<li>") >= history.PAGE
    body = client.get(f"/rse/api/v1/kanban/boards/{board.id}/activity?limit=5").json
    assert (len(body["items"]), body["items"][0]["verb"]) == (5, "edited")
    following = client.get(f"/rse/api/v1/kanban/boards/{board.id}/activity", query_string={"cursor": body["next"]}).json
    assert following["items"][0] != body["items"][-1]
    assert client.get(f"/rse/api/v1/kanban/boards/{board.id}/activity?cursor=zz").status_code == 422
