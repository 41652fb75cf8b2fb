"""What the cursor's page shows of one place: its notches, its ceiling, what is dated, the tree around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ... import cursor
from ...cursor import Snapshot
from ...delegation import Rights, stop_at
from ...i18n import Text
from ...levels import Level
from ...levelsets import Where
from ...models.levels import LevelRow
from ...models.organisation import Entity, Group
from ...runtime import Core

#: Above this many entities the tree shows only what stands around the chosen one.
WHOLE_TREE = 400


@dataclass(frozen=True, slots=True)
class Notch:
    """One level on the slider. ``barred``: above the ceiling. ``opens``: labels of the capabilities that begin there."""

    level: Level
    opens: tuple[Text, ...]
    present: bool
    chosen: bool
    barred: bool


@dataclass(slots=True)
class Branch:
    """An entity in the tree: its own level (None when it has none), the level that holds there, its children."""

    id: int
    key: str
    name: str
    own: Level | None
    holds: Level
    children: list[Branch] = field(default_factory=list)
    open: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A dated row on the time line."""

    row: LevelRow
    in_force: bool
    to_come: bool
    x: float = 0.0

    @property
    def level(self) -> Level | None:
        """None withdraws."""
        return None if self.row.level is None else Level(self.row.level)


def notches(
    core: Core, snapshot: Snapshot, *, present: Level | None, chosen: Level | None, stop: Level
) -> list[Notch]:
    """The six notches, the highest first, as the slider stands on the screen."""
    opening: dict[int, list[Text]] = {}
    for key, capability in core.plugins.capabilities.items():
        opening.setdefault(snapshot.shifts.get(key, int(capability.level)), []).append(capability.label)
    return [
        Notch(
            level,
            tuple(sorted(opening.get(int(level), ()), key=str)),
            level == present,
            level == chosen,
            level > stop,
        )
        for level in reversed(Level)
    ]


def own_level(snapshot: Snapshot, where: Where, kind: str, at: dt.datetime) -> Level | None:
    """What stands on this very place at a moment; None when nothing does."""
    number = cursor.level_at(snapshot, where.spot(kind), at)
    return None if number is None else Level(number)


def holding(snapshot: Snapshot, where: Where, kind: str, at: dt.datetime) -> Level:
    """What holds there, from it or from above: where the slider stands."""
    own = own_level(snapshot, where, kind, at)
    path = snapshot.paths.get(int(where.ident), ()) if where.scope == "entity" else ()
    if kind != "level":
        return own if own is not None else Level.COCREATE
    if where.scope in ("site", "entity"):
        own = Level(cursor.base_level(snapshot, path, at))
    return min(own if own is not None else Level.INFORM, stop_at(snapshot, where, "level", at))


def tree(session: Session, snapshot: Snapshot, rights: Rights, chosen: int | None, at: dt.datetime) -> list[Branch]:
    """The entities that the person administers, as a tree opened along the path of the chosen one."""
    path = snapshot.paths.get(chosen, ()) if chosen is not None else ()
    query = select(Entity.id, Entity.key, Entity.name, Entity.parent_id)
    if (session.scalar(select(func.count()).select_from(Entity)) or 0) > WHOLE_TREE:
        near = [*path, *rights.entities]
        query = query.where(Entity.parent_id.in_(near) | Entity.id.in_(near) | Entity.parent_id.is_(None))
    found: dict[int, Branch] = {}
    parents: dict[int, int | None] = {}
    for ident, key, name, parent in session.execute(query.order_by(Entity.name)):
        own = snapshot.paths.get(ident, (ident,))
        holds = min(cursor.base_level(snapshot, own, at), cursor.ceiling(snapshot, own, at))
        number = cursor.level_at(snapshot, ("level", "entity", ident), at)
        found[ident] = Branch(
            ident, key, name, None if number is None else Level(number), Level(holds), open=ident in path
        )
        parents[ident] = parent
    roots = []
    for ident, branch in found.items():
        parent = parents[ident]
        if parent is not None and parent in found:
            found[parent].children.append(branch)
        mine = ident in rights.entities and not _below(snapshot, ident, rights)
        if mine if not rights.site else parent is None:
            roots.append(branch)
    return roots


def _below(snapshot: Snapshot, ident: int, rights: Rights) -> bool:
    return any(above in rights.entities for above in snapshot.paths.get(ident, ())[1:])


def find_entities(session: Session, snapshot: Snapshot, rights: Rights, words: str, at: dt.datetime) -> list[Branch]:
    """Entities whose name or id holds these words, at most thirty."""
    like = f"%{words.strip().replace('%', '').replace('_', '')}%"
    rows = session.execute(
        select(Entity.id, Entity.key, Entity.name)
        .where(Entity.name.ilike(like) | Entity.key.ilike(like))
        .order_by(Entity.name)
        .limit(200)
    )
    answer = []
    for ident, key, name in rows:
        if not rights.over(snapshot, ident):
            continue
        own = snapshot.paths.get(ident, (ident,))
        holds = min(cursor.base_level(snapshot, own, at), cursor.ceiling(snapshot, own, at))
        answer.append(Branch(ident, key, name, None, Level(holds)))
    return answer[:30]


def groups(session: Session, snapshot: Snapshot, at: dt.datetime) -> list[tuple[str, str, Level | None]]:
    """(id, name, level) of every group."""
    rows = session.execute(select(Group.id, Group.key, Group.name).order_by(Group.name).limit(500))
    answer = []
    for ident, key, name in rows:
        number = cursor.level_at(snapshot, ("level", "group", ident), at)
        answer.append((key, name, None if number is None else Level(number)))
    return answer


def sections(snapshot: Snapshot, at: dt.datetime) -> list[tuple[str, Level]]:
    """(path, cap) of every section that has one."""
    answer = []
    for kind, scope, ident in snapshot.assignments:
        if (kind, scope) == ("cap", "section"):
            number = cursor.level_at(snapshot, (kind, scope, ident), at)
            if number is not None:
                answer.append((str(ident), Level(number)))
    return sorted(answer)


def marks(rows: Sequence[LevelRow], now: dt.datetime) -> list[Mark]:
    """The rows of one spot in order of their start, placed from 0 to 100 on a line that ends after the last one."""
    if not rows:
        return []
    ordered = sorted(rows, key=lambda row: (row.starts_at, row.id))
    started = [row for row in ordered if row.starts_at <= now]
    present = started[-1] if started else None
    first = min(ordered[0].starts_at, now)
    last = max(ordered[-1].starts_at, now)
    # Some room on both sides, and never a line of no length.
    room = max((last - first) * 0.08, dt.timedelta(days=1))
    first, last = first - room, last + room
    span = (last - first).total_seconds()
    return [
        Mark(row, row is present, row.starts_at > now, round(100 * (row.starts_at - first).total_seconds() / span, 2))
        for row in ordered
    ]


def now_on(line: Sequence[Mark], now: dt.datetime) -> float:
    """Where today stands on the line of these marks, from 0 to 100."""
    if not line:
        return 50.0
    starts = [mark.row.starts_at for mark in line]
    first, last = min(*starts, now), max(*starts, now)
    room = max((last - first) * 0.08, dt.timedelta(days=1))
    first, last = first - room, last + room
    return round(100 * (now - first).total_seconds() / (last - first).total_seconds(), 2)
