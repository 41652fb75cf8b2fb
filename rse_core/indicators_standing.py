"""The history of the organisation, to the day: who stood in which entity, groups and spaces, and which entity below which.

The directory, the groups and the spaces hold only what is now. Each roll-up notes what has changed since the one before;
what happened between two of them bears the date of the later.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from .db import Key
from .indicators_facts import give_pseudonyms
from .models.indicators import Pseudonym, Standing, StandingTree
from .models.organisation import EntityPath, GroupMember, Person, SpaceMember

KINDS = ("entity", "group", "space", "manager")


def note(session: Session, day: dt.date) -> None:
    """Note where everybody of the staff stands at the end of this day, where that has changed.

    A later call for the same day replaces what an earlier one said of it. Never call it for a day that is past.
    """
    give_pseudonyms(session)
    for kind in KINDS:
        _note(session, kind, _present(kind).subquery(), day)
    _note_tree(session, day)


def _present(kind: str) -> Select[*tuple[Any, ...]]:
    """(target, who) as it is now, of active staff."""
    staff = and_(Person.status == "active", Person.external.is_(False))
    if kind == "entity":
        query = select(func.coalesce(Person.entity_id, 0).label("target"), Pseudonym.who.label("who"))
        return query.join(Pseudonym, Pseudonym.person_id == Person.id).where(staff)
    if kind == "manager":
        query = select(literal(1, Key).label("target"), Pseudonym.who.label("who"))
        return query.join(Person, Person.id == Pseudonym.person_id).where(staff, Person.is_manager.is_(True))
    member, target = (GroupMember, GroupMember.group_id) if kind == "group" else (SpaceMember, SpaceMember.space_id)
    return (
        select(target.label("target"), Pseudonym.who.label("who"))
        .join(Person, Person.id == member.person_id).join(Pseudonym, Pseudonym.person_id == Person.id).where(staff)
    )  # fmt: skip


def _note(session: Session, kind: str, present: Any, day: dt.date) -> None:
    still = select(present.c.who).where(present.c.who == Standing.who, present.c.target == Standing.target).exists()
    ended = (Standing.kind == kind, Standing.until.is_(None), ~still)
    quiet = {"synchronize_session": False}
    session.execute(delete(Standing).where(*ended, Standing.since >= day).execution_options(**quiet))
    session.execute(update(Standing).where(*ended).values(until=day).execution_options(**quiet))
    known = select(Standing.who).where(
        Standing.kind == kind, Standing.who == present.c.who, Standing.target == present.c.target, Standing.until.is_(None)
    )
    new = select(literal(kind), present.c.target, present.c.who, literal(day)).where(~known.exists())
    session.execute(insert(Standing).from_select(["kind", "target", "who", "since"], new))


def _note_tree(session: Session, day: dt.date) -> None:
    same = and_(
        EntityPath.entity_id == StandingTree.entity_id, EntityPath.ancestor_id == StandingTree.ancestor_id,
        EntityPath.depth == StandingTree.depth,
    )  # fmt: skip
    ended = (StandingTree.until.is_(None), ~select(EntityPath.depth).where(same).exists())
    quiet = {"synchronize_session": False}
    session.execute(delete(StandingTree).where(*ended, StandingTree.since >= day).execution_options(**quiet))
    session.execute(update(StandingTree).where(*ended).values(until=day).execution_options(**quiet))
    known = select(StandingTree.depth).where(same, StandingTree.until.is_(None))
    new = select(EntityPath.entity_id, EntityPath.ancestor_id, literal(day), EntityPath.depth).where(~known.exists())
    session.execute(insert(StandingTree).from_select(["entity_id", "ancestor_id", "since", "depth"], new))


def begins(session: Session) -> dt.date | None:
    """The first day of the history; None before the first roll-up."""
    return session.scalar(select(func.min(Standing.since)))


def at(day: dt.date, table: type[Standing] | type[StandingTree] = Standing) -> ColumnElement[bool]:
    """Rows that hold at the end of a day."""
    return and_(table.since <= day, or_(table.until.is_(None), table.until > day))


def anchor(session: Session, day: dt.date) -> dt.date | None:
    """The day whose people a figure is about, for a period that ends on ``day``: the last of the month before, so that all
    figures of a month are about the same people; the first of the history where that is later.

    :returns: None before the first roll-up, and for a day before the history begins.
    """
    first = begins(session)
    if first is None or day < first:
        return None
    return max(day.replace(day=1) - dt.timedelta(days=1), first)
