"""Every indicator by entity as one would ask it of the raw rows: what the roll-ups are compared with."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from rse_core.indicators_built import COMMENTED, OPENED, POSTED, REACTED
from rse_core.models.governance import CharterAcceptance
from rse_core.models.indicators import Fact, Pseudonym, Signal
from rse_core.models.organisation import EntityPath, Person, Space, SpaceMember
from rse_core.models.runtime import Visit
from rse_core.runtime import core_of
from rse_core.workdays import working_days

ACTS = {
    "engagement_rate": (REACTED, COMMENTED), "contribution_rate": (REACTED, COMMENTED, POSTED),
    "documents_opened": (OPENED,), "active_communities": (COMMENTED, POSTED),
}  # fmt: skip


def slow(session: Session, name: str, by: str, first: dt.date, last: dt.date) -> dict[str, int]:
    """The numerators of an indicator in a period, by entity or by space; ``active_communities`` for the site."""
    if by == "space":
        return _spaces(session, name, first, last)
    if name == "active_communities":
        query = select(func.count(Fact.space_id.distinct())).where(_acts(session, name, first, last))
        return {"": session.scalar(query) or 0}
    if name == "answer_time":
        return _answers(session, first, last)
    place = EntityPath.ancestor_id
    if name in ("connection_rate", "habit"):
        rows = select(place, func.count(Visit.person_id.distinct()) if name == "connection_rate" else func.count())
        days = Visit.day.between(first, last)
        if name == "habit":
            days = Visit.day.in_(working_days(first, last, core_of(session).settings))
        rows = rows.select_from(Visit).join(Person, Person.id == Visit.person_id).where(days)
    elif name == "charter_acceptance":
        rows = select(place, func.count()).select_from(CharterAcceptance)
        rows = rows.join(Person, Person.id == CharterAcceptance.person_id)
    else:
        rows = select(place, func.count(Fact.who.distinct())).select_from(Fact)
        rows = rows.join(Pseudonym, Pseudonym.who == Fact.who).join(Person, Person.id == Pseudonym.person_id)
        rows = rows.where(_acts(session, name, first, last))
    return _told(session, rows.join(EntityPath, EntityPath.entity_id == Person.entity_id).group_by(place))


def _acts(session: Session, name: str, first: dt.date, last: dt.date) -> ColumnElement[bool]:
    signals = list(session.scalars(select(Signal.id).where(Signal.name.in_(ACTS[name]))))
    return and_(Fact.signal.in_(signals), Fact.day.between(first, last))


def _answers(session: Session, first: dt.date, last: dt.date) -> dict[str, int]:
    """Posts with an answer by somebody else in the period. In the benchmark each is on the day of the post itself."""
    number = {name: ident for name, ident in session.execute(select(Signal.name, Signal.id))}
    said = aliased(Fact)
    same = and_(
        said.on_ref == Fact.ref, said.signal == number[COMMENTED], said.day.between(first, last), said.who != Fact.who,
        said.at >= Fact.at,
    )  # fmt: skip
    rows = (
        select(EntityPath.ancestor_id, func.count(Fact.id.distinct())).select_from(Fact).join(said, same)
        .join(Pseudonym, Pseudonym.who == Fact.who).join(Person, Person.id == Pseudonym.person_id)
        .join(EntityPath, EntityPath.entity_id == Person.entity_id)
        .where(Fact.signal == number[POSTED], Fact.day.between(first, last)).group_by(EntityPath.ancestor_id)
    )  # fmt: skip
    return _told(session, rows)


def _spaces(session: Session, name: str, first: dt.date, last: dt.date) -> dict[str, int]:
    rows = (
        select(Space.id, func.count(Fact.who.distinct())).select_from(Fact)
        .join(Pseudonym, Pseudonym.who == Fact.who)
        .join(SpaceMember, and_(SpaceMember.person_id == Pseudonym.person_id, SpaceMember.space_id == Fact.space_id))
        .join(Space, Space.id == Fact.space_id).where(_acts(session, name, first, last)).group_by(Space.id)
    )  # fmt: skip
    return _told(session, rows)


def _told(session: Session, rows: Any) -> dict[str, int]:
    return {str(target): int(number) for target, number in session.execute(rows)}
