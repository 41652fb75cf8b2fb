"""REST: the list, the bell, preferences and mutes."""

from __future__ import annotations

import pytest

from rse_core import notify
from rse_core.api import ObjectRef
from rse_core.testing import as_person

API = "/rse/api/v1/notifications"


@pytest.fixture
def client(site, anna):
    from rse_core.extension import create_app

    return as_person(create_app(site).test_client(), anna)


@pytest.fixture
def send(client):
    token = client.get("/rse/embed/slots?address=/&slots=bell").headers["X-RSE-CSRF"]

    def send(method, path, **values):
        return getattr(client, method)(API + path, headers={"X-RSE-CSRF": token}, **values)

    return send


def test_the_list_and_reading_it(site, client, send, anna, ben, tell, announce):
    tell(anna, actor=ben)
    announce(actor=ben, firm=True)
    items = client.get(API).json["items"]
    assert {(one["type"], one["read"], one["firm"], one["url"]) for one in items} == {
        ("bulletin.noted", False, True, "/rse/n/1"), ("bulletin.noted", False, False, "/rse/n/1")
    }  # fmt: skip
    assert "Benoît Œuvrard" in items[0]["text"]
    assert send("post", "/read", json={"keys": [items[0]["key"]]}).json["count"] == 1
    assert [one["key"] for one in client.get(f"{API}?unread=true").json["items"]] == [items[1]["key"]]
    for _again in range(2):
        assert send("post", "/read", json={}).json["count"] == 0
    assert send("delete", f"/{items[0]['key']}").status_code == 204
    assert [one["key"] for one in client.get(API).json["items"]] == [items[1]["key"]]


def test_pages_by_cursor(client, anna, bulletin, tell):
    for number in range(35):
        bulletin.notes[str(number)] = {}
        tell(anna, ref=ObjectRef("bulletin.note", str(number)), cause=f"c:{number}")
    first = client.get(API).json
    second = client.get(API, query_string={"cursor": first["next"]}).json
    keys = [one["key"] for one in first["items"] + second["items"]]
    assert (len(keys), len(set(keys)), second["next"]) == (35, 35, None)
    assert client.get(API, query_string={"cursor": "rubbish"}).status_code == 422
    assert client.get(API, query_string={"cursor": first["next"], "unread": True}).status_code == 422


def test_the_bell_answers_that_nothing_has_changed(client, anna, tell):
    tell(anna)
    answer = client.get(f"{API}/count")
    assert (answer.json["count"], answer.json["label"]) == (1, "1 unread notification")
    again = client.get(f"{API}/count", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    tell(anna, "bulletin.named", cause="c:2")
    assert client.get(f"{API}/count", headers={"If-None-Match": answer.headers["ETag"]}).json["count"] == 2


def test_preferences(site, client, send, anna):
    found = client.get(f"{API}/preferences").json
    assert {"type": "bulletin.noted", "channel": "mail", "value": "immediate", "default": "immediate", "chosen": False} in (
        found["wishes"]
    )
    changed = {"wishes": [{"type": "bulletin.noted", "channel": "mail", "value": "daily"}], "digest_hour": 6}
    assert send("patch", "/preferences", json=changed).json["digest_hour"] == 6
    assert send("patch", "/preferences", json={"time_zone": "Indian/Reunion"}).json["digest_hour"] == 6
    with site.db.read() as session:
        assert notify.wishes(session, anna.id)["bulletin.noted", "mail"].value == "daily"
    none = {"wishes": [{"type": "bulletin.noted", "channel": "mail", "value": None}]}
    assert send("patch", "/preferences", json=none).status_code == 200
    with site.db.read() as session:
        assert notify.wishes(session, anna.id)["bulletin.noted", "mail"].value == "immediate"


@pytest.mark.parametrize(
    "body",
    [
        {"wishes": [{"type": "bulletin.noted", "channel": "mail", "value": "hourly"}]},
        {"wishes": [{"type": "nothing", "channel": "mail", "value": "none"}]},
        {"wishes": [{"type": "bulletin.noted", "channel": "page", "value": "daily"}]},
        {"digest_hour": 24}, {"digest_hour": "x"}, {"time_zone": "Mars/Phobos"}, {"person_id": 1}, [],
    ],
)  # fmt: skip
def test_preferences_that_make_no_sense_are_refused_and_change_nothing(client, send, body):
    before = client.get(f"{API}/preferences").json
    answer = send("patch", "/preferences", json=body)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert client.get(f"{API}/preferences").json == before


def test_mutes(client, send, anna):
    for _again in range(2):
        assert send("put", "/mutes", json={"ref": "bulletin.note:1"}).status_code == 204
    assert client.get(f"{API}/mutes").json == [{"ref": "bulletin.note:1", "hears": "mentions", "title": "Note 1"}]
    assert send("put", "/mutes", json={"ref": "bulletin.note:404"}).status_code == 404
    for _again in range(2):
        assert send("delete", "/mutes", query_string={"ref": "bulletin.note:1"}).status_code == 204
    assert client.get(f"{API}/mutes").json == []


def test_other_peoples_change_nothing(site, client, send, ben, tell):
    tell(ben)
    with site.db.read() as session:
        (theirs,) = notify.of_person(session, ben.id)
    send("post", "/read", json={"keys": [theirs.key]})
    send("delete", f"/{theirs.key}")
    assert send("post", "/read", json={"keys": ["x"]}).status_code == 422
    with site.db.read() as session:
        assert [one.read for one in notify.of_person(session, ben.id)] == [False]


def test_without_a_token_of_the_form_nothing_changes(client):
    assert client.post(f"{API}/read", json={}).status_code == 403
