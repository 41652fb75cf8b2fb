"""The pages, the resource and the command."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from handover_people import leave
from sqlalchemy import select

from rse_core.api import Actor
from rse_core.cli import cli
from rse_core.commands import State
from rse_core.models.handover import Handover
from rse_core.testing.queries import count_queries
from rse_core.tokens import create_token
from rse_feed.models import Post


def token_of(client, path="/rse/leavers/lea"):
    page = client.get(path).get_data(as_text=True)
    return re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page).group(1)


def test_from_the_list_to_the_end(there, client):
    ada = client(there.ada)
    assert 'href="/rse/leavers/lea"' in ada.get("/rse/leavers/").get_data(as_text=True)
    page = ada.get("/rse/leavers/lea").get_data(as_text=True)
    assert "Le coffre" in page
    assert "Chut" not in page, "numbers, not texts"
    form = {"csrf_token": token_of(ada), "to:space:garden": "other", "other:space:garden": "tom", "why": "Départ"}
    preview = ada.post("/rse/leavers/lea/preview", data=form)
    assert preview.status_code == 200
    assert 'name="to:space:garden" value="tom"' in preview.get_data(as_text=True)
    with there.core.db.read() as session:
        assert session.scalar(select(Handover.id)) is None
    sent = {"csrf_token": form["csrf_token"], "to:space:garden": "tom", "why": "Départ"}
    answer = ada.post("/rse/leavers/lea/give", data=sent, follow_redirects=True).get_data(as_text=True)
    assert "7 things were handed over." in answer
    with there.core.db.read() as session:
        number = session.scalar(select(Handover.id))
    assert "Tom Reprend" in ada.get(f"/rse/leavers/kept/{number}").get_data(as_text=True)
    mine = client(there.tom).get(f"/rse/leavers/kept/{number}").get_data(as_text=True)
    assert "You keep it" in mine
    assert client(there.sam).get(f"/rse/leavers/kept/{number}").status_code == 404
    post = client(there.sam).get(f"/rse/feed/posts/{there.posts[0]}").get_data(as_text=True)
    assert "Written by Léa Partie, kept by Tom Reprend" in post
    back = ada.post(f"/rse/leavers/kept/{number}/back", data={"csrf_token": form["csrf_token"]}, follow_redirects=True)
    assert "7 things were taken back." in back.get_data(as_text=True)


def test_refusals_keep_what_was_typed(there, client):
    ada = client(there.ada)
    form = {"csrf_token": token_of(ada), "to:space:vault": "other", "other:space:vault": "sam", "why": "Parce que"}
    answer = ada.post("/rse/leavers/lea/preview", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="sam"' in page
    assert 'value="Parce que"' in page
    assert "Choose another." in page
    assert ada.post("/rse/leavers/lea/preview", data={"csrf_token": form["csrf_token"]}).status_code == 422
    assert ada.post("/rse/leavers/lea/preview", data={"to:space:garden": "tom"}).status_code == 403, "no token"
    assert ada.post("/rse/leavers/lea/give", data={**form, "to:space:none": "tom"}).status_code in (404, 422)


def test_who_may_not_finds_no_page(there, client):
    assert client(there.sam).get("/rse/leavers/").status_code == 403
    for path in ("/rse/leavers/lea", "/rse/leavers/nobody", "/rse/leavers/kept/1"):
        assert client(there.sam).get(path).status_code == 404
        assert client(there.zoe).get(path).status_code == 404
    assert "Le coffre" not in client(there.eve).get("/rse/leavers/lea").get_data(as_text=True)


def test_a_post_that_nobody_took_over_costs_no_further_query_and_one_that_was_costs_one(there, client):
    tom = client(there.tom)
    tom.get(f"/rse/feed/posts/{there.posts[0]}")
    with count_queries(there.core) as before:
        tom.get(f"/rse/feed/posts/{there.posts[0]}")
    with there.core.db.write() as session:
        session.get_one(Post, there.posts[0]).owner_id = there.tom.id
    with count_queries(there.core) as after:
        tom.get(f"/rse/feed/posts/{there.posts[0]}")
    assert len(after) <= len(before) + 1, str(after)


def test_the_resource(there, client):
    with there.core.db.write() as session:
        text = create_token(session, there.ada, "test", ("read", "write", "admin"), Actor("test"))
    ask = client(there.ada)
    headers = {"Authorization": f"Bearer {text}", "Idempotency-Key": "k1"}
    found = ask.get("/rse/api/v1/leavers/lea", headers=headers).get_json()
    assert [one["place"] for one in found["places"]] == ["space:vault", "space:garden", "everyone"]
    tried = ask.post("/rse/api/v1/leavers/lea", json={"to": "tom", "dry_run": True}, headers=headers)
    assert [one["id"] for one in tried.get_json()] == [None, None, None]
    body = {"places": {"space:garden": "tom"}}
    (done,) = ask.post("/rse/api/v1/leavers/lea", json=body, headers=headers).get_json()
    assert (done["place"], done["to"], done["count"]) == ("space:garden", "tom", 7)
    assert ask.post("/rse/api/v1/leavers/lea", json=body, headers=headers).get_json() == [], "once for a key"
    headers.pop("Idempotency-Key")
    assert ask.post("/rse/api/v1/leavers/lea", json={}, headers=headers).status_code == 422
    gone = ask.delete(f"/rse/api/v1/leavers/kept/{done['id']}", headers=headers)
    assert gone.get_json() == {"taken_back": 7}
    assert client(there.sam).get("/rse/api/v1/leavers/lea").status_code == 404
    post = client(there.tom).get(f"/rse/api/v1/feed/posts/{there.posts[0]}").get_json()
    assert post["kept_by"] is None


@pytest.fixture
def run(there):
    def run(*words, code=0):
        answer = CliRunner().invoke(cli, ["people", "handover", *words], obj=State(lambda: there.core))
        assert answer.exit_code == code, answer.output
        return answer.output

    return run


def test_the_command(there, run):
    assert "space:garden" in run("lea")
    assert json.loads(run("lea", "--json"))["places"][0]["place"] == "space:vault"
    assert "Trial run" in run("lea", "--to", "sam", "--dry-run")
    (done,) = json.loads(run("lea", "--to", "tom", "--space", "garden", "--json"))["handed_over"]
    assert done["counts"]["feed.posts"] == 3
    assert "space:vault stays" in run("lea", "--to", "sam")
    assert "taken back" in run("lea", "--back", "1")
    run("lea", "--back", "1", "--dry-run", code=2)


def test_the_command_refuses_in_a_sentence(there, run):
    leave(there, there.tom)
    for words in (("sam", "--to", "tom"), ("lea", "--to", "tom", "--space", "garden"), ("nobody",), ("lea", "--back", "99")):
        answer = CliRunner().invoke(cli, ["people", "handover", *words], obj=State(lambda: there.core))
        assert answer.exit_code == 1, words
