"""REST: where one stands, tutorials, figures; wrong input, others' things, stale forms."""

from __future__ import annotations

import pytest

from rse_core.api import Actor
from rse_core.roles import grant
from rse_core.testing.organisation import make_person

API = "/rse/api/v1/onboarding"
DRAFT = {"title": "T", "body": "b", "level": 2}


def test_where_one_stands_and_having_been_shown(anna, level, visit, send):
    client = visit(anna)
    assert client.get(API).json["steps"] == []
    assert send(client, "post", API, json={"act": "done"}).status_code == 403
    level("comment")
    found = client.get(API).json
    assert (found["level"], found["shown"], found["state"]) == (2, 0, "opened")
    assert found["steps"][0]["key"] == "likes.react"
    assert {one["key"]: one["open"] for one in found["capabilities"]}["comments.write"]
    kept = send(client, "post", API, json={"act": "keep", "step": "feed.read"}).json
    assert (kept["state"], kept["step"]) == ("opened", "feed.read")
    for _again in range(2):
        assert send(client, "post", API, json={"act": "done"}).json["state"] == "same"
    level("react")
    assert client.get(API).json["state"] == "closed"


@pytest.mark.parametrize("body", [{}, {"act": "x"}, {"act": "done", "step": "x" * 81}, {"act": "done", "more": 1}, []])
def test_what_makes_no_sense_is_refused(anna, level, visit, send, body):
    level("react")
    answer = send(visit(anna), "post", API, json=body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")


def test_without_a_token_nothing_changes(anna, level, visit):
    level("react")
    client = visit(anna)
    assert client.post(API, json={"act": "done"}).status_code == 403
    assert client.get(API).json["state"] == "opened"


def test_tutorials_are_read_and_noted(anna, level, visit, send):
    client = visit(anna)
    assert client.get(f"{API}/tutorials").status_code == 403
    level("react")
    assert [one["key"] for one in client.get(f"{API}/tutorials").json] == ["onboarding.levels"]
    assert client.get(f"{API}/tutorials/onboarding.levels").json["body"]
    assert client.get(f"{API}/tutorials/onboarding.good_comment").status_code == 404
    address = f"{API}/tutorials/onboarding.levels/note"
    for _again in range(2):
        noted = send(client, "put", address, json={"done": True, "useful": True}).json
        assert noted["useful"]
        assert noted["done_at"]
    assert send(client, "put", address, json={"done": False}).json["done_at"] is None
    assert send(client, "put", f"{API}/tutorials/onboarding.good_comment/note", json={"done": True}).status_code == 404


def test_the_sites_own_are_written_by_its_administrators(core, anna, north, level, visit, send):
    level("comment")
    root = make_person(core, "root", entity=north)
    with core.db.write() as session:
        grant(session, root.id, "site_admin", actor=Actor("test"))
    assert send(visit(anna), "post", f"{API}/tutorials", json=DRAFT).status_code == 403
    client = visit(root)
    made = send(client, "post", f"{API}/tutorials", json=DRAFT)
    assert made.status_code == 201
    address = f"{API}/tutorials/{made.json['key']}"
    assert send(client, "put", address, json={**DRAFT, "title": "New", "version": 1}).json["version"] == 2
    assert send(client, "put", address, json={**DRAFT, "version": 1}).status_code == 409
    assert send(client, "put", f"{API}/tutorials/onboarding.levels", json={**DRAFT, "version": 1}).status_code == 404
    for wrong in ({"level": 0}, {"video": "javascript:x"}, {"locale": "xx"}, {"title": ""}):
        assert send(client, "post", f"{API}/tutorials", json={**DRAFT, **wrong}).status_code == 422, wrong
    assert send(visit(anna), "delete", address).status_code == 403
    assert send(client, "delete", address).status_code == 204
    assert send(client, "delete", address).status_code == 404


def test_figures_are_for_those_who_accompany(core, anna, north, level, visit):
    level("react")
    assert visit(anna).get(f"{API}/wave").status_code == 403
    boss = make_person(core, "boss", entity=north, is_manager=True)
    for number in range(20):
        make_person(core, f"p{number}", entity=north)
    found = visit(boss).get(f"{API}/wave").json
    assert (found["scope"], found["people"]["number"]) == ("entity", 22)
    assert all(set(one) == {"label", "number", "text"} for one in found["figures"])
