"""Handing over what somebody left, and taking it back: looked at first, logged, told to who takes over.

All of it happens in the caller's transaction. Two at once wait for each other; a second time there is nothing left to give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from . import people
from .audit import Actor, record
from .db import utcnow
from .errors import BadInput, Conflict, Forbidden, NotFound
from .events import Event, emit
from .freshness import touch
from .handover import Place, Portion, allowed, kinds, places_of, takers
from .handover_notices import TYPE, cause_of, ref_of
from .handover_places import Power, Spot, find, power_over, spot_of, spots_of
from .i18n import _
from .models.handover import Handover, HandoverItem
from .models.organisation import Membership, Person
from .notify import notify, withdraw
from .people import PersonCard
from .responsibilities import Passing, Responsibility

#: Events, with ``person``, ``to`` and ``handover`` in their data.
GIVEN, TAKEN_BACK = "people.handed_over", "people.taken_back"
WHY_MOST = 500


@dataclass(frozen=True, slots=True)
class Planned:
    """Who takes over in one place, and what; or took over, once ``id`` is set. ``held_back``: what is not theirs to give who
    acts."""

    spot: Spot
    taker: PersonCard
    portions: tuple[Portion, ...]
    held_back: tuple[Portion, ...] = ()
    id: int | None = None

    @property
    def count(self) -> int:
        """All that goes, or went."""
        return sum(one.count for one in self.portions)


def plan(session: Session, username: str, choices: Mapping[str, str], *, actor: Actor) -> list[Planned]:
    """What :func:`give` would do; nothing is written.

    :param choices: key of a place → username of who takes over there.
    :raises NotFound: for a leaver or a place beyond what the actor may.
    :raises Conflict: when the person has not left.
    :raises BadInput: for a taker who has left, is from outside, or is not of that place; ``fields`` has ``to:<place>``.
    """
    person, power = find(session, username, actor)
    return _planned(session, person, power, choices)


def for_all(session: Session, username: str, to: str, *, actor: Actor) -> tuple[dict[str, str], list[Place]]:
    """The choices that give one person all that they can take over; and the places of which they are not.

    :raises BadInput: when they can take over nothing at all.
    """
    person, power = find(session, username, actor)
    places = places_of(session, person, power)
    row = session.scalar(select(Person).where(Person.username == to))
    inside = set() if row is None else set(session.scalars(takers([row.id]).with_only_columns(Membership.audience_id)))
    choices = {one.spot.key: to for one in places if one.spot.members in inside}
    if places and not choices:
        raise BadInput(
            _("“%(name)s” cannot take over anything here.", name=to[:80]),
            remedy=_("Choose somebody who works here and is in the space concerned."), fields={"to": _("Choose another.")},
        )  # fmt: skip
    return choices, [one for one in places if one.spot.key not in choices]


def give(
    session: Session, username: str, choices: Mapping[str, str], *, actor: Actor, why: str = ""
) -> list[Planned]:
    """Hand over what somebody left in these places; what was handed over already, or is no more there, is not an error.

    :returns: what went, with the numbers as they are in the end.
    :raises NotFound, Conflict, BadInput: as :func:`plan`; then nothing was handed over anywhere.
    """
    why = " ".join(why.split())
    if len(why) > WHY_MOST:
        raise BadInput(_("The reason is longer than %(most)s characters.", most=WHY_MOST), fields={"why": _("Shorten it.")})
    person, power = find(session, username, actor)
    taking = select(Person.id).where(Person.username.in_(set(choices.values())))
    _hold(session, [person.id, *session.scalars(taking)])
    session.refresh(person)
    offered = {kind.name: kind for _owner, kind in kinds(session)}
    done = []
    for one in _planned(session, person, power, choices):
        done.append(_give(session, person, one, offered, actor=actor, why=why))
    return done


def take_back(session: Session, handover_id: int, *, actor: Actor, why: str = "") -> int:
    """Undo one handover: the leaver answers for it again, whether they are back or not. What has changed hands since stays.

    :returns: how many things went back; 0 for one that was taken back before.
    :raises NotFound: for one that there is not, or beyond what the actor may.
    :raises Forbidden: for a part of it that others must take back.
    :raises Conflict: while the plugin that keeps a part of it does not run.
    """
    row = session.get(Handover, handover_id) if 0 < handover_id < 2**63 else None
    person = None if row is None else session.get(Person, row.person_id)
    power = None if person is None else power_over(session, person, actor)
    spots = {} if row is None or power is None else spots_of(session, power, [(row.space_id, row.audience_id)])
    if row is None or person is None or power is None or not spots:
        raise NotFound(_("There is nothing here to take back."))
    _hold(session, [row.person_id, row.taker_id])
    session.refresh(row)
    if row.undone_at is not None:
        return 0
    offered = {kind.name: kind for _owner, kind in kinds(session)}
    passing = Passing(row.person_id, row.taker_id, row.space_id, row.audience_id)
    items: dict[str, dict[str, str]] = {}
    for item in session.scalars(select(HandoverItem).where(HandoverItem.handover_id == row.id)):
        items.setdefault(item.kind, {})[item.ident] = item.was
    for name in items:
        if name not in offered:
            raise Conflict(_("“%(kind)s” is kept by a plugin that does not run now.", kind=name))
        if not allowed(session, power, offered[name], row.space_id):
            message = _("“%(kind)s” there is not yours to take back.", kind=offered[name].label)
            raise Forbidden(message, remedy=_("Ask an owner of the space or a site administrator."))
    counts = {name: offered[name].take_back(session, passing, some) for name, some in items.items()}
    row.undone_at, row.undone_by = utcnow(), actor.label
    session.execute(delete(HandoverItem).where(HandoverItem.handover_id == row.id))
    withdraw(session, cause_of(row.id))
    where = next(iter(spots.values())).key
    before = {"to": row.taker_id, "place": where, "handover": row.id}
    record(session, actor, "people.taken_back", f"person:{person.username}", before=before, after=counts, why=why)
    data = {"person": row.person_id, "to": row.taker_id, "handover": row.id}
    emit(session, Event(TAKEN_BACK, actor.person_id, data=data))
    session.flush()
    return sum(counts.values())


# -- steps ---------------------------------------------------------------------------------------------------------------


def _hold(session: Session, ids: Sequence[int]) -> None:
    """Whoever hands over the same waits here, and so does who is about to disable one of these people."""
    touch(session, ids[0])
    wanted = sorted(set(ids))
    session.execute(select(Person.id).where(Person.id.in_(wanted)).order_by(Person.id).with_for_update()).all()


def _planned(session: Session, person: Person, power: Power, choices: Mapping[str, str]) -> list[Planned]:
    if person.status == "active":
        raise Conflict(
            _("%(name)s has not left, or is back: they answer for what is theirs.", name=person.display_name),
            remedy=_("What was handed over before can be taken back."),
        )
    spots = {key: spot_of(session, power, key) for key in choices}
    cards, inside = _takers(session, set(choices.values()), [spot.members for spot in spots.values()])
    for key, name in choices.items():
        card = cards.get(name)
        if card is None or card.id == person.id or (spots[key].members, card.id) not in inside:
            raise BadInput(
                _("“%(name)s” cannot take over in “%(place)s”.", name=name[:80], place=spots[key].name),
                remedy=_("Choose somebody who works here and is in that place."), fields={f"to:{key}": _("Choose another.")},
            )  # fmt: skip
    there = {place.spot.key: place for place in places_of(session, person, power)}
    planned: dict[str, Planned] = {}
    for key, name in choices.items():
        spot = spots[key]
        # A former key of a space leads to the same place.
        place = there.get(spot.key)
        portions = () if place is None else place.portions
        planned[spot.key] = Planned(
            spot, cards[name], tuple(one for one in portions if one.allowed),
            tuple(one for one in portions if not one.allowed),
        )  # fmt: skip
    return list(planned.values())


def _takers(
    session: Session, usernames: set[str], members: Sequence[int]
) -> tuple[dict[str, PersonCard], set[tuple[int, int]]]:
    """Cards by username of those who can take over, and in which of these audiences they are; two queries."""
    ids = select(Person.id).where(Person.username.in_(usernames))
    rows = session.execute(
        takers(ids).where(Membership.audience_id.in_(members)).with_only_columns(Membership.audience_id, Person.id)
    ).all()
    cards = people.names(session, {row[1] for row in rows})
    return {card.username: card for card in cards.values()}, {(row[0], row[1]) for row in rows}


def _give(
    session: Session, person: Person, one: Planned, offered: Mapping[str, Responsibility], *, actor: Actor, why: str
) -> Planned:
    spot = one.spot
    passing = Passing(person.id, one.taker.id, spot.space_id, spot.audience_id)
    went = {portion.kind: offered[portion.kind].give(session, passing) for portion in one.portions}
    counts = {kind: len(items) for kind, items in went.items() if items}
    if not counts:
        return replace(one, portions=())
    row = Handover(
        person_id=person.id, taker_id=one.taker.id, space_id=spot.space_id, audience_id=spot.audience_id, counts=counts,
        at=utcnow(), actor=actor.label, why=why,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.execute(insert(HandoverItem), [
        {"handover_id": row.id, "kind": kind, "ident": ident, "was": was}
        for kind, items in went.items() for ident, was in items.items()
    ])  # fmt: skip
    # Ids alone: a name would outlast its account.
    after = {"to": one.taker.id, "place": spot.key, "handover": row.id, "counts": counts}
    record(session, actor, "people.handover", f"person:{person.username}", after=after, why=why)
    data = {"person": person.id, "to": one.taker.id, "handover": row.id}
    emit(session, Event(GIVEN, actor.person_id, data=data))
    # Firm: a muted space is no reason not to know what one answers for.
    notify(
        session, one.taker.id, TYPE, ref_of(row.id), actor_id=actor.person_id, cause=cause_of(row.id),
        data={"person": person.id, "count": sum(counts.values())}, firm=True,
    )  # fmt: skip
    labels = {portion.kind: portion for portion in one.portions}
    return replace(
        one, id=row.id, portions=tuple(replace(labels[kind], count=count) for kind, count in counts.items())
    )


__all__ = ["GIVEN", "TAKEN_BACK", "Planned", "for_all", "give", "plan", "take_back"]
