"""The REST resources: pages by cursor, idempotency keys, versions, problems."""

from __future__ import annotations

import json

import pytest

from rse_core import roles
from rse_core.api import Actor
from rse_core.extension import create_app
from rse_core.testing import as_person
from rse_core.testing.organisation import set_level

API = "/rse/api/v1/comments"
PAGE = "page:/news/1"


class Api:
    """A client that speaks JSON with the token of its session."""

    def __init__(self, client):
        self.client = client
        answer = client.get("/rse/embed/slots?address=/news/1&slots=comments")
        self.headers = {"X-RSE-CSRF": answer.headers["X-RSE-CSRF"], "Accept-Language": "en"}

    def __call__(self, method, path="", body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            # As text that is ASCII: a lone surrogate can be written so, and must be refused.
            named |= {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        return self.client.open(API + path, method=method, data=data, headers={**self.headers, **named})


@pytest.fixture
def client(site, anna):
    app = create_app(site)
    app.testing = True
    return as_person(app.test_client(), anna)


@pytest.fixture
def api(client):
    return Api(client)


def test_a_comment_is_written_read_changed_and_deleted(api):
    written = api("POST", body={"ref": PAGE, "body": "**Hello**"})
    assert written.status_code == 201
    made = written.get_json()
    assert made["html"] == "<p><strong>Hello</strong></p>\n"
    assert made["author"]["name"] == "Anna Sérès"
    assert made["mine"] is True
    one = f"/{made['id']}"
    read = api("GET", one)
    assert read.headers["ETag"] == '"1"'
    changed = api("PATCH", one, {"body": "Changed"}, If_Match=read.headers["ETag"])
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    stale = api("PATCH", one, {"body": "Lost"}, If_Match='"1"')
    assert stale.status_code == 409
    assert stale.mimetype == "application/problem+json"
    assert api("PATCH", one, {"body": "Again", "version": 2}).status_code == 200
    assert api("DELETE", one, If_Match='"1"').status_code == 409
    assert api("DELETE", one).status_code == 204
    assert api("GET", one).status_code == 404


def test_a_repeated_call_with_its_key_writes_once(api):
    sent = {"ref": PAGE, "body": "Once"}
    first, second = (api("POST", body=sent, Idempotency_Key="k1").get_json()["id"] for _ in range(2))
    assert first == second
    assert api("POST", body={**sent, "body": "Twice"}, Idempotency_Key="k1").status_code == 409
    assert api("GET", f"?ref={PAGE}").get_json()["count"] == 1


def test_a_thread_is_read_by_cursors(api, site, ben, write):
    made = [write(site, ben, f"n° {number}").id for number in range(7)]
    got, cursor = [], ""
    while cursor is not None:
        page = api("GET", f"?ref={PAGE}&limit=3&sort=oldest" + (f"&cursor={cursor}" if cursor else "")).get_json()
        got += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert got == made
    assert page["count"] == 7
    assert page["may_write"] is True
    assert api("GET", f"?ref={PAGE}&cursor=forged").status_code == 422


def test_answers_come_with_their_comment(api):
    top = api("POST", body={"ref": PAGE, "body": "Top"}).get_json()["id"]
    reply = api("POST", body={"ref": PAGE, "body": "Reply", "parent": top}).get_json()
    assert reply["parent"] == top
    (item,) = api("GET", f"?ref={PAGE}").get_json()["items"]
    assert [one["body"] for one in item["replies"]] == ["Reply"]


def test_refusals_are_problems_with_their_reason(api, site, client):
    set_level(site, "react")
    answer = api("POST", body={"ref": PAGE, "body": "No"})
    assert (answer.status_code, answer.get_json()["reason"]) == (403, "level")
    assert answer.mimetype == "application/problem+json"
    assert api("GET", f"?ref={PAGE}").status_code == 404
    as_person(client, None)
    assert client.get(f"{API}?ref={PAGE}").status_code == 401


@pytest.mark.parametrize("body", [
    {}, {"ref": PAGE}, {"ref": PAGE, "body": ""}, {"ref": PAGE, "body": 3}, {"ref": "x", "body": "x"},
    {"ref": PAGE, "body": "x", "parent": "no"}, {"ref": PAGE, "body": "x", "other": 1}, [], "text",
    {"ref": PAGE, "body": "\ud800"},
])  # fmt: skip
def test_a_body_that_makes_no_sense_is_refused(api, body):
    assert api("POST", body=body).status_code in (400, 422)


@pytest.mark.parametrize("header", ["x", '"x"', '"99999999999999"'])
def test_a_version_that_makes_no_sense_is_refused(api, site, anna, write, header):
    comment = write(site, anna)
    assert api("PATCH", f"/{comment.id}", {"body": "x"}, If_Match=header).status_code == 422
    assert api("PATCH", f"/{comment.id}", {"body": "x"}).status_code == 422


def test_names_are_suggested_to_who_may_write_there(api, site, ben):
    found = api("GET", f"/mentions?ref={PAGE}&q=ben").get_json()
    assert found == [{"username": "ben", "name": "Benoît Œuvrard", "entity": found[0]["entity"]}]
    set_level(site, "react")
    assert api("GET", f"/mentions?ref={PAGE}&q=ben").status_code == 403


def test_the_comments_of_an_object_are_closed_and_opened_by_its_moderators(api, site, anna):
    closed = {"ref": PAGE, "locked": True}
    assert api("PUT", "/thread", closed).status_code == 403
    with site.db.write() as session:
        roles.grant(session, anna.id, "moderator", actor=Actor("cli"))
    assert api("PUT", "/thread", closed).get_json()["locked"] is True
    assert api("POST", body={"ref": PAGE, "body": "x"}).status_code == 403
    opened = {"ref": PAGE, "locked": False, "closes_at": "2099-01-01T00:00:00+01:00"}
    assert api("PUT", "/thread", opened).get_json()["locked"] is False
    assert api("POST", body={"ref": PAGE, "body": "x"}).status_code == 201


def test_every_resource_is_described(client):
    paths = client.get("/rse/api/v1/openapi.json").get_json()["paths"]
    ours = {path.partition("/comments")[2]: set(found) for path, found in paths.items() if "/comments" in path}
    assert {"get", "post"} <= ours[""]
    assert {"get", "patch", "delete"} <= ours["/{comment_id}"]
    assert "get" in ours["/mentions"]
    assert "put" in ours["/thread"]
