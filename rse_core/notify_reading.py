"""What a person is told, read: how many are unread, which they are, and what becomes of them.

Everything is decided again while reading: what stands where the person may no longer use the type's capability is neither
counted nor listed, without a query for it and without looking at single rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    delete,
    exists,
    false,
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
from .contributions import NotificationType
from .db import UtcDateTime, dialect_insert, utcnow
from .errors import BadInput
from .i18n import _
from .models.notices import Broadcast, BroadcastMark, BroadcastReader, Mute, NotificationChoice, NotificationDefault
from .models.organisation import Person, Space
from .models.runtime import NotificationActor, NotificationRow
from .notify_choices import PAGE, SPACE
from .policy import can
from .subjects import Target

#: Broadcasts younger than this are marked one by one: on PostgreSQL one with a lower number may still be on its way.
SETTLED = dt.timedelta(minutes=15)
#: The sort key of one line: its time, whether it names the person, its number.
Place = tuple[dt.datetime, int, int]


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


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a person may use one capability: audiences that are no space's, and spaces they are in."""

    types: tuple[str, ...]
    capability: str | None
    audiences: tuple[int, ...]
    spaces: tuple[int, ...]
    closed: tuple[int, ...] = ()
    #: from outside the organisation: what is for everyone in a public space is not for them
    inside: tuple[int, ...] | None = field(default=None)

    def elsewhere(self, table: type[NotificationRow] | type[Broadcast]) -> ColumnElement[bool]:
        """SQL: of these types, and not in a space that :meth:`here` is about."""
        mine = (*self.spaces, *self.closed)
        found = and_(table.type.in_(self.types), table.audience_id.in_(self.audiences))
        return and_(found, or_(table.space_id.is_(None), table.space_id.not_in(mine))) if mine else found

    def here(self, table: type[NotificationRow] | type[Broadcast]) -> ColumnElement[bool]:
        """SQL: of these types, in one of the person's spaces that is open to it."""
        found = and_(table.type.in_(self.types), table.space_id.in_(self.spaces))
        return found if self.inside is None else and_(found, table.audience_id.in_(self.inside))


def reaches(session: Session, person_id: int) -> list[Reach]:
    """What the person reaches, for each capability that types of notifications ask for; no query."""
    from .runtime import core_of

    core = core_of(session)
    facts = core.policy.person(person_id)
    if facts is None or (facts.disabled_at is not None and facts.disabled_at <= utcnow()):
        return []
    by_capability: dict[str | None, list[str]] = {}
    for _plugin, kind in core.plugins.contributions(NotificationType):
        by_capability.setdefault(kind.capability, []).append(kind.name)
    kinds = core.policy.snapshot().audiences
    plain = sorted(one for one in facts.audiences if kinds.get(one, ("",))[0] != "space")
    mine = sorted(facts.spaces)
    inside = tuple(sorted(facts.audiences)) if facts.external else None
    found = []
    for capability, names in by_capability.items():
        audiences, spaces = plain, mine
        if capability is not None:
            audiences = [one for one in plain if can(session, person_id, capability, Target(one))]
            spaces = [one for one in mine if can(session, person_id, capability, Target(space_id=one))]
        closed = tuple(sorted(set(mine) - set(spaces)))
        found.append(Reach(tuple(names), capability, tuple(audiences), tuple(spaces), closed, inside))
    return found


def unread(session: Session, person_id: int, cap: int = 100) -> int:
    """How many unread, at most ``cap``: one indexed query, whatever the person has."""
    found = reaches(session, person_id)
    if not found:
        return 0
    parts: list[Select[Any]] = [
        select(literal_column("1").label("one"))
        .where(NotificationRow.person_id == person_id, NotificationRow.read_at.is_(None), _shown(found))
        .limit(cap)
    ]
    parts += [
        query.where(*_is_unread(person_id)).limit(cap)
        for query in _broadcasts(found, person_id, literal_column("1").label("one"))
    ]
    # SQLite takes no limit on the parts of a union, but on what they select from.
    some = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return min(cap, session.scalar(select(func.count()).select_from(some)) or 0)


def of_person(
    session: Session,
    person_id: int,
    *,
    before: Place | None = None,
    limit: int = 20,
    only_unread: bool = False,
    only: Iterable[str] | None = None,
) -> list[Notice]:
    """A person's notifications, what concerns their audiences among them, newest first; three queries.

    :param before: :attr:`Notice.place` of the last line seen.
    :param only: keys of the notices to give.
    """
    found = reaches(session, person_id)
    if not found:
        return []
    rows, casts = _split(only)
    query = select(NotificationRow).where(NotificationRow.person_id == person_id, _shown(found))
    if only is not None:
        query = query.where(NotificationRow.id.in_(rows))
    if only_unread:
        query = query.where(NotificationRow.read_at.is_(None))
    if before is not None:
        query = query.where(_earlier(NotificationRow.updated_at, 1, NotificationRow.id, before))
    query = query.order_by(NotificationRow.updated_at.desc(), NotificationRow.id.desc()).limit(limit)
    found_rows = session.scalars(query).all() if only is None or rows else []
    notices = _with_actors(session, found_rows)
    if only is None or casts:
        notices += _told_to_all(session, person_id, found, before, limit, only_unread, casts if only is not None else None)
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
    for query in _broadcasts(reaches(session, person_id), person_id, Broadcast.id) if casts else ():
        for one in session.scalars(query.where(Broadcast.id.in_(casts))).all():
            mark = dialect_insert(session, BroadcastMark).values(
                person_id=person_id, broadcast_id=one, hidden=True, at=utcnow()
            )
            session.execute(mark.on_conflict_do_update(index_elements=["person_id", "broadcast_id"], set_={"hidden": True}))


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


# -- the parts of the queries ------------------------------------------------------------------------------------------


def _shown(found: Sequence[Reach]) -> ColumnElement[bool]:
    """Rows that name the person, as far as they are still for them."""
    kinds: list[ColumnElement[bool]] = []
    for one in found:
        if one.capability is None:
            kinds.append(NotificationRow.type.in_(one.types))
        else:
            nowhere = and_(NotificationRow.type.in_(one.types), NotificationRow.audience_id.is_(None))
            kinds.append(or_(nowhere, one.elsewhere(NotificationRow), one.here(NotificationRow)))
    return and_(NotificationRow.shown, or_(*kinds) if kinds else false())


def _broadcasts(found: Sequence[Reach], person_id: int, *columns: Any) -> list[Select[Any]]:
    """Selects that together give each broadcast of the person once, each with an index to itself."""
    born = select(Person.created_at).where(Person.id == person_id).scalar_subquery()
    always = (
        Broadcast.actor_id.is_distinct_from(person_id),
        Broadcast.created_at >= born,
        or_(Broadcast.firm, and_(~is_muted_by(person_id), _in_page(person_id))),
        ~_mark_of(person_id, hidden=True),
    )
    kinds = [one for one in found if one.types]
    if not kinds:
        return []
    audiences = sorted({ident for one in kinds for ident in one.audiences})
    spaces = sorted({ident for one in kinds for ident in one.spaces})
    # What the parts have in common is said apart: no index is found in an OR.
    parts = [(Broadcast.audience_id.in_(audiences), or_(*(one.elsewhere(Broadcast) for one in kinds)))]
    if spaces:
        parts.append((Broadcast.space_id.in_(spaces), or_(*(one.here(Broadcast) for one in kinds if one.spaces))))
    return [select(*columns).where(*part, *always) for part in parts]


def _is_read(person_id: Any) -> ColumnElement[bool]:
    return or_(Broadcast.id <= func.coalesce(_upto(person_id), 0), _mark_of(person_id))


def _is_unread(person_id: Any) -> tuple[ColumnElement[bool], ...]:
    # Said so that the index on (audience, id) serves it.
    return Broadcast.id > func.coalesce(_upto(person_id), 0), ~_mark_of(person_id)


def _upto(person_id: Any) -> Any:
    return select(BroadcastReader.upto).where(BroadcastReader.person_id == person_id).scalar_subquery()


def _mark_of(person_id: Any, *, hidden: bool = False) -> ColumnElement[bool]:
    mark = exists().where(BroadcastMark.person_id == person_id, BroadcastMark.broadcast_id == Broadcast.id)
    return mark.where(BroadcastMark.hidden) if hidden else mark


def is_muted_by(person: Any) -> ColumnElement[bool]:
    """SQL: this person (a column or an id) does not hear of this broadcast: of itself, its thread or its space.

    A space whose members hear of mentions alone, by its own default, still announces to those who have not said the same.
    """
    own = (Mute.person_id == person,)
    thread = exists().where(
        *own,
        Mute.hears != "all",
        or_(
            and_(Mute.ref_type == Broadcast.ref_type, Mute.ref_id == Broadcast.ref_id),
            Mute.ref_type + ":" + Mute.ref_id == Broadcast.thread,
        ),
    )
    said = select(Mute.hears).where(*own, Mute.ref_type == SPACE, Mute.ref_id == cast(Broadcast.space_id, String))
    usual = select(case((Space.notify == "none", "none"), else_="all")).where(Space.id == Broadcast.space_id)
    return or_(thread, func.coalesce(said.scalar_subquery(), usual.scalar_subquery(), "all") != "all")


def _in_page(person_id: int) -> ColumnElement[bool]:
    chosen = select(NotificationChoice.value).where(
        NotificationChoice.person_id == person_id, NotificationChoice.type == Broadcast.type,
        NotificationChoice.channel == PAGE,
    )  # fmt: skip
    usual = select(NotificationDefault.value).where(
        NotificationDefault.type == Broadcast.type, NotificationDefault.channel == PAGE
    )
    return func.coalesce(chosen.scalar_subquery(), usual.scalar_subquery(), "immediate") != "none"


def _earlier(at: Any, rank: int, number: Any, before: Place) -> ColumnElement[bool]:
    when, before_rank, before_id = before
    if rank < before_rank:
        return at <= when  # type: ignore[no-any-return]
    same = number < before_id if rank == before_rank else false()
    return or_(at < when, and_(at == when, same))


def _with_actors(session: Session, rows: Sequence[NotificationRow]) -> list[Notice]:
    if not rows:
        return []
    each = (
        select(NotificationActor.notification_id, NotificationActor.actor_id, func.max(NotificationActor.at).label("at"))
        .where(NotificationActor.notification_id.in_([row.id for row in rows]))
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
                row.read_at is not None, f"n{row.id}", False, row.created_at, row.audience_id, row.space_id,
            )
        )  # fmt: skip
    return made


def _told_to_all(
    session: Session, person_id: int, found: Sequence[Reach], before: Place | None, limit: int, only_unread: bool,
    only: Sequence[int] | None,
) -> list[Notice]:  # fmt: skip
    columns = (
        Broadcast.id, Broadcast.type, Broadcast.ref_type, Broadcast.ref_id, Broadcast.actor_id, Broadcast.data,
        Broadcast.created_at, Broadcast.firm, Broadcast.audience_id, Broadcast.space_id,
        case((_is_read(person_id), literal_column("1")), else_=literal_column("0")).label("is_read"),
    )  # fmt: skip
    parts = []
    for query in _broadcasts(found, person_id, *columns):
        if only_unread:
            query = query.where(*_is_unread(person_id))
        if only is not None:
            query = query.where(Broadcast.id.in_(only))
        if before is not None:
            query = query.where(_earlier(Broadcast.created_at, 0, Broadcast.id, before))
        parts.append(query.order_by(Broadcast.created_at.desc(), Broadcast.id.desc()).limit(limit))
    if not parts:
        return []
    every = union_all(*(select(part.subquery()) for part in parts)).subquery()
    rows = session.execute(select(every).order_by(every.c.created_at.desc(), every.c.id.desc()).limit(limit))
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
    for query in _broadcasts(found, person_id, Broadcast.id):
        wanted = query.where(*_is_unread(person_id))
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


def is_read_by(person: Any) -> ColumnElement[bool]:
    """SQL: this person (a column or an id) has read this broadcast."""
    return _is_read(person)


__all__ = ["Notice", "Place", "Reach", "hide", "mark_read", "of_person", "prune", "reaches", "unread"]
