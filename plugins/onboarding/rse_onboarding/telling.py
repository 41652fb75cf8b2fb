"""Telling people that a level has opened: a job that looks for dated levels that have started, and tells set by set.

Nothing hangs on it: a level opens without a job, and the bar on a person's pages is computed when they come. What has been
told stands in rows, so that a job that dies goes on; the core tells nobody twice of one cause: once of each level.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from babel.lists import format_list
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Job,
    Level,
    NotificationType,
    ObjectRef,
    Text,
    core_of,
    current_locale,
    defer,
    dialect_insert,
    option,
    translator,
    utcnow,
)
from rse_core.cursor import Snapshot, granted
from rse_core.models.levels import LevelRow
from rse_core.models.organisation import EntityPath, GroupMember, Person
from rse_core.models.runtime import Preference
from rse_core.notify import notify_many
from rse_core.snapshot import load_snapshot

from .models import Opening
from .objects import LEVEL, follow_shipped
from .options import TELL
from .standing import CHOICE, TOUR

_t = translator(__file__, "rse_onboarding")
_, lazy = _t.gettext, _t.lazy
OPENED = "onboarding.opened"
TELLING, AGAIN = "onboarding.tell", "onboarding.tell_more"
#: People looked at in one transaction, and transactions of one run.
CHUNK, CHUNKS = 1_000, 20
#: What has started longer ago is not told any more: the plugin was installed later, or no worker ran for long.
RECENT = dt.timedelta(days=14)


def jobs() -> list[Job]:
    """What repeats, and what goes on with it."""
    return [
        Job(TELLING, tell, every=300), Job(AGAIN, tell),
        Job("onboarding.index", follow_shipped, every=3_600),
    ]  # fmt: skip


def notification_types() -> list[NotificationType]:
    """Muted by each person's choice, as any other. With the capability: not to whom the level was taken back meanwhile."""
    kind = NotificationType(OPENED, lazy("A level has opened to you"), line, mail="digest", stays=True, capability=TOUR)
    return [kind]


def line(_count: int, data: Mapping[str, Any]) -> Text:
    """What the notification says."""
    verbs = [str(level.label) for level in Level if int(data.get("above", 0)) < level <= int(data.get("level", 0))]
    return lazy("You can now %(what)s. See what has opened to you", what=said(verbs))


def said(words: list[str], *, last: Literal["standard", "or"] = "standard") -> str:
    """“react, comment and contribute”, in the reader's language; with ``or`` between the last two."""
    return str(format_list(words, style=last, locale=current_locale()))


def tell(session: Session) -> None:
    """The job. A run is short; when more is to do it asks to go on."""
    core = core_of(session)
    # The job's own transaction keeps everybody else from writing on SQLite: what follows is made of short ones.
    session.commit()
    with core.db.read() as reading:
        snapshot, waiting = load_snapshot(reading), _waiting(reading)
    for _chunk in range(CHUNKS):
        if not waiting:
            return
        with core.db.write() as writing:
            if _some(writing, snapshot, waiting[0]):
                waiting.pop(0)
    if waiting:
        with core.db.write() as writing:
            defer(writing, AGAIN)


def _waiting(session: Session) -> list[LevelRow]:
    now = utcnow()
    done = select(Opening.level_id).where(Opening.level_id == LevelRow.id, Opening.done_at.is_not(None)).exists()
    rows = select(LevelRow).where(
        LevelRow.kind.in_(("level", "ceiling")), LevelRow.scope.in_(("site", "entity", "group")),
        LevelRow.starts_at <= now, LevelRow.starts_at > now - RECENT, ~done,
    )  # fmt: skip
    found = list(session.scalars(rows.order_by(LevelRow.starts_at, LevelRow.id)))
    session.expunge_all()
    return found


def _some(session: Session, snapshot: Snapshot, row: LevelRow) -> bool:
    """Tell the next people of one dated level; True when nobody is left."""
    progress = session.get(Opening, row.id, with_for_update=True)
    upto = 0 if progress is None else progress.upto
    people: Sequence[Any] = ()
    if option(session, TELL):
        people = session.execute(
            _people(row).where(Person.id > upto, Person.status == "active").order_by(Person.id).limit(CHUNK)
        ).all()
    risen = _risen(session, snapshot, row, {ident: entity for ident, entity in people})
    for (above, level), ids in sorted(risen.items()):
        notify_many(
            session, ids, OPENED, ObjectRef(LEVEL, str(level)), actor_id=None, cause=f"{LEVEL}:{level}",
            data={"level": level, "above": above},
        )  # fmt: skip
    values = {"upto": people[-1][0] if people else upto, "done_at": utcnow() if len(people) < CHUNK else None}
    made = dialect_insert(session, Opening).values(level_id=row.id, **values)
    session.execute(made.on_conflict_do_update(index_elements=["level_id"], set_=values))
    return values["done_at"] is not None


def _people(row: LevelRow) -> Select[Any]:
    people: Any = select(Person.id, Person.entity_id)
    if row.scope == "entity":
        below = select(EntityPath.entity_id).where(EntityPath.ancestor_id == int(row.scope_key))
        return people.where(Person.entity_id.in_(below))
    if row.scope == "group":
        members = select(GroupMember.person_id).where(GroupMember.group_id == int(row.scope_key))
        return people.where(Person.id.in_(members))
    return people


def _risen(
    session: Session, snapshot: Snapshot, row: LevelRow, people: Mapping[int, int | None]
) -> dict[tuple[int, int], list[int]]:
    """Those to whom this row opened something that they still have, and were not shown: by the level before and now."""
    if not people:
        return {}
    raising = [int(ident) for kind, scope, ident in snapshot.assignments if (kind, scope) == ("level", "group")]
    span = (GroupMember.person_id >= min(people), GroupMember.person_id <= max(people))
    groups: dict[int, set[int]] = defaultdict(set)
    for person, group in session.execute(
        select(GroupMember.person_id, GroupMember.group_id).where(GroupMember.group_id.in_(raising), *span)
    ):
        groups[person].add(group)
    shown = {
        person: value.get("level", 0)
        for person, value in session.execute(
            select(Preference.person_id, Preference.value).where(
                Preference.key == CHOICE, Preference.person_id >= min(people), Preference.person_id <= max(people)
            )
        )
        if isinstance(value, dict)
    }
    now, before = utcnow(), row.starts_at - dt.timedelta(microseconds=1)
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for ident, entity in people.items():
        path = snapshot.paths.get(entity, (entity,)) if entity is not None else ()
        mine = frozenset(groups.get(ident, ()))
        old, new = (granted(snapshot, path, mine, None, at) for at in (before, now))
        if new > max(old, shown.get(ident, 0)):
            found[max(old, shown.get(ident, 0)), new].append(ident)
    return found
