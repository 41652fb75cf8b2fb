"""What a broken or hostile client sends: refused in the protocol's words, nothing written, nothing shown of the inside."""

from __future__ import annotations

import json
import logging
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from rse_core import people
from rse_core.models.organisation import Person
from rse_core.testing.organisation import make_person

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.fixture(autouse=True)
def nothing_unexpected(caplog):
    """No request of this module may end in an error that was not foreseen."""
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], caplog.text


def test_a_huge_filter_is_refused(scim):
    many = " or ".join(f'userName eq "{number}"' for number in range(3_000))
    assert scim.get("/Users", filter=many, expect=400)["scimType"] == "invalidFilter"
    long = 'userName eq "' + "x" * 5_000 + '"'
    assert scim.get("/Users", filter=long, expect=400)["scimType"] == "invalidFilter"
    body = {"schemas": [SEARCH], "filter": " or ".join(["title pr"] * 80_000)}
    began = time.monotonic()
    assert scim.post("/Users/.search", body, expect=400)["scimType"] == "invalidFilter"
    assert time.monotonic() - began < 5, "it is refused before it is read"
    allowed = " or ".join('title pr' for _turn in range(300))
    assert scim.get("/Users", filter=allowed)["totalResults"] == 0


def test_a_deep_filter_is_refused(scim):
    assert scim.get("/Users", filter="not (" * 40 + "title pr" + ")" * 40, expect=400)["scimType"] == "invalidFilter"
    scim.get("/Users", filter="(" * 1_900 + "title pr" + ")" * 1_900)
    scim.get("/Users", filter="(" * 1_900 + "title pr", expect=400)
    scim.get("/Users", filter="not (" * 30 + "title pr" + ")" * 30)


def test_a_deep_body_is_refused(scim):
    deep = b'{"schemas":["' + USER.encode() + b'"],"userName":"x","name":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}"
    scim.send("POST", "/Users", raw=deep, expect=400)
    digits = b'{"schemas":["' + USER.encode() + b'"],"userName":"x","title":' + b"9" * 6_000 + b"}"
    scim.send("POST", "/Users", raw=digits, expect=400)
    lists = b'{"schemas":["' + PATCH.encode() + b'"],"Operations":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    scim.send("PATCH", f"/Users/{scim.user('ana')['id']}", raw=lists, expect=400)


SQLISH = [
    "'; DROP TABLE rse_core_person; --", '" or 1=1 --', "%", "_", "\\", "$.emails", "'||(SELECT 1)||'", "a'b\"c", "{}",
    "[0]", "${jndi:x}", "x" * 200,
]  # fmt: skip


@pytest.mark.parametrize("text", SQLISH)
def test_texts_that_look_like_something_else_are_texts(core, scim, text):
    made = scim.user(f"ana{text}"[:200], title=text, displayName=text, nickName=text, enterprise={"department": text[:100]})
    scim.user("other", title="plain")
    for name in ("title", "nickName", "displayName"):
        found = scim.find(f"{name} eq {json.dumps(text)}")
        assert [one["id"] for one in found["Resources"]] == [made["id"]]
    assert [one["id"] for one in scim.find(f"title co {json.dumps(text)}")["Resources"]] == [made["id"]]
    assert scim.get(f"/Users/{made['id']}")["title"] == text
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 3


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_texts_that_no_database_keeps_are_refused(core, scim, text):
    made, team = scim.user("ana"), scim.group("Team")
    operations = [
        {"op": "replace", "path": "title", "value": text}, {"op": "replace", "value": {"displayName": text}},
        {"op": "add", "path": "emails", "value": [{"value": text}]}, {"op": "replace", "path": "userName", "value": text},
        {"op": "replace", "path": "externalId", "value": text},
        {"op": "add", "path": f"{ENTERPRISE}:department", "value": text},
        {"op": "add", "path": f"{ENTERPRISE}:manager", "value": text},
    ]  # fmt: skip
    for operation in operations:
        scim.patch(f"/Users/{made['id']}", operation, expect=400)
    scim.user(text, expect=400)
    scim.group(text, expect=400)
    scim.group("Other", externalId=text, expect=400)
    for operation in (
        {"op": "replace", "path": "displayName", "value": text},
        {"op": "add", "path": "members", "value": [{"value": text}]},
        {"op": "replace", "path": "externalId", "value": text},
    ):
        scim.patch(f"/Groups/{team['id']}", operation, expect=400)
    # NUL is JSON, and the id of nobody; half a pair is no JSON.
    removal = {"op": "remove", "path": "members", "value": [{"value": text}]}
    scim.patch(f"/Groups/{team['id']}", removal, expect=204 if "\x00" in text else 400)
    for path in ("/Users/a%00b", "/Groups/%00", "/Users/%ED%A0%80"):
        scim.get(path, expect=404)
    scim.get(f"/Users/{made['id']}")
    with core.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2


def test_somebody_of_another_source_is_out_of_reach(core, scim):
    other = make_person(core, "by-hand", external_id="H1")
    root = people_id(core, "root")
    for ident in (other.id, root, "by-hand", "H1"):
        scim.get(f"/Users/{ident}", expect=404)
        scim.delete(f"/Users/{ident}", expect=404)
        scim.patch(f"/Users/{ident}", {"op": "replace", "path": "active", "value": False}, expect=404)
        scim.put(f"/Users/{ident}", {"schemas": [USER], "userName": "taken"}, expect=404)
    scim.group("Team", [str(other.id)], expect=400)
    made = scim.user("ana", enterprise={"manager": {"value": str(other.id)}})
    with core.db.read() as session:
        assert session.get(Person, other.id).status == "active"
        assert people.by_username(session, "ana").manager_id is None
    scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "externalId", "value": "H1"}, expect=409)
    scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": "by-hand"}, expect=409)
    assert scim.get("/Users")["totalResults"] == 1


def people_id(core, username):
    with core.db.read() as session:
        return people.by_username(session, username).id


def test_read_only_attributes_are_not_written(scim):
    made = scim.user("ana", id="mine", meta={"resourceType": "Group", "version": "x"}, groups=[{"value": "g"}])
    assert made["id"] != "mine"
    assert "groups" not in made
    for path, value in (("id", "other"), ("meta.created", "2001-01-01T00:00:00Z"), ("groups", [{"value": "g"}])):
        answer = scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": path, "value": value}, expect=400)
        assert answer["scimType"] == "mutability"
    scim.patch(f"/Users/{made['id']}", {"op": "remove", "path": "userName"}, expect=400)
    scim.patch(f"/Users/{made['id']}", {"op": "remove"}, expect=400)
    scim.patch(f"/Users/{made['id']}", {"op": "remove", "path": 'emails[type eq "work"'}, expect=400)
    scim.patch(f"/Users/{made['id']}", {"op": "jump", "path": "title", "value": "x"}, expect=400)
    scim.patch(f"/Users/{made['id']}", expect=400)
    assert scim.get(f"/Users/{made['id']}") == made


def test_endless_lists_and_texts_are_refused(scim):
    scim.user("ana", emails=[{"value": f"{n}@x.org"} for n in range(101)], expect=400)
    scim.user("ana", nickName="x" * 4_001, expect=400)
    scim.user("ana", externalId="x" * 201, expect=400)
    scim.user("ana", enterprise={"manager": {"value": "x" * 201}}, expect=400)
    scim.user("x" * 201, expect=400)
    scim.group("x" * 301, expect=400)
    scim.group("Team", externalId="x" * 201, expect=400)
    made = scim.user("ana")
    many = [{"value": str(number)} for number in range(101)]
    scim.patch(f"/Users/{made['id']}", {"op": "add", "path": "ims", "value": many}, expect=400)


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12)
    ),
    lambda some: st.one_of(
        st.lists(some, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "schemas", "userName", "name", "emails", "value", "type", "primary", "op", "path", "Operations",
                    "members", "displayName", "active", ENTERPRISE, "manager", "method", "data", "bulkId", "externalId",
                    "$ref", "id",
                ]
            ),
            some, max_size=6,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


def test_no_json_brings_the_server_down(scim):
    made, team = scim.user("ana"), scim.group("Team")
    paths = [
        ("POST", "/Users"), ("PUT", f"/Users/{made['id']}"), ("PATCH", f"/Users/{made['id']}"), ("POST", "/Groups"),
        ("PATCH", f"/Groups/{team['id']}"), ("POST", "/Bulk"), ("POST", "/.search"), ("POST", "/Users/.search"),
    ]  # fmt: skip

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(st.sampled_from(paths), json_values)
    def send(target, body):
        method, path = target
        if isinstance(body, dict):
            usual = BULK if path == "/Bulk" else GROUP if "G" in path else USER
            body.setdefault("schemas", [PATCH if method == "PATCH" else usual])
        answer = scim.send(method, path, body)
        assert answer.status_code < 500, answer.text
        assert answer.status_code < 400 or answer.json["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]

    send()


@settings(max_examples=150)
@given(st.text(max_size=40))
def test_mending_never_raises(text):
    from rse_scim.quirks import mended, mended_query

    mended_query({"filter": f"manager {text}"})
    for method in ("POST", "PUT", "PATCH"):
        mended(method, "Bulk", text.encode("utf-8", "replace"))
        mended(method, "Users", json.dumps({"Operations": text, ENTERPRISE: text}).encode())


def test_a_path_that_no_database_keeps_is_refused_and_noted(core, scim):
    scim.send("PUT", "/Users/a%00b%ED%A0%80", {"schemas": [USER], "userName": "x"}, expect=404)
    operation = {"method": "PUT", "path": "/Users/\x00", "data": {"schemas": [USER], "userName": "x"}}
    answer = scim.post("/Bulk", {"schemas": [BULK], "Operations": [operation]}, expect=200)
    assert answer["Operations"][0]["status"] == "404"


def test_a_request_from_another_site_with_a_session_is_nobodys(app, core, token):
    answer = app.test_client().post(
        "/rse/scim/v2/Users", json={"schemas": [USER], "userName": "x"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 401
