"""What a person is told, read: how many are unread, which they are, and what becomes of them.

Everything is decided again while reading: what stands where the person may no longer use the type's capability is neither
counted nor listed, without a query for it and without looking at single rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    bindparam,
    case,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from .content import ObjectRef
from .db import UtcDateTime, dialect_insert, utcnow
from .errors import BadInput
from .i18n import _
from .live.bell import say_told
from .models.notices import Broadcast, BroadcastMark, BroadcastReader
from .models.runtime import NotificationActor, NotificationRow
from .notify_queries import Place, broadcasts, earlier, is_read_by, is_unread, shown
from .notify_reach import Reach, reaches
from .statements import Lists, Prepared

#: Broadcasts younger than this are marked one by one: on PostgreSQL one with a lower number may still be on its way.
SETTLED = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for a person: what, on what, by how many, since when.

    ``key`` names it among all of a person's: ``n12``, or ``b7`` for the broadcast number 7.
    """

    id: int
    type: str
    ref: ObjectRef
    actors: int
    first_actor_id: int | None
    data: Mapping[str, Any]
    updated_at: dt.datetime
    read: bool
    key: str = ""
    firm: bool = False
    created_at: dt.datetime | None = None
    audience_id: int | None = None
    space_id: int | None = None

    @property
    def place(self) -> Place:
        """Where the next page begins: what :func:`of_person` takes as ``before``."""
        return (self.updated_at, int(self.key.startswith("n")), self.id)


def unread(session: Session, person_id: int, cap: int = 100) -> int:
    """How many unread, at most ``cap``: one indexed query, whatever the person has."""
    from .runtime import core_of

    core = core_of(session)
    if core.plugins.decides:
        shape, values = _reached(session, person_id)
    else:
        shape, values = core.policy.kept(session, person_id, ("notify.unread",), lambda: _reached(session, person_id))
    return min(cap, int(_unread(shape, cap)(session, person=person_id, **values)[0][0])) if shape else 0


#: For each part of what somebody reaches, whether they are from outside.
Shape = tuple[bool, ...]


def _reached(session: Session, person_id: int) -> tuple[Shape, dict[str, list[Any]]]:
    """What the person reaches, as the shape and the values of a query."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for part in reaches(session, person_id):
        alike.setdefault((part.audiences, part.spaces, part.closed, part.inside), []).extend(part.types)
    found = [Reach(tuple(types), False, *place) for place, types in alike.items()]
    values = {
        "audiences": sorted({ident for one in found for ident in one.audiences}),
        "spaces": sorted({ident for one in found for ident in one.spaces}),
    }
    for number, one in enumerate(found):
        for name in ("types", "audiences", "spaces", "closed", "inside"):
            values[f"{name}{number}"] = list(getattr(one, name) or ())
    return tuple(one.inside is not None for one in found), values


@lru_cache(maxsize=64)
def _unread(shape: Shape, cap: int) -> Prepared:
    """The query of :func:`unread` for so many parts: it is on every page, and what differs are values alone."""

    def build(lists: Lists) -> Select[Any]:
        found = [
            Reach(
                lists(f"types{number}", str), False, lists(f"audiences{number}", int),
                lists(f"spaces{number}", int), lists(f"closed{number}", int),
                lists(f"inside{number}", int) if outside else None,
            )
            for number, outside in enumerate(shape)
        ]  # fmt: skip
        person: Any = bindparam("person", type_=BigInteger)
        parts: list[Select[Any]] = [
            select(literal_column("1").label("one"))
            .where(NotificationRow.person_id == person, NotificationRow.read_at.is_(None), shown(found))
            .limit(cap)
        ]
        everywhere = (lists("audiences", int), lists("spaces", int))
        parts += [
            query.where(*is_unread(person)).limit(cap)
            for query in broadcasts(found, person, literal_column("1").label("one"), everywhere=everywhere)
        ]
        # SQLite takes no limit on the parts of a union, but on what they select from.
        some = union_all(*(select(part.subquery()) for part in parts)).subquery()
        return select(func.count()).select_from(some)

    return Prepared(build)


def of_person(
    session: Session,
    person_id: int,
    *,
    before: Place | None = None,
    limit: int = 20,
    only_unread: bool = False,
    only: Iterable[str] | None = None,
    types: Iterable[str] | None = None,
    after: dt.datetime | None = None,
    unshown: bool = False,
) -> list[Notice]:
    """A person's notifications, what concerns their audiences among them, newest first; three queries.

    :param before: :attr:`Notice.place` of the last line seen.
    :param only: keys of the notices to give.
    :param types: only these; ``after``: only what came after, told of by actors who came after.
    :param unshown: for what leaves by another way: also what the person wants to have by that way alone.
    """
    found = reaches(session, person_id, types)
    if not found:
        return []
    rows, casts = _split(only)
    query = select(NotificationRow).where(NotificationRow.person_id == person_id, shown(found, unshown=unshown))
    if after is not None:
        query = query.where(NotificationRow.updated_at > after)
    if only is not None:
        query = query.where(NotificationRow.id.in_(rows))
    if only_unread:
        query = query.where(NotificationRow.read_at.is_(None))
    if before is not None:
        query = query.where(earlier(NotificationRow.updated_at, 1, NotificationRow.id, before))
    query = query.order_by(NotificationRow.updated_at.desc(), NotificationRow.id.desc()).limit(limit)
    found_rows = session.scalars(query).all() if only is None or rows else []
    notices = _with_actors(session, found_rows, after)
    if only is None or casts:
        which = _Which(before, limit, only_unread, casts if only is not None else None, after, unshown)
        notices += _told_to_all(session, person_id, found, which)
    return sorted(notices, key=lambda one: one.place, reverse=True)[:limit]


def mark_read(session: Session, person_id: int, keys: Iterable[int | str] | None = None) -> int:
    """Mark a person's own notifications read (all without ``keys``); the number changed.

    :param keys: numbers of rows, or :attr:`Notice.key`; those of others change nothing.
    """
    rows, casts = _split(keys)
    query = update(NotificationRow).where(NotificationRow.person_id == person_id, NotificationRow.read_at.is_(None))
    if keys is not None:
        query = query.where(NotificationRow.id.in_(rows))
    done = 0
    if keys is None or rows:
        changed = query.values(read_at=utcnow()).returning(NotificationRow.id)
        done += len(session.execute(changed.execution_options(synchronize_session=False)).all())
    if keys is None or casts:
        done += _mark(session, person_id, casts if keys is not None else None)
    if done:
        say_told(session, (person_id,))
    return done


def hide(session: Session, person_id: int, key: str) -> None:
    """The person does not want to see this one again; it counts as read."""
    rows, casts = _split([key])
    if rows:
        session.execute(
            update(NotificationRow)
            .where(NotificationRow.person_id == person_id, NotificationRow.id.in_(rows))
            .values(shown=False, read_at=func.coalesce(NotificationRow.read_at, literal(utcnow(), UtcDateTime)))
            .execution_options(synchronize_session=False)
        )
    for query in broadcasts(reaches(session, person_id), person_id, Broadcast.id) if casts else ():
        for one in session.scalars(query.where(Broadcast.id.in_(casts))).all():
            mark = dialect_insert(session, BroadcastMark).values(
                person_id=person_id, broadcast_id=one, hidden=True, at=utcnow()
            )
            session.execute(mark.on_conflict_do_update(index_elements=["person_id", "broadcast_id"], set_={"hidden": True}))
    say_told(session, (person_id,))


def prune(session: Session, *, read_before: dt.datetime, told_before: dt.datetime, limit: int = 5_000) -> int:
    """Drop notifications read before the one moment, and any, broadcasts too, that are older than the other; at most
    ``limit`` rows of each, so that the transaction stays short."""
    old = select(NotificationRow.id).where(
        or_(NotificationRow.read_at < read_before, NotificationRow.updated_at < told_before)
    )
    done = 0
    for table, which in (
        (NotificationRow, old),
        (Broadcast, select(Broadcast.id).where(Broadcast.created_at < told_before)),
    ):
        gone = delete(table).where(table.id.in_(which.limit(limit).scalar_subquery())).returning(table.id)
        done += len(session.execute(gone.execution_options(synchronize_session=False)).all())
    return done


# -- inside ------------------------------------------------------------------------------------------------------------


def _with_actors(session: Session, rows: Sequence[NotificationRow], after: dt.datetime | None = None) -> list[Notice]:
    if not rows:
        return []
    late = () if after is None else (NotificationActor.at > after,)
    each = (
        select(NotificationActor.notification_id, NotificationActor.actor_id, func.max(NotificationActor.at).label("at"))
        .where(NotificationActor.notification_id.in_([row.id for row in rows]), *late)
        .group_by(NotificationActor.notification_id, NotificationActor.actor_id)
        .subquery()
    )
    numbered = select(
        each.c.notification_id,
        each.c.actor_id,
        func.count().over(partition_by=each.c.notification_id).label("many"),
        func.row_number()
        .over(partition_by=each.c.notification_id, order_by=(each.c.at.desc(), each.c.actor_id))
        .label("place"),
    ).subquery()
    latest = select(numbered.c.notification_id, numbered.c.actor_id, numbered.c.many).where(numbered.c.place == 1)
    actors = {row: (actor, many) for row, actor, many in session.execute(latest)}
    made = []
    for row in rows:
        actor, many = actors.get(row.id, (None, 0))
        made.append(
            Notice(
                row.id, row.type, ObjectRef(row.ref_type, row.ref_id), many, actor, row.data or {}, row.updated_at,
                row.read_at is not None, f"n{row.id}", row.firm, row.created_at, row.audience_id, row.space_id,
            )
        )  # fmt: skip
    return made


@dataclass(frozen=True, slots=True)
class _Which:
    """Which broadcasts of a person are asked for."""

    before: Place | None
    limit: int
    only_unread: bool
    only: Sequence[int] | None
    after: dt.datetime | None
    unshown: bool


def _told_to_all(session: Session, person_id: int, found: Sequence[Reach], which: _Which) -> list[Notice]:
    columns = (
        Broadcast.id, Broadcast.type, Broadcast.ref_type, Broadcast.ref_id, Broadcast.actor_id, Broadcast.data,
        Broadcast.created_at, Broadcast.firm, Broadcast.audience_id, Broadcast.space_id,
        case((is_read_by(person_id), literal_column("1")), else_=literal_column("0")).label("is_read"),
    )  # fmt: skip
    parts = []
    for query in broadcasts(found, person_id, *columns, unshown=which.unshown):
        if which.only_unread:
            query = query.where(*is_unread(person_id))
        if which.only is not None:
            query = query.where(Broadcast.id.in_(which.only))
        if which.after is not None:
            query = query.where(Broadcast.created_at > which.after)
        if which.before is not None:
            query = query.where(earlier(Broadcast.created_at, 0, Broadcast.id, which.before))
        parts.append(query.order_by(Broadcast.created_at.desc(), Broadcast.id.desc()).limit(which.limit))
    if not parts:
        return []
    every = union_all(*(select(part.subquery()) for part in parts)).subquery()
    rows = session.execute(select(every).order_by(every.c.created_at.desc(), every.c.id.desc()).limit(which.limit))
    return [
        Notice(
            row.id, row.type, ObjectRef(row.ref_type, row.ref_id), 0 if row.actor_id is None else 1, row.actor_id,
            row.data or {}, row.created_at, bool(row.is_read), f"b{row.id}", bool(row.firm), row.created_at,
            row.audience_id, row.space_id,
        )
        for row in rows
    ]  # fmt: skip


def _mark(session: Session, person_id: int, only: Sequence[int] | None) -> int:
    """Mark broadcasts read; the number that were not."""
    found = reaches(session, person_id)
    now = utcnow()
    new = 0
    for query in broadcasts(found, person_id, Broadcast.id):
        wanted = query.where(*is_unread(person_id))
        if only is not None:
            wanted = wanted.where(Broadcast.id.in_(only))
        ids = list(session.scalars(wanted))
        new += len(ids)
        young = ids if only is not None else list(session.scalars(wanted.where(Broadcast.created_at > now - SETTLED)))
        if young:
            rows = [{"person_id": person_id, "broadcast_id": one, "hidden": False, "at": now} for one in young]
            session.execute(dialect_insert(session, BroadcastMark).values(rows).on_conflict_do_nothing())
    if only is None:
        newest = session.scalar(select(func.max(Broadcast.id)).where(Broadcast.created_at <= now - SETTLED))
        if newest is not None:
            made = dialect_insert(session, BroadcastReader).values(person_id=person_id, upto=newest)
            session.execute(
                made.on_conflict_do_update(
                    index_elements=["person_id"], set_={"upto": made.excluded.upto},
                    where=BroadcastReader.upto < made.excluded.upto,
                )
            )  # fmt: skip
    return new


def _split(keys: Iterable[int | str] | None) -> tuple[list[int], list[int]]:
    """Numbers of rows and of broadcasts, from what names notices.

    :raises BadInput: for a text that names none.
    """
    rows: list[int] = []
    casts: list[int] = []
    for key in keys or ():
        if isinstance(key, int):
            rows.append(key)
            continue
        number = key[1:]
        if key[:1] not in ("n", "b") or not number.isdecimal() or len(number) > 18:
            raise BadInput(_("“%(key)s” does not name a notification.", key=key[:40]))
        (rows if key[0] == "n" else casts).append(int(number))
    return rows, casts


__all__ = ["Notice", "Place", "Reach", "hide", "mark_read", "of_person", "prune", "reaches", "unread"]
