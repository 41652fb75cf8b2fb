"""Notifications: grouped while unread, withdrawn with their cause. The bell, the mails and the digests are plugins.

*What names a person*: one unread row stands for (person, type, object); its actors are rows of their own, each with the
cause it came from, so that an unlike or a deletion takes back exactly what it gave. *What concerns an audience*
(:func:`broadcast`): one row for all of them, whatever their number.

Both are written set by set: who did it, who muted the object, its thread or its space, and whom their level does not show
it are left out in the statement that writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, and_, case, delete, exists, literal, null, select, update
from sqlalchemy.orm import Session

from . import audiences
from .content import ObjectRef
from .contributions import Job, NotificationTransport, NotificationType, SpaceChange
from .db import Key, UtcDateTime, dialect_insert, utcnow
from .errors import RseError
from .live.bell import MANY, say_broadcast, say_told
from .models.notices import Broadcast, Mute
from .models.organisation import Person
from .models.runtime import NotificationActor, NotificationRow
from .notify_choices import (
    PAGE,
    SPACE,
    choose,
    default,
    effective,
    hearing,
    hears,
    is_muted,
    mute,
    muted_by,
    unmute,
    wishes,
)
from .notify_lines import Line, lines
from .notify_people import CHUNK, Where, allowed, among, in_chunks, where
from .notify_reading import Notice, hide, mark_read, of_person, prune, unread
from .objects import SHOWN

__all__ = [
    "Line", "Notice", "broadcast", "choose", "hears", "hide", "is_muted", "lines", "mark_read", "moved", "mute", "muted_by",
    "notify", "notify_many", "of_person", "prune", "space_changed", "unmute", "unread", "wishes", "withdraw",
]  # fmt: skip


def notify(
    session: Session,
    person_id: int,
    type_name: str,
    ref: ObjectRef,
    *,
    actor_id: int | None,
    cause: str,
    data: Mapping[str, Any] | None = None,
    firm: bool = False,
) -> None:
    """Tell a person; nobody is told of their own acts.

    :param actor_id: who caused it; None for an act without a person (a command).
    :param cause: identifies what happened, ``like:12``; the same cause tells once, and :func:`withdraw` takes it back.
    :param data: JSON-ready facts for the text (never a copy of what people wrote).
    :raises RseError: for a type that no plugin registered.
    """
    notify_many(session, (person_id,), type_name, ref, actor_id=actor_id, cause=cause, data=data, firm=firm)


def notify_many(
    session: Session,
    people: Iterable[int] | Select[int],
    type_name: str,
    ref: ObjectRef,
    *,
    actor_id: int | None,
    cause: str,
    data: Mapping[str, Any] | None = None,
    firm: bool = False,
) -> int:
    """Tell many people, set by set; the number of rows that were written or added to.

    Left out are who did it, who has left, whom the type's capability is refused where the object stands and, unless the
    type is ``personal`` or the call ``firm``, who muted the object, its thread or its space. The same cause again adds
    nothing, so that a job that was interrupted can begin anew.

    :param people: ids, or a select of them.
    :param firm: also to those who muted it.
    :raises RseError: for a type that no plugin registered.
    """
    kind = _kind(session, type_name)
    place = where(session, ref)
    usual = default(session, kind, PAGE)
    heard = None if firm else hearing(session, Person.id, place.mutable, personal=kind.personal)
    telling = _Telling(session, kind, place, actor_id, cause, dict(data or {}), usual, heard, _leaves(session))
    done = 0
    told: set[int] = set()
    for ids in in_chunks(session, people):
        some = allowed(session, ids, kind, place)
        done += telling.tell(some)
        if len(told) <= MANY:
            told.update(some)
    if done:
        _wake(session)
        say_told(session, told)
    return done


def broadcast(
    session: Session,
    audience_id: int,
    type_name: str,
    ref: ObjectRef,
    *,
    actor_id: int | None,
    cause: str,
    data: Mapping[str, Any] | None = None,
    firm: bool = False,
) -> bool:
    """Tell a whole audience by one row; False when this cause has told already.

    It is shown to whoever is in the audience and may use the type's capability there at the moment of looking, and existed
    when it was made. Who joins the audience later sees it too: when somebody joined is not known.

    :param firm: also to those who muted it, and who want no such type in the page. Their choice for mail still counts.
    :raises RseError: for a type that no plugin registered.
    """
    kind = _kind(session, type_name)
    place = where(session, ref, audience_id)
    thread = place.thread
    made = dialect_insert(session, Broadcast).values(
        audience_id=audience_id, space_id=place.space_id, type=kind.name, ref_type=ref.type, ref_id=ref.id,
        thread="" if thread is None else str(thread), cause=cause, actor_id=actor_id, data=dict(data or {}), firm=firm,
        created_at=utcnow(),
    )  # fmt: skip
    new = session.execute(made.on_conflict_do_nothing(index_elements=["cause"]).returning(Broadcast.id)).scalar()
    if new is not None:
        _wake(session)
        say_broadcast(session, [audience_id])
    return new is not None


def withdraw(session: Session, cause: str) -> int:
    """Take back what this cause told: rows that nobody has read, and broadcasts; the number that vanish."""
    rows = session.execute(
        delete(Broadcast).where(Broadcast.cause == cause).returning(Broadcast.audience_id)
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    alone = session.execute(
        delete(NotificationRow)
        .where(NotificationRow.cause == cause, NotificationRow.read_at.is_(None), ~_has_actors())
        .returning(NotificationRow.person_id)
        .execution_options(synchronize_session=False)
    ).all()
    gone = len(rows) + len(alone)
    whose = {row.person_id for row in alone}
    unread = select(NotificationRow.id).where(NotificationRow.read_at.is_(None))
    touched = session.scalars(
        delete(NotificationActor)
        .where(NotificationActor.cause == cause, NotificationActor.notification_id.in_(unread))
        .returning(NotificationActor.notification_id)
        .execution_options(synchronize_session=False)
    ).all()
    for start in range(0, len(touched), CHUNK):
        some = touched[start : start + CHUNK]
        dropped = session.execute(
            delete(NotificationRow)
            .where(among(session, NotificationRow.id, some), NotificationRow.cause.is_(None), ~_has_actors())
            .returning(NotificationRow.person_id)
            .execution_options(synchronize_session=False)
        ).all()
        gone += len(dropped)
        whose.update(row.person_id for row in dropped)
    say_told(session, whose)
    say_broadcast(session, {row.audience_id for row in rows})
    return gone


def moved(session: Session, ref: ObjectRef, audience_id: int | None, space_id: int | None) -> None:
    """The object stands elsewhere from now on: what was told of it is shown to those who may see it there."""
    for table in (NotificationRow, Broadcast):
        values: dict[str, Any] = {"space_id": space_id}
        if table is NotificationRow or audience_id is not None:
            values["audience_id"] = audience_id
        here = and_(table.ref_type == ref.type, table.ref_id == ref.id)
        if table is NotificationRow:
            kinds = [kind.name for kind in _kinds(session).values() if kind.capability is not None]
            here = and_(NotificationRow.group_key.in_([f"{name}|{ref}" for name in kinds]), here)
        session.execute(update(table).where(here).values(values).execution_options(synchronize_session=False))


def space_changed(session: Session, change: SpaceChange) -> None:
    """What stands in a space is for another audience, or in another space: so is what was told of it, and who muted it.

    What its members were told as a whole is told to nobody else because the space opens: to the members of the space that it
    becomes, at most.
    """
    members = audiences.of_members(session, change.space_id)
    within = members if change.into is None else audiences.of_members(session, change.into)
    for table in (NotificationRow, Broadcast):
        rules = [(table.audience_id == change.audience_before, change.audience_after)]
        if table is Broadcast:
            rules.insert(0, (table.audience_id == members, within))
        values: dict[str, Any] = {"audience_id": case(*rules, else_=table.audience_id)}
        if change.into is not None:
            values["space_id"] = change.into
        session.execute(
            update(table).where(table.space_id == change.space_id).values(values)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
    if change.into is not None:
        into = str(change.into)
        old = and_(Mute.ref_type == SPACE, Mute.ref_id == str(change.space_id))
        rows = select(Mute.person_id, literal(SPACE), literal(into), Mute.hears, Mute.at).where(old)
        copied = dialect_insert(session, Mute).from_select(["person_id", "ref_type", "ref_id", "hears", "at"], rows)
        session.execute(copied.on_conflict_do_nothing())
        session.execute(delete(Mute).where(old).execution_options(synchronize_session=False))


@dataclass(frozen=True, slots=True)
class _Telling:
    """One cause that many are told of."""

    session: Session
    kind: NotificationType
    place: Where
    actor_id: int | None
    cause: str
    data: dict[str, Any]
    usual: str
    heard: ColumnElement[bool] | None
    #: something carries notifications elsewhere: a row is written even for who wants none of this type in the page
    leaves: bool

    @property
    def group(self) -> str:
        return f"{self.kind.name}|{self.place.ref}"

    def tell(self, ids: list[int]) -> int:
        """Write the rows of these people; the number written or added to."""
        # Asked apart and not in the statement below: there the planner cannot know how many a cause has told.
        ids = self._untold(ids) if ids else []
        if not ids:
            return 0
        now = utcnow()
        insert = dialect_insert(self.session, NotificationRow).from_select(_COLUMNS, self._rows(ids, now))
        newer: dict[str, Any] = {"updated_at": now}
        if self.data:
            newer["data"] = insert.excluded.data
        if self.actor_id is None:
            newer["cause"] = insert.excluded.cause
        written = insert.on_conflict_do_update(
            index_elements=["person_id", "group_key"], index_where=NotificationRow.read_at.is_(None), set_=newer
        )
        found = list(
            self.session.scalars(
                written.returning(NotificationRow.id).execution_options(synchronize_session=False, populate_existing=True)
            )
        )
        if found and self.actor_id is not None:
            rows = select(NotificationRow.id, _value(self.actor_id, Key), literal(self.cause), _value(now, UtcDateTime))
            actors = dialect_insert(self.session, NotificationActor).from_select(
                ["notification_id", "actor_id", "cause", "at"], rows.where(among(self.session, NotificationRow.id, found))
            )
            self.session.execute(actors.on_conflict_do_nothing())
        return len(found)

    def _rows(self, ids: list[int], now: Any) -> Select[Any]:
        info = self.place.info
        if info is None or self.kind.stays or (self.kind.capability is None and info.state not in SHOWN):
            stands = (_value(None, Key), _value(None, Key))
        else:
            stands = (_value(info.audience_id, Key), _value(self.place.space_id, Key))
            if self.kind.capability is None and info.author_id is not None:
                # One's own is to be had wherever it stands.
                own = Person.id == info.author_id
                stands = (case((own, null()), else_=stands[0]), case((own, null()), else_=stands[1]))
        page = effective(Person.id, self.kind, PAGE, self.usual) != "none"
        wanted = [among(self.session, Person.id, ids), Person.status == "active"]
        if self.actor_id is not None:
            wanted.append(Person.id != self.actor_id)
        if self.heard is not None:
            wanted.append(self.heard)
        if not self.leaves:
            wanted.append(page)
        return select(
            Person.id, literal(self.kind.name), literal(self.place.ref.type), literal(self.place.ref.id),
            literal(self.group), literal(self.data, JSON), _value(now, UtcDateTime), _value(now, UtcDateTime),
            *stands,
            literal(self.cause) if self.actor_id is None else null(), literal(self.heard is None), page, literal(False),
        ).where(*wanted)  # fmt: skip

    def _untold(self, ids: list[int]) -> list[int]:
        """Those who have no row of this cause, read or not."""
        mine = (NotificationRow.group_key == self.group, among(self.session, NotificationRow.person_id, ids))
        query = select(NotificationRow.person_id).where(*mine)
        if self.actor_id is None:
            query = query.where(NotificationRow.cause == self.cause)
        else:
            query = query.join(NotificationActor, NotificationActor.notification_id == NotificationRow.id)
            query = query.where(NotificationActor.cause == self.cause)
        told = set(self.session.scalars(query))
        return [one for one in ids if one not in told]


_COLUMNS = [
    "person_id", "type", "ref_type", "ref_id", "group_key", "data", "created_at", "updated_at", "audience_id", "space_id",
    "cause", "firm", "shown", "forwarded",
]  # fmt: skip


def _value(value: Any, kind: Any) -> Any:
    # PostgreSQL takes a bare parameter of a select for text.
    return literal(value, kind)


def _has_actors() -> ColumnElement[bool]:
    return exists().where(NotificationActor.notification_id == NotificationRow.id)


def _kinds(session: Session) -> dict[str, NotificationType]:
    from .runtime import core_of

    return {kind.name: kind for _plugin, kind in core_of(session).plugins.contributions(NotificationType)}


def _kind(session: Session, name: str) -> NotificationType:
    kind = _kinds(session).get(name)
    if kind is None:
        raise RseError(f"No notification type is called “{name}”.", remedy="Register it with rse_notification_types.")
    return kind


def _leaves(session: Session) -> bool:
    from .runtime import core_of

    return bool(core_of(session).plugins.contributions(NotificationTransport))


def _wake(session: Session) -> None:
    """Let the jobs that carry notifications elsewhere run soon: one of each, however many people were told."""
    from .runtime import core_of

    for _plugin, job in core_of(session).plugins.contributions(Job):
        if job.after == "notify":
            # A new key every few seconds: one that is running has perhaps looked already.
            core_of(session).jobs.defer(session, job.name, key=f"{job.name}:{int(utcnow().timestamp()) // 5}")
