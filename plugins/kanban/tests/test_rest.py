"""The REST resources: the same service, the same reasons, versions and keys."""

from __future__ import annotations

import pytest

from rse_core.testing import as_person
from rse_core.testing.organisation import make_person, set_level

API = "/rse/api/v1/kanban"


@pytest.fixture
def client(rse_app, anna):
    made = rse_app.test_client()
    as_person(made, anna)
    return made


def ask(rse_app, person):
    made = rse_app.test_client()
    as_person(made, person)
    return made


@pytest.fixture
def send(rse_app):
    """``send(client, method, path, body)``: with the token that a page gives."""
    import re

    def run(client, method, path, body=None, **headers):
        page = client.get("/rse/kanban/mine").text
        token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page)[1]
        sent = {"X-RSE-CSRF": token, "Origin": "http://localhost", **headers}
        return getattr(client, method)(f"{API}{path}", json=body, headers=sent)

    return run


def test_a_board_is_made_filled_and_moved_on(client, send, team):
    board = send(client, "post", "/boards", {"title": "Chantier", "place": "space:garden"}, **{"Idempotency-Key": "k"})
    assert board.status_code == 201
    again = send(client, "post", "/boards", {"title": "Chantier", "place": "space:garden"}, **{"Idempotency-Key": "k"})
    assert again.json["id"] == board.json["id"]
    whole = client.get(f"{API}/boards/{board.json['id']}")
    todo, doing, _done = (one["id"] for one in whole.json["columns"])
    card = send(client, "post", "/cards", {"title": "Peindre", "column": todo, "people": ["anna"], "body": "**Vite**"})
    assert card.status_code == 201
    assert card.headers["ETag"] == '"1"'
    moved = send(client, "post", f"/cards/{card.json['id']}/move", {"column": doing, "version": 1})
    assert (moved.status_code, moved.json["version"]) == (200, 2)
    stale = send(client, "post", f"/cards/{card.json['id']}/move", {"column": todo, "version": 1})
    assert (stale.status_code, stale.json["code"]) == (409, "stale")
    assert stale.json["current"]["column"] == doing
    edited = send(client, "patch", f"/cards/{card.json['id']}", {"title": "Peindre le mur"}, **{"If-Match": '"1"'})
    assert edited.json["title"] == "Peindre le mur"
    refused = send(client, "patch", f"/cards/{card.json['id']}", {"title": "Autre"}, **{"If-Match": '"1"'})
    assert (refused.status_code, refused.json["current"]["title"]) == (409, "Peindre le mur")
    assert send(client, "patch", f"/cards/{card.json['id']}", {"title": "Autre"}).status_code == 422
    item = send(client, "post", f"/cards/{card.json['id']}/items", {"text": "Une ligne"})
    ticked = send(client, "patch", f"/items/{item.json['items'][0]['id']}", {"done": True})
    assert ticked.json["checklist"] == [1, 1]
    many = send(client, "post", "/cards/move", {"cards": [{"id": card.json["id"]}, {"id": 9999}], "column": todo})
    assert (len(many.json["moved"]), many.json["refused"][0]["code"]) == (1, "not_found")
    put = send(client, "put", f"/cards/{card.json['id']}/state", {"state": "archived"})
    assert put.json["state"] == "archived"
    assert [one["id"] for one in client.get(f"{API}/boards/{board.json['id']}?q=who:me").json["cards"]] == []


def test_the_board_is_set_up(client, send, board, columns):
    column = send(client, "post", f"/boards/{board.id}/columns", {"name": "Relire", "phase": "doing", "wip_limit": 2})
    assert column.status_code == 201
    named = send(client, "put", f"/columns/{column.json['id']}", {"name": "Relu", "phase": "doing", "position": 0})
    assert named.json["name"] == "Relu"
    assert client.get(f"{API}/boards/{board.id}").json["columns"][0]["name"] == "Relu"
    lane = send(client, "post", f"/boards/{board.id}/lanes", {"name": "Nord"})
    label = send(client, "post", f"/boards/{board.id}/labels", {"name": "Urgent", "hue": 1})
    assert send(client, "delete", f"/columns/{column.json['id']}").status_code == 422
    assert send(client, "delete", f"/columns/{column.json['id']}?into={columns[0].id}").status_code == 204
    assert send(client, "delete", f"/lanes/{lane.json['id']}").status_code == 204
    assert send(client, "delete", f"/labels/{label.json['id']}").status_code == 204
    assert send(client, "patch", f"/boards/{board.id}", {"state": "archived"}).json["state"] == "archived"
    assert send(client, "delete", f"/boards/{board.id}").status_code == 204
    assert client.get(f"{API}/boards/{board.id}").status_code == 404


def test_below_the_level_the_api_refuses_with_the_reason(rse_app, send, desk, anna, ben, board, columns):
    card = desk.card(anna, columns[0])
    set_level(desk.core, "comment")
    client = ask(rse_app, ben)
    assert client.get(f"{API}/boards/{board.id}").status_code == 200
    for method, path, body in (
        ("post", f"/cards/{card.id}/move", {"column": columns[1].id}),
        ("post", "/cards", {"title": "x", "column": columns[0].id}),
        ("patch", f"/cards/{card.id}", {"title": "x", "version": 1}),
        ("post", f"/boards/{board.id}/columns", {"name": "x"}),
    ):
        answer = send(client, method, path, body)
        assert (answer.status_code, answer.json["reason"]) == (403, "level"), path
    assert desk.titles(columns[0]) == ["Une carte"]


def test_what_is_secret_does_not_exist(rse_app, send, desk, anna, board, columns):
    card = desk.card(anna, columns[0])
    client = ask(rse_app, make_person(desk.core, "outsider"))
    paths = [f"/boards/{board.id}", f"/cards/{card.id}", f"/team?board={board.id}", "/team?space=garden"]
    for path in paths:
        assert client.get(f"{API}{path}").status_code == 404, path
    for method, path, body in (
        ("post", f"/cards/{card.id}/move", {"column": columns[1].id}),
        ("patch", f"/cards/{card.id}", {"title": "x", "version": 1}),
        ("delete", f"/cards/{card.id}", None),
        ("patch", f"/boards/{board.id}", {"title": "x"}),
        ("put", f"/columns/{columns[0].id}", {"name": "x"}),
    ):
        assert send(client, method, path, body).status_code == 404, path
    made, nowhere = (send(client, "post", "/cards", {"title": "x", "column": one}) for one in (columns[0].id, 987_654))
    assert (made.status_code, made.json["detail"]) == (nowhere.status_code, nowhere.json["detail"])
    assert made.status_code == 422
    assert client.get(f"{API}/boards").json["items"] == []


def test_a_request_of_another_site_moves_nothing(client, desk, anna, columns):
    card = desk.card(anna, columns[0])
    answer = client.post(f"{API}/cards/{card.id}/move", json={"column": columns[1].id})
    assert answer.status_code == 403
    assert desk.titles(columns[0]) == ["Une carte"]
