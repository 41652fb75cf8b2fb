"""People of SCIM as the core has them: entities, managers, ids that stay, whom it may take over, who has left."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rse_core import audiences, organisation, people, sessions
from rse_core.audit import entries
from rse_core.identity import Identity
from rse_core.models.organisation import Entity, Group, Membership, Person
from rse_core.models.runtime import Outbox
from rse_core.models.runtime import SignedSession as Signed
from rse_core.testing.organisation import make_entity, make_group, make_person

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def person_of(core, username):
    with core.db.read() as session:
        return session.scalar(select(Person).where(Person.username == username))


def path_of(made, kind="Users"):
    return f"/{kind}/{made['id']}"


def test_what_the_core_is_told(core, scim):
    scim.user(
        "hdupont",
        externalId="E1",
        name={"givenName": "Hélène", "familyName": "Dupont"},
        title="Ingénieure",
        emails=[{"value": "home@example.org", "type": "home"}, {"value": "h@corp.local", "type": "work"}],
        phoneNumbers=[{"value": "tel:+33-1", "type": "work"}],
        addresses=[{"locality": "Elsewhere", "type": "home"}, {"locality": "Nantes", "type": "work"}],
        preferredLanguage="en-GB,fr;q=0.5",
        userType="guest",
        enterprise={"department": "R&D"},
    )
    person = person_of(core, "hdupont")
    assert (person.external_id, person.display_name, person.folded_name) == ("E1", "Hélène Dupont", "helene dupont")
    assert (person.email, person.phone, person.site, person.job_title) == ("h@corp.local", "+33-1", "Nantes", "Ingénieure")
    assert (person.external, person.status, person.source) == (True, "active", "scim.main")


@pytest.mark.parametrize(
    ("values", "called"),
    [
        ({}, "ana.martin"), ({"displayName": "Ana.Martin@corp.local"}, "ana.martin"),
        ({"displayName": "ana.martin@corp.local", "name": {"familyName": "Martin"}}, "Martin"),
        ({"displayName": "Ana Martin"}, "Ana Martin"),
    ],
)  # fmt: skip
def test_nobody_is_called_by_their_address(core, scim, values, called):
    scim.user("ana.martin@corp.local", **values)
    assert person_of(core, "ana.martin@corp.local").display_name.lower() == called.lower()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", {"emails": [{"value": "no address", "type": "work"}]}),
        ("display_name", {"displayName": "x" * 301}),
        ("externalId", {"externalId": "x" * 201}),
        ("phone", {"phoneNumbers": [{"value": "0" * 61}]}),
        ("job_title", {"title": "a\tb"}),
    ],
)
def test_a_value_that_the_core_cannot_take_is_refused_by_name(core, scim, field, values):
    answer = scim.user("ana", expect=400, **values)
    assert answer["scimType"] == "invalidValue"
    assert field in answer["detail"] or "address" in answer["detail"]
    assert person_of(core, "ana") is None


class TestExternalId:
    @pytest.fixture
    def scim_settings(self):
        return {"external_id": "employeeNumber"}

    def test_another_attribute_can_be_the_organisations_own_id(self, core, scim):
        made = scim.user("ana", externalId="guid", enterprise={"employeeNumber": "4711"})
        assert person_of(core, "ana").external_id == "4711"
        assert scim.find('externalId eq "guid"')["Resources"][0]["id"] == made["id"]
        scim.user("eve", externalId="guid2", enterprise={"employeeNumber": "4711"}, expect=409)


def test_somebody_without_an_id_of_the_organisation_gets_one_that_stays(core, scim):
    made = scim.user("ana")
    first = person_of(core, "ana")
    assert first.external_id == f"scim:{made['id']}"
    scim.patch(path_of(made), {"op": "replace", "path": "userName", "value": "ana.martin"})
    assert person_of(core, "ana.martin").id == first.id
    scim.delete(path_of(made))
    scim.user("ana.martin")
    assert person_of(core, "ana.martin").id == first.id
    assert person_of(core, "ana.martin").status == "active"


def test_a_rename_keeps_the_person_and_forgets_the_sign_in_by_the_old_name(core, scim):
    made = scim.user("ana", externalId="E1")
    person = person_of(core, "ana")
    with core.db.write() as session:
        people.for_identity(session, Identity("intranet", "ana"))
    scim.patch(path_of(made), {"op": "replace", "value": {"userName": "anna", "displayName": "Anna"}})
    renamed = person_of(core, "anna")
    assert (renamed.id, renamed.external_id, renamed.display_name) == (person.id, "E1", "Anna")
    newcomer = scim.user("ana", externalId="E2")
    with core.db.write() as session:
        assert people.for_identity(session, Identity("intranet", "ana")).external_id == "E2"
    assert newcomer["id"] != made["id"]


def test_names_and_ids_that_somebody_has_are_refused(core, scim):
    one = scim.user("ana", externalId="E1")
    two = scim.user("bob", externalId="E2")
    for body in ({"user_name": "ana"}, {"user_name": "ANA"}, {"user_name": "carl", "externalId": "E1"}):
        name = body.pop("user_name")
        answer = scim.user(name, expect=409, **body)
        assert (answer["scimType"], answer["status"]) == ("uniqueness", "409")
    scim.patch(path_of(two), {"op": "replace", "path": "userName", "value": "Ana"}, expect=409)
    scim.patch(path_of(two), {"op": "replace", "path": "externalId", "value": "E1"}, expect=409)
    scim.put(path_of(two), {"schemas": [USER], "userName": "ana"}, expect=409)
    assert scim.get(path_of(two))["userName"] == "bob"
    scim.patch(path_of(one), {"op": "replace", "path": "userName", "value": "ANA"})
    assert scim.get(path_of(one))["userName"] == "ANA"


# -- Entities


def test_an_entity_is_found_by_key_or_name_and_made_when_missing(core, scim):
    make_entity(core, "fin", name="Finance")
    made = scim.user("ana", enterprise={"department": "Finance"})
    scim.user("bob", enterprise={"department": "fin"})
    scim.user("eve", enterprise={"department": "Service après-vente"})
    with core.db.read() as session:
        found = {entity.key: entity for entity in session.scalars(select(Entity))}
        assert found.keys() == {"fin", "Service après-vente"}
        assert person_of(core, "ana").entity_id == person_of(core, "bob").entity_id == found["fin"].id
        audience = audiences.of_entity(session, found["fin"].id)
        assert audiences.sees(session, person_of(core, "ana").id, audience)
    scim.patch(path_of(made), {"op": "remove", "path": f"{ENTERPRISE}:department"})
    assert person_of(core, "ana").entity_id is None


def test_a_name_that_two_entities_have_is_refused(core, scim):
    make_entity(core, "north", name="Office")
    make_entity(core, "south", name="Office")
    assert "Office" in scim.user("ana", enterprise={"department": "Office"}, expect=400)["detail"]
    scim.user("ana", enterprise={"department": "south"})


class TestMissingEntities:
    @pytest.fixture
    def scim_settings(self):
        return {"missing_entity": "refuse", "entity": "organization"}

    def test_they_are_refused_where_the_site_says_so(self, core, scim):
        answer = scim.user("ana", enterprise={"organization": "Nowhere", "department": "ignored"}, expect=400)
        assert "Nowhere" in answer["detail"]
        assert person_of(core, "ana") is None
        scim.user("ana", enterprise={"department": "ignored"})
        with core.db.read() as session:
            assert session.scalars(select(Entity)).all() == []


class TestParent:
    @pytest.fixture
    def scim_settings(self):
        return {"entity_parent": "head"}

    def test_new_entities_stand_below_the_one_that_is_set(self, core, scim):
        assert scim.user("ana", enterprise={"department": "D"}, expect=400)["scimType"] == "invalidValue"
        head = make_entity(core, "head")
        scim.user("ana", enterprise={"department": "D"})
        with core.db.read() as session:
            assert organisation.path(session, person_of(core, "ana").entity_id)[1] == head.id


class TestNoEntities:
    @pytest.fixture
    def scim_settings(self):
        return {"entity": ""}

    def test_entities_are_left_alone_where_scim_does_not_keep_them(self, core, scim):
        entity = make_entity(core, "hand")
        made = scim.user("ana", enterprise={"department": "D"})
        with core.db.write() as session:
            people.move(session, person_of(core, "ana").id, entity.id)
        scim.patch(path_of(made), {"op": "replace", "path": "title", "value": "T"})
        assert person_of(core, "ana").entity_id == entity.id


# -- Managers


def test_nobody_becomes_their_own_manager_by_a_detour(core, scim):
    one, two, three = (scim.user(name) for name in ("ana", "bob", "eve"))
    manager = f"{ENTERPRISE}:manager"
    scim.patch(path_of(two), {"op": "add", "path": manager, "value": {"value": one["id"]}})
    scim.patch(path_of(three), {"op": "add", "path": manager, "value": {"value": two["id"]}})
    scim.patch(path_of(one), {"op": "add", "path": manager, "value": {"value": three["id"]}})
    scim.patch(path_of(one), {"op": "replace", "path": "title", "value": "still works"})
    assert person_of(core, "ana").manager_id is None
    assert person_of(core, "eve").manager_id == person_of(core, "bob").id
    scim.user("own", externalId="own", enterprise={"manager": {"value": "own"}})
    assert person_of(core, "own").manager_id is None


def test_a_manager_who_is_unknown_is_kept_and_linked_when_they_come(core, scim):
    made = scim.user("ana", enterprise={"manager": {"value": "later"}})
    assert scim.get(path_of(made))[ENTERPRISE]["manager"]["value"] == "later"
    scim.user("boss", externalId="later")
    assert person_of(core, "ana").manager_id == person_of(core, "boss").id
    assert person_of(core, "boss").is_manager


# -- Whom SCIM may take over


def test_somebody_of_another_source_is_not_seen_and_not_made_twice(core, scim):
    with core.db.write() as session:
        people.add(session, external_id="E1", username="ana", display_name="Ana", source="csv")
    assert scim.get("/Users")["totalResults"] == 0
    for body in ({"user_name": "ana"}, {"user_name": "other", "externalId": "E1"}):
        answer = scim.user(body.pop("user_name"), expect=409, **body)
        assert "csv" in answer["detail"]
        assert "adopt" in answer["detail"]
    assert person_of(core, "ana").source == "csv"
    with core.db.read() as session:
        assert session.query(Person).filter_by(display_name="Ana").count() == 1


class TestAdoption:
    @pytest.fixture
    def scim_settings(self):
        return {"adopt": ["csv", "local"]}

    def test_people_of_a_named_source_are_taken_over_by_their_id(self, core, scim):
        with core.db.write() as session:
            old = people.add(session, external_id="E1", username="ana", display_name="Ana", source="csv", job_title="Kept?")
            people.add(session, external_id="E2", username="bob", display_name="Bob", source="ldap.main")
        made = scim.user("ana@corp", externalId="E1", displayName="Ana M")
        taken = person_of(core, "ana@corp")
        assert (taken.id, taken.source, taken.display_name, taken.job_title) == (old.id, "scim.main", "Ana M", "")
        with core.db.read() as session:
            assert next(iter(entries(session, act="scim.person.adopt"))).subject == "person:ana@corp"
        assert scim.get("/Users")["Resources"][0]["id"] == made["id"]
        assert "ldap.main" in scim.user("robert", externalId="E2", expect=409)["detail"]
        # The same name under another id is another person, or a mistake: not to be guessed.
        with core.db.write() as session:
            people.add(session, external_id="E3", username="eve", display_name="Eve", source="csv")
        scim.user("eve", externalId="E9", expect=409)

    def test_groups_of_a_named_source_are_taken_over_by_their_name(self, core, scim):
        member = make_person(core, "local-person")
        group = make_group(core, "ambassadors", name="Ambassadors", members=[member])
        uid = scim.user("ana")["id"]
        made = scim.group("Ambassadors", [uid])
        with core.db.read() as session:
            row = session.get(Group, group.id)
            assert (row.key, row.source) == ("ambassadors", "scim.main")
        assert [one["value"] for one in scim.get(path_of(made, "Groups"))["members"]] == [uid]


class TestAdoptionByName:
    @pytest.fixture
    def scim_settings(self):
        return {"adopt": ["csv"], "adopt_by": "username"}

    def test_people_are_found_by_their_username(self, core, scim):
        with core.db.write() as session:
            old = people.add(session, external_id="E1", username="ana", display_name="Ana", source="csv")
        scim.user("ana", externalId="guid")
        assert (person_of(core, "ana").id, person_of(core, "ana").external_id) == (old.id, "guid")


class TestAdoptionByMail:
    @pytest.fixture
    def scim_settings(self):
        return {"adopt": ["csv"], "adopt_by": "email"}

    def test_people_are_found_by_their_address_unless_two_have_it(self, core, scim):
        with core.db.write() as session:
            old = people.add(session, external_id="E1", username="ana", display_name="A", source="csv", email="Ana@x.org")
            for name in ("b1", "b2"):
                people.add(session, external_id=name, username=name, display_name=name, source="csv", email="b@x.org")
        scim.user("ana@corp", emails=[{"value": "ana@X.org", "type": "work"}])
        assert person_of(core, "ana@corp").id == old.id
        scim.user("b@corp", emails=[{"value": "b@x.org"}], expect=409)


# -- Who has left


@pytest.mark.parametrize("way", ["active", "delete"])
def test_whoever_leaves_is_disabled_keeps_what_they_wrote_and_is_signed_out(core, app, scim, way):
    made = scim.user("ana", enterprise={"department": "D"})
    group = scim.group("Team", [made["id"]])
    person = person_of(core, "ana")
    with core.db.write() as session:
        sessions.begin(session, person.id, Identity("idp", "ana"), hours=8)
    if way == "active":
        scim.patch(path_of(made), {"op": "replace", "path": "active", "value": False})
    else:
        scim.delete(path_of(made))
    with core.db.read() as session:
        row = session.get(Person, person.id)
        assert (row.status, row.display_name) == ("disabled", "ana")
        assert session.scalars(select(Membership).where(Membership.person_id == person.id)).all() == []
        assert session.scalars(select(Signed.ended_why)).all() == ["left"]
        assert "people.disabled" in session.scalars(select(Outbox.name)).all()
        acts = [entry.act for entry in entries(session, act="scim")]
        assert ("scim.person.disable" if way == "active" else "scim.person.delete") in acts
    members = scim.get(path_of(group, "Groups")).get("members", [])
    assert len(members) == (1 if way == "active" else 0)


def test_somebody_who_comes_switched_off_is_known_and_in_no_audience(core, scim):
    made = scim.user("ana", active=False)
    assert made["active"] is False
    assert person_of(core, "ana").status == "disabled"
    scim.patch(path_of(made), {"op": "replace", "path": "active", "value": True})
    assert person_of(core, "ana").status == "active"


def test_the_username_of_somebody_who_has_left_goes_to_a_newcomer(core, scim):
    made = scim.user("ana", externalId="E1")
    scim.delete(path_of(made))
    scim.user("ana", externalId="E2")
    assert person_of(core, "ana").external_id == "E2"
    with core.db.read() as session:
        old = people.by_external_id(session, "E1")
        assert (old.status, old.username) == ("disabled", f"ana~{old.id}")


# -- What is kept


class TestForget:
    @pytest.fixture
    def scim_settings(self):
        return {"forget": ["addresses", "ims", "photos", "x509Certificates"]}

    def test_attributes_that_the_site_does_not_want_are_taken_and_not_kept(self, core, scim):
        made = scim.user("ana", ims=[{"value": "ana"}], photos=[{"value": "https://x.test/p"}], nickName="kept")
        assert "ims" not in made
        assert "photos" not in made
        assert made["nickName"] == "kept"
        assert scim.find('ims.value eq "ana"')["totalResults"] == 0


def test_each_change_is_in_the_audit_log_with_who_and_what(core, scim):
    made = scim.user("ana", title="One")
    scim.patch(path_of(made), {"op": "replace", "path": "title", "value": "Two"})
    scim.patch(path_of(made), {"op": "replace", "path": "title", "value": "Two"})
    group = scim.group("Team", [made["id"]])
    scim.patch(path_of(group, "Groups"), {"op": "remove", "path": "members"})
    scim.delete(path_of(group, "Groups"))
    scim.delete(path_of(made))
    with core.db.read() as session:
        log = list(entries(session, act="scim", limit=50))
    assert [entry.act for entry in reversed(log)] == [
        "scim.person.create", "scim.person.update", "scim.group.create", "scim.group.update", "scim.group.delete",
        "scim.person.delete",
    ]  # fmt: skip
    update = log[-2]
    assert (update.actor, update.subject) == ("scim:Entra ID", "person:ana")
    assert (update.before, update.after) == ({"job_title": "One"}, {"job_title": "Two"})


