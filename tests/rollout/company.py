"""A large organisation in the database, what its people do, and a second bookkeeping of both that knows no roll-ups."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict

from sqlalchemy import insert, select, update

from rse_core.events import Event
from rse_core.indicators_facts import note
from rse_core.models.indicators import Pseudonym
from rse_core.models.organisation import Entity, EntityPath, Group, GroupMember, Person
from rse_core.models.runtime import Visit
from rse_core.policy import touch

DAY = dt.timedelta(days=1)
LEFT = -1


class Book:
    """What happened, in plain lists. Days are those on which it was written, as the roll-up of that day sees it."""

    def __init__(self) -> None:
        self.entities: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        #: person → [(day, entity id, LEFT for who has left)], in order
        self.entity: dict[int, list[tuple[dt.date, int]]] = defaultdict(list)
        self.group: dict[int, list[tuple[dt.date, frozenset[int]]]] = defaultdict(list)
        self.managers: set[int] = set()
        #: entity → [(day, parent)]
        self.parent: dict[int, list[tuple[dt.date, int | None]]] = defaultdict(list)
        self.visits: dict[dt.date, set[int]] = defaultdict(set)
        self.acts: list[tuple[dt.date, int, str]] = []
        self.number = 0

    @staticmethod
    def of(history, day):
        """What held at the end of a day."""
        found = None
        for since, value in history:
            if since <= day:
                found = value
        return found

    def anchor(self, last):
        """The last day of the month before, not before the first day of all."""
        begin = min(rows[0][0] for rows in self.entity.values())
        return max(last.replace(day=1) - DAY, begin)

    def path(self, entity, day):
        """The entity and all above it, at the end of a day."""
        found = []
        while entity:
            found.append(entity)
            entity = self.of(self.parent[entity], day)
        return found

    def people(self, day):
        """Who was of the staff at the end of a day → entity."""
        rows = {person: self.of(history, day) for person, history in self.entity.items()}
        return {person: entity for person, entity in rows.items() if entity not in (None, LEFT)}

    def cells(self, by, last, waves):
        """target → people, at the moment that counts for a period that ends on ``last``.

        :param waves: name → (entity ids, group ids), in the order of the plan.
        """
        day = self.anchor(last)
        found = defaultdict(set)
        for person, entity in self.people(day).items():
            groups = self.of(self.group[person], day) or frozenset()
            if by == "site":
                found[""].add(person)
            elif by == "entity":
                for above in self.path(entity, day):
                    found[str(above)].add(person)
            elif by == "group":
                for group in groups:
                    found[str(group)].add(person)
            elif by == "wave":
                mine = self.waves_of(self.path(entity, day), groups, waves)
                first = next((name for name in waves if name in mine), None)
                if first is not None:
                    found[first].add(person)
        return found

    @staticmethod
    def waves_of(path, groups, waves):
        """The wave of the nearest entity that one names, and those of the groups."""
        nearest = next((name for entity in path for name, (entities, _g) in waves.items() if entity in entities), None)
        return {name for name, (_e, named) in waves.items() if named & groups} | ({nearest} if nearest else set())

    def came(self, first, last):
        """Who visited in a period."""
        days = [first + DAY * n for n in range((last - first).days + 1)]
        return set().union(*(self.visits.get(day, set()) for day in days))

    def did(self, names, first, last):
        """Who did something of these names in a period."""
        return {person for day, person, name in self.acts if first <= day <= last and name in names}


class Company:
    """The organisation in a core's database, written set by set, with its book."""

    def __init__(self, core, sizes, *, seed=1, start=dt.date(2026, 3, 1)) -> None:
        self.core, self.book, self.random = core, Book(), random.Random(seed)
        with core.db.write() as session:
            session.execute(insert(Entity), [{"key": "head", "name": "Head"}])
            head = session.scalar(select(Entity.id))
            session.execute(
                insert(Entity), [{"key": f"e{n:03d}", "name": f"Entity {n}", "parent_id": head} for n in range(len(sizes))]
            )
            self.book.entities = {key: ident for key, ident in session.execute(select(Entity.key, Entity.id))}
            ids = [self.book.entities[f"e{n:03d}"] for n in range(len(sizes))]
            paths = [{"entity_id": i, "ancestor_id": i, "depth": 0} for i in [head, *ids]]
            paths += [{"entity_id": i, "ancestor_id": head, "depth": 1} for i in ids]
            session.execute(insert(EntityPath), paths)
            session.execute(insert(Group), [{"key": key, "name": key} for key in ("communication", "ambassadors")])
            self.book.groups = {key: ident for key, ident in session.execute(select(Group.key, Group.id))}
            self.book.parent[head].append((start, None))
            for ident in ids:
                self.book.parent[ident].append((start, head))
            rows = [(ident, number) for ident, size in zip(ids, sizes, strict=True) for number in range(size)]
            session.execute(insert(Person), [self._row(ident, number) for ident, number in rows])
            for ident, entity, manager in session.execute(select(Person.id, Person.entity_id, Person.is_manager)):
                self.book.entity[ident].append((start, entity))
                self.book.group[ident].append((start, frozenset()))
                if manager:
                    self.book.managers.add(ident)
            touch(session)

    def _row(self, entity, number):
        self.book.number += 1
        name = f"p{self.book.number}"
        return {
            "external_id": name, "username": name, "display_name": name, "folded_name": name, "entity_id": entity,
            "is_manager": number % 8 == 0, "status": "active", "external": False, "source": "csv",
        }  # fmt: skip

    def join(self, session, people, group, day):
        """Put people into a group."""
        ident = self.book.groups[group]
        session.execute(insert(GroupMember), [{"group_id": ident, "person_id": one} for one in people])
        for one in people:
            now = self.book.of(self.book.group[one], day) or frozenset()
            self.book.group[one].append((day, now | {ident}))
        touch(session)

    def move(self, session, people, entity, day):
        """Another entity for people; None: they leave the company."""
        values = {"status": "disabled"} if entity is None else {"entity_id": entity}
        session.execute(update(Person).where(Person.id.in_(people)).values(**values))
        for one in people:
            self.book.entity[one].append((day, LEFT if entity is None else entity))
        touch(session)

    def hire(self, session, entity, number, day):
        """New people."""
        before = set(self.book.entity)
        session.execute(insert(Person), [self._row(entity, n + 1) for n in range(number)])
        for ident in session.scalars(select(Person.id)):
            if ident not in before:
                self.book.entity[ident].append((day, entity))
                self.book.group[ident].append((day, frozenset()))
        touch(session)

    def visit(self, session, day, people):
        """People come on a day."""
        new = set(people) - self.book.visits[day]
        if new:
            session.execute(insert(Visit), [{"day": day, "person_id": one} for one in new])
        self.book.visits[day] |= new

    def act(self, session, day, person, name, **more):
        """Somebody does something."""
        at = dt.datetime.combine(day, dt.time(10), dt.UTC)
        note(session, Event(name, person, at=at, **more))
        self.book.acts.append((day, person, name))

    def names(self, session):
        """pseudonym → person."""
        return {who: person for who, person in session.execute(select(Pseudonym.who, Pseudonym.person_id))}
