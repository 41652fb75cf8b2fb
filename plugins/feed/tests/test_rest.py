"""The REST resources: read by cursor, write once, edit by version, delete; and what hostile calls get."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from rse_core import moderation
from rse_core.api import Actor, utcnow
from rse_core.testing.organisation import make_person, make_space

API = "/rse/api/v1/feed"


@pytest.fixture
def api(rse_client, as_person, anna):
    client = as_person(rse_client, anna)
    token = client.get("/rse/embed/slots?address=/news/1&slots=comments").headers["X-RSE-CSRF"]

    def call(method, path="", json=None, **headers):
        given = {"Accept-Language": "en", "X-RSE-CSRF": token, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return client.open(f"{API}{path}", method=method, json=json, headers=given)

    return call


def post(api, **values):
    answer = api("POST", "/posts", {"body": "Bonjour **vous**", "audience": "everyone", **values})
    assert answer.status_code == 201, answer.text
    return answer


def test_a_post_is_written_read_edited_and_deleted(api):
    made = post(api, title="Formation", topics=["Vélo"])
    assert made.json["state"] == "published"
    assert made.json["html"] == "<p>Bonjour <strong>vous</strong></p>\n"
    assert made.json["topics"] == ["Vélo"]
    assert made.headers["ETag"] == '"1"'
    path = f"/posts/{made.json['id']}"
    assert api("GET", path).json["audience"] == "everyone"
    edited = api("PATCH", path, {"body": "Bonsoir"}, If_Match='"1"')
    assert (edited.status_code, edited.json["title"], edited.json["body"]) == (200, "Formation", "Bonsoir")
    assert edited.json["edited_at"]
    assert edited.headers["ETag"] == '"2"'
    assert api("DELETE", path, If_Match='"1"').status_code == 409
    assert api("DELETE", path, If_Match='"2"').status_code == 204
    assert api("GET", path).status_code == 404


def test_a_stale_or_missing_version_changes_nothing(api):
    path = f"/posts/{post(api).json['id']}"
    assert api("PATCH", path, {"body": "Autre"}).status_code == 422
    assert api("PATCH", path, {"body": "Autre", "version": 9}).status_code == 409
    assert api("PATCH", path, {"body": "Autre"}, If_Match="nonsense").status_code == 422
    assert api("GET", path).json["body"] == "Bonjour **vous**"


def test_a_repeated_call_writes_once(api):
    body = {"body": "Une fois", "audience": "everyone"}
    first, second = (api("POST", "/posts", body, Idempotency_Key="k" * 20) for _ in range(2))
    assert first.json["id"] == second.json["id"]
    assert len(api("GET").json["items"]) == 1


def test_the_feed_comes_by_cursors_that_are_bound_to_their_list(api):
    made = [post(api, body=f"n{number}").json["id"] for number in range(5)]
    first = api("GET", "?limit=2").json
    second = api("GET", f"?limit=2&cursor={first['next']}").json
    third = api("GET", f"?limit=2&cursor={second['next']}").json
    assert [item["id"] for page in (first, second, third) for item in page["items"]] == made[::-1]
    assert third["next"] is None
    for wrong in (f"?sort=active&cursor={first['next']}", "?cursor=abc", f"?kind=posts&cursor={first['next']}"):
        assert api("GET", wrong).status_code == 422


def test_a_cursor_of_somebody_else_is_none(api, rse_app, as_person, ben):
    for number in range(3):
        post(api, body=f"n{number}")
    cursor = api("GET", "?limit=2").json["next"]
    client = as_person(rse_app.test_client(), ben)
    assert client.get(f"{API}?limit=2&cursor={cursor}").status_code == 422


def test_what_is_new_is_asked_with_what_a_page_gave(api, rse_app, as_person, ben):
    client = as_person(rse_app.test_client(), ben)
    since = client.get(API).json["since"]
    post(api)
    assert client.get(f"{API}/new?since={since}").json["count"] == 1
    assert client.get(f"{API}/new?since=0").status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": "x" * 30_000}, "body"), ({"body": ""}, "body"), ({"audience": "group:secret"}, "audience"),
        ({"act": "schedule", "publish_at": "2001-01-01T00:00"}, "publish_at"), ({"act": "shout"}, "act"),
        ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_names_its_field(api, body, field):
    answer = api("POST", "/posts", {"body": "Bonjour", "audience": "everyone", **body})
    assert answer.status_code == 422
    assert field in str(answer.json["errors"])


def test_a_body_that_is_too_large_is_refused_before_it_is_read(api):
    assert api("POST", "/posts", {"body": "x" * 2_000_000, "audience": "everyone"}).status_code == 413


def test_a_secret_space_is_as_one_that_does_not_exist(api, site, ben):
    make_space(site, "secret", visibility="secret", members=[ben])
    known, unknown = api("GET", "?space=secret"), api("GET", "?space=nowhere")
    assert (known.status_code, known.json) == (unknown.status_code, unknown.json)
    assert known.status_code == 404


def test_a_draft_is_planned_and_told_how_the_clock_was_read(api):
    draft = post(api, act="draft")
    assert (draft.json["state"], api("GET").json["items"]) == ("draft", [])
    path = f"/posts/{draft.json['id']}"
    kept = api("PATCH", path, {"title": "Plus tard"}, If_Match='"1"')
    assert kept.json["state"] == "draft"
    # The next night on which the clocks of Paris go forward is always less than a year ahead.
    sundays = (dt.date(year, 3, 31) for year in itertools.count(utcnow().year))
    nights = (day - dt.timedelta(days=(day.weekday() + 1) % 7) for day in sundays)
    night = next(night for night in nights if night > utcnow().date() + dt.timedelta(days=1))
    sent = {"act": "schedule", "publish_at": f"{night}T02:30", "publish_zone": "Europe/Paris"}
    answer = api("PATCH", path, sent, If_Match='"2"')
    assert "03:30" in answer.json["said"]
    assert answer.json["publish_zone"] == "Europe/Paris"
    again = api("PATCH", path, {"title": "Encore"}, If_Match='"3"')
    assert (again.json["state"], again.json["publish_at"]) == ("scheduled", answer.json["publish_at"])


def test_the_text_of_a_post_is_its_authors_and_its_html_everybodys(api, rse_app, as_person, ben):
    path = f"{API}/posts/{post(api).json['id']}"
    client = as_person(rse_app.test_client(), ben)
    found = client.get(path).json
    assert found["body"] == ""
    assert "<strong>vous</strong>" in found["html"]


def test_a_pending_post_says_so_to_its_author(api, site, rse_app, as_person, ben):
    with site.db.write() as session:
        moderation.review(session, "site", 0, True, actor=Actor("cli"), subject="site")
    made = post(api)
    assert made.json["state"] == "pending"
    client = as_person(rse_app.test_client(), ben)
    assert client.get(f"{API}/posts/{made.json['id']}").status_code == 404
    assert client.get(API).json["items"] == []


def test_below_the_level_the_answer_says_when_or_what_is_needed(site, rse_app, as_person):
    quiet = make_person(site, "quiet", level="inform")
    client = as_person(rse_app.test_client(), quiet)
    answer = client.get(API)
    assert answer.status_code == 403
    assert answer.json["reason"] == "level"
    assert rse_app.test_client().get(API).status_code == 401
