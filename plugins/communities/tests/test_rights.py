"""The grid of rights: what it shows is what the rules answer; what is fixed cannot be changed; why."""

from __future__ import annotations

import pytest

from rse_communities import access, changing, framing, grid, members
from rse_core import audiences, organisation, policy
from rse_core.api import Actor, Target
from rse_core.errors import BadInput, Conflict, Forbidden
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_person, set_level


def rows(core, person, key):
    with core.db.read() as session:
        return {row.capability.key: row for row in grid.rows(session, access.managing(session, person.id, key))}


def change(core, person, key, **wanted):
    with core.db.write() as session:
        return grid.change(session, person.id, key, {name.replace("_", "."): who for name, who in wanted.items()})


@pytest.mark.parametrize("visibility", ["public", "listed"])
def test_each_cell_is_what_the_rules_answer(site, people, open_space, visibility, space_of):
    key = open_space(visibility=visibility, members=["mia"])
    guest = make_person(site, "guest", external=True)
    if visibility == "listed":
        with site.db.write() as session:
            members.add(session, people["olga"].id, key, "guest", "external")
    who = {"managers": people["olga"], "members": people["mia"], "external": guest, "all": people["sam"]}
    space = space_of(key)
    for rule in ("nobody", "managers", "members", "all"):
        for capability in ("wall.read", "wall.write", "wall.paint"):
            with site.db.write() as session:
                organisation.set_space_rule(session, space.id, capability, rule)
        found = rows(site, people["olga"], key)
        with site.db.read() as session:
            target = Target(audiences.of_space(session, space.id), space_id=space.id)
            for capability in ("wall.read", "wall.write", "wall.paint"):
                for column, person in who.items():
                    if column == "external" and visibility == "listed":
                        # Guests stand at the level of the space's cap, which nothing lowers here.
                        pass
                    answer = policy.can(session, person.id, capability, target).allowed
                    assert found[capability].cells[column].allowed == answer, (rule, capability, column)


def test_rules_are_changed_kept_once_and_follow_into_the_sheet(site, people, open_space):
    key = open_space()
    assert change(site, people["olga"], key, wall_write="all", wall_paint="managers") == 1
    found = rows(site, people["olga"], key)
    assert (found["wall.write"].who, found["wall.write"].own, found["wall.paint"].own) == ("all", True, False)
    assert change(site, people["olga"], key, wall_write="") == 1
    assert rows(site, people["olga"], key)["wall.write"].who == "members"
    with site.db.write() as session:
        framing.follow_rule(session, organisation.space_by_key(session, key).id, "feed.post", "managers")
    with site.db.read() as session:
        assert access.find(session, people["olga"].id, key).profile.sheet["posts"] == "managers"


@pytest.mark.parametrize("wanted", [{"wall_fly": "all"}, {"wall_write": "friends"}, {"communities_join": "all"}])
def test_nonsense_is_refused(site, people, open_space, wanted):
    key = open_space()
    with pytest.raises(BadInput):
        change(site, people["olga"], key, **wanted)


def test_stale_grids_and_strangers_change_nothing(site, people, open_space):
    key = open_space(members=["mia"])
    with site.db.write() as session, pytest.raises(Conflict):
        grid.change(session, people["olga"].id, key, {"wall.write": "all"}, version=1)
    with pytest.raises(Forbidden):
        change(site, people["mia"], key, wall_write="all")
    assert rows(site, people["olga"], key)["wall.write"].who == "members"


def test_what_the_platform_or_a_cap_forbids_is_fixed_and_says_why(site, people, open_space, space_of):
    key = open_space()
    set_level(site, "comment", space=space_of(key), kind="cap")
    found = rows(site, people["olga"], key)
    assert "capped at" in str(found["wall.write"].fixed)
    assert found["wall.read"].fixed == ""
    set_level(site, "react", kind="ceiling")
    assert "ceiling" in str(rows(site, people["olga"], key)["wall.write"].fixed)
    with site.db.write() as session:
        site.plugins.disable(session, "wall", Actor("test"), "space", space_of(key).id)
    assert "switched off" in str(rows(site, people["olga"], key)["wall.read"].fixed)


def test_an_archived_space_fixes_all_that_writes(site, people, open_space):
    key = open_space()
    with site.db.write() as session:
        changing.archive(session, people["olga"].id, key)
    found = rows(site, people["olga"], key)
    assert "archived" in str(found["wall.write"].fixed)
    assert found["wall.read"].cells["members"].allowed


def test_who_asks_why_gets_the_reason_and_every_rule(site, people, open_space):
    key = open_space(members=["mia"])
    low = make_person(site, "low", entity=make_entity(site, "low"))
    from rse_core.models.organisation import Entity

    with site.db.read() as session:
        entity = session.get_one(Entity, low.entity_id)
    set_level(site, "react", entity=entity)
    with site.db.write() as session:
        members.add(session, people["olga"].id, key, "low")
    with site.db.read() as session:

        def why(capability, **who):
            return grid.explain(session, people["olga"].id, key, capability, **who)

        assert why("wall.write", role="member").allowed
        assert why("wall.paint", role="member").reason == "role"
        assert why("wall.write", role="").reason == "unknown_object"
        by_name = why("wall.write", username="low")
        assert (by_name.reason, by_name.person.username) == ("level", "low")
        assert {step.rule: step.passed for step in by_name.steps}["level"] is False
        assert "level" in str(by_name.message)
        with pytest.raises(BadInput):
            why("wall.fly", role="member")
        with pytest.raises(Forbidden):
            grid.explain(session, people["mia"].id, key, "wall.write", role="member")


def test_the_grid_costs_one_query_more_than_finding_the_space(site, people, open_space):
    key = open_space()
    with site.db.read() as session, count_queries(site) as queries:
        seat = access.managing(session, people["olga"].id, key)
        before = len(queries)
        grid.rows(session, seat)
        assert len(queries) - before <= 1
