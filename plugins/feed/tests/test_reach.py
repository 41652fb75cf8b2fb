"""The real reach: what is counted by classes equals what the rules say of each person; small groups are never told."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from rse_core import audiences, roles, suspensions
from rse_core.api import Actor, Capability, Level, Manifest, NotFound, Plugin, Target, can, hookimpl, utcnow
from rse_core.models.organisation import Membership
from rse_core.organisation import join_group, join_space, set_space_rule
from rse_core.policy import level_of
from rse_core.small_groups import FEW, figure
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space, set_level
from rse_feed import plugin, reach

ACTOR = Actor("test")


def _offering(name, key, who):
    class Offering(Plugin):
        manifest = Manifest(name=name, label=name)

        @hookimpl
        def rse_capabilities(self):
            return [Capability(key, key, Level.REACT if name == "likes" else Level.COMMENT, default_who=who)]

    return Offering()


@pytest.fixture
def core(rse_core):
    """A core in which others bring reactions and comments."""
    return rse_core([plugin, _offering("likes", reach.REACT, "all"), _offering("comments", reach.COMMENT, "members")])


def one_by_one(session, audience_id, space_id=None):
    """The same figures from a decision about each person of the audience."""
    people = list(session.scalars(select(Membership.person_id).where(Membership.audience_id == audience_id)))
    target = Target(audience_id, space_id=space_id)
    levels, able, readers = {}, dict.fromkeys((reach.READ, reach.REACT, reach.COMMENT), 0), {}
    for person_id in people:
        level = level_of(session, person_id, target)
        levels[level] = levels.get(level, 0) + 1
        for key in able:
            decision = can(session, person_id, key, target)
            if all(step.passed for step in decision.trail if step.rule != "charter"):
                able[key] += 1
                if key == reach.READ:
                    entity = session.info["rse_core"].policy.person(person_id).entity_id
                    readers[entity] = readers.get(entity, 0) + 1
    return reach.Reach(len(people), levels, able, readers)


def build(core, plan):
    """An organisation from drawn numbers: entities in a tree, groups, spaces, people, levels of every kind."""
    entities = [make_entity(core)]
    for parent in plan["entities"]:
        entities.append(make_entity(core, parent=entities[parent % len(entities)]))
    groups = [make_group(core) for _ in range(3)]
    spaces = [make_space(core, visibility=visibility) for visibility in ("listed", "public")]
    for number, (entity, some, role, external, suspended) in enumerate(plan["people"]):
        person = make_person(
            core, entity=None if entity == 0 else entities[entity % len(entities)], external=external,
            groups=[group for index, group in enumerate(groups) if some >> index & 1],
        )  # fmt: skip
        with core.db.write() as session:
            if role:
                join_space(session, spaces[number % 2].id, person.id, "external" if external else role)
            if suspended:
                suspensions.suspend(session, person.id, ends_at=None, reason="x", actor=ACTOR)
            if number % 5 == 0:
                roles.grant(session, person.id, "animator", scope="space", scope_id=spaces[0].id, actor=ACTOR)
    for kind, where, which, level, later in plan["levels"]:
        named = {
            "site": {}, "entity": {"entity": entities[which % len(entities)]}, "group": {"group": groups[which % 3]},
            "space": {"space": spaces[which % 2]},
        }[where]  # fmt: skip
        if (kind == "ceiling" and where in ("group", "space")) or (kind == "cap" and where == "site"):
            continue
        starts = utcnow() + dt.timedelta(days=1) if later else None
        set_level(core, level, kind=kind, starts_at=starts, **named)
    with core.db.write() as session:
        for index, who in enumerate(plan["rules"]):
            set_space_rule(session, spaces[index % 2].id, (reach.READ, reach.COMMENT)[index % 2], who)
        for scope, which, on in plan["switches"]:
            ident = {"group": groups, "entity": entities, "space": spaces}[scope]
            act = core.plugins.enable if on else core.plugins.disable
            act(session, "comments", ACTOR, scope=scope, scope_id=ident[which % len(ident)].id)
    return entities, groups, spaces


PLANS = st.fixed_dictionaries({
    "entities": st.lists(st.integers(0, 5), min_size=1, max_size=4),
    "people": st.lists(
        st.tuples(
            st.integers(0, 5), st.integers(0, 7), st.sampled_from([None, None, "member", "owner", "external"]),
            st.booleans(), st.booleans(),
        ),
        min_size=4, max_size=14,
    ),
    "levels": st.lists(
        st.tuples(
            st.sampled_from(["level", "level", "ceiling", "cap"]), st.sampled_from(["site", "entity", "group", "space"]),
            st.integers(0, 5), st.integers(0, 5), st.booleans(),
        ),
        min_size=1, max_size=10,
    ),
    "rules": st.lists(st.sampled_from([None, "nobody", "managers", "members", "all"]), max_size=4),
    "switches": st.lists(
        st.tuples(st.sampled_from(["group", "entity", "space"]), st.integers(0, 5), st.booleans()), max_size=3
    ),
})  # fmt: skip


# Each example is a database of its own: making a failure smaller would take longer than reading it.
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(plan=PLANS)
def test_the_classes_say_what_the_rules_say_of_each_person(rse_core, plan):
    core = rse_core([plugin, _offering("likes", reach.REACT, "all"), _offering("comments", reach.COMMENT, "members")])
    entities, groups, spaces = build(core, plan)
    with core.db.write() as session:
        places = [(audiences.everyone(session), None)]
        places += [(audiences.of_entity(session, entity.id), None) for entity in entities]
        places += [(audiences.of_group(session, group.id), None) for group in groups]
        for space in spaces:
            places += [
                (audiences.of_space(session, space.id), space.id),
                (audiences.of_members(session, space.id), space.id),
            ]
    with core.db.read() as session:
        for audience_id, space_id in places:
            assert reach.of(session, audience_id, space_id=space_id) == one_by_one(session, audience_id, space_id)


def test_groups_without_number_are_told_apart(core):
    groups = [make_group(core, f"g{number}") for number in range(130)]
    for index in (0, 59, 60, 61, 119, 120, 129):
        set_level(core, 1 + index % 5, group=groups[index])
    for group in groups:
        set_level(core, 0, group=group)
    set_level(core, 5, group=groups[129])
    set_level(core, 2, group=groups[60])
    anna, ben = make_person(core), make_person(core)
    with core.db.write() as session:
        join_group(session, groups[129].id, anna.id)
        join_group(session, groups[60].id, ben.id)
        join_group(session, groups[0].id, ben.id)
    with core.db.read() as session:
        everyone = audiences.everyone(session)
        assert reach.of(session, everyone) == one_by_one(session, everyone)
        assert reach.of(session, everyone).levels == {Level.COCREATE: 1, Level.COMMENT: 1}


def test_it_costs_one_query_and_none_while_nothing_changes(core):
    set_level(core, "comment")
    for _ in range(3):
        make_person(core, entity=make_entity(core), groups=[make_group(core)])
    with core.db.read() as session:
        everyone = audiences.everyone(session)
        with count_queries(core) as few:
            reach.of(session, everyone)
        with count_queries(core) as none:
            reach.of(session, everyone)
    assert (len(few), len(none)) == (1, 0)
    make_person(core)
    core.policy.forget()
    with core.db.read() as session:
        assert reach.of(session, everyone).people == 4


def test_a_dated_level_counts_from_its_moment_although_an_answer_was_kept(core):
    make_person(core)
    soon = utcnow() + dt.timedelta(milliseconds=300)
    set_level(core, "comment", starts_at=soon)
    with core.db.read() as session:
        everyone = audiences.everyone(session)
        assert reach.of(session, everyone).levels == {Level.INFORM: 1}
        while utcnow() < soon:
            pass
        assert reach.of(session, everyone).levels == {Level.COMMENT: 1}


def test_it_is_told_of_audiences_in_which_one_may_post(core):
    set_level(core, "contribute")
    anna, ben = make_person(core), make_person(core)
    space = make_space(core, visibility="secret", members=[anna])
    with core.db.read() as session:
        assert reach.of_choice(session, anna.id, f"space:{space.key}").people == 1
        refused = []
        for key in (f"space:{space.key}", "space:none", "entity:none", "nonsense", ""):
            with pytest.raises(NotFound) as error:
                reach.of_choice(session, ben.id, key)
            refused.append(str(error.value))
        assert len(set(refused)) == 1
    set_level(core, "react")
    with core.db.read() as session, pytest.raises(NotFound):
        reach.of_choice(session, anna.id, f"space:{space.key}")


def test_groups_of_fewer_than_ten_are_not_told_in_numbers():
    assert figure("", 9, 4000).number is None
    assert figure("", 3995, 4000).number is None
    assert figure("", 3990, 4000).number == 3990
    assert figure("", 0, 4000).number == 0
    assert figure("", 4000, 4000).number == 4000
    few = reach.told(reach.Reach(9, {Level.COMMENT: 9}, {reach.READ: 9}))
    assert (few["people"].number, few["able"], few["levels"]) == (None, [], [])


@given(st.dictionaries(st.sampled_from(list(Level)), st.integers(0, 40)))
def test_levels_are_told_together_until_no_part_is_small(levels):
    found = reach.bands(levels)
    assert sum(number for _some, number in found) == sum(levels.values())
    assert [level for some, _number in found for level in some] == sorted(level for level, n in levels.items() if n)
    if sum(levels.values()) >= FEW:
        assert all(number >= FEW for _some, number in found)
