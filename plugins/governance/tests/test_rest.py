"""REST: the same services, by programs; problems as problems, pages by cursor, scopes of tokens."""

from __future__ import annotations

import re

import pytest

from rse_core import charter, indicators_roll
from rse_core.models.organisation import Person
from rse_core.testing.organisation import make_space

API = "/rse/api/v1/governance"


@pytest.fixture
def call(client):
    """``call(person, method, path, **json)``: an answer."""

    def call(person, method, path, query=None, /, **body):
        browser = client(person)
        headers = {"Accept": "application/json"}
        if method != "get":
            found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/rse/me/").text)
            headers["X-RSE-CSRF"] = found[1]
        return getattr(browser, method)(API + path, json=body or None, headers=headers, query_string=query)

    return call


def test_the_queue_is_paged_and_decided(site, people, moderated, wall, call):
    for number in range(5):
        wall.write(site, people["anna"], f"text {number}")
    first = call(people["mo"], "get", "/queue", {"limit": 3}).get_json()
    assert [item["text"] for item in first["items"]] == ["text 0", "text 1", "text 2"]
    rest = call(people["mo"], "get", "/queue", {"limit": 3, "cursor": first["next"]}).get_json()
    assert ([item["text"] for item in rest["items"]], rest["next"]) == (["text 3", "text 4"], None)
    assert call(people["mo"], "get", "/queue", {"cursor": first["next"], "state": "approved"}).status_code == 422
    ids = [item["id"] for item in first["items"]]
    done = call(people["mo"], "post", "/queue", ids=[*ids, 999], approve=True)
    assert (done.get_json()["done"], len(done.get_json()["problems"])) == (3, 1)
    assert call(people["mo"], "post", "/queue", ids=ids, approve=False).status_code == 422
    assert call(people["anna"], "get", "/queue").status_code == 403
    mine = call(people["anna"], "get", "/queue/mine").get_json()["items"]
    assert [item["state"] for item in mine] == ["pending", "pending", "approved", "approved", "approved"]


def test_another_ones_objects_are_not_there(site, people, moderated, wall, call):
    space = make_space(site, "inner", visibility="secret", members=[people["anna"]], managers=[people["max"]])
    wall.write(site, people["anna"], "between us", space=space)
    for who in ("anna", "mo", "cleo"):
        assert call(people[who], "patch", "/queue/1", text="x").status_code == 404
    assert call(people["max"], "patch", "/queue/1", text="among us").status_code == 204
    assert call(people["mo"], "post", "/reports/1", hide=True, reason="x").status_code == 404
    assert call(people["mo"], "post", "/bin/1", why="x").status_code == 404
    assert call(people["anna"], "put", "/reports/1/appeal", text="x").status_code == 404


def test_a_report_its_decision_and_the_appeal(site, people, wall, call):
    note = wall.write(site, people["anna"], "an insult")
    ref = f"wall.note:{note.id}"
    assert call(people["ben"], "post", "/reports", ref=ref, kind="hurtful").get_json() == {"new": True}
    assert call(people["ben"], "post", "/reports", ref=ref, kind="hurtful").get_json() == {"new": False}
    assert call(people["ben"], "post", "/reports", ref=ref, kind="nonsense").status_code == 422
    [case] = call(people["mo"], "get", "/reports").get_json()["items"]
    assert (case["ref"], case["state"]) == (ref, "open")
    stale = call(people["mo"], "post", f"/reports/{case['id']}", hide=True, reason="x", version=case["version"] + 1)
    assert stale.status_code == 409
    assert stale.content_type == "application/problem+json"
    assert call(people["mo"], "post", f"/reports/{case['id']}", hide=True, reason="It insults.").status_code == 204
    [mine] = call(people["anna"], "get", "/reports/mine").get_json()["items"]
    assert (mine["state"], mine["reason"]) == ("hidden", "It insults.")
    assert call(people["anna"], "put", f"/reports/{case['id']}/appeal", text="A quotation.").status_code == 204
    answer = {"grant": True, "reason": "Indeed."}
    assert call(people["mo"], "post", f"/reports/{case['id']}/appeal", **answer).status_code == 403
    assert call(people["ada"], "post", f"/reports/{case['id']}/appeal", **answer).status_code == 204


def test_words_charters_tools_and_terms(site, people, call):
    made = call(people["mo"], "post", "/words", where="site", act="hold", words="mot").get_json()
    assert call(people["mo"], "post", "/words/try", text="un MOT").get_json() == [
        {"where": "site", "act": "hold", "words": ["mot"]}
    ]
    change = {"act": "note", "words": "mot"}
    assert call(people["mo"], "put", f"/words/{made['id']}", **change, version=1).status_code == 204
    assert call(people["mo"], "put", f"/words/{made['id']}", **change, version=1).status_code == 409
    assert call(people["mo"], "delete", f"/words/{made['id']}").status_code == 204
    assert call(people["mo"], "post", "/charters", title="Charter", body="Be kind.").status_code == 403
    charter = call(people["ada"], "post", "/charters", title="Charter", body="Be kind.").get_json()
    assert call(people["anna"], "get", f"/charters/{charter['id']}").get_json()["body"] == "Be kind."
    assert [one["version"] for one in call(people["anna"], "get", "/charters").get_json()] == ["1"]
    assert call(people["anna"], "put", f"/charters/{charter['id']}/acceptance").status_code == 204
    assert call(people["anna"], "put", "/charters/987/acceptance").status_code == 404
    newer = call(people["ada"], "post", "/charters", title="Charter", body="Be kinder.").get_json()
    assert call(people["ben"], "put", f"/charters/{charter['id']}/acceptance").status_code == 409
    assert newer["version"] == "2"
    rates = call(people["ada"], "get", f"/charters/{charter['id']}/rates").get_json()
    assert rates["whole"]["people"] is None
    assert call(people["anna"], "get", f"/charters/{charter['id']}/rates").status_code == 403
    tool = call(people["ada"], "post", "/tools", use="Ask", tool="Feed").get_json()
    assert call(people["ada"], "put", f"/tools/{tool['id']}", use="Ask all", tool="Feed").get_json()["use"] == "Ask all"
    assert call(people["anna"], "get", "/tools").get_json()[0]["tool"] == "Feed"
    assert call(people["anna"], "delete", f"/tools/{tool['id']}").status_code == 403
    assert call(people["ada"], "put", "/processing/core.held", days=90).status_code == 204
    assert {one["name"]: one["days"] for one in call(people["ada"], "get", "/processing").get_json()}["core.held"] == 90
    assert call(people["mo"], "get", "/processing").status_code == 403


def test_suspensions_and_the_log(site, people, wall, call):
    body = {"person": "anna", "days": 3, "reason": "Insults, twice in a week."}
    assert call(people["anna"], "post", "/suspensions", **body).status_code == 403
    assert call(people["mo"], "post", "/suspensions", **body).status_code == 204
    assert [one["person"]["username"] for one in call(people["mo"], "get", "/suspensions").get_json()["items"]] == ["anna"]
    assert call(people["mo"], "post", "/suspensions/lift", person="anna", why="Settled.").status_code == 204
    acts = [one["act"] for one in call(people["mo"], "get", "/log", {"act": "suspension."}).get_json()["items"]]
    assert acts == ["suspension.lift", "suspension.start"]
    assert call(people["anna"], "get", "/log").status_code == 403
    assert call(people["anna"], "post", "/me/export").get_json()["person"] == "anna"


def test_who_accepted_a_charter_and_how_many(site, people, call):
    made = call(people["ada"], "post", "/charters", title="Charter", body="Be kind.").get_json()["id"]
    with site.db.write() as session:
        for name in ("anna", "ben", "cleo"):
            charter.accept(session, people[name].id, made)
        indicators_roll.roll_up(session)
    first = call(people["mo"], "get", f"/charters/{made}/acceptors", {"limit": 2}).get_json()
    assert [one["person"]["username"] for one in first["items"]] == ["anna", "ben"]
    assert all(one["accepted_at"] for one in first["items"])
    rest = call(people["mo"], "get", f"/charters/{made}/acceptors", {"limit": 2, "cursor": first["next"]}).get_json()
    assert ([one["person"]["username"] for one in rest["items"]], rest["next"]) == (["cleo"], None)
    rates = call(people["mo"], "get", f"/charters/{made}/rates").get_json()
    # Six people are too few.
    assert (rates["whole"]["people"], rates["waves"]) == (None, [])
    assert rates["day"]
    for path in ("acceptors", "rates"):
        assert call(people["anna"], "get", f"/charters/{made}/{path}").status_code == 403
        assert call(people["mo"], "get", f"/charters/99/{path}").status_code == 404


def test_one_erases_ones_own_account(site, people, call):
    assert call(people["anna"], "post", "/me/erase", username="ben").status_code == 422
    assert call(people["ada"], "post", "/me/erase", username="ada").status_code == 409
    assert call(people["anna"], "post", "/me/erase", username="anna").status_code == 204
    with site.db.read() as session:
        assert session.get_one(Person, people["anna"].id).source == "erased"
        assert session.get_one(Person, people["ben"].id).source != "erased"
