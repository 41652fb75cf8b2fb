"""The parts of the queries on what a person is told: rows that name them, and broadcasts to their audiences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, exists, false, func, literal, or_, select

from .models.notices import Broadcast, BroadcastMark, BroadcastReader, Mute, NotificationChoice, NotificationDefault
from .models.organisation import Person, Space
from .models.runtime import NotificationRow
from .notify_choices import PAGE, SPACE
from .notify_reach import Reach, Values

#: The sort key of one line: its time, whether it names the person, its number.
Place = tuple[dt.datetime, int, int]


def shown(found: Sequence[Reach], *, unshown: bool = False) -> ColumnElement[bool]:
    """Rows that name the person, as far as they are still for them."""
    kinds: list[ColumnElement[bool]] = []
    for one in found:
        nowhere = and_(NotificationRow.type.in_(one.types), NotificationRow.audience_id.is_(None))
        kinds.append(or_(nowhere, one.elsewhere(NotificationRow), one.here(NotificationRow)))
    return and_(literal(True) if unshown else NotificationRow.shown, or_(*kinds) if kinds else false())


def broadcasts(
    found: Sequence[Reach], person_id: Any, *columns: Any, unshown: bool = False,
    everywhere: tuple[Values, Values] | None = None,
) -> list[Select[Any]]:  # fmt: skip
    """Selects that together give each broadcast of the person once, each with an index to itself.

    :param everywhere: the audiences and the spaces of all of ``found``, when they are not values.
    """
    born = select(Person.created_at).where(Person.id == person_id).scalar_subquery()
    always = (
        Broadcast.actor_id.is_distinct_from(person_id),
        Broadcast.created_at >= born,
        or_(Broadcast.firm, and_(~is_muted_by(person_id), literal(True) if unshown else _in_page(person_id))),
        ~_mark_of(person_id, hidden=True),
    )
    kinds = [one for one in found if isinstance(one.types, Select) or one.types]
    if not kinds:
        return []
    audiences: Values
    spaces: Values
    if everywhere is not None:
        audiences, spaces = everywhere
        here = kinds
    else:
        audiences = sorted({ident for one in kinds for ident in one.audiences})
        spaces = sorted({ident for one in kinds for ident in one.spaces})
        here = [one for one in kinds if one.spaces]
    # What the parts have in common is said apart: no index is found in an OR.
    parts = [(Broadcast.audience_id.in_(audiences), or_(*(one.elsewhere(Broadcast) for one in kinds)))]
    if here:
        parts.append((Broadcast.space_id.in_(spaces), or_(*(one.here(Broadcast) for one in here))))
    return [select(*columns).where(*part, *always) for part in parts]


def is_read_by(person_id: Any) -> ColumnElement[bool]:
    """SQL: this person (a column or an id) has read this broadcast."""
    return or_(Broadcast.id <= func.coalesce(_upto(person_id), 0), _mark_of(person_id))


def is_unread(person_id: Any) -> tuple[ColumnElement[bool], ...]:
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


def _in_page(person_id: Any) -> ColumnElement[bool]:
    chosen = select(NotificationChoice.value).where(
        NotificationChoice.person_id == person_id, NotificationChoice.type == Broadcast.type,
        NotificationChoice.channel == PAGE,
    )  # fmt: skip
    usual = select(NotificationDefault.value).where(
        NotificationDefault.type == Broadcast.type, NotificationDefault.channel == PAGE
    )
    return func.coalesce(chosen.scalar_subquery(), usual.scalar_subquery(), "immediate") != "none"


def earlier(at: Any, rank: int, number: Any, before: Place) -> ColumnElement[bool]:
    when, before_rank, before_id = before
    if rank < before_rank:
        return at <= when  # type: ignore[no-any-return]
    same = number < before_id if rank == before_rank else false()
    return or_(at < when, and_(at == when, same))


