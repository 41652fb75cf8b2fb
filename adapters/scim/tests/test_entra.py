"""What Microsoft Entra ID sends, form by form, as its documentation for developers of SCIM endpoints shows it."""

from __future__ import annotations

import pytest

from rse_core import people
from rse_core.models.organisation import Entity, Person

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def entra_user(number=1, **values):
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"0a21f0f2-8d2a-4f8e-bf98-{number:012}",
        "userName": f"user{number}@corp.onmicrosoft.com",
        "active": True,
        "displayName": f"Given{number} Family{number}",
        "emails": [{"primary": True, "type": "work", "value": f"user{number}@corp.example"}],
        "meta": {"resourceType": "User"},
        "name": {
            "formatted": f"Given{number} Family{number}", "familyName": f"Family{number}", "givenName": f"Given{number}",
        },
        "roles": [],
        **values,
    }  # fmt: skip


def person_of(core, external_id):
    with core.db.read() as session:
        found = people.by_external_id(session, external_id)
        if found is not None:
            session.expunge(found)
        return found


def test_the_test_of_the_connection_finds_nobody_and_is_answered_200(scim):
    found = scim.find('userName eq "3ec8f5b5-8a34-4a1c-9b5a-a0c1a1d0a0f0"')
    assert (found["totalResults"], found["startIndex"], found["itemsPerPage"]) == (0, 1, 0)
    assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]


def test_a_person_is_looked_for_made_changed_disabled_and_deleted(core, scim):
    sent = entra_user(1, **{ENTERPRISE: {"department": "Finance", "employeeNumber": "42"}})
    assert scim.find(f'externalId eq "{sent["externalId"]}"')["totalResults"] == 0
    made = scim.post("/Users", sent)
    path = f"/Users/{made['id']}"
    assert made["active"] is True
    assert "roles" not in made, "an empty list is no value"
    person = person_of(core, sent["externalId"])
    assert (person.username, person.email, person.source) == (sent["userName"], "user1@corp.example", "scim.main")
    scim.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@corp.example"},
        {"op": "Replace", "path": "name.familyName", "value": "Martin"},
        {"op": "Replace", "path": "displayName", "value": "Given1 Martin"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+33 6 12"},
        {"op": "Add", "path": 'addresses[type eq "work"].locality', "value": "Lyon"},
        {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Human resources"},
        {"op": "Add", "path": "title", "value": "Buyer"},
        {"op": "Replace", "path": "userName", "value": "gmartin@corp.onmicrosoft.com"},
    )
    person = person_of(core, sent["externalId"])
    assert (person.display_name, person.email, person.phone, person.site, person.job_title, person.username) == (
        "Given1 Martin", "new@corp.example", "+33 6 12", "Lyon", "Buyer", "gmartin@corp.onmicrosoft.com",
    )  # fmt: skip
    with core.db.read() as session:
        assert session.get(Entity, person.entity_id).name == "Human resources"
    assert scim.get(path)["name"]["familyName"] == "Martin"

    scim.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    assert scim.get(path)["active"] is False
    assert person_of(core, sent["externalId"]).status == "disabled"
    scim.patch(path, {"op": "Replace", "path": "active", "value": "True"})
    assert person_of(core, sent["externalId"]).status == "active"
    scim.delete(path)
    scim.get(path, expect=404)
    scim.delete(path, expect=404)
    left = person_of(core, sent["externalId"])
    assert (left.status, left.id) == ("disabled", person.id)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Replace", "path": "active", "value": False},
        {"op": "replace", "path": "active", "value": "False"},
        {"op": "Replace", "path": "active", "value": "false"},
        {"op": "Add", "path": "active", "value": "False"},
        {"op": "Replace", "value": {"active": False}},
        {"op": "replace", "value": {"active": "False"}},
        {"op": "Replace", "path": f"{USER}:active", "value": False},
        {"op": "REPLACE", "path": "Active", "value": False},
    ],
)
def test_every_form_of_switching_somebody_off(core, scim, operation):
    made = scim.post("/Users", entra_user())
    scim.patch(f"/Users/{made['id']}", operation)
    assert person_of(core, made["externalId"]).status == "disabled"
    assert scim.get(f"/Users/{made['id']}")["active"] is False


def test_the_object_without_a_path_of_the_older_format(scim):
    made = scim.post("/Users", entra_user())
    path = f"/Users/{made['id']}"
    scim.patch(
        path,
        {
            "op": "Replace",
            "value": {
                "displayName": "Bjfe", "name.givenName": "Kawe", 'emails[type eq "work"].value': "k@corp.example",
                'phoneNumbers[type eq "work"].value': "1", f"{ENTERPRISE}:employeeNumber": "GVDY",
                "urn:ietf:params:scim:schemas:extension:custom:2.0:User:shoes": "42",
            },
        },
    )  # fmt: skip
    shown = scim.get(path)
    assert (shown["displayName"], shown["name"]["givenName"], shown["name"]["familyName"]) == ("Bjfe", "Kawe", "Family1")
    assert shown["emails"] == [{"value": "k@corp.example", "type": "work", "primary": True}]
    assert shown["phoneNumbers"] == [{"value": "1", "type": "work"}]
    assert shown[ENTERPRISE]["employeeNumber"] == "GVDY"


@pytest.mark.parametrize("form", ["text", "list", "object", "key"])
def test_every_form_of_naming_the_manager(core, scim, form):
    boss, made = scim.post("/Users", entra_user(1)), scim.post("/Users", entra_user(2))
    uid = boss["id"]
    path = f"{ENTERPRISE}:manager"
    operation = {
        "text": {"op": "Add", "path": path, "value": uid},
        "list": {"op": "Add", "path": path, "value": [{"$ref": f"http://localhost/rse/scim/v2/Users/{uid}", "value": uid}]},
        "object": {"op": "Replace", "path": path, "value": {"value": uid}},
        "key": {"op": "Replace", "value": {path: uid}},
    }[form]
    scim.patch(f"/Users/{made['id']}", operation)
    shown = scim.get(f"/Users/{made['id']}")[ENTERPRISE]["manager"]
    assert shown == {"value": uid, "$ref": f"http://localhost/rse/scim/v2/Users/{uid}"}
    assert person_of(core, made["externalId"]).manager_id == person_of(core, boss["externalId"]).id
    assert person_of(core, boss["externalId"]).is_manager is True
    # Whether it is set already is asked by a filter on both ends of the reference.
    for name in ("manager", f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.value"):
        found = scim.find(f'id eq "{made["id"]}" and {name} eq "{uid}"', attributes="id")
        assert [one["id"] for one in found["Resources"]] == [made["id"]]
    assert scim.find(f'id eq "{made["id"]}" and manager eq "other"', attributes="id")["totalResults"] == 0
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": f'not (manager eq "{uid}")'}
    assert [one["id"] for one in scim.post("/Users/.search", search, expect=200)["Resources"]] == [uid]

    scim.patch(f"/Users/{made['id']}", {"op": "Remove", "path": path, **({"value": ""} if form == "text" else {})})
    assert "manager" not in scim.get(f"/Users/{made['id']}").get(ENTERPRISE, {})
    assert person_of(core, made["externalId"]).manager_id is None
    assert person_of(core, boss["externalId"]).is_manager is False


def test_removing_a_value_and_setting_it_to_nothing(core, scim):
    made = scim.post("/Users", entra_user(title="Buyer"))
    path = f"/Users/{made['id']}"
    scim.patch(path, {"op": "Remove", "path": "title"})
    assert person_of(core, made["externalId"]).job_title == ""
    scim.patch(path, {"op": "Add", "path": "title", "value": "Seller"})
    scim.patch(path, {"op": "Replace", "path": "title", "value": ""})
    assert person_of(core, made["externalId"]).job_title == ""
    scim.patch(path, {"op": "Remove", "path": 'emails[type eq "work"]'})
    assert person_of(core, made["externalId"]).email == ""
    assert "emails" not in scim.get(path)


def test_a_group_is_looked_for_made_filled_renamed_and_deleted(core, scim):
    people_ids = [scim.post("/Users", entra_user(number))["id"] for number in (1, 2, 3)]
    assert scim.find('displayName eq "Équipe A"', kind="Groups", excludedAttributes="members")["totalResults"] == 0
    made = scim.post(
        "/Groups",
        {
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159", "displayName": "Équipe A",
            "meta": {"resourceType": "Group"},
        },
    )  # fmt: skip
    path = f"/Groups/{made['id']}"
    assert scim.get(path, excludedAttributes="members")["displayName"] == "Équipe A"
    for uid in people_ids:
        scim.patch(path, {"op": "Add", "path": "members", "value": [{"$ref": None, "value": uid}]})
    assert [one["value"] for one in scim.get(path)["members"]] == people_ids
    asked = f'id eq "{made["id"]}" and members eq "{people_ids[1]}"'
    assert scim.find(asked, kind="Groups", attributes="id")["totalResults"] == 1
    scim.patch(path, {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": people_ids[0]}]})
    scim.patch(path, {"op": "Remove", "path": f'members[value eq "{people_ids[1]}"]'})
    assert [one["value"] for one in scim.get(path)["members"]] == people_ids[2:]
    scim.patch(path, {"op": "Replace", "path": "displayName", "value": "Équipe B"})
    found = scim.find('displayName eq "équipe b"', kind="Groups", excludedAttributes="members")
    assert [one["id"] for one in found["Resources"]] == [made["id"]]
    assert "members" not in found["Resources"][0]
    scim.delete(path)
    scim.get(path, expect=404)


def test_a_person_deleted_by_mistake_is_the_same_person_when_sent_again(core, scim):
    first = scim.post("/Users", entra_user())
    before = person_of(core, first["externalId"])
    scim.delete(f"/Users/{first['id']}")
    again = scim.post("/Users", entra_user(displayName="Given1 Otherwise"))
    assert again["id"] != first["id"], "an id is never given twice"
    after = person_of(core, first["externalId"])
    assert (after.id, after.status, after.display_name) == (before.id, "active", "Given1 Otherwise")
    with core.db.read() as session:
        assert session.query(Person).filter_by(source="scim.main").count() == 1
