"""The cursor against a slow, obvious model: random trees, groups, spaces, dates, ceilings and caps, on both databases."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import random
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from rse_core import audiences, cursor, policy
from rse_core.cursor import Assignment, Snapshot
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import (
    Audience,
    Entity,
    EntityPath,
    Group,
    GroupMember,
    Person,
    Space,
    SpaceMember,
)
from rse_core.subjects import Target


def _load_model():
    path = Path(__file__).with_name("slow_model.py")
    spec = importlib.util.spec_from_file_location("slow_model", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


model = _load_model()
WORLDS, QUESTIONS = 34, 66  # 2,244 cases on each database
REQUIRED = {"talk.read": 0, "talk.react": 1, "talk.comment": 2}
READS = ("talk.read",)
SECTIONS = ("/", "/rh", "/rh/conges", "/RH", "/news", "/rh/%C3%A9t%C3%A9")
PAGES = ("/", "/rh", "/rhx", "/rh/conges", "/rh/conges/2", "/RH/x", "/news/rh", "/rh/été/1", "/rh/%C3%A9t%C3%A9")
START = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
MICRO = dt.timedelta(microseconds=1)


def moments(rng):
    # A few days only, so that several rows start at one moment and the row's id has to decide.
    return START + dt.timedelta(days=rng.randrange(6))


def build(session, rng, number):
    """A random organisation with random assignments, written to the database and to the model's lists."""
    world = model.World()
    ids = iter(range(number * 1000 + 1, number * 1000 + 1000))
    entities, groups, spaces = [], [], []
    for _ in range(rng.randrange(1, 8)):
        ident, parent = next(ids), rng.choice([None, *entities])
        entities.append(ident)
        world.parents[ident] = parent
        session.execute(insert(Entity).values(id=ident, key=f"e{ident}", name="E", parent_id=parent))
        for depth, above in enumerate(model.path(world, ident)):
            session.execute(insert(EntityPath).values(entity_id=ident, ancestor_id=above, depth=depth))
    for _ in range(rng.randrange(4)):
        groups.append(next(ids))
        session.execute(insert(Group).values(id=groups[-1], key=f"g{groups[-1]}", name="G"))
    for _ in range(rng.randrange(1, 4)):
        spaces.append(next(ids))
        visibility = rng.choice(["public", "listed", "secret"])
        if visibility == "public":
            world.public_spaces.add(spaces[-1])
        archived = START if rng.random() < 0.3 else None
        if archived:
            world.archived_spaces.add(spaces[-1])
        values = {"key": f"s{spaces[-1]}", "name": "S", "visibility": visibility, "archived_at": archived}
        session.execute(insert(Space).values(id=spaces[-1], **values))
    for _ in range(rng.randrange(2, 7)):
        ident = next(ids)
        entity = rng.choice([None, *entities * 3])
        mine = {group for group in groups if rng.random() < 0.4}
        inside = {space for space in spaces if rng.random() < 0.4}
        world.people[ident] = (entity, mine, inside)
        name = f"p{ident}"
        session.execute(
            insert(Person).values(
                id=ident, external_id=name, username=name, display_name=name, folded_name=name, entity_id=entity
            )
        )
        for group in mine:
            session.execute(insert(GroupMember).values(group_id=group, person_id=ident))
        for space in inside:
            session.execute(insert(SpaceMember).values(space_id=space, person_id=ident))
    session.execute(delete(LevelRow))
    for row in range(1, rng.randrange(2, 40)):
        kind = rng.choice(["level", "level", "ceiling", "cap"])
        scope = rng.choice(
            {
                "level": ["site", "entity", "entity", "group", "space"],
                "ceiling": ["site", "entity", "entity"],
                "cap": ["entity", "group", "space", "section"],
            }[kind]
        )
        places = {"site": [""], "entity": entities, "group": groups, "space": spaces, "section": SECTIONS}[scope]
        if not places:
            continue
        key, starts_at = rng.choice(places), moments(rng)
        level = None if rng.random() < 0.15 else rng.randrange(6)
        session.execute(
            insert(LevelRow).values(
                id=row, kind=kind, scope=scope, scope_key=str(key), level=level, starts_at=starts_at, created_by="t"
            )
        )
        world.rows.append((row, kind, scope, key, level, starts_at))
    audiences.refresh(session)
    policy.touch(session)
    return world, entities, groups, spaces


def some_thing(rng, entities, groups, spaces):
    kind = rng.choice(["everyone", "everyone", "entity", "group", "space"])
    places = {"everyone": [0], "entity": entities, "group": groups, "space": spaces}[kind]
    audience = (kind, rng.choice(places)) if places else ("everyone", 0)
    sections = tuple(rng.sample(PAGES, rng.randrange(1, 3))) if rng.random() < 0.4 else ()
    return model.Thing(audience, rng.choice([None, None, *spaces]), sections)


def test_the_cursor_agrees_with_the_slow_model(core):
    seed = int(os.environ.get("RSE_TEST_SEED") or random.SystemRandom().randrange(2**32))
    rng = random.Random(seed)
    cases = 0
    seen = set()
    for number in range(WORLDS):
        with core.db.write() as session:
            world, *places = build(session, rng, number)
        with core.db.read() as session:
            every = session.execute(select(Audience.id, Audience.kind, Audience.target_id))
            known = {(kind, target): ident for ident, kind, target in every}
            for _ in range(QUESTIONS):
                thing = some_thing(rng, *places)
                person = rng.choice(list(world.people))
                capability, required = rng.choice(list(REQUIRED.items()))
                at = moments(rng) + rng.choice([-MICRO, dt.timedelta(0), MICRO])
                target = Target(known[thing.audience], thing.sections, thing.space)
                decision = policy.can(session, person, capability, target, at=at)
                spelt = model.Thing(thing.audience, thing.space, tuple(s.replace("é", "%C3%A9") for s in thing.sections))
                expected = model.answer(world, person, spelt, required, at, writes=capability not in READS)
                found = (str(decision.reason), decision.effective_level, decision.opens_at)
                if expected[0] == "unknown_object":
                    found = (found[0], None, None)
                told = f"seed {seed}, world {number}: {person} {capability} {thing} {at}\n{world}"
                assert found == expected, told
                assert decision.required_level == required
                cases += 1
                seen.add((expected[0], expected[2] is not None))
    assert cases >= 2_000
    # The worlds are worth comparing: every outcome came up.
    assert seen >= {("ok", False), ("level", False), ("level", True), ("role", False), ("unknown_object", False)}
    assert ("archived", False) in seen


rows = st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 5)), max_size=8)


@hypothesis_settings(max_examples=200)
@given(rows, st.integers(-1, 5))
def test_in_force_is_the_latest_started_row_and_the_last_placed_of_equals(drawn, day):
    assigned = [Assignment(START + dt.timedelta(days=when), ident, level) for ident, (when, level) in enumerate(drawn)]
    snapshot = Snapshot(1, assignments={("level", "site", 0): tuple(sorted(assigned))})
    world = model.World(rows=[(a.id, "level", "site", "", a.level, a.starts_at) for a in assigned])
    at = START + dt.timedelta(days=day)
    assert cursor.level_at(snapshot, ("level", "site", 0), at) == model.in_force(world, "level", "site", "", at)


segment = st.sampled_from(["rh", "RH", "rhx", "a", "é", "a b"])
address = st.lists(segment, max_size=4).map(lambda parts: "/" + "/".join(parts))


@hypothesis_settings(max_examples=200)
@given(address, address)
def test_a_cap_on_a_section_holds_below_it_and_nowhere_else(section, page):
    snapshot = Snapshot(
        1, assignments={("cap", "section", cursor.normal_section(section)): (Assignment(START, 1, 1),)}
    )
    place = cursor.Place(sections=(page,), page=True)
    assert cursor.cap(snapshot, place, START) == (1 if model.under(section, page) else 5)


def test_a_page_without_a_section_is_capped_by_the_root_alone():
    caps = {("cap", "section", "/"): (Assignment(START, 1, 2),), ("cap", "section", "/rh"): (Assignment(START, 2, 1),)}
    snapshot = Snapshot(1, assignments=caps)
    assert cursor.cap(snapshot, cursor.Place(page=True), START) == 2
    assert cursor.cap(snapshot, cursor.Place(), START) == 5
