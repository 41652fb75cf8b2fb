"""Several requests at the same moment, each in a thread of its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from rse_core.models.organisation import Entity, Group, GroupMember, Person

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def at_once(app, token, scim):
    """``at_once(call, …)``: each call gets a client of its own; they begin together; the statuses, sorted."""

    def run(*calls):
        barrier = Barrier(len(calls))

        def one(call):
            client = type(scim)(app, token)
            barrier.wait()
            return call(client).status_code

        with ThreadPoolExecutor(len(calls)) as pool:
            return sorted(pool.map(one, calls))

    return run


def count(core, model, *where):
    with core.db.read() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where))


@pytest.mark.parametrize("turn", range(3))
def test_of_two_who_make_the_same_person_one_is_told_409(core, at_once, turn):
    def make(client):
        return client.send("POST", "/Users", {"schemas": [USER], "userName": "ana", "externalId": "E1"})

    assert at_once(make, make) == [201, 409]
    assert count(core, Person, Person.username == "ana") == 1


def test_of_many_who_make_the_same_person_under_other_names_one_succeeds(core, at_once):
    def make(number):
        body = {"schemas": [USER], "userName": f"ana{number}", "externalId": "E1"}
        return lambda client: client.send("POST", "/Users", body)

    assert Counter(at_once(*(make(number) for number in range(6)))) == {201: 1, 409: 5}


def test_an_entity_that_two_people_bring_is_made_once(core, at_once):
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

    def make(number):
        body = {"schemas": [USER, enterprise], "userName": f"u{number}", enterprise: {"department": "New"}}
        return lambda client: client.send("POST", "/Users", body)

    assert at_once(*(make(number) for number in range(4))) == [201] * 4
    assert count(core, Entity) == 1


def test_members_added_side_by_side_are_all_there(core, scim, at_once):
    uids = [scim.user(f"u{number}")["id"] for number in range(6)]
    team = scim.group("Team")

    def add(uid):
        body = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [{"value": uid}]}]}
        return lambda client: client.send("PATCH", f"/Groups/{team['id']}", body)

    assert at_once(*(add(uid) for uid in uids)) == [204] * 6
    assert count(core, GroupMember) == 6
    assert len(scim.get(f"/Groups/{team['id']}")["members"]) == 6


def test_of_two_changes_of_one_version_one_is_refused(core, scim, at_once):
    made = scim.user("ana")

    def change(title):
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": title}]}
        headers = {"If-Match": made["meta"]["version"]}
        return lambda client: client.send("PATCH", f"/Users/{made['id']}", body, headers=headers)

    assert at_once(change("one"), change("two")) == [204, 412]


def test_a_group_made_twice_at_once_is_one(core, at_once):
    group = "urn:ietf:params:scim:schemas:core:2.0:Group"

    def make(client):
        return client.send("POST", "/Groups", {"schemas": [group], "displayName": "Team"})

    assert at_once(make, make) == [201, 409]
    assert count(core, Group) == 1


class TestThreshold:
    @pytest.fixture
    def scim_settings(self):
        return {"leaving_free": 3}

    def test_requests_side_by_side_do_not_get_past_the_threshold(self, core, scim, at_once):
        made = [scim.user(f"u{number}") for number in range(8)]
        calls = [lambda client, one=one: client.send("DELETE", f"/Users/{one['id']}") for one in made]
        assert Counter(at_once(*calls)) == {204: 3, 429: 5}
        assert count(core, Person, Person.status == "disabled") == 3
