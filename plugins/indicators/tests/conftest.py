"""An organisation that has been counted for two months, and short ways to look at its figures as somebody."""

from __future__ import annotations

import datetime as dt
import random

import pytest
import time_machine
from sqlalchemy import insert, select

from rse_core import indicators_cells, indicators_roll, roles, rollout
from rse_core.api import Actor, Event, use_locale
from rse_core.indicators_facts import note
from rse_core.models.organisation import Person, SpaceMember
from rse_core.models.runtime import Visit
from rse_core.testing.organisation import make_entity, make_group, make_person, make_space
from rse_indicators import plugin

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
PLAN = """
name = "plan"
[[wave]]
name = "pilot"
starts = 2026-01-20
level = "contribute"
entities = ["north"]
[[wave]]
name = "rest"
starts = 2026-09-01
level = "react"
entities = ["*"]
"""


@pytest.fixture
def rse_plugins():
    return [plugin]


@pytest.fixture(autouse=True)
def english():
    with use_locale("en"):
        yield


@pytest.fixture
def clock():
    with time_machine.travel(dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC), tick=False) as found:
        yield found


class Site:
    """What the tests know of it: entities, people by entity, a space."""

    def __init__(self, core, clock):
        self.core, self.clock = core, clock

    def fill(self):
        """Entities of 40, 30, 12 and 6 people below a head office; visits and reactions in January and February."""
        core, chance = self.core, random.Random(4)
        self.head = make_entity(core, "head", name="Head office")
        self.entities = {key: make_entity(core, key, parent=self.head) for key in ("north", "south", "east", "west")}
        make_group(core, "ambassadors", name="Ambassadors")
        self.people = {}
        with core.db.write() as session:
            for key, size in (("north", 40), ("south", 30), ("east", 12), ("west", 6)):
                rows = [
                    {
                        "external_id": f"{key}{n}", "username": f"{key}{n}", "display_name": f"{key} {n}",
                        "folded_name": f"{key} {n}", "entity_id": self.entities[key].id, "status": "active",
                        "is_manager": n < 12 and key == "north", "external": False,
                    }
                    for n in range(size)
                ]  # fmt: skip
                session.execute(insert(Person), rows)
                ids = session.scalars(select(Person.id).where(Person.entity_id == self.entities[key].id))
                self.people[key] = list(ids)
        self.boss = make_person(core, "boss", name="The Boss", locale="en", entity=self.head)
        self.northerner = make_person(core, "norma", name="Norma", locale="en", entity=self.entities["north"])
        self.animator = make_person(core, "anna", name="Anna", locale="en", entity=self.entities["south"])
        self.manager = make_person(core, "mara", name="Mara", locale="en", entity=self.entities["north"], is_manager=True)
        self.clerk = make_person(core, "carl", name="Carl", locale="en", entity=self.entities["north"])
        self.space, self.secret = make_space(core, "garden", name="Garden"), make_space(core, "plot", visibility="secret")
        with core.db.write() as session:
            me = Actor("test")
            roles.grant(session, self.boss.id, "site_admin", actor=me)
            north = self.entities["north"].id
            roles.grant(session, self.northerner.id, "entity_admin", scope="entity", scope_id=north, actor=me)
            members = [*self.people["south"][:14], self.animator.id]
            for space in (self.space, self.secret):
                rows = [{"space_id": space.id, "person_id": one, "role": "member"} for one in members[:-1]]
                session.execute(insert(SpaceMember), rows)
            session.add(SpaceMember(space_id=self.space.id, person_id=self.animator.id, role="owner"))
            indicators_roll.roll_up(session)
        with core.db.write() as session:
            rollout.apply(session, core, PLAN, actor=Actor("test"))
        for month in (1, 2):
            with core.db.write() as session:
                for number in (9, 12, 20):
                    day = dt.date(2026, month, number)
                    for people in self.people.values():
                        came = chance.sample(people, len(people) * 2 // 3)
                        session.execute(insert(Visit), [{"day": day, "person_id": one} for one in came])
                at = dt.datetime(2026, month, 12, 10, tzinfo=dt.UTC)
                for one in self.people["north"][:15]:
                    note(session, Event("likes.reacted", one, at=at))
                for one in self.people["south"][:5]:
                    note(session, Event("comments.published", one, at=at, data={"space": self.space.id}))
        self.clock.move_to(NOON)
        with core.db.write() as session:
            indicators_roll.roll_up(session)
            for month in (1, 2):
                indicators_cells.make(session, core, dt.date(2026, month, 1))
        return self


@pytest.fixture
def site(core, clock):
    return Site(core, clock).fill()


@pytest.fixture
def look(site, rse_client, as_person):
    """``look(person, path)``: the answer."""

    def at(person, path):
        as_person(rse_client, person)
        return rse_client.get(path)

    return at
