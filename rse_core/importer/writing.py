"""Writing a plan: in bulk, in one transaction, in an order that no unique constraint minds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from .. import audiences, sessions
from ..db import utcnow
from ..events import Event, emit
from ..i18n import _
from ..models.organisation import Entity, Group, GroupMember, Person
from ..organisation import rebuild_paths
from ..people import DISABLED, ENABLED, folded
from ..signins import drop_identities
from . import ties
from .existing import Existing
from .planning import Plan
from .report import Progress
from .rows import PersonRow

CHUNK = 2_000
_person = cast(Table, Person.__table__)
_member = cast(Table, GroupMember.__table__)
Item = TypeVar("Item")


class Writer:
    """Writes one plan.

    :param existing: what the plan was made from.
    """

    def __init__(
        self, session: Session, plan: Plan, existing: Existing, progress: Progress | None, source: str = "csv"
    ) -> None:
        self.session, self.plan, self.existing, self.progress = session, plan, existing, progress
        self.source = source
        self._done = 0
        self._total = len(plan.new_people) * 2 + len(plan.changed_people) * 2 + len(plan.disabled) + CHUNK
        self._now = utcnow()

    def write(self) -> None:
        """Write everything, and the flattened audiences."""
        entities = self._entities()
        self._usernames()
        self._new_people(entities)
        ids = {key: now.id for key, now in self.existing.people.items()}
        if self.plan.new_people:
            ids = dict(self.session.execute(select(_person.c.external_id, _person.c.id)).all())
        self._changed_people(entities, ids)
        self._managers_of_new(ids)
        ties.write(self.session, [*((None, row) for row in self.plan.new_people), *self.plan.changed_people], ids, entities)
        self._disabled()
        self._groups(ids)
        self.session.expire_all()
        audiences.refresh(self.session)
        self._advance(CHUNK)

    def _entities(self) -> dict[str, int]:
        plan, session = self.plan, self.session
        for rows in _chunks(plan.new_entities):
            session.execute(insert(Entity), [{"key": row.key, "name": row.name} for row in rows])
        ids: dict[str, int] = dict(session.execute(select(Entity.key, Entity.id)).all())
        moved = [
            {"this": ids[row.key], "name": row.name, "parent_id": ids.get(row.parent)}
            for row in (*plan.new_entities, *plan.changed_entities)
        ]
        self._update(Entity.__table__, moved)
        if moved:
            rebuild_paths(session)
        return ids

    def _usernames(self) -> None:
        """Free the usernames that change hands.

        Who has left keeps a name made of the old one and their id. Who changes names gets, until their new
        one is written, a name
        that nobody can have, so that two people may swap theirs.
        """
        released = [{"this": now.id, "username": f"{now.username[:180]}~{now.id}"} for now in self.plan.released]
        renamed = [(now, row) for now, row in self.plan.changed_people if now.username != row.username]
        self._update(_person, released)
        self._update(_person, [{"this": now.id, "username": f"\x1f{now.id}"} for now, row in renamed])
        lost = [(now.id, now.username) for now in (*self.plan.released, *(now for now, row in renamed))]
        drop_identities(self.session, lost)

    def _new_people(self, entities: dict[str, int]) -> None:
        for rows in _chunks(self.plan.new_people):
            values = [
                {
                    **self._values(row, entities),
                    "external": bool(row.external),
                    "external_id": row.external_id,
                    "created_at": self._now,
                }
                for row in rows
            ]
            self.session.execute(_person.insert(), values)
            self._advance(len(rows))

    def _changed_people(self, entities: dict[str, int], ids: dict[str, int]) -> None:
        for pairs in _chunks(self.plan.changed_people):
            values = [
                {
                    **self._values(row, entities),
                    "external": now.external if row.external is None else row.external,
                    "this": now.id,
                    "manager_id": ids.get(row.manager),
                }
                for now, row in pairs
            ]
            self._update(_person, values)
            for now, _row in pairs:
                if now.status != "active":
                    emit(self.session, Event(ENABLED, data={"person": now.id}))
            self._advance(len(pairs) * 2)

    def _managers_of_new(self, ids: dict[str, int]) -> None:
        for rows in _chunks(self.plan.new_people):
            values = [{"this": ids[row.external_id], "manager_id": ids[row.manager]} for row in rows if row.manager]
            self._update(_person, values)
            self._advance(len(rows))

    def _disabled(self) -> None:
        values: list[dict[str, Any]] = [
            {"this": now.id, "status": "disabled", "disabled_at": self._now, "updated_at": self._now}
            for now in self.plan.disabled
        ]
        for rows in _chunks(values):
            self._update(_person, rows)
            for row in rows:
                emit(self.session, Event(DISABLED, data={"person": row["this"]}))
            sessions.end_of(self.session, [row["this"] for row in rows], "left")
            self._advance(len(rows))

    def _groups(self, ids: dict[str, int]) -> None:
        plan, session, now = self.plan, self.session, self.existing.groups
        if plan.new_groups:
            rows = [{"key": row.key, "name": row.name, "source": self.source} for row in plan.new_groups]
            session.execute(insert(Group), rows)
        self._update(
            Group.__table__,
            [{"this": now[row.key].id, "name": row.name, "source": self.source} for row in plan.changed_groups],
        )
        groups: dict[str, int] = dict(session.execute(select(Group.key, Group.id)).all())
        joining, leaving = [], []
        for row in (*plan.new_groups, *plan.changed_groups):
            group_id = groups[row.key]
            present = now[row.key].members if row.key in now else {}
            joining += [(group_id, ids[member]) for member in row.members if member not in present]
            leaving += [(group_id, ident) for member, ident in present.items() if member not in row.members]
        for key in plan.emptied_groups:
            leaving += [(groups[key], ident) for ident in now[key].members.values()]
        for pairs in _chunks(leaving):
            statement = delete(_member).where(
                GroupMember.group_id == bindparam("g"), GroupMember.person_id == bindparam("p")
            )
            session.connection().execute(statement, [{"g": g, "p": p} for g, p in pairs])
        for pairs in _chunks(joining):
            session.execute(_member.insert(), [{"group_id": g, "person_id": p} for g, p in pairs])

    def _values(self, row: PersonRow, entities: dict[str, int]) -> dict[str, Any]:
        return {
            "username": row.username,
            "display_name": row.display_name,
            "folded_name": folded(row.display_name)[:300],
            "email": row.email,
            "entity_id": entities.get(row.entity),
            "job_title": row.job_title,
            "is_manager": row.is_manager,
            "locale": row.locale,
            "phone": row.phone,
            "site": row.site,
            "status": "active",
            "disabled_at": None,
            "source": self.source,
            "updated_at": self._now,
        }

    def _update(self, table: Any, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            names = [name for name in rows[0] if name != "this"]
            statement = update(table).where(table.c.id == bindparam("this"))
            statement = statement.values({name: bindparam(name) for name in names})
            self.session.connection().execute(statement, list(rows))

    def _advance(self, count: int) -> None:
        self._done += count
        if self.progress is not None:
            self.progress(_("writing"), self._done, self._total)


def _chunks(rows: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
