"""What somebody who has left was responsible for: place by place and kind by kind, for those who may hand it over.

Who may stands in :mod:`rse_core.handover_places`, how it is done in :mod:`rse_core.handover_acts`; what there is, plugins
say (:class:`~rse_core.responsibilities.Responsibility`). Only numbers are shown, never what anything says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from . import people, roles, spaces
from .audit import Actor
from .errors import Forbidden, NotFound, PluginError, RseError
from .handover_places import EVERYONE, Power, Spot, Where, find, run_by, spots_of
from .i18n import Text, _
from .models.handover import Handover
from .models.organisation import EntityPath, Membership, Person, RoleGrant, SpaceMember
from .organisation import MANAGING_ROLES
from .people import PersonCard
from .responsibilities import Left, Responsibility
from .runtime import core_of

#: People proposed for a place.
PROPOSED = 5
_RANK = case({role: number for number, role in enumerate(MANAGING_ROLES)}, value=SpaceMember.role, else_=9)


@dataclass(frozen=True, slots=True)
class Portion:
    """How much of one kind there is in a place; ``allowed``: whether who looks may hand that kind over there."""

    kind: str
    label: Text
    count: int
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A place with what was left there, and who is proposed to take it over, the likeliest first."""

    spot: Spot
    portions: tuple[Portion, ...]
    proposed: tuple[PersonCard, ...] = ()

    @property
    def count(self) -> int:
        """All that may be handed over."""
        return sum(one.count for one in self.portions if one.allowed)


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that was handed over: to whom, where, how much of each kind, and whether it was taken back."""

    id: int
    person_id: int
    taker: PersonCard
    spot: Spot
    counts: Mapping[str, int]
    at: dt.datetime
    actor: str
    why: str
    undone_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """What somebody left, as far as who looks may hand it over. ``here``: they have not left, or are back."""

    person: PersonCard
    left_at: dt.datetime | None
    here: bool
    places: tuple[Place, ...]
    kept: tuple[Kept, ...]


def kinds(session: Session) -> list[tuple[str, Responsibility]]:
    """Every kind of thing that people answer for on this site, with its plugin."""
    return list(core_of(session).plugins.contributions(Responsibility))


def allowed(session: Session, power: Power, kind: Responsibility, space_id: int | None) -> bool:
    """Whether who acts may hand over this kind there."""
    who = power.actor.person_id
    return power.site or kind.may is None or (who is not None and kind.may(session, who, space_id))


# -- what there is ----------------------------------------------------------------------------------------------------


def leaving(session: Session, username: str, actor: Actor) -> Leaving:
    """What somebody left, for who may hand it over; a number of queries that follows from nothing but the plugins.

    :raises NotFound: as :func:`find`.
    :raises PluginError: when a plugin cannot say: an incomplete list must not look complete.
    """
    person, power = find(session, username, actor)
    places = () if person.status == "active" else places_of(session, person, power)
    card = people.names(session, [person.id])[person.id]
    kept = history(session, power, person_id=person.id)
    return Leaving(card, person.disabled_at, person.status == "active", tuple(proposed(session, person, places)), kept)


def places_of(session: Session, person: Person, power: Power) -> tuple[Place, ...]:
    """Place by place what there is, without proposals."""
    found: dict[Where, list[tuple[Responsibility, int]]] = {}
    for owner, kind in kinds(session):
        for row in _left(session, owner, kind, person.id):
            if row.count > 0:
                key = (row.space_id, None if row.space_id is not None else row.audience_id)
                found.setdefault(key, []).append((kind, row.count))
    spots = spots_of(session, power, found)
    places = [
        Place(spots[key], tuple(
            Portion(kind.name, kind.label, count, allowed(session, power, kind, key[0])) for kind, count in portions
        ))
        for key, portions in found.items() if key in spots
    ]  # fmt: skip
    return tuple(sorted(places, key=lambda one: (_ORDER.index(one.spot.kind), people.folded(one.spot.name))))


_ORDER = ("space", "group", "entity", EVERYONE)


def _left(session: Session, owner: str, kind: Responsibility, person_id: int) -> Iterable[Left]:
    try:
        return list(kind.left(session, person_id))
    except RseError:
        raise
    except Exception as error:
        raise PluginError(
            f"“{owner}” cannot say how much of “{kind.name}” there is: {type(error).__name__}: {error}.",
            remedy="Mend or update that plugin, then try again.", plugin=owner,
        ) from error  # fmt: skip


# -- who may take over ------------------------------------------------------------------------------------------------


def proposed(session: Session, person: Person, places: Sequence[Place]) -> list[Place]:
    """The places with proposals: whom a space has named for it, those who run it, the leaver's own manager; four queries."""
    if not places:
        return []
    ids = [one.spot.space_id for one in places if one.spot.space_id is not None]
    order: dict[int, list[int]] = {}
    for _owner, kind in kinds(session):
        for space_id, heir in (kind.heirs(session, ids) if kind.heirs is not None and ids else {}).items():
            order.setdefault(space_id, []).append(heir)
    for space_id, who in session.execute(_runners(ids)) if ids else ():
        order.setdefault(space_id, []).append(who)
    wanted = {who for some in order.values() for who in some} | ({person.manager_id} if person.manager_id else set())
    members = [one.spot.members for one in places]
    there = takers(wanted).with_only_columns(Membership.audience_id, Person.id).where(Membership.audience_id.in_(members))
    inside = {(audience, who) for audience, who in session.execute(there)}
    cards = people.names(session, wanted)
    answer = []
    for one in places:
        some = [*order.get(one.spot.space_id or 0, ()), *([person.manager_id] if person.manager_id else [])]
        kept = [who for who in dict.fromkeys(some) if (one.spot.members, who) in inside and who != person.id]
        answer.append(Place(one.spot, one.portions, tuple(cards[who] for who in kept[:PROPOSED])))
    return answer


def _runners(space_ids: Sequence[int]) -> Select[int, int]:
    """(space, person) of those who run these spaces, a few for each, the owners first."""
    place = func.row_number().over(partition_by=SpaceMember.space_id, order_by=(_RANK, Person.folded_name, Person.id))
    rows = (
        select(SpaceMember.space_id, SpaceMember.person_id, place.label("place"))
        .join(Person, Person.id == SpaceMember.person_id)
        .where(
            SpaceMember.space_id.in_(space_ids), SpaceMember.role.in_(MANAGING_ROLES), Person.status == "active",
            Person.external.is_(False),
        )
        .subquery()
    )  # fmt: skip
    return select(rows.c.space_id, rows.c.person_id).where(rows.c.place <= PROPOSED).order_by(rows.c.place)


def takers(ids: Collection[int] | Select[int]) -> Select[Person, int]:
    """Those of these people who can take something over, joined with their audiences: of the staff, and here."""
    return (
        select(Person, Membership.audience_id)
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.id.in_(ids), Person.status == "active", Person.external.is_(False))
    )


# -- what was handed over ---------------------------------------------------------------------------------------------


def history(session: Session, power: Power, *, person_id: int, most: int = 100) -> tuple[Kept, ...]:
    """What was handed over of somebody's, the latest first, as far as ``power`` reaches."""
    query = select(Handover).where(Handover.person_id == person_id).order_by(Handover.id.desc()).limit(most)
    return kept_rows(session, power, session.scalars(query).all())


def kept_rows(session: Session, power: Power, rows: Sequence[Handover]) -> tuple[Kept, ...]:
    """These rows as they are shown, without those beyond ``power``."""
    spots = spots_of(session, power, [(row.space_id, row.audience_id) for row in rows]) if rows else {}
    cards = people.names(session, [row.taker_id for row in rows])
    return tuple(
        Kept(
            row.id, row.person_id, cards[row.taker_id], spots[row.space_id, row.audience_id], row.counts, row.at, row.actor,
            row.why, row.undone_at,
        )
        for row in rows if (row.space_id, row.audience_id) in spots
    )  # fmt: skip


def counts_in_words(session: Session, counts: Mapping[str, int]) -> list[tuple[Text, int]]:
    """Label and number of each kind; a kind whose plugin is gone by its name."""
    labels = {kind.name: kind.label for _owner, kind in kinds(session)}
    return [(labels.get(name, name), count) for name, count in counts.items()]


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who has left, in a list."""

    person: PersonCard
    left_at: dt.datetime


def leavers(
    session: Session, person_id: int, *, space_key: str = "", before: tuple[dt.datetime, int] | None = None, most: int = 50
) -> list[Leaver]:
    """Who has left, the latest first, for those who may hand something of theirs over; two queries beside the rights.

    :param space_key: only those of this space.
    :param before: the time and the id of the last one of the page before.
    :raises NotFound: for a space that they do not run, or of which they may not know.
    :raises Forbidden: for who neither administers nor runs anything.
    """
    runs = run_by(session, person_id)
    site = roles.is_site_admin(session, person_id)
    of: ColumnElement[bool] = true()
    if space_key:
        space = spaces.by_key(session, space_key)
        if space is None or not (site or space.id in runs):
            raise NotFound(_("There is no such space here."))
        of = _of_spaces([space.id])
    elif not site:
        above = select(RoleGrant.scope_id).where(
            RoleGrant.person_id == person_id, RoleGrant.role == "entity_admin", RoleGrant.scope == "entity"
        )
        mine = list(session.scalars(above))
        if not mine and not runs:
            raise Forbidden(_("This is for those who administer the site or an entity, or who run a space."))
        below = select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(mine))
        of = or_(Person.entity_id.in_(below), _of_spaces(runs))
    query = select(Person.id, Person.disabled_at).where(
        Person.status != "active", Person.source != "erased", Person.disabled_at.is_not(None), of
    )
    if before is not None:
        at, last = before
        query = query.where(or_(Person.disabled_at < at, and_(Person.disabled_at == at, Person.id < last)))
    rows = session.execute(query.order_by(Person.disabled_at.desc(), Person.id.desc()).limit(most)).all()
    cards = people.names(session, [row.id for row in rows])
    return [Leaver(cards[row.id], row.disabled_at) for row in rows]


def _of_spaces(ids: Iterable[int]) -> ColumnElement[bool]:
    return Person.id.in_(select(SpaceMember.person_id).where(SpaceMember.space_id.in_(set(ids))))
