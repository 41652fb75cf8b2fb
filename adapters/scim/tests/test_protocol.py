"""RFC 7644 as clients meet it: discovery, errors, pages, attributes, versions, bulk requests."""

from __future__ import annotations

import pytest

from rse_core.testing import count_queries

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
ERROR = ["urn:ietf:params:scim:api:messages:2.0:Error"]


@pytest.fixture
def scim_settings():
    return {"max_results": 50, "max_operations": 20, "max_body": 20_000}


def test_what_the_server_can_do_is_published(scim):
    config = scim.get("/ServiceProviderConfig")
    assert config["patch"] == {"supported": True}
    assert config["bulk"] == {"supported": True, "maxOperations": 20, "maxPayloadSize": 20_000}
    assert config["filter"] == {"supported": True, "maxResults": 50}
    assert config["etag"]["supported"]
    assert config["sort"]["supported"]
    assert config["changePassword"] == {"supported": False}
    assert config["authenticationSchemes"][0]["type"] == "oauthbearertoken"
    types = {one["name"]: one for one in scim.get("/ResourceTypes")["Resources"]}
    assert types["User"]["schemaExtensions"] == [{"schema": ENTERPRISE, "required": False}]
    assert types["Group"]["endpoint"] == "/Groups"
    assert {one["id"] for one in scim.get("/Schemas")["Resources"]} == {USER, ENTERPRISE, GROUP}
    members = next(a for a in scim.get(f"/Schemas/{GROUP}")["attributes"] if a["name"] == "members")
    assert {sub["name"]: sub["mutability"] for sub in members["subAttributes"]} == {
        "value": "immutable", "$ref": "immutable", "type": "immutable", "display": "readOnly",
    }  # fmt: skip
    scim.get("/ServiceProviderConfig", filter='id eq "x"', expect=403)


def test_me_is_not_served_and_says_so(scim):
    for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
        assert scim.send(method, "/Me", {}, expect=501).json["schemas"] == ERROR


def test_addresses_that_do_not_exist_and_methods_that_do_not_fit(scim):
    assert scim.get("/Nothing", expect=404)["schemas"] == ERROR
    assert scim.get("/Users/unknown", expect=404)["status"] == "404"
    scim.get("/Groups/unknown", expect=404)
    scim.get("/Users/a/b/c", expect=404)
    answer = scim.send("DELETE", "/Users", expect=405)
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "POST"}
    scim.send("POST", "/ServiceProviderConfig", {}, expect=405)


def test_every_answer_is_scim_json(scim):
    for path, status in (("/Users", 200), ("/Users/none", 404), ("/Schemas", 200)):
        assert scim.send("GET", path, expect=status).content_type == "application/scim+json"
    assert scim.send("HEAD", "/Users", expect=200).data == b""


def test_a_body_that_is_no_json_or_no_resource(scim):
    assert scim.send("POST", "/Users", raw=b"{", expect=400).json["scimType"] == "invalidSyntax"
    scim.send("POST", "/Users", raw=b"", expect=400)
    scim.send("POST", "/Users", raw=b"[1]", expect=400)
    scim.send("POST", "/Users", raw=b"<x/>", headers={"Content-Type": "text/xml"}, expect=415)
    scim.send("POST", "/Users", {"schemas": [USER]}, expect=400)
    scim.send("POST", "/Users", {"schemas": [USER], "userName": ""}, expect=400)
    scim.send("POST", "/Users", {"schemas": [USER], "userName": "  "}, expect=400)
    scim.send("POST", "/Users", {"schemas": [USER], "userName": 7}, expect=400)
    scim.send("POST", "/Users", {"schemas": [GROUP], "userName": "x"}, expect=400)
    assert scim.get("/Users")["totalResults"] == 0


def test_a_user_comes_back_as_it_was_sent_with_what_the_server_adds(scim):
    sent = {
        "externalId": "0001", "name": {"familyName": "Dupont", "givenName": "Hélène"}, "displayName": "Hélène Dupont",
        "emails": [{"value": "h.dupont@corp.local", "type": "work", "primary": True}], "title": "Ingénieure",
        "phoneNumbers": [{"value": "+33 1 23", "type": "work"}], "active": True, "preferredLanguage": "fr-FR",
    }  # fmt: skip
    answer = scim.send("POST", "/Users", {"schemas": [USER], "userName": "hdupont", **sent}, expect=201)
    made = answer.json
    assert {key: made[key] for key in sent} == sent
    assert answer.headers["Location"] == made["meta"]["location"] == f"http://localhost/rse/scim/v2/Users/{made['id']}"
    assert answer.headers["ETag"] == made["meta"]["version"]
    assert answer.headers["ETag"].startswith('W/"')
    assert made["meta"]["resourceType"] == "User"
    assert scim.get(f"/Users/{made['id']}") == made


def test_the_password_is_taken_and_never_kept_nor_shown(core, scim):
    made = scim.user("ana", password="hunter2-hunter2")
    scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "password", "value": "other-hunter2"})
    assert "hunter2" not in scim.send("GET", f"/Users/{made['id']}").text
    with core.db.engine.connect() as connection:
        for table in ("rse_scim_user", "rse_core_person", "rse_core_audit", "rse_core_directory_run"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert "hunter2" not in repr(rows), table


def test_attributes_and_excluded_attributes(scim):
    made = scim.user("ana", title="Chef", name={"familyName": "A", "givenName": "B"}, enterprise={"department": "D"})
    assert set(scim.get(f"/Users/{made['id']}", attributes="userName")) == {"schemas", "id", "userName"}
    some = scim.get(f"/Users/{made['id']}", attributes=f"name.familyName,{ENTERPRISE}:department")
    assert some["name"] == {"familyName": "A"}
    assert some[ENTERPRISE] == {"department": "D"}
    less = scim.get(f"/Users/{made['id']}", excludedAttributes="title,name")
    assert "title" not in less
    assert "name" not in less
    assert less["id"]
    listed = scim.get("/Users", attributes="title")["Resources"][0]
    assert listed["title"] == "Chef"
    assert "userName" not in listed
    scim.get("/Users", attributes="title", excludedAttributes="name", expect=400)


def test_pages_neither_repeat_nor_lose_anybody(scim):
    names = [f"user{number:03}" for number in range(57)]
    for name in names:
        scim.user(name)
    seen = []
    for start in range(1, 60, 7):
        page = scim.get("/Users", startIndex=start, count=7)
        assert page["totalResults"] == 57
        assert page["startIndex"] == start
        assert page["itemsPerPage"] == len(page.get("Resources", []))
        seen += [one["userName"] for one in page.get("Resources", [])]
    assert seen == names
    # Who comes meanwhile stands behind everybody, so no page moves.
    scim.user("later")
    assert [one["userName"] for one in scim.get("/Users", startIndex=8, count=7)["Resources"]] == names[7:14]


def test_pages_at_their_edges(scim):
    for number in range(3):
        scim.user(f"u{number}")
    assert scim.get("/Users", count=0)["Resources"] == []
    assert scim.get("/Users", count=0)["totalResults"] == 3
    assert scim.get("/Users", startIndex=0)["startIndex"] == 1
    assert scim.get("/Users", startIndex=-5)["itemsPerPage"] == 3
    assert scim.get("/Users", count=-1)["itemsPerPage"] == 0
    assert scim.get("/Users", startIndex=99)["itemsPerPage"] == 0
    assert scim.get("/Users", count=999_999_999)["itemsPerPage"] == 3
    assert scim.get("/Users", startIndex=10**30)["Resources"] == []
    scim.get("/Users", count="many", expect=400)


def test_a_page_is_never_longer_than_the_limit(core, scim):
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": f"b{n}", "data": {"schemas": [USER], "userName": f"u{n}"}}
        for n in range(20)
    ]
    for start in range(3):
        for n, one in enumerate(operations):
            one["data"]["userName"] = f"u{start}-{n}"
        scim.post("/Bulk", {"schemas": [BULK], "Operations": operations}, expect=200)
    page = scim.get("/Users", count=1_000)
    assert (page["totalResults"], page["itemsPerPage"]) == (60, 50)


def test_a_page_costs_as_many_queries_for_three_as_for_forty(core, scim):
    uids = [scim.user(f"u{n}", enterprise={"department": "D"})["id"] for n in range(40)]
    for n in range(6):
        scim.group(f"g{n}", uids[: 5 * n])
    scim.get("/Users")
    for path, most in (("/Users", 39), ("/Groups", 5)):
        with count_queries(core) as few:
            scim.get(path, count=2)
        with count_queries(core) as many:
            scim.get(path, count=most, filter="id pr")
        with count_queries(core) as last:
            scim.get(path, count=100)
        # The last page needs no count.
        assert len(last) + 1 == len(many) == len(few) <= 8, f"{few}\n{many}\n{last}"


def test_search_by_post_is_the_same_search(scim):
    for name in ("ana", "bob", "eve"):
        scim.user(name, title=name)
    body = {"schemas": [SEARCH], "filter": 'userName gt "ana"', "sortBy": "userName", "sortOrder": "descending", "count": 1}
    found = scim.post("/Users/.search", body, expect=200)
    assert found["totalResults"] == 2
    assert [one["userName"] for one in found["Resources"]] == ["eve"]
    scim.group("Team")
    both = scim.post("/.search", {"schemas": [SEARCH], "filter": 'id pr'}, expect=200)
    assert [one["meta"]["resourceType"] for one in both["Resources"]] == ["User"] * 3 + ["Group"]
    assert scim.post("/.search", {"schemas": [SEARCH], "startIndex": 3, "count": 2}, expect=200)["itemsPerPage"] == 2
    assert scim.get("/", filter='userName eq "bob"')["totalResults"] == 1
    scim.post("/.search", {"schemas": [SEARCH], "sortBy": "id"}, expect=501)


# -- Versions


def test_a_version_spares_a_transfer_and_stops_a_lost_update(scim):
    made = scim.user("ana")
    path, version = f"/Users/{made['id']}", made["meta"]["version"]
    not_modified = scim.send("GET", path, headers={"If-None-Match": version}, expect=304)
    assert not_modified.data == b""
    assert not_modified.headers["ETag"] == version
    scim.send("GET", path, headers={"If-None-Match": f'W/"other", {version}'}, expect=304)
    scim.patch(path, {"op": "replace", "path": "title", "value": "One"}, headers={"If-Match": version})
    changed = scim.send("GET", path, headers={"If-None-Match": version}, expect=200).json
    assert changed["meta"]["version"] != version
    for method, body in (
        ("PUT", {"schemas": [USER], "userName": "ana", "title": "Two"}),
        ("PATCH", {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "Two"}]}),
        ("DELETE", None),
    ):
        answer = scim.send(method, path, body, headers={"If-Match": version}, expect=412)
        assert answer.json["status"] == "412"
    assert scim.get(path)["title"] == "One"
    scim.put(path, {"schemas": [USER], "userName": "ana", "title": "Two"}, headers={"If-Match": "*"})
    scim.send("GET", path, headers={"If-Match": 'W/"nothing"'}, expect=412)


def test_what_changes_nothing_keeps_the_version(scim):
    made = scim.user("ana", title="One")
    path = f"/Users/{made['id']}"
    scim.patch(path, {"op": "replace", "path": "title", "value": "One"})
    scim.put(path, {"schemas": [USER], "userName": "ana", "title": "One", "active": True})
    assert scim.get(path)["meta"] == made["meta"]


def test_the_version_of_a_user_changes_with_its_groups(scim):
    made = scim.user("ana")
    group = scim.group("Team", [made["id"]])
    shown = scim.get(f"/Users/{made['id']}")
    assert shown["groups"][0]["value"] == group["id"]
    assert shown["meta"]["version"] != made["meta"]["version"]


def test_the_version_of_a_group_is_the_same_with_and_without_its_members(scim):
    group = scim.group("Team", [scim.user("ana")["id"]])
    path = f"/Groups/{group['id']}"
    bare = scim.get(path, excludedAttributes="members")
    assert "members" not in bare
    assert bare["meta"]["version"] == scim.get(path)["meta"]["version"]
    old = bare["meta"]["version"]
    scim.patch(path, {"op": "remove", "path": "members"}, headers={"If-Match": old})
    scim.patch(path, {"op": "replace", "path": "displayName", "value": "T"}, headers={"If-Match": old}, expect=412)


# -- Bulk


def bulk(scim, *operations, expect=200, **more):
    return scim.post("/Bulk", {"schemas": [BULK], "Operations": list(operations), **more}, expect=expect)


def test_a_bulk_request_refers_to_what_it_makes_itself(scim):
    answer = bulk(
        scim,
        {
            "method": "POST", "path": "/Groups", "bulkId": "g",
            "data": {"schemas": [GROUP], "displayName": "Team", "members": [{"value": "bulkId:u"}]},
        },
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "ana"}},
        {
            "method": "POST", "path": "/Users", "bulkId": "v",
            "data": {
                "schemas": [USER, ENTERPRISE], "userName": "bob", ENTERPRISE: {"manager": {"value": "bulkId:u"}},
            },
        },
    )  # fmt: skip
    operations = answer["Operations"]
    assert [one["status"] for one in operations] == ["201", "201", "201"]
    group = scim.get(operations[0]["location"].removeprefix("http://localhost/rse/scim/v2"))
    uid = operations[1]["location"].rsplit("/", 1)[1]
    assert [one["value"] for one in group["members"]] == [uid]
    bob = scim.find('userName eq "bob"')["Resources"][0]
    assert bob[ENTERPRISE]["manager"]["value"] == uid
    assert bob[ENTERPRISE]["manager"]["$ref"].endswith(f"/Users/{uid}")


def test_a_bulk_request_goes_on_or_stops_at_errors_as_it_asks(scim):
    good = {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": [USER], "userName": "ana"}}
    twice = {**good, "bulkId": "2"}
    other = {"method": "POST", "path": "/Users", "bulkId": "3", "data": {"schemas": [USER], "userName": "bob"}}
    first = bulk(scim, good, twice, other)["Operations"]
    assert [one["status"] for one in first] == ["201", "409", "201"]
    assert first[1]["response"]["scimType"] == "uniqueness"
    third = {**other, "bulkId": "4", "data": {"schemas": [USER], "userName": "carl"}}
    stopped = bulk(scim, twice, third, failOnErrors=1)["Operations"]
    assert [one["status"] for one in stopped] == ["409"]
    assert scim.names('userName eq "carl"') == []


def test_a_bulk_request_changes_and_deletes(scim):
    one, two = scim.user("ana"), scim.user("bob")
    answer = bulk(
        scim,
        {
            "method": "PATCH", "path": f"/Users/{one['id']}", "version": one["meta"]["version"],
            "data": {"schemas": [PATCH], "Operations": [{"op": "Add", "path": f"{ENTERPRISE}:manager", "value": two["id"]}]},
        },
        {"method": "PUT", "path": f"/Users/{two['id']}", "data": {"schemas": [USER], "userName": "robert"}},
        {"method": "DELETE", "path": f"/Users/{one['id']}", "version": 'W/"old"'},
        {"method": "DELETE", "path": "/Users/unknown"},
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "/Me", "bulkId": "x", "data": {}},
    )  # fmt: skip
    statuses = [operation["status"] for operation in answer["Operations"]]
    assert statuses[:4] == ["200", "200", "412", "404"]
    assert all(status.startswith("4") for status in statuses[4:])
    assert scim.get(f"/Users/{one['id']}")[ENTERPRISE]["manager"]["value"] == two["id"]
    assert scim.get(f"/Users/{two['id']}")["userName"] == "robert"


def test_circular_references_are_refused(scim):
    def person(name, manager):
        data = {"schemas": [USER, ENTERPRISE], "userName": name, ENTERPRISE: {"manager": {"value": f"bulkId:{manager}"}}}
        return {"method": "POST", "path": "/Users", "bulkId": name, "data": data}

    answer = bulk(scim, person("a", "b"), person("b", "a"))
    assert "409" in [one["status"] for one in answer["Operations"]]


def test_a_bulk_request_that_is_too_large(scim):
    one = {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": [USER], "userName": "ana"}}
    assert bulk(scim, *[one] * 21, expect=413)["status"] == "413"
    large = {**one, "data": {**one["data"], "title": "x" * 21_000}}
    assert bulk(scim, large, expect=413)["schemas"] == ERROR
    assert scim.get("/Users")["totalResults"] == 0


def test_any_request_that_is_too_large(scim):
    assert scim.user("x" * 20_001, expect=413)["status"] == "413"
    scim.send("POST", "/Users/.search", raw=b" " * 30_000, expect=413)
