"""Flattened audiences and the tree's closure against a slow model, and what lists see of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import audiences, organisation, people, places
from rse_core.errors import Conflict, NotFound
from rse_core.i18n import use_locale
from rse_core.models.organisation import Audience, EntityPath, Membership
from rse_core.testing.queries import count_queries

ENTITIES, PEOPLE, GROUPS, SPACES = 5, 4, 2, 2

acts = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, ENTITIES - 1), st.none() | st.integers(0, ENTITIES - 1)),
        st.tuples(st.just("move"), st.integers(0, PEOPLE - 1), st.none() | st.integers(0, ENTITIES - 1)),
        st.tuples(st.just("beside"), st.integers(0, PEOPLE - 1), st.integers(0, ENTITIES - 1)),
        st.tuples(st.just("group"), st.integers(0, PEOPLE - 1), st.integers(0, GROUPS - 1)),
        st.tuples(st.just("ungroup"), st.integers(0, PEOPLE - 1), st.integers(0, GROUPS - 1)),
        st.tuples(st.just("space"), st.integers(0, PEOPLE - 1), st.integers(0, SPACES - 1)),
        st.tuples(st.just("unspace"), st.integers(0, PEOPLE - 1), st.integers(0, SPACES - 1)),
        st.tuples(st.just("disable"), st.integers(0, PEOPLE - 1), st.none()),
        st.tuples(st.just("enable"), st.integers(0, PEOPLE - 1), st.none()),
    ),
    max_size=14,
)


@pytest.fixture(autouse=True)
def _in_english():
    """The sentences that are looked for below are the English ones."""
    with use_locale("en"):
        yield


@dataclass
class Model:
    """The slow and obvious one: parents, and sets."""

    parent: dict[int, int | None] = field(default_factory=dict)
    entity: dict[int, int | None] = field(default_factory=dict)
    beside: dict[int, set[int]] = field(default_factory=dict)
    groups: set[tuple[int, int]] = field(default_factory=set)
    spaces: set[tuple[int, int]] = field(default_factory=set)
    active: set[int] = field(default_factory=set)

    def above(self, entity: int | None) -> list[int]:
        found = []
        while entity is not None:
            found.append(entity)
            entity = self.parent[entity]
        return found

    def closure(self) -> set[tuple[int, int, int]]:
        return {(e, a, depth) for e in self.parent for depth, a in enumerate(self.above(e))}

    def rows(self) -> set[tuple[int, str, int]]:
        found = set()
        for person in self.active:
            found.add((person, "everyone", 0))
            for entity in {self.entity[person], *self.beside.get(person, ())}:
                found.update((person, "entity", e) for e in self.above(entity))
        found.update((p, "group", g) for p, g in self.groups if p in self.active)
        found.update((p, "space", s) for p, s in self.spaces if p in self.active)
        return found


def flattened(session: Session) -> set[tuple[int, str, int]]:
    rows = select(Membership.person_id, Audience.kind, Audience.target_id).join(
        Audience, Audience.id == Membership.audience_id
    )
    return set(session.execute(rows))


def closure(session: Session) -> set[tuple[int, int, int]]:
    return set(session.execute(select(EntityPath.entity_id, EntityPath.ancestor_id, EntityPath.depth)))


@given(acts=acts)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_after_any_acts_the_closure_and_the_audiences_are_those_of_the_slow_model(core, acts):
    # Each example works in a transaction that is rolled back, so that all start from an empty organisation.
    with core.db.sessions() as session:
        model = Model()
        entities, persons, groups, spaces = [], [], [], []
        for n in range(ENTITIES):
            parent = entities[n // 2] if n % 3 == 2 else None
            entities.append(organisation.add_entity(session, f"e{n}", f"E{n}", parent).id)
            model.parent[entities[n]] = parent
        groups = [organisation.add_group(session, f"g{n}", f"G{n}").id for n in range(GROUPS)]
        spaces = [organisation.add_space(session, f"s{n}", f"S{n}").id for n in range(SPACES)]
        for n in range(PEOPLE):
            person = people.add(session, external_id=f"x{n}", username=f"p{n}", display_name=f"P {n}", entity_id=entities[n])
            persons.append(person.id)
            model.entity[person.id] = entities[n]
            model.active.add(person.id)
        for act, what, where in acts:
            if act == "put":
                entity, parent = entities[what], None if where is None else entities[where]
                if parent is not None and entity in model.above(parent):
                    with pytest.raises(Conflict):
                        organisation.move_entity(session, entity, parent)
                else:
                    organisation.move_entity(session, entity, parent)
                    model.parent[entity] = parent
                continue
            person = persons[what]
            if act == "move":
                model.entity[person] = None if where is None else entities[where]
                people.move(session, person, model.entity[person])
            elif act == "beside":
                # One is added, or taken away again.
                mine = model.beside.setdefault(person, set())
                mine ^= {entities[where]}
                places.set_others(session, person, mine)
                mine.discard(model.entity[person])
            elif act == "group":
                organisation.join_group(session, groups[where], person)
                model.groups.add((person, groups[where]))
            elif act == "ungroup":
                organisation.leave_group(session, groups[where], person)
                model.groups.discard((person, groups[where]))
            elif act == "space":
                organisation.join_space(session, spaces[where], person)
                model.spaces.add((person, spaces[where]))
            elif act == "unspace":
                organisation.leave_space(session, spaces[where], person)
                model.spaces.discard((person, spaces[where]))
            elif act == "disable":
                people.disable(session, person)
                model.active.discard(person)
            else:
                people.enable(session, person)
                model.active.add(person)
        assert closure(session) == model.closure()
        assert flattened(session) == model.rows()
        audiences.refresh(session)
        assert flattened(session) == model.rows()
        session.rollback()


def test_a_refresh_mends_rows_that_were_damaged(core, make_person, make_entity, make_group):
    north = make_entity("north")
    alice = make_person("alice", entity=north)
    make_group("watch", members=[alice])
    with core.db.write() as session:
        right = flattened(session)
        session.delete(session.get_one(Membership, (alice.id, audiences.of_entity(session, north.id))))
        stray = make_stray(session, alice.id)
        session.flush()
        assert flattened(session) != right
        audiences.refresh(session)
        assert flattened(session) == right
        assert session.get(Membership, (alice.id, stray)) is None


def make_stray(session: Session, person_id: int) -> int:
    space = organisation.add_space(session, "stray", "Stray")
    audience = audiences.of_members(session, space.id)
    session.add(Membership(person_id=person_id, audience_id=audience))
    return audience


def test_everybody_is_recomputed_in_as_many_statements_as_one_person(core, make_person, make_entity):
    north = make_entity("north")
    persons = [make_person(entity=north) for _ in range(12)]
    counts = []
    for wanted in (persons[:1], persons):
        with core.db.write() as session, count_queries(core) as seen:
            audiences.refresh(session, [person.id for person in wanted])
        counts.append(len(seen.statements))
    assert counts[0] == counts[1]


def test_a_list_is_filtered_in_one_query_by_what_the_person_sees(core, make_person, make_entity):
    head = make_entity("head")
    north, south = make_entity("north", parent=head), make_entity("south", parent=head)
    alice = make_person("alice", entity=north)
    with core.db.read() as session:
        mine = audiences.visible(alice.id)
        seen = select(Audience.target_id).where(Audience.kind == "entity", Audience.id.in_(mine))
        assert set(session.scalars(seen)) == {head.id, north.id}
        assert audiences.sees(session, alice.id, audiences.of_entity(session, north.id))
        assert not audiences.sees(session, alice.id, audiences.of_entity(session, south.id))
        nobody = select(Audience.id).where(Audience.id.in_(audiences.visible(None)))
        assert list(session.scalars(nobody)) == []


def test_somebody_who_has_left_sees_nothing_and_sees_all_again_on_return(core, make_person, make_entity):
    alice = make_person("alice", entity=make_entity("north"))
    with core.db.write() as session:
        before = audiences.of_person(session, alice.id)
        people.disable(session, alice.id)
        assert audiences.of_person(session, alice.id) == frozenset()
        people.enable(session, alice.id)
        assert audiences.of_person(session, alice.id) == before


def test_what_is_in_a_public_space_is_seen_by_everyone_and_in_a_secret_one_by_members(core, make_person):
    outsider = make_person("outsider")
    with core.db.write() as session:
        public = organisation.add_space(session, "garden", "Garden", visibility="public")
        secret = organisation.add_space(session, "cellar", "Cellar", visibility="secret")
        assert audiences.sees(session, outsider.id, audiences.of_space(session, public.id))
        assert not audiences.sees(session, outsider.id, audiences.of_space(session, secret.id))
        assert not audiences.sees(session, outsider.id, audiences.of_members(session, public.id))


def test_the_audience_of_something_that_does_not_exist_is_an_error(core):
    with core.db.write() as session:
        with pytest.raises(NotFound, match="entity with the id 99"):
            audiences.of_entity(session, 99)
        with pytest.raises(NotFound, match="group with the id 99"):
            audiences.of_group(session, 99)


def test_a_key_that_nearly_matches_is_named(core, make_entity):
    make_entity("trois-rivieres")
    with core.db.read() as session, pytest.raises(NotFound, match="Did you mean “trois-rivieres”"):
        organisation.entity_by_key(session, "trois-riviere")
