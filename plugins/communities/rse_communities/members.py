"""Who is in a space, with which role: listed, counted, changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from rse_core import organisation, spaces
from rse_core.api import BadInput, Conflict, Event, Forbidden, emit, notify, record, translator, utcnow
from rse_core.models.organisation import Entity, Person, SpaceMember
from rse_core.people import PersonCard, card, folded

from . import access
from .access import Seat
from .kinds import ROLES, choice
from .models import Exclusion, FedMember, Invitation, JoinRequest, Profile

_t = translator(__file__, "rse_communities")
_ = _t.gettext
PAGE = 40
#: The order of the list: those who run it first.
_RANK = case({role: number for number, role in enumerate(ROLES)}, value=SpaceMember.role, else_=9)


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the members' list. ``fed``: a group or an entity brings them."""

    person: PersonCard
    role: str
    since: dt.datetime
    fed: bool
    rank: int
    folded: str


def page(
    session: Session, seat: Seat, *, typed: str = "", role: str = "", after: tuple[int, str, int] | None = None,
    most: int = PAGE,
) -> tuple[list[Member], tuple[int, str, int] | None]:  # fmt: skip
    """Members, those who run it first, then by name; by keyset, in one query.

    :param typed: the beginning of a word of the name, accents and case left aside.
    :returns: the members, and where the next page begins.
    """
    query = (
        select(
            Person.id, Person.username, Person.display_name, Person.entity_id, Entity.name, Person.job_title,
            Person.locale, Person.external, SpaceMember.role, SpaceMember.since, FedMember.person_id, _RANK,
            Person.folded_name,
        )
        .join(SpaceMember, SpaceMember.person_id == Person.id)
        .outerjoin(Entity, Entity.id == Person.entity_id)
        .outerjoin(FedMember, (FedMember.space_id == SpaceMember.space_id) & (FedMember.person_id == Person.id))
        .where(SpaceMember.space_id == seat.space.id, Person.status == "active")
    )  # fmt: skip
    words = folded(typed).split()
    for word in words[:6]:
        start = Person.folded_name.startswith(word, autoescape=True)
        query = query.where(or_(start, Person.folded_name.contains(f" {word}", autoescape=True)))
    if role:
        query = query.where(SpaceMember.role == role)
    if after is not None:
        query = query.where(tuple_(_RANK, Person.folded_name, Person.id) > after)
    rows = session.execute(query.order_by(_RANK, Person.folded_name, Person.id).limit(most + 1)).all()
    found = [
        Member(
            PersonCard(r[0], r[1], r[2], r[3], r[4] or "", r[5], True, r[6], r[7]),
            r[8],
            r[9],
            r[10] is not None,
            r[11],
            r[12],
        )
        for r in rows[:most]
    ]
    last = found[-1] if found else None
    return found, (last.rank, last.folded, last.person.id) if last and len(rows) > most else None


def runners(session: Session, space_id: int, *, most: int = 6) -> list[Member]:
    """Those who run the space, owners first; one query."""
    query = (
        select(
            Person.id, Person.username, Person.display_name, Person.entity_id, Entity.name, Person.job_title,
            Person.locale, Person.external, SpaceMember.role, SpaceMember.since, _RANK, Person.folded_name,
        )
        .join(SpaceMember, SpaceMember.person_id == Person.id)
        .outerjoin(Entity, Entity.id == Person.entity_id)
        .where(
            SpaceMember.space_id == space_id, Person.status == "active",
            SpaceMember.role.in_(organisation.MANAGING_ROLES),
        )
        .order_by(_RANK, Person.folded_name, Person.id)
        .limit(most)
    )  # fmt: skip
    return [
        Member(PersonCard(r[0], r[1], r[2], r[3], r[4] or "", r[5], True, r[6], r[7]), r[8], r[9], False, r[10], r[11])
        for r in session.execute(query)
    ]


def managers(session: Session, space_id: int) -> list[int]:
    """The active people to tell of what waits for those who run the space."""
    rows = select(SpaceMember.person_id).join(Person, Person.id == SpaceMember.person_id)
    return list(
        session.scalars(
            rows.where(
                SpaceMember.space_id == space_id,
                SpaceMember.role.in_(organisation.MANAGING_ROLES),
                Person.status == "active",
            ).limit(50)
        )
    )


def recount(session: Session, space_ids: Iterable[int]) -> None:
    """Count the active members of these spaces anew, in one statement."""
    wanted = sorted(set(space_ids))
    if wanted:
        session.flush()
        session.execute(
            update(Profile).where(Profile.space_id.in_(wanted)).values(members=counted())
            .execution_options(synchronize_session="fetch")
        )  # fmt: skip


def counted():  # type: ignore[no-untyped-def]
    """SQL: the active members of a profile's space."""
    return (
        select(func.count())
        .select_from(SpaceMember)
        .join(Person, Person.id == SpaceMember.person_id)
        .where(SpaceMember.space_id == Profile.space_id, Person.status == "active")
        .correlate(Profile)
        .scalar_subquery()
    )


def put(session: Session, seat: Seat, person_id: int, role: str, *, actor_id: int) -> bool:
    """Make somebody a member, or give them another role; counts, events and open questions follow. False when nothing
    changed.
    """
    if seat.space.visibility == "public" and role == "external":
        raise BadInput(
            _("What is in a public space is for the staff; somebody from outside would see nothing of it."),
            remedy=_("Make the space listed or secret first."),
        )
    before = session.scalar(
        select(SpaceMember.role).where(SpaceMember.space_id == seat.space.id, SpaceMember.person_id == person_id)
    )
    if not organisation.join_space(session, seat.space.id, person_id, role):
        return False
    access.profile_for_write(session, seat)
    # Whoever came or was changed by hand is no longer a matter of groups alone.
    _unfeed(session, seat.space.id, [person_id])
    if before is None:
        settle(session, seat.space.id, [person_id])
        emit(session, Event(
            "communities.joined", person_id, seat.ref, seat.audience_id, {"person": person_id, "by": actor_id, "role": role},
        ))  # fmt: skip
    else:
        emit(session, Event(
            "communities.role", actor_id, seat.ref, seat.audience_id, {"person": person_id, "role": role, "before": before},
        ))  # fmt: skip
    recount(session, [seat.space.id])
    return True


def settle(session: Session, space_id: int, people: Sequence[int]) -> None:
    """Who is in is asked and asks no longer: their pending requests and invitations are answered by it."""
    for model in (JoinRequest, Invitation):
        session.execute(
            update(model)
            .where(model.space_id == space_id, model.person_id.in_(people), model.state == "pending")
            .values(state="accepted", decided_at=utcnow())
            .execution_options(synchronize_session=False)
        )


def set_role(session: Session, person_id: int, key: str, member_id: int, role: str) -> bool:
    """Give a member another role.

    :raises Forbidden: for who does not administer the space; owners are made and unmade by owners alone.
    :raises Conflict: when it would be without an owner.
    """
    seat = access.managing(session, person_id, key, least="administers")
    choice("role", role, ROLES)
    before = session.scalar(
        select(SpaceMember.role).where(SpaceMember.space_id == seat.space.id, SpaceMember.person_id == member_id)
    )
    if before is None:
        raise BadInput(_("This person is no member of the space."), fields={"person": _("Add them first.")})
    if "owner" in (before, role) and not seat.owns:
        raise Forbidden(_("Only the owners of this space may do this."))
    changed = put(session, seat, member_id, role, actor_id=person_id)
    if changed:
        _note(session, seat, "communities.role", member_id, before=before, after=role)
        notify(
            session, member_id, "communities.role", seat.ref, actor_id=person_id,
            cause=f"role:{seat.space.id}:{member_id}:{role}", data={"space": seat.space.name, "role": role},
        )  # fmt: skip
    return changed


def add(session: Session, person_id: int, key: str, username: str, role: str = "member") -> PersonCard:
    """Add somebody without asking them; they are told.

    :raises Forbidden: for who does not administer the space, or where the site wants invitations.
    """
    from rse_core.api import option

    seat = access.managing(session, person_id, key, least="administers")
    if not option(session, "communities.add_directly"):
        raise Forbidden(_("On this site people are invited, not added."))
    choice("role", role, ROLES)
    found = access.person_card(session, username)
    if role == "owner" and not seat.owns:
        raise Forbidden(_("Only the owners of this space may do this."))
    if found.external:
        role = "external"
    present = session.scalar(
        select(SpaceMember.role).where(SpaceMember.space_id == seat.space.id, SpaceMember.person_id == found.id)
    )
    if present is not None:
        raise Conflict(_("%(name)s is a member already.", name=found.display_name))
    put(session, seat, found.id, role, actor_id=person_id)
    told(session, seat, found.id, actor_id=person_id)
    _note(session, seat, "communities.add", found.id, after=role)
    return found


def told(session: Session, seat: Seat, person_id: int, *, actor_id: int | None) -> None:
    """Tell somebody that they were added."""
    notify(
        session, person_id, "communities.added", seat.ref, actor_id=actor_id,
        cause=f"added:{seat.space.id}:{person_id}", data={"space": seat.space.name},
    )  # fmt: skip


def remove(session: Session, person_id: int, key: str, member_id: int, *, exclude: bool = False) -> bool:
    """Take somebody out of the space.

    :param exclude: no group brings them back.
    :raises Forbidden: for who does not administer it; owners are taken out by owners alone.
    """
    seat = access.managing(session, person_id, key, least="administers")
    role = session.scalar(
        select(SpaceMember.role).where(SpaceMember.space_id == seat.space.id, SpaceMember.person_id == member_id)
    )
    if role == "owner" and not seat.owns:
        raise Forbidden(_("Only the owners of this space may do this."))
    if exclude and session.get(Exclusion, (seat.space.id, member_id)) is None:
        session.add(Exclusion(space_id=seat.space.id, person_id=member_id))
    if role is None:
        return False
    out(session, seat, member_id, actor_id=person_id)
    _note(session, seat, "communities.remove", member_id, before=role)
    return True


def out(session: Session, seat: Seat, member_id: int, *, actor_id: int) -> None:
    """Somebody is in it no longer."""
    organisation.leave_space(session, seat.space.id, member_id)
    _unfeed(session, seat.space.id, [member_id])
    session.execute(
        update(Profile).where(Profile.space_id == seat.space.id, Profile.deputy_id == member_id).values(deputy_id=None)
        .execution_options(synchronize_session="fetch")
    )  # fmt: skip
    recount(session, [seat.space.id])
    emit(session, Event("communities.left", actor_id, seat.ref, seat.audience_id, {"person": member_id}))


def _unfeed(session: Session, space_id: int, people: Sequence[int]) -> None:
    for person_id in people:
        row = session.get(FedMember, (space_id, person_id))
        if row is not None:
            session.delete(row)
    session.flush()


def _note(
    session: Session, seat: Seat, act: str, member_id: int, *, before: str | None = None, after: str | None = None
) -> None:
    found = card(session, member_id)
    named = {"person": found.username if found else member_id, "role": after}
    actor = access.actor_of(session, seat.person_id)
    record(session, actor, act, f"space:{seat.space.key}", before=before, after=named)


def will_hear(session: Session, space_id: int, *, most: int = 200) -> tuple[int, list[str]]:
    """How many members hear of every post, and the first names, for those who run the space."""
    listening = spaces.listeners(session, space_id)
    count = session.scalar(select(func.count()).select_from(listening.subquery())) or 0
    named = select(Person.display_name).where(Person.id.in_(listening)).order_by(Person.folded_name, Person.id)
    return count, list(session.scalars(named.limit(most)))
