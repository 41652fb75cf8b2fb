"""REST beside posts: topics, acts, confirmations, addresses, reach; problems and repeated calls."""

from __future__ import annotations

import re

import pytest

from rse_core.testing.organisation import make_space
from rse_feed import drafting
from rse_feed.texts import Written

API = "/rse/api/v1/feed"


def write(core, person, body="Bonjour", audience="everyone"):
    with core.db.write() as session:
        return drafting.write(session, person.id, Written(body=body, audience=audience)).post


@pytest.fixture
def api(site, anna, rse_client, as_person):
    as_person(rse_client, anna)
    token = re.search(r'name="csrf_token" value="([^"]+)"', rse_client.get("/rse/feed/compose").text)[1]

    def call(method, path, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return rse_client.open(API + path, method=method, json=body, headers={"X-RSE-CSRF": token, **named})

    return call


def test_topics_are_listed_followed_and_never_renamed_by_anybody(site, anna, api):
    write(site, anna, "#sport et #chant")
    items = api("GET", "/topics").get_json()["items"]
    assert [(one["name"], one["posts"]) for one in items] == [("chant", 1), ("sport", 1)]
    ident = items[1]["id"]
    assert api("PUT", f"/topics/{ident}/follow").get_json()["followed"] is True
    assert [one["id"] for one in api("GET", "/topics?followed=true").get_json()["items"]] == [ident]
    assert api("DELETE", f"/topics/{ident}/follow").status_code == 204
    refused = api("PATCH", f"/topics/{ident}", {"name": "Autre"})
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    assert api("GET", "/topics/999999").status_code == 404
    assert api("GET", "/topics?cursor=forged").status_code in (400, 422)


def test_acts_and_their_refusals(site, anna, ben, api):
    post, other = write(site, anna), write(site, ben)
    assert api("POST", f"/posts/{post.id}/archive", {}).get_json()["state"] == "archived"
    assert api("POST", f"/posts/{post.id}/archive", {}).status_code == 409
    assert api("POST", f"/posts/{other.id}/archive", {}).status_code == 403
    assert api("POST", f"/posts/{other.id}/hide", {"reason": "x"}).status_code == 403
    assert api("POST", f"/posts/{post.id}/explode", {}).status_code == 404
    make_space(site, "secret", visibility="secret", members=[ben])
    hidden = write(site, ben, audience="space:secret")
    for ident in (hidden.id, 999999):
        assert api("POST", f"/posts/{ident}/lock", {}).status_code == 404
        assert api("PUT", f"/posts/{ident}/acknowledgement").status_code == 404


def test_an_address_is_made_once_for_a_key(api):
    first = api("POST", "/subscriptions", {"name": "Lecteur"}, Idempotency_Key="k").get_json()
    again = api("POST", "/subscriptions", {"name": "Lecteur"}, Idempotency_Key="k").get_json()
    assert (again["id"], again["token"]) == (first["id"], "")
    assert len(api("GET", "/subscriptions").get_json()) == 1
    assert api("DELETE", f"/subscriptions/{first['id']}").status_code == 204
    assert api("DELETE", f"/subscriptions/{first['id']}").status_code == 404


def test_reach_is_told_of_ones_own_audiences(site, api):
    make_space(site, "secret", visibility="secret")
    found = api("GET", "/reach?audience=everyone").get_json()
    assert found["people"]["number"] is None
    assert api("GET", "/reach?audience=space:secret").status_code == 404
