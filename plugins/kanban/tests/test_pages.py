"""The pages: forms by hand, stale ones, another's objects, what others' pages show of boards."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from rse_core.api import ObjectRef
from rse_core.extension import create_app
from rse_core.testing import as_person, count_queries
from rse_core.testing.organisation import make_person, make_space, set_level
from rse_kanban import columns as columns_service
from rse_kanban import links, plugin, reading
from rse_kanban.models import CardRef

KANBAN = "/rse/kanban"


@pytest.fixture
def visit(rse_app):
    def client(person):
        made = rse_app.test_client()
        as_person(made, person)
        made.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return made

    return client


def token(client):
    return re.search(r'name="csrf_token" value="([0-9a-f]+)"', client.get("/rse/kanban/mine").text)[1]


def post(client, path, **form):
    data = {"csrf_token": token(client), **form}
    return client.post(f"{KANBAN}/{path}", data=data, headers={"Origin": "http://localhost"})


def test_a_form_without_its_token_changes_nothing(visit, desk, anna, board, columns):
    card = desk.card(anna, columns[0])
    client = visit(anna)
    for path in (f"cards/{card.id}/move", f"cards/{card.id}/archive", f"boards/{board.id}/settings/board/archive"):
        assert client.post(f"{KANBAN}/{path}", data={"column": columns[1].id}).status_code == 403
    assert desk.titles(columns[0]) == ["Une carte"]


def test_every_address_of_a_board_is_unknown_to_who_may_not_know_it(visit, desk, anna, board, columns):
    card = desk.card(anna, columns[0])
    client = visit(make_person(desk.core, "outsider"))
    paths = [
        f"boards/{board.id}", f"boards/{board.id}/state", f"boards/{board.id}/settings", f"boards/{board.id}/archive",
        f"boards/{board.id}/figures", f"boards/{board.id}/filters", f"boards/{board.id}/templates", f"cards/{card.id}",
        f"boards/{board.id}/transfer", f"boards/{board.id}/export.json", f"boards/{board.id}/export.csv",
        f"boards/{board.id}/sharing", f"boards/{board.id}/names?q=a", f"cards/{card.id}/edit", f"cards/{card.id}/move",
        f"cards/{card.id}/keep", f"cards/new?board={board.id}", f"team?board={board.id}", "team?space=garden",
    ]  # fmt: skip
    for path in paths:
        assert client.get(f"{KANBAN}/{path}").status_code == 404, path
    for path in (
        f"cards/{card.id}/move", f"cards/{card.id}/archive", f"cards/{card.id}/delete", f"cards/{card.id}/items",
        f"cards/{card.id}/link", f"boards/{board.id}/cards", f"boards/{board.id}/settings/board/change",
    ):  # fmt: skip
        answer = post(client, path, column=str(columns[1].id), title="x", text="x", other=str(card.id), kind="relates")
        assert answer.status_code == 404, path
    assert f"{board.title}" not in client.get(f"{KANBAN}/?space=garden").text


def test_a_part_of_another_board_is_not_changed_through_one_s_own(visit, desk, anna, ben, board, columns):
    own = desk.board(ben, "me")
    client = visit(ben)
    answer = post(client, f"boards/{own.id}/settings/columns/change-column", id=str(columns[0].id), name="x", phase="todo")
    assert answer.status_code == 404
    assert desk.columns(board)[0].name == columns[0].name


def test_a_stale_form_is_shown_again_with_everything_that_was_typed(visit, desk, anna, ben, columns):
    card = desk.card(anna, columns[0], "Titre", body="Texte")
    client = visit(ben)
    page = client.get(f"{KANBAN}/cards/{card.id}/edit").text
    fields = dict(re.findall(r'type="hidden" name="(version|was_\w+)" value="([^"]*)"', page))
    desk.edit(anna, card, title="Titre d’Anna")
    answer = post(client, f"cards/{card.id}/edit", **fields, title="Titre de Ben", body="Texte", due_at="", remind="",
                  people="", has_labels="1")  # fmt: skip
    assert answer.status_code == 409
    assert 'value="Titre de Ben"' in answer.text
    assert "Titre d’Anna" in answer.text
    fields = dict(re.findall(r'type="hidden" name="(version|was_\w+)" value="([^"]*)"', answer.text))
    answer = post(client, f"cards/{card.id}/edit", **fields, title="Titre de Ben", body="Texte", due_at="", remind="",
                  people="", has_labels="1", theirs="title")  # fmt: skip
    assert answer.status_code == 303
    assert desk.ask(reading.sheet, anna.id, card.id).card.title == "Titre d’Anna"


def test_what_one_did_not_touch_is_never_written_back(visit, desk, anna, ben, board, columns):
    label = desk.call(columns_service.keep_label, anna.id, board.id, "Urgent", 1)
    card = desk.card(anna, columns[0], "Titre", body="Texte")
    client = visit(ben)
    page = client.get(f"{KANBAN}/cards/{card.id}/edit").text
    fields = dict(re.findall(r'type="hidden" name="(version|was_\w+)" value="([^"]*)"', page))
    desk.edit(anna, card, title="Titre d’Anna", labels=[label.id], people=[anna.id])
    answer = post(client, f"cards/{card.id}/edit", **fields, title="Titre", body="Le texte de Ben", due_at="", remind="",
                  people="", has_labels="1")  # fmt: skip
    assert answer.status_code == 303
    found = desk.ask(reading.sheet, anna.id, card.id)
    assert (found.card.title, found.card.body) == ("Titre d’Anna", "Le texte de Ben")
    assert [one.name for one in found.labels] == ["Urgent"]
    assert [one.username for one in found.people] == ["anna"]


def test_a_wrong_form_says_what_and_keeps_the_rest(visit, desk, anna, board, columns):
    client = visit(anna)
    column = str(columns[0].id)
    answer = post(client, f"boards/{board.id}/cards", column=column, title="Titre", body="Long", people="@nobody")
    assert answer.status_code == 422
    assert "is nobody who sees this board" in answer.text
    assert "Long" in answer.text
    assert post(client, f"cards/{desk.card(anna, columns[0]).id}/move", column="x").status_code == 422


def test_pictures_are_kept_with_the_card_for_who_sees_it(rse_core, make_desk, tmp_path):
    core = rse_core([plugin], data_dir=str(tmp_path))
    set_level(core, "collaborate")
    desk, anna, ben = make_desk(core), make_person(core, "anna"), make_person(core, "ben")
    make_space(core, "garden", members=[ben], managers=[anna])
    board = desk.board(anna, "space:garden")
    app = create_app(core)

    def client_of(person):
        made = app.test_client()
        as_person(made, person)
        return made

    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "PNG")
    client = client_of(anna)
    data = {
        "csrf_token": token(client), "column": str(desk.columns(board)[0].id), "title": "Avec image", "due_at": "",
        "remind": "", "people": "", "files": (io.BytesIO(picture.getvalue()), "plan.png"),
    }  # fmt: skip
    answer = client.post(f"{KANBAN}/boards/{board.id}/cards", data=data, headers={"Origin": "http://localhost"})
    where = answer.headers["Location"]
    address = re.search(r'href="(/rse/files/[0-9a-f]{40})"', client.get(where).text)[1]
    with client_of(ben).get(address) as shown:
        assert shown.status_code == 200
    assert client_of(make_person(core, "outsider")).get(address).status_code == 404
    assert desk.ask(reading.board, ben.id, board.id).by_id[int(where.rsplit("/", 1)[1])].files == 1


def test_a_page_of_the_intranet_becomes_a_card_and_leads_back(visit, desk, anna, ben, board, columns):
    client = visit(anna)
    query = {"address": "/news/12", "title": "Nouveaux horaires", "slots": "reactions"}
    slots = client.get("/rse/embed/slots", query_string=query).json
    html = slots["slots"]["reactions"]["html"]
    assert "cards/new?about=page:/news/12" in html
    form = client.get(f"{KANBAN}/cards/new?board={board.id}&about=page:/news/12").text
    assert 'value="Nouveaux horaires"' in form
    answer = post(client, f"boards/{board.id}/cards", column=str(columns[0].id), title="Horaires", about="page:/news/12",
                  due_at="", remind="", people="")  # fmt: skip
    assert answer.status_code == 303
    card = client.get(answer.headers["Location"]).text
    assert "Nouveaux horaires" in card
    assert "Card: Horaires" in client.get("/rse/embed/slots", query_string=query).json["slots"]["reactions"]["html"]
    outsider = visit(make_person(desk.core, "outsider"))
    shown = outsider.get("/rse/embed/slots", query_string=query).json["slots"]["reactions"]["html"]
    assert "Horaires" not in shown
    assert post(client, f"boards/{board.id}/cards", column=str(columns[0].id), title="x", about="feed.post:99",
                due_at="", remind="", people="").status_code == 404  # fmt: skip


def test_the_row_of_actions_costs_the_same_for_one_object_as_for_many(rse_app, desk, anna, board, columns):
    from rse_core.api import Viewer
    from rse_kanban import slots

    card = desk.card(anna, columns[0])
    with desk.core.db.write() as session:
        session.add(CardRef(card_id=card.id, ref_type="page", ref_id="/a"))

    def cost(count):
        refs = [ObjectRef("page", f"/{number}") for number in range(count)]
        with rse_app.test_request_context("/rse/"), desk.core.db.read() as session:
            with count_queries(desk.core) as queries:
                slots.items("reactions", refs, Viewer(anna.id, "en"), session)
            return len(queries)

    cost(1)
    assert cost(1) == cost(60) == 1
    with desk.core.db.write() as session:
        session.add_all(CardRef(card_id=card.id, ref_type="page", ref_id=f"/{number}") for number in range(60))
    assert cost(1) == cost(60) == 2


def test_the_state_of_a_board_is_cheap_while_nothing_changed(visit, desk, anna, ben, board, columns):
    card = desk.card(anna, columns[0], "Un")
    client = visit(ben)
    address = f"{KANBAN}/boards/{board.id}/state?since=0"
    first = client.get(address)
    assert first.json["order"] == {f"{columns[0].id}:0": [card.id]}
    assert "Un" in first.json["cards"][str(card.id)]["html"]
    with count_queries(desk.core) as count:
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert len(count) <= 4, str(count)
    desk.move(anna, card, columns[1])
    after = client.get(
        f"{KANBAN}/boards/{board.id}/state?since={first.json['revision']}", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert after.json["order"] == {f"{columns[1].id}:0": [card.id]}
    assert list(after.json["cards"]) == [str(card.id)]
    assert after.json["revision"] > first.json["revision"]


def test_what_happened_to_a_card_and_what_is_around_it_stands_on_its_page(visit, desk, anna, ben, board, columns):
    first, second = (desk.card(anna, columns[0], title) for title in ("Un", "Deux"))
    desk.call(links.link, anna.id, first.id, second.id, "blocked")
    desk.move(ben, first, columns[1])
    page = visit(anna).get(f"{KANBAN}/cards/{first.id}").text
    assert "Waits for:" in page
    assert re.search(r"Benoît Œuvrard moved it from [^<]+ to", page)
