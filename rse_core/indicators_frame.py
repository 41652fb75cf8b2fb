"""Whom a figure is about: the people of every place at one moment, and which places may be shown.

**The rule against finding people out.** The people of a moment are divided into blocks of at least ten. A place (an entity,
a wave, a level, a group, the managers …) may be shown when it is made of whole blocks, or when cutting every block along its
border leaves at least ten people, or nobody, on either side; then the blocks are cut. Everything that is shown is thus a sum
over whole blocks, and so is whatever can be computed from it by adding and subtracting, over totals and over places that
overlap: nothing is left that speaks of fewer than ten people. The larger places go first, so that the small ones and what
would betray them are left out, and always the same ones.

All figures of a month are about the people of one moment, whatever their period, so that two periods cannot be subtracted
either; what adds up over days is added up month by month.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import cursor
from .indicators_packed import pairs
from .indicators_standing import at as holds_at
from .models.indicators import Standing, StandingTree
from .models.levels import LevelRow
from .models.rollout import RolloutPlan, RolloutWave
from .snapshot import load_snapshot

if TYPE_CHECKING:
    from .runtime import Core

#: Nobody is shown a figure of fewer people.
LEAST = 10
SCOPES = ("site", "entity", "wave", "level", "group")
PEOPLE = ("all", "managers", "others")
#: (scope, target, who of them) → place. ``target``: "" for the site, an id as text, the name of a wave, the level.
Place = tuple[str, str, str]


class Blocks:
    """People divided into blocks of at least ten; see the module."""

    def __init__(self, people: Iterable[int]) -> None:
        self._of = dict.fromkeys(people, 0)
        self._size = [len(self._of)]

    def admit(self, members: Collection[int]) -> bool:
        """Whether these people, all of them known here, may be shown as a whole; cuts the blocks along their border."""
        if len(members) < LEAST:
            return False
        inside: dict[int, int] = defaultdict(int)
        for who in members:
            inside[self._of[who]] += 1
        cut: dict[int, int] = {}
        for block, number in inside.items():
            rest = self._size[block] - number
            if rest and (number < LEAST or rest < LEAST):
                return False
            if rest:
                cut[block] = len(self._size) + len(cut)
        for block, new in sorted(cut.items(), key=lambda pair: pair[1]):
            self._size.append(inside[block])
            self._size[block] -= inside[block]
            assert new == len(self._size) - 1  # noqa: S101  blocks are numbered in this order
        for who in members:
            self._of[who] = cut.get(self._of[who], self._of[who])
        return True


@dataclass(frozen=True)
class Frame:
    """The people of the end of one day: who is where, and what may be shown.

    ``home``: the entity of everybody (0: none); ``paths``: an entity and all above it, the nearest first.
    """

    day: dt.date
    members: Mapping[Place, tuple[int, ...]] = field(default_factory=dict)
    shown: frozenset[Place] = frozenset()
    home: Mapping[int, int] = field(default_factory=dict)
    paths: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def places(self, scope: str, people: str = "all") -> dict[str, tuple[int, ...]]:
        """The people of each place of one kind, by target."""
        return {target: who for (kind, target, part), who in self.members.items() if kind == scope and part == people}

    def among(self, eligible: Collection[int]) -> Frame:
        """The same for a part of the people; what is not shown of all is not shown of a part either."""
        wanted = frozenset(eligible)
        members = {
            place: part for place, who in self.members.items() if (part := tuple(one for one in who if one in wanted))
        }
        return replace(self, members=members, shown=_admit(members) & self.shown)


def _admit(members: Mapping[Place, tuple[int, ...]]) -> frozenset[Place]:
    blocks = Blocks(members.get(("site", "", "all"), ()))
    rank = {"site": 0, "wave": 1, "entity": 2, "level": 3, "group": 4}

    def order(place: Place) -> tuple[int, int, int, str, str]:
        scope, target, people = place
        return (0 if people == "all" else 1, rank[scope], -len(members[place]), target, people)

    return frozenset(place for place in sorted(members, key=order) if blocks.admit(members[place]))


# -- loading -----------------------------------------------------------------------------------------------------------

_KEPT = 6
_Key = tuple[dt.date, Any]
_frames: weakref.WeakKeyDictionary[Core, OrderedDict[_Key, Frame]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def frame(session: Session, core: Core, day: dt.date) -> Frame:
    """The people of the end of a day; remembered, since a day that is past does not change."""
    if session.info.get("rse_writing"):
        # What this transaction has changed is seen by it alone.
        mine: dict[dt.date, Frame] = session.info.setdefault("rse_frames", {})
        if day not in mine:
            mine[day] = _load(session, core, day)
        return mine[day]
    key = (day, _mark(session))
    with _lock:
        kept = _frames.setdefault(core, OrderedDict())
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
    found = _load(session, core, day)
    from .db import utcnow

    if day < utcnow().date():
        with _lock:
            kept[key] = found
            while len(kept) > _KEPT:
                kept.popitem(last=False)
    return found


def waves_mark(session: Session) -> str:
    """What it hangs on who is in which wave."""
    query = select(
        RolloutWave.plan_id, RolloutWave.position, RolloutWave.name, RolloutWave.entities, RolloutWave.groups
    ).where(RolloutWave.state != "gone")  # fmt: skip
    return _digest(sorted(tuple(row) for row in session.execute(query)))


def levels_mark(session: Session, core: Core, day: dt.date) -> str:
    """What it hangs on who had which level as the day after this one began. Rows of levels are never changed."""
    query = select(func.count(), func.max(LevelRow.id)).where(LevelRow.starts_at <= _moment(core, day))
    return _digest(tuple(session.execute(query).one()))


def _moment(core: Core, day: dt.date) -> dt.datetime:
    """The beginning of the day after this one, in the site's time zone."""
    zone = ZoneInfo(core.settings.timezone)
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=16).hexdigest()


def _mark(session: Session) -> tuple[Any, ...]:
    """What the frame of a past day hangs on beside the history: levels that were placed, and plans."""
    return (
        session.scalar(select(func.max(LevelRow.id))),
        *session.execute(select(func.max(RolloutPlan.id), func.sum(RolloutPlan.version))).one(),
        session.scalar(select(func.max(RolloutWave.changed_at))),
    )


def forget(session: Session) -> None:
    """Who is where has changed in this transaction: load it again when it is asked for next."""
    session.info.pop("rse_frames", None)


def _load(session: Session, core: Core, day: dt.date) -> Frame:
    entity = {who: target for who, target in _standing(session, "entity", day)}
    groups: dict[int, list[int]] = defaultdict(list)
    for who, target in _standing(session, "group", day):
        if who in entity:
            groups[who].append(target)
    managers = {who for who, _target in _standing(session, "manager", day) if who in entity}
    paths = _paths(session, day)
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    waves = _Waves(session)
    level_of = _Levels(session, core, day, paths)
    for one, where in entity.items():
        mine = tuple(groups.get(one, ()))
        found["site", ""].append(one)
        for above in paths.get(where, ()):
            found["entity", str(above)].append(one)
        wave = waves.of(paths.get(where, ()), mine)
        if wave is not None:
            found["wave", wave].append(one)
        found["level", str(level_of(where, mine))].append(one)
        for group in mine:
            found["group", str(group)].append(one)
    members: dict[Place, tuple[int, ...]] = {}
    for (scope, place), people in found.items():
        members[scope, place, "all"] = tuple(people)
        if scope in ("site", "entity", "wave"):
            leading = tuple(who for who in people if who in managers)
            others = tuple(who for who in people if who not in managers)
            if leading:
                members[scope, place, "managers"] = leading
            if others:
                members[scope, place, "others"] = others
    return Frame(day, members, _admit(members), entity, paths)


def _standing(session: Session, kind: str, day: dt.date) -> list[tuple[int, int]]:
    return pairs(session, select(Standing.who, Standing.target).where(Standing.kind == kind, holds_at(day)))


def _paths(session: Session, day: dt.date) -> dict[int, tuple[int, ...]]:
    paths: dict[int, list[int]] = defaultdict(list)
    query = select(StandingTree.entity_id, StandingTree.ancestor_id).where(holds_at(day, StandingTree))
    for entity, ancestor in session.execute(query.order_by(StandingTree.entity_id, StandingTree.depth)):
        paths[entity].append(ancestor)
    return {entity: tuple(path) for entity, path in paths.items()}


class _Waves:
    """The wave of somebody: the earliest of that of the nearest entity that any names and those of their groups.

    Everybody is counted in one wave, so that a group named by one does not betray, by a few people, what another counts.
    """

    def __init__(self, session: Session) -> None:
        self._entity: dict[int, int] = {}
        self._group: dict[int, int] = {}
        query = select(RolloutWave.name, RolloutWave.entities, RolloutWave.groups).where(RolloutWave.state != "gone")
        rows = session.execute(query.order_by(RolloutWave.plan_id, RolloutWave.position)).all()
        self._names = [name for name, _entities, _groups in rows]
        for number, (_name, entities, groups) in enumerate(rows):
            for entity in entities:
                self._entity.setdefault(entity, number)
            for group in groups:
                self._group.setdefault(group, number)

    def of(self, path: tuple[int, ...], groups: tuple[int, ...]) -> str | None:
        mine = [self._group[group] for group in groups if group in self._group]
        nearest = next((self._entity[entity] for entity in path if entity in self._entity), None)
        if nearest is not None:
            mine.append(nearest)
        return self._names[min(mine)] if mine else None


class _Levels:
    """The level of people of one entity and the same groups, as the day after begins in the site's time zone."""

    def __init__(self, session: Session, core: Core, day: dt.date, paths: Mapping[int, tuple[int, ...]]) -> None:
        self._snapshot = load_snapshot(session)
        self._at = _moment(core, day)
        self._paths = paths
        spots = self._snapshot.assignments
        self._count = frozenset(int(ident) for kind, scope, ident in spots if (kind, scope) == ("level", "group"))
        self._known: dict[tuple[int, frozenset[int]], int] = {}

    def __call__(self, entity: int, groups: tuple[int, ...]) -> int:
        key = (entity, self._count.intersection(groups))
        if key not in self._known:
            path = self._paths.get(entity, ())
            self._known[key] = cursor.granted(self._snapshot, path, key[1], None, self._at)
        return self._known[key]
