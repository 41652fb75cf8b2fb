"""Reactions over REST: reading many at once, putting one's own, and the description of it all."""

from __future__ import annotations

import pytest

from rse_core import tokens
from rse_core.api import Actor, ObjectRef
from rse_core.testing import as_person
from rse_core.testing.organisation import make_person, set_level
from rse_likes import service
from rse_likes.models import Reaction

API = "/rse/api/v1/reactions"
REF = "page:/news/1"


@pytest.fixture
def client(site, rse_app, anna):
    return as_person(rse_app.test_client(), anna)


@pytest.fixture
def token(client):
    return client.get("/rse/embed/slots?address=/&slots=reactions").headers["X-RSE-CSRF"]


def put(client, token, reaction="like", ref=REF, **headers):
    return client.put(API, json={"ref": ref, "reaction": reaction}, headers={"X-RSE-CSRF": token, **headers})


def test_putting_a_reaction_twice_is_putting_it_once(client, token):
    expected = {
        "ref": REF, "counts": {"like": 1}, "total": 1, "mine": "like", "may_react": True, "reason": "ok",
        "offered": ["like", "useful", "bravo", "thanks"],
    }  # fmt: skip
    for _ in range(2):
        answer = put(client, token)
        assert (answer.status_code, answer.json) == (200, expected)
    assert put(client, token, "bravo").json["counts"] == {"bravo": 1}


def test_deleting_leaves_nothing_and_can_be_repeated(client, token):
    put(client, token)
    for _ in range(2):
        answer = client.delete(API, query_string={"ref": REF}, headers={"X-RSE-CSRF": token})
        assert (answer.status_code, answer.json["counts"], answer.json["mine"]) == (200, {}, None)


def test_many_objects_are_read_at_once_and_what_one_may_not_know_of_is_left_out(site, client, token, ben):
    put(client, token)
    with site.db.write() as session:
        service.react(session, ben.id, ObjectRef("page", "/news/2"), "useful")
    refs = [REF, "page:/news/2", "page:/news/3", "page:https://evil.test/", "nothing:1"]
    found = client.get(API, query_string=[("ref", ref) for ref in refs]).json
    assert [(one["ref"], one["counts"], one["mine"]) for one in found] == [
        (REF, {"like": 1}, "like"),
        ("page:/news/2", {"useful": 1}, None),
        ("page:/news/3", {}, None),
    ]


@pytest.mark.parametrize(
    ("refs", "status"),
    [([], 422), ([f"page:/p/{n}" for n in range(101)], 422), (["no object"], 422), (["page:/" + "x" * 700], 422)],
)
def test_a_question_that_makes_no_sense_is_refused(client, refs, status):
    answer = client.get(API, query_string=[("ref", ref) for ref in refs])
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [{}, {"ref": REF}, {"ref": REF, "reaction": "hate"}, {"ref": REF, "reaction": 7}, {"ref": REF, "reaction": "x" * 31},
     {"ref": "page", "reaction": "like"}, {"ref": REF, "reaction": "like", "person_id": 1}, [], "like"],
)  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused_and_writes_nothing(site, client, token, body):
    answer = client.put(API, json=body, headers={"X-RSE-CSRF": token})
    assert answer.status_code == 422
    assert answer.json["detail"]
    with site.db.read() as session:
        assert session.query(Reaction).count() == 0


def test_without_the_token_of_the_session_nothing_is_written(site, client):
    assert put(client, "").status_code == 403
    assert put(client, "0" * 64).json["code"] == "csrf"
    form = client.put(API, data={"ref": REF, "reaction": "like"}, headers={"X-RSE-CSRF": "x"})
    assert form.status_code in (403, 415)
    with site.db.read() as session:
        assert session.query(Reaction).count() == 0


def test_a_level_that_is_too_low_is_a_problem_with_its_reason(site, client, token):
    put(client, token)
    set_level(site, "inform")
    answer = put(client, token, "bravo")
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert (answer.json["reason"], answer.json["decision"]["required_level"]) == ("level", 1)
    assert client.get(API, query_string={"ref": REF}).json == []


def test_a_machine_reacts_by_its_token_and_is_marked(site, rse_app, anna):
    with site.db.write() as session:
        text = tokens.create_token(session, anna, "robot", ("read", "write"), Actor("cli"))
    answer = put(rse_app.test_client(), "", Authorization=f"Bearer {text}")
    assert answer.status_code == 200
    with site.db.read() as session:
        assert session.query(Reaction).one().via == "api"


def test_who_reacted_pages_by_cursor(site, client):
    for number in range(service.PAGE + 1):
        person = make_person(site, name=f"Reader {number:02}")
        with site.db.write() as session:
            service.react(session, person.id, ObjectRef("page", "/news/1"), "like")
    first = client.get(f"{API}/people", query_string={"ref": REF}).json
    assert [one["person"]["name"] for one in first["items"]][:2] == ["Reader 30", "Reader 29"]
    second = client.get(f"{API}/people", query_string={"ref": REF, "cursor": first["next"]}).json
    assert [one["person"]["name"] for one in second["items"]] == ["Reader 00"]
    assert second["next"] is None
    other = client.get(f"{API}/people", query_string={"ref": "page:/news/2", "cursor": first["next"]})
    assert other.status_code == 422
    assert client.get(f"{API}/people", query_string={"ref": REF, "cursor": "x" * 5000}).status_code == 422
    assert client.get(f"{API}/people", query_string={"ref": REF, "reaction": "bravo"}).json["items"] == []


def test_my_reactions_are_listed(client, token):
    put(client, token, "thanks")
    (mine,) = client.get(f"{API}/mine").json["items"]
    assert (mine["ref"], mine["reaction"], mine["url"]) == (REF, "thanks", "/news/1")


@pytest.mark.parametrize("path", ["", "/people", "/mine"])
def test_nobody_reads_without_signing_in(site, rse_app, path):
    assert rse_app.test_client().get(API + path, query_string={"ref": REF}).status_code == 401


def test_every_call_and_field_is_described(rse_app):
    spec = rse_app.test_client().get("/rse/api/v1/openapi.json").json
    paths = {path: item for path, item in spec["paths"].items() if "/reactions" in path}
    calls = {
        (path.rpartition("/v1")[2], method) for path, item in paths.items() for method in item if method != "parameters"
    }
    assert calls == {
        ("/reactions", "get"), ("/reactions", "put"), ("/reactions", "delete"), ("/reactions/people", "get"),
        ("/reactions/mine", "get"),
    }  # fmt: skip
    for path, item in paths.items():
        for method, call in item.items():
            assert call["summary"], (path, method)
            assert "200" in call["responses"]
            for parameter in call.get("parameters", []):
                assert parameter["description"], (path, method, parameter["name"])
    counts = spec["components"]["schemas"]["ReactionCounts"]["properties"]
    assert all(field.get("description") for field in counts.values())
