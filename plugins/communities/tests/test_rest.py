"""The REST resources: what each person gets, what is written once, and what hostile calls get."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from rse_communities import members
from rse_core import roles
from rse_core.api import Actor
from rse_core.models.organisation import Space, SpaceMember
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person, set_level

API = "/rse/api/v1/communities"


@pytest.fixture
def api(client, people):
    """``api("sam")(method, path, body)``: calls in a person's name."""

    def api(name):
        browser = client(people[name])
        token = browser.get("/rse/embed/slots?address=/news/1&slots=wall").headers["X-RSE-CSRF"]

        def call(method, path="", body=None, **headers):
            named = {key.replace("_", "-"): value for key, value in headers.items()}
            return browser.open(API + path, method=method, json=body, headers={"X-RSE-CSRF": token, **named})

        return call

    return api


def role_of(core, key, person):
    with core.db.read() as session:
        space = select(Space.id).where(Space.key == key).scalar_subquery()
        return session.scalar(
            select(SpaceMember.role).where(SpaceMember.space_id == space, SpaceMember.person_id == person.id)
        )


def test_a_space_is_made_framed_opened_changed_and_found(api, people):
    olga, sam = api("olga"), api("sam")
    made = olga("POST", "", {"name": "Beekeepers", "kind": "community", "visibility": "listed"})
    assert (made.status_code, made.json["state"], made.json["role"]) == (201, "preparing", "owner")
    path = f"/{made.json['key']}"
    assert sam("GET", path).status_code == 404
    assert olga("POST", f"{path}/open").status_code in (409, 422), "its sheet is not complete"
    sheet = {"posts": "members", "likes": "all", "comments": "all", "moderates": "after", "contact": "olga"}
    assert olga("PUT", f"{path}/sheet", {**sheet, "purpose": "Hives"}).json["missing"] == []
    opened = olga("POST", f"{path}/open")
    assert (opened.status_code, opened.json["state"]) == (200, "open")
    version = opened.json["version"]
    changed = olga("PATCH", path, {"description": "On the *roof*", "join_policy": "free", "version": version})
    assert (changed.status_code, changed.json["description"]) == (200, "On the *roof*")
    stale = olga("PATCH", path, {"description": "Late", "version": version})
    assert stale.status_code == 409
    assert stale.headers["Content-Type"].startswith("application/problem+json")
    assert [item["key"] for item in sam("GET", "?q=bee").json["items"]] == [made.json["key"]]


def test_a_repeated_call_makes_one_space(site, api):
    first, second = (api("olga")("POST", "", {"name": "Once", "kind": "team"}, Idempotency_Key="k" * 24) for _ in range(2))
    assert first.json["key"] == second.json["key"]
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Space)) == 1


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x", "kind": "palace"}, {"name": "x", "owner": "sam"}, {"name": ["x"]}, []]
)
def test_what_cannot_be_a_space_is_refused_and_named(site, api, body):
    answer = api("olga")("POST", "", body)
    assert answer.status_code == 422
    assert answer.json["status"] == 422
    with site.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Space)) == 0


def test_below_its_level_nobody_makes_one(site, api):
    set_level(site, "contribute")
    refused = api("sam")("POST", "", {"name": "No", "kind": "team"})
    assert (refused.status_code, refused.json["reason"]) == (403, "level")


def test_membership_follows_the_rule_of_the_space(site, api, people, open_space):
    free, closed = open_space("Free", policy="free"), open_space("Ask", policy="request")
    sam, olga = api("sam"), api("olga")
    assert sam("PUT", f"/{free}/membership", {}).json["role"] == "member"
    assert sam("PUT", f"/{free}/notify", {"notify": "none"}).status_code == 204
    assert sam("PUT", f"/{free}/notify", {"notify": "loud"}).status_code == 422
    assert sam("DELETE", f"/{free}/membership").status_code == 204
    assert role_of(site, free, people["sam"]) is None
    assert sam("PUT", f"/{closed}/membership", {"message": "Please"}).json["role"] is None
    (waiting,) = olga("GET", f"/{closed}/requests").json
    assert (waiting["person"]["username"], waiting["message"]) == ("sam", "Please")
    assert sam("GET", f"/{closed}/requests").status_code == 403
    assert sam("POST", f"/{closed}/requests/{waiting['id']}", {"accept": True}).status_code == 403
    assert olga("POST", f"/{free}/requests/{waiting['id']}", {"accept": True}).status_code == 404, "not of this space"
    assert olga("POST", f"/{closed}/requests/{waiting['id']}", {"accept": True}).status_code == 204
    assert role_of(site, closed, people["sam"]) == "member"


def test_members_are_read_by_members_and_changed_by_who_runs_it(site, api, people, open_space):
    key = open_space(members=["mia"])
    olga, mia, sam = api("olga"), api("mia"), api("sam")
    assert {one["person"]["username"] for one in mia("GET", f"/{key}/members").json["items"]} == {"olga", "mia"}
    assert sam("GET", f"/{key}/members").status_code == 403
    assert mia("POST", f"/{key}/members", {"person": "sam"}).status_code == 403
    assert olga("POST", f"/{key}/members", {"person": "sam", "role": "writer"}).status_code == 201
    number = people["sam"].id
    assert mia("PATCH", f"/{key}/members/{number}", {"role": "owner"}).status_code == 403
    assert olga("PATCH", f"/{key}/members/{number}", {"role": "moderator"}).status_code == 204
    assert role_of(site, key, people["sam"]) == "moderator"
    assert olga("DELETE", f"/{key}/members/{people['olga'].id}").status_code == 409, "the last owner"
    assert olga("DELETE", f"/{key}/members/{number}").status_code == 204
    assert olga("DELETE", f"/{key}/members/{number}").status_code == 204, "twice is once"


def test_lists_come_by_cursors_bound_to_what_was_asked(api, people, open_space):
    keys = {open_space(f"Space {number}") for number in range(5)}
    sam, seen, cursor = api("sam"), [], ""
    for _ in range(3):
        page = sam("GET", f"?limit=2&cursor={cursor}").json
        seen += [item["key"] for item in page["items"]]
        cursor = page["next"] or ""
    assert (set(seen), len(seen), cursor) == (keys, 5, "")
    begun = sam("GET", "?limit=2").json["next"]
    for wrong in (f"?q=space&cursor={begun}", "?cursor=abc", "?limit=0", "?limit=101", "?kind=palace"):
        assert sam("GET", wrong).status_code == 422


def test_a_secret_space_is_answered_as_one_that_does_not_exist(api, open_space):
    key = open_space("Quiet circle", visibility="secret", members=["mia"])
    sam = api("sam")
    assert sam("GET").json["items"] == []
    calls = [
        ("GET", "", None), ("PATCH", "", {"purpose": "x", "version": 1}), ("PUT", "/membership", {}),
        ("DELETE", "/membership", None), ("PUT", "/notify", {"notify": "all"}), ("GET", "/members", None),
        ("POST", "/members", {"person": "sam"}), ("PATCH", "/members/1", {"role": "owner"}), ("DELETE", "/members/1", None),
        ("GET", "/requests", None), ("POST", "/requests/1", {"accept": True}), ("GET", "/invitations", None),
        ("POST", "/invitations", {"person": "sam"}), ("DELETE", "/invitations/1", None), ("GET", "/sheet", None),
        ("PUT", "/sheet", {"posts": "all"}), ("POST", "/open", None), ("GET", "/rights", None),
        ("PATCH", "/rights", {"rights": {"wall.write": "all"}}), ("GET", "/rights/explain?capability=wall.write", None),
        ("GET", "/visibility?visibility=public", None), ("PUT", "/visibility", {"visibility": "public"}),
        ("GET", "/feeders", None), ("POST", "/feeders", {"kind": "group", "key": "g"}), ("DELETE", "/feeders/1", None),
        ("POST", "/lists", {"act": "add", "people": [{"person": "sam"}]}), ("GET", "/lists/1", None),
        ("PUT", "/archive", None), ("DELETE", "/archive", None), ("GET", "/merge?into=x", None),
        ("POST", "/merge", {"into": "x"}), ("POST", "/split", {"name": "n", "people": ["mia"]}),
        ("GET", "/plugins", None), ("PUT", "/plugins", {"on": []}),
        ("GET", "/figures", None),
    ]  # fmt: skip
    for method, path, body in calls:
        real, none = sam(method, f"/{key}{path}", body), sam(method, f"/no-such-space{path}", body)
        assert real.status_code == none.status_code, (method, path)
        assert real.status_code in (403, 404), (method, path)
        assert real.text.replace(key, "no-such-space") == none.text, (method, path)


def test_an_invitation_belongs_to_whom_it_is_for(site, api, people, open_space):
    key = open_space("Quiet circle", visibility="secret")
    olga, sam, mia = api("olga"), api("sam"), api("mia")
    made = olga("POST", f"/{key}/invitations", {"person": "sam", "message": "Come"})
    again = olga("POST", f"/{key}/invitations", {"person": "sam"})
    assert (made.status_code, again.json["id"]) == (201, made.json["id"])
    assert [one["name"] for one in sam("GET", "/-/invitations").json] == ["Quiet circle"]
    assert mia("GET", "/-/invitations").json == []
    number = made.json["id"]
    assert mia("POST", f"/-/invitations/{number}", {"accept": True}).status_code == 404
    assert olga("DELETE", f"/{key}/invitations/{number}").status_code == 204
    assert sam("POST", f"/-/invitations/{number}", {"accept": True}).status_code in (404, 409)
    assert role_of(site, key, people["sam"]) is None


def test_rights_are_read_changed_and_explained(api, open_space):
    key = open_space(members=["mia"])
    olga = api("olga")
    rights = {row["capability"]: row for row in olga("GET", f"/{key}/rights").json}
    assert rights["wall.write"]["who"] == "members"
    assert any(cell["fixed"] for row in rights.values() for cell in row["cells"].values())
    assert api("mia")("GET", f"/{key}/rights").status_code == 403
    changed = olga("PATCH", f"/{key}/rights", {"rights": {"wall.write": "managers"}})
    assert {row["capability"]: row["who"] for row in changed.json}["wall.write"] == "managers"
    said = olga("GET", f"/{key}/rights/explain?capability=wall.write&person=mia").json
    assert (said["allowed"], said["reason"]) == (False, "role")
    for wrong in ({"wall.write": "martians"}, {"no.such": "all"}):
        assert olga("PATCH", f"/{key}/rights", {"rights": wrong}).status_code == 422


def test_feeders_are_previewed_added_and_taken_away(site, api, people, open_space):
    group, south = make_group(site, "gardeners"), make_entity(site, "south")
    gus = make_person(site, "gus", name="Gus", groups=[group])
    eve = make_person(site, "eve", name="Eve", entity=south)
    key, olga = open_space(), api("olga")
    assert olga("GET", f"/{key}/feeders/preview?kind=group&key=gardeners").json["adding"] == ["Gus"]
    for kind, ident in (("group", "gardeners"), ("entity", "south")):
        assert olga("POST", f"/{key}/feeders", {"kind": kind, "key": ident}).status_code == 202
    _work(site)
    assert (role_of(site, key, gus), role_of(site, key, eve)) == ("member", "member")
    first = next(one for one in olga("GET", f"/{key}/feeders").json if one["key"] == "gardeners")
    assert olga("GET", f"/{key}/feeders/{first['id']}").json["removing"] == ["Gus"]
    assert olga("DELETE", f"/{key}/feeders/{first['id']}").status_code == 202
    _work(site)
    assert (role_of(site, key, gus), role_of(site, key, eve)) == (None, "member")
    assert olga("POST", f"/{key}/feeders", {"kind": "group", "key": "none"}).status_code in (404, 422)


def _work(core):
    while core.jobs.run_due():
        pass


def test_many_are_added_by_a_list_whose_report_is_read_later(site, api, people, open_space):
    key, olga = open_space(), api("olga")
    people_of = [{"person": "sam"}, {"person": "nobody"}, {"person": "mia", "role": "writer"}]
    sent = olga("POST", f"/{key}/lists", {"act": "add", "people": people_of})
    assert sent.status_code == 202
    _work(site)
    report = olga("GET", f"/{key}/lists/{sent.json['id']}").json
    assert (report["finished"], report["lines"], len(report["report"])) == (True, 3, 3)
    assert len({line["outcome"] for line in report["report"]}) == 2
    assert role_of(site, key, people["mia"]) == "writer"
    assert api("ada")("GET", f"/{key}/lists/{sent.json['id']}").status_code == 403


def test_a_space_is_hidden_archived_merged_and_split(site, api, people, open_space):
    first, second = open_space("First", members=["mia", "sam"]), open_space("Second")
    olga = api("olga")
    look = olga("GET", f"/{first}/visibility?visibility=public").json
    assert look["gain"] > 0
    assert olga("PUT", f"/{first}/visibility", {"visibility": "secret"}).json["visibility"] == "secret"
    made = olga("POST", f"/{first}/split", {"name": "Part", "people": ["mia"], "leaving": True})
    assert made.status_code == 201
    assert (role_of(site, first, people["mia"]), role_of(site, made.json["key"], people["mia"])) == (None, "member")
    assert olga("PUT", f"/{first}/archive").status_code == 204
    assert olga("GET", f"/{first}").json["state"] == "archived"
    assert olga("DELETE", f"/{first}/archive").status_code == 204
    assert olga("GET", f"/{first}/merge?into={second}").json["after"] >= 2
    merged = olga("POST", f"/{first}/merge", {"into": second})
    assert (merged.status_code, merged.json["key"]) == (200, second)
    assert role_of(site, second, people["sam"]) == "member"
    assert api("ada")("POST", f"/{second}/merge", {"into": second}).status_code in (403, 404)


def test_plugins_are_switched_in_a_space_by_who_runs_it(site, api, open_space):
    key, olga = open_space(members=["mia"]), api("olga")
    with site.db.write() as session:
        site.options.set(session, "communities.plugins", ["wall", "missing"], Actor("test"))
    assert olga("GET", f"/{key}/plugins").json["on"] == ["wall"]
    assert api("mia")("PUT", f"/{key}/plugins", {"on": []}).status_code == 403
    assert olga("PUT", f"/{key}/plugins", {"on": []}).status_code == 204
    assert olga("GET", f"/{key}/plugins").json == {"choosable": ["wall"], "on": []}
    assert olga("PUT", f"/{key}/plugins", {"on": ["no-such-plugin"]}).status_code == 422


def test_what_is_for_site_administrators_is_for_nobody_else(site, api, people, open_space):
    key = open_space("Quiet circle", visibility="secret", members=["mia"])
    ada, sam = api("ada"), api("sam")
    calls = [
        ("GET", "/-/orphans", None), ("POST", "/-/orphans", {"space": key, "person": "sam"}), ("GET", "/-/quiet", None),
        ("POST", "/-/entries", {"space": key, "reason": "Curious"}),
    ]  # fmt: skip
    assert {sam(*call).status_code for call in calls} == {404}
    with site.db.write() as session:
        roles.grant(session, people["ada"].id, "site_admin", actor=Actor("test"))
    assert ada("GET", f"/{key}").status_code == 404, "not without a reason"
    assert ada("POST", "/-/entries", {"space": key, "reason": ""}).status_code == 422
    assert ada("POST", "/-/entries", {"space": key, "reason": "A complaint"}).status_code == 204
    assert ada("GET", f"/{key}").status_code == 200
    assert "A complaint" in site_entries(site)


def site_entries(core):
    from rse_communities.models import Entry

    with core.db.read() as session:
        return list(session.scalars(select(Entry.reason)))


def test_lists_ask_the_same_number_of_times_whatever_their_length(site, api, people, open_space):
    key, sam, mia = open_space(members=["mia"]), api("sam"), api("mia")

    def asked():
        found = []
        for call, path in ((sam, "?limit=100"), (mia, f"/{key}/members?limit=100"), (mia, f"/{key}")):
            call("GET", path)
            with count_queries(site) as count:
                assert call("GET", path).status_code == 200
            found.append(len(count))
        return found

    before = asked()
    for number in range(10):
        person = make_person(site, f"q{number}", name=f"Q {number}")
        open_space(f"More {number}", members=["mia", "sam"])
        with site.db.write() as session:
            members.add(session, people["olga"].id, key, person.username)
    assert asked() == before
