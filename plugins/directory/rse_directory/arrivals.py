"""Who has arrived, whose birthday it is, and how much of the profiles is filled in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from rse_core import places
from rse_core.api import BadInput, Forbidden, option, translator, utcnow
from rse_core.models.organisation import Entity, EntityPath, Person
from rse_core.roles import administers

from . import access, profiles
from .models import Profile
from .profiles import Card

_ = translator(__file__, "rse_directory").gettext
MOST = 50


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody new, and since when they are known here."""

    card: Card
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Completion:
    """How far the profiles of an entity, with all below it, are filled in: of 100, and of how many people."""

    key: str
    name: str
    people: int
    rate: int


def newcomers(session: Session, viewer_id: int | None, *, entity: str = "", limit: int = MOST) -> list[Arrival]:
    """Who has come within the days that the site says, the latest first."""
    seen = access.sight(session, viewer_id)
    days: int = option(session, "directory.newcomer_days")
    rows = (
        select(Person.id, Person.created_at)
        .where(access.people(seen), Person.created_at > utcnow() - dt.timedelta(days=days))
        .order_by(Person.created_at.desc(), Person.id.desc())
        .limit(limit)
    )
    if entity:
        below = select(EntityPath.entity_id).join(Entity, Entity.id == EntityPath.ancestor_id)
        rows = rows.where(places.of(below.where(Entity.key == entity)))
    found = session.execute(rows).all()
    cards = {card.id: card for card in profiles.cards(session, seen, [row.id for row in found])}
    return [Arrival(cards[row.id], row.created_at) for row in found]


def birthdays(session: Session, viewer_id: int | None, *, days: int = 7, limit: int = MOST) -> list[tuple[Card, int, int]]:
    """Whose birthday, given by themselves and shown to who looks, is within these days: card, day, month."""
    if not 1 <= days <= 31:
        raise BadInput(_("Give a number from %(least)s to %(most)s.", least="1", most="31"))
    seen = access.sight(session, viewer_id)
    today = utcnow().date()
    dates = [today + dt.timedelta(days=number) for number in range(days)]
    near = or_(*(and_(Profile.birth_month == one.month, Profile.birth_day == one.day) for one in dates))
    rows = session.execute(
        select(Person.id, Profile.birth_day, Profile.birth_month)
        .join(Profile, Profile.person_id == Person.id)
        .where(near, access.people(seen), access.field_shown(seen, "birthday"))
        .order_by(Profile.birth_month, Profile.birth_day, Person.folded_name)
        .limit(limit)
    ).all()
    cards = {card.id: card for card in profiles.cards(session, seen, [row.id for row in rows])}
    place = {(one.day, one.month): number for number, one in enumerate(dates)}
    found = [(cards[row.id], row.birth_day, row.birth_month) for row in rows]
    return sorted(found, key=lambda one: place[one[1], one[2]])


def completion(session: Session, viewer_id: int | None, entity: str) -> list[Completion]:
    """Of an entity and those right below it; for who administers it. Sums only: nobody is named.

    :raises Forbidden: for everybody else.
    """
    root = session.execute(select(Entity.id, Entity.key, Entity.name).where(Entity.key == entity)).first()
    if root is None or not administers(session, viewer_id, root.id):
        raise Forbidden(_("Only those who administer the entity see how far its profiles are filled in."))
    return rates(session, root.id)


def rates(session: Session, entity_id: int) -> list[Completion]:
    """See :func:`completion`; for commands."""
    filled = func.coalesce(Profile.filled, 0)
    number = func.sum(case((Person.id.is_not(None), 1), else_=0))
    rows = session.execute(
        select(Entity.key, Entity.name, number, func.coalesce(func.sum(filled), 0))
        .join(EntityPath, EntityPath.ancestor_id == Entity.id)
        .outerjoin(
            Person,
            and_(Person.entity_id == EntityPath.entity_id, Person.status == "active", Person.external.is_(False)),
        )
        .outerjoin(Profile, Profile.person_id == Person.id)
        .where(or_(Entity.id == entity_id, Entity.parent_id == entity_id))
        .group_by(Entity.id, Entity.key, Entity.name)
        .order_by(case((Entity.id == entity_id, 0), else_=1), Entity.name)
    )
    # With fewer than five people a mean would tell of a person.
    return [
        Completion(row[0], row[1], int(row[2]), round(int(row[3]) / int(row[2]))) for row in rows if int(row[2] or 0) >= 5
    ]
