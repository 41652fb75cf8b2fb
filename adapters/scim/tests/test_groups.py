"""Groups of SCIM as the core has them: audiences, keys that stay, members, groups inside groups."""

from __future__ import annotations

from sqlalchemy import select

from rse_core import audiences, organisation
from rse_core.models.organisation import Group, Person
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_group, make_person


def person_of(core, username):
    with core.db.read() as session:
        return session.scalar(select(Person).where(Person.username == username))


def path_of(made, kind="Users"):
    return f"/{kind}/{made['id']}"


def test_groups_are_groups_of_the_core_with_an_audience_and_a_key_that_stays(core, scim):
    ana = scim.user("ana")
    made = scim.group("Équipe Ouest", [ana["id"]])
    with core.db.read() as session:
        group = session.scalar(select(Group).where(Group.key == "equipe-ouest"))
        assert (group.name, group.source) == ("Équipe Ouest", "scim.main")
        assert audiences.sees(session, person_of(core, "ana").id, audiences.of_group(session, group.id))
    scim.patch(path_of(made, "Groups"), {"op": "replace", "path": "displayName", "value": "Équipe Est"})
    with core.db.read() as session:
        assert session.get(Group, group.id).key == "equipe-ouest"
        assert session.get(Group, group.id).name == "Équipe Est"
    scim.group("équipe est", expect=409)
    make_group(core, "reserved", name="Reserved")
    scim.group("Reserved")
    with core.db.read() as session:
        assert session.scalar(select(Group.source).where(Group.key == "reserved")) == "local"
        assert session.scalar(select(Group.source).where(Group.key == "reserved-2")) == "scim.main"


def test_a_group_inside_a_group_is_refused_in_words(scim):
    inner = scim.group("Inner")
    answer = scim.group("Outer", [inner["id"]], expect=400)
    assert "Groups inside groups" in answer["detail"]
    outer = scim.group("Outer")
    member = {"value": inner["id"], "type": "Group"}
    scim.patch(path_of(outer, "Groups"), {"op": "add", "path": "members", "value": [member]}, expect=400)
    scim.group("Third", ["nobody"], expect=400)


def test_a_deleted_group_keeps_its_levels_and_comes_back_as_the_same(core, scim):
    ana = scim.user("ana")
    made = scim.group("Team", [ana["id"]])
    with core.db.read() as session:
        group_id = session.scalar(select(Group.id).where(Group.key == "team"))
    scim.delete(path_of(made, "Groups"))
    assert "groups" not in scim.get(path_of(ana))
    again = scim.group("Team", [ana["id"]])
    assert again["id"] != made["id"]
    with core.db.read() as session:
        assert session.scalars(select(Group.id).where(Group.name == "Team")).all() == [group_id]


def test_people_whom_scim_does_not_know_stay_in_its_groups(core, scim):
    ana = scim.user("ana")
    made = scim.group("Team", [ana["id"]])
    other = make_person(core, "by-hand")
    with core.db.write() as session:
        group_id = session.scalar(select(Group.id).where(Group.key == "team"))
        organisation.join_group(session, group_id, other.id)
    scim.put(path_of(made, "Groups"), {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Team"})
    assert "members" not in scim.get(path_of(made, "Groups"))
    with core.db.read() as session:
        assert audiences.sees(session, other.id, audiences.of_group(session, group_id))


def test_a_patch_of_a_large_group_reads_and_writes_only_whom_it_names(core, scim):
    uids = [scim.user(f"u{n}")["id"] for n in range(30)]
    small, large = scim.group("small", uids[:2]), scim.group("large", uids[:28])
    scim.patch(path_of(small, "Groups"), {"op": "add", "path": "members", "value": [{"value": uids[28]}]})

    def cost(group, uid):
        with count_queries(core) as count:
            scim.patch(path_of(group, "Groups"), {"op": "add", "path": "members", "value": [{"value": uid}]})
        return len(count)

    assert cost(small, uids[29]) == cost(large, uids[29])
    assert len(scim.get(path_of(large, "Groups"))["members"]) == 29
