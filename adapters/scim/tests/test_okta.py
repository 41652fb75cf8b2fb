"""What Okta sends, as its reference of SCIM 2.0 shows it."""

from __future__ import annotations

from rse_core import people

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def okta_user(number=1, **values):
    return {
        "schemas": [USER],
        "userName": f"test.user{number}@okta.local",
        "name": {"givenName": "Test", "familyName": f"User{number}"},
        "emails": [{"primary": True, "value": f"test.user{number}@okta.local", "type": "work"}],
        "displayName": f"Test User{number}",
        "locale": "en-US",
        "externalId": f"00ujl29u0le5T6Aj10h{number}",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
        **values,
    }


def person_of(core, number=1):
    with core.db.read() as session:
        return people.by_external_id(session, f"00ujl29u0le5T6Aj10h{number}")


def test_the_test_of_the_credentials(scim):
    assert scim.get("/Users", startIndex=1, count=2)["Resources"] == []
    assert scim.get("/Groups", startIndex=1, count=100)["totalResults"] == 0


def test_a_person_is_looked_for_made_replaced_and_switched_off_and_on(core, scim):
    assert scim.find('userName eq "test.user1@okta.local"', startIndex=1, count=100)["totalResults"] == 0
    made = scim.post("/Users", okta_user())
    path = f"/Users/{made['id']}"
    assert made["emails"][0]["value"] == "test.user1@okta.local", "a domain that no name server knows is an address"
    assert person_of(core).locale == "en"
    shown = scim.get(path)
    name = {"givenName": "Another", "familyName": "User1"}
    replaced = scim.put(path, {**shown, "name": name, "displayName": "Another User"})
    assert replaced["name"]["givenName"] == "Another"
    assert person_of(core).display_name == "Another User"
    scim.put(path, {**okta_user(), "id": made["id"], "active": False, "meta": {"resourceType": "User"}})
    assert person_of(core).status == "disabled"
    scim.patch(path, {"op": "replace", "value": {"active": True}})
    assert person_of(core).status == "active"
    scim.patch(path, {"op": "replace", "value": {"active": False}})
    assert person_of(core).status == "disabled"
    assert scim.find('userName eq "test.user1@okta.local"')["Resources"][0]["active"] is False


def test_a_put_without_an_attribute_takes_it_away(core, scim):
    made = scim.post("/Users", okta_user(title="Boss", userType="External"))
    assert (person_of(core).job_title, person_of(core).external) == ("Boss", True)
    scim.put(f"/Users/{made['id']}", {"schemas": [USER], "userName": "test.user1@okta.local", "active": True})
    shown = scim.get(f"/Users/{made['id']}")
    assert "title" not in shown
    assert "externalId" not in shown
    person = person_of(core)
    assert (person.job_title, person.external, person.email) == ("", False, "")
    assert person.external_id == "00ujl29u0le5T6Aj10h1", "how the organisation knows somebody is not lost"


def test_groups_are_pushed_and_renamed_by_an_object_that_holds_the_id(scim):
    one, two = (scim.post("/Users", okta_user(number))["id"] for number in (1, 2))
    made = scim.post("/Groups", {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": []})
    path = f"/Groups/{made['id']}"
    scim.patch(path, {"op": "replace", "value": {"id": made["id"], "displayName": "Test SCIMv20"}})
    assert scim.get(path)["displayName"] == "Test SCIMv20"
    member = {"value": one, "display": "test.user1@okta.local"}
    scim.patch(path, {"op": "add", "path": "members", "value": [member]})
    scim.patch(
        path,
        {"op": "remove", "path": f'members[value eq "{one}"]'},
        {"op": "add", "path": "members", "value": [{"value": two, "display": "test.user2@okta.local"}]},
    )
    assert [found["value"] for found in scim.get(path)["members"]] == [two]
    scim.put(path, {"schemas": [GROUP], "id": made["id"], "displayName": "Renamed", "members": [member]})
    shown = scim.get(path)
    assert (shown["displayName"], [found["value"] for found in shown["members"]]) == ("Renamed", [one])
    scim.patch(path, {"op": "replace", "path": "members", "value": [member, {"value": two}]})
    assert len(scim.get(path)["members"]) == 2
    scim.patch(path, {"op": "replace", "value": {"id": "another", "displayName": "Stolen"}}, expect=400)
    assert scim.get("/Groups", startIndex=1, count=100)["Resources"][0]["displayName"] == "Renamed"
    scim.delete(path)


def test_a_manager_that_is_no_id_is_found_by_what_okta_knows(core, scim):
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    body = {**okta_user(2), "schemas": [USER, enterprise], enterprise: {"manager": {"value": "test.user1@okta.local"}}}
    scim.post("/Users", body)
    assert person_of(core, 2).manager_id is None
    scim.post("/Users", okta_user(1))
    assert person_of(core, 2).manager_id == person_of(core, 1).id
