"""Members brought in by a group or an entity, and taken out with it; in a job, in portions, never within a request.

Who came by themselves, or was added by hand, is no matter of groups: only those that a group brought are taken out when
they leave it. Exclusions name people whom no group brings in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, insert, or_, select, union, update
from sqlalchemy.orm import Session

from rse_core import notify, spaces
from rse_core.api import BadInput, Conflict, NotFound, defer, record, translator, utcnow
from rse_core.models.organisation import Entity, EntityPath, Group, GroupMember, Person, Space, SpaceMember
from rse_core.organisation import space_ref
from rse_core.people import PersonCard, names

from . import access, members
from .access import Seat
from .kinds import ROLES, choice
from .models import Exclusion, FedMember, Feeder

_t = translator(__file__, "rse_communities")
_ = _t.gettext
PORTION = 500
KINDS = ("group", "entity")
#: Roles that a group may give.
GIVEN = ("member", "writer")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a group or an entity would do: how many come, how many go, and the first names of each."""

    add: int
    remove: int
    adding: tuple[str, ...] = ()
    removing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One group or entity that brings members in."""

    row: Feeder
    key: str
    name: str


def lines(session: Session, seat: Seat) -> list[Line]:
    """What brings members in; three queries."""
    rows = session.scalars(select(Feeder).where(Feeder.space_id == seat.space.id).order_by(Feeder.id)).all()
    named: dict[tuple[str, int], tuple[str, str]] = {}
    for kind, model in (("group", Group), ("entity", Entity)):
        ids = [row.target_id for row in rows if row.kind == kind]
        if ids:
            for ident, key, name in session.execute(select(model.id, model.key, model.name).where(model.id.in_(ids))):
                named[kind, ident] = (key, name)
    return [Line(row, *named.get((row.kind, row.target_id), ("", _("no longer there")))) for row in rows]


def target(session: Session, kind: str, key: str) -> tuple[int, str]:
    """A group or an entity by its key: its id and name.

    :raises BadInput: when there is none.
    """
    if kind not in KINDS:
        raise BadInput(
            _("“%(value)s” cannot be chosen here.", value=kind[:40]), fields={"feeder": _("Choose one of the list.")}
        )
    model = Group if kind == "group" else Entity
    row = session.execute(select(model.id, model.name).where(model.key == key.strip())).first()
    if row is None:
        message = _("There is no group “%(key)s”.") if kind == "group" else _("There is no entity “%(key)s”.")
        raise BadInput(message % {"key": key[:80]}, fields={"feeder": _("Check the id.")})
    return row[0], row[1]


def preview(session: Session, person_id: int, key: str, kind: str, target_key: str, *, names_most: int = 20) -> Effect:
    """What adding this group or entity would do; a fixed number of queries whatever its size.

    :raises Forbidden: for who does not administer the space.
    """
    seat = access.managing(session, person_id, key, least="administers")
    target_id, _name = target(session, kind, target_key)
    coming = _coming(seat.space, kind, target_id)
    return Effect(_count(session, coming), 0, _named(session, coming, names_most))


def preview_drop(session: Session, person_id: int, key: str, feeder_id: int, *, names_most: int = 20) -> Effect:
    """What taking this group or entity away would do."""
    seat = access.managing(session, person_id, key, least="administers")
    row = _feeder(session, seat, feeder_id)
    going = _going(session, seat.space, without=row.id)
    return Effect(0, _count(session, going), (), _named(session, going, names_most))


def add(session: Session, person_id: int, key: str, kind: str, target_key: str, *, role: str = "member") -> Feeder:
    """Let a group or an entity bring members in; a job does it soon.

    :raises Conflict: when it does already.
    """
    seat = access.managing(session, person_id, key, least="administers")
    target_id, name = target(session, kind, target_key)
    choice("role", role, {given: ROLES[given] for given in GIVEN})
    present = select(Feeder.id).where(Feeder.space_id == seat.space.id, Feeder.kind == kind, Feeder.target_id == target_id)
    if session.scalar(present) is not None:
        raise Conflict(_("“%(name)s” brings members in already.", name=name))
    row = Feeder(space_id=seat.space.id, kind=kind, target_id=target_id, role=role, created_by=person_id)
    session.add(row)
    session.flush()
    _note(session, seat, "communities.feed", {"kind": kind, "target": target_key, "role": role})
    start(session, seat.space.id)
    return row


def drop(session: Session, person_id: int, key: str, feeder_id: int) -> None:
    """Let it bring nobody in any more; those whom it alone brought go, by a job."""
    seat = access.managing(session, person_id, key, least="administers")
    row = _feeder(session, seat, feeder_id)
    _note(session, seat, "communities.unfeed", {"kind": row.kind, "target": row.target_id})
    session.delete(row)
    session.flush()
    start(session, seat.space.id)


def exclude(session: Session, person_id: int, key: str, username: str) -> PersonCard:
    """No group brings this person in; whom one has brought in goes."""
    seat = access.managing(session, person_id, key, least="administers")
    card = access.person_card(session, username)
    if session.get(Exclusion, (seat.space.id, card.id)) is None:
        session.add(Exclusion(space_id=seat.space.id, person_id=card.id))
        session.flush()
        _note(session, seat, "communities.exclude", {"person": card.username})
    start(session, seat.space.id)
    return card


def include(session: Session, person_id: int, key: str, excluded_id: int) -> None:
    """Groups bring this person in again."""
    seat = access.managing(session, person_id, key, least="administers")
    row = session.get(Exclusion, (seat.space.id, excluded_id))
    if row is not None:
        session.delete(row)
        session.flush()
        start(session, seat.space.id)


def excluded(session: Session, seat: Seat, *, most: int = 200) -> list[PersonCard]:
    """Whom no group brings in."""
    ids = session.scalars(
        select(Exclusion.person_id).where(Exclusion.space_id == seat.space.id).order_by(Exclusion.created_at).limit(most)
    ).all()
    return list(names(session, ids).values())


# The job


def start(session: Session, space_id: int) -> None:
    """Have the members brought up to date soon."""
    defer(
        session, "communities.feed", key=f"communities.feed:{space_id}:{int(utcnow().timestamp()) // 5}", space_id=space_id
    )


def all_soon(session: Session) -> None:
    """The job ``communities.feed_all``: every space that groups feed is looked at, those first that waited longest."""
    waited = (
        select(Feeder.space_id)
        .group_by(Feeder.space_id)
        .order_by(func.min(func.coalesce(Feeder.synced_at, Feeder.created_at)), Feeder.space_id)
        .limit(1_000)
    )
    for space_id in session.scalars(waited).all():
        start(session, space_id)


def run(session: Session, space_id: int, part: int = 0) -> None:
    """The job ``communities.feed``: one portion of those who come and of those who go; another job for the rest."""
    space = session.get(Space, space_id)
    if space is None or space.archived_at is not None or space.merged_into is not None:
        return
    rows = session.scalars(select(Feeder).where(Feeder.space_id == space_id).order_by(Feeder.id)).all()
    going = list(session.scalars(_going(session, space).limit(PORTION)))
    gone = spaces.remove_members(session, space_id, going)
    session.execute(
        delete(FedMember).where(FedMember.space_id == space_id, FedMember.person_id.in_(going))
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    came: list[int] = []
    for row in rows:
        coming = list(session.scalars(_coming(space, row.kind, row.target_id).limit(PORTION - len(came))))
        added = spaces.add_members(session, space_id, coming, role=row.role)
        if added:
            session.execute(insert(FedMember), [{"space_id": space_id, "person_id": one} for one in added])
            came += added
        if len(came) >= PORTION:
            break
    if came:
        members.settle(session, space_id, came)
        notify.notify_many(
            session, came, "communities.added", space_ref(space_id), actor_id=None,
            cause=f"fed:{space_id}:{utcnow().date().isoformat()}", data={"space": space.name},
        )  # fmt: skip
    if came or gone:
        members.recount(session, [space_id])
    if len(came) >= PORTION or len(going) >= PORTION:
        defer(
            session, "communities.feed", key=f"communities.feed:{space_id}:part:{part + 1}", space_id=space_id, part=part + 1
        )
    else:
        session.execute(
            update(Feeder).where(Feeder.space_id == space_id).values(synced_at=utcnow())
            .execution_options(synchronize_session=False)
        )  # fmt: skip


def _people_of(kind: str, target_id: int) -> Select[int]:
    if kind == "group":
        return select(GroupMember.person_id).where(GroupMember.group_id == target_id)
    below = select(EntityPath.entity_id).where(EntityPath.ancestor_id == target_id)
    return select(Person.id).where(Person.entity_id.in_(below))


def _coming(space: Space, kind: str, target_id: int) -> Select[int]:
    present = select(SpaceMember.person_id).where(SpaceMember.space_id == space.id)
    left_out = select(Exclusion.person_id).where(Exclusion.space_id == space.id)
    query = select(Person.id).where(
        Person.id.in_(_people_of(kind, target_id)), Person.status == "active", Person.id.not_in(present),
        Person.id.not_in(left_out),
    )  # fmt: skip
    if space.visibility == "public":
        query = query.where(Person.external.is_(False))
    return query.order_by(Person.id)


def _going(session: Session, space: Space, *, without: int | None = None) -> Select[int]:
    """Whom groups brought in and none of the present ones would."""
    rows = session.scalars(select(Feeder).where(Feeder.space_id == space.id)).all()
    kept = [_people_of(row.kind, row.target_id) for row in rows if row.id != without]
    left_out = select(Exclusion.person_id).where(Exclusion.space_id == space.id)
    query: Select[Any] = select(FedMember.person_id).where(FedMember.space_id == space.id)
    if kept:
        wanted = union(*kept).subquery()
        query = query.where(or_(FedMember.person_id.not_in(select(wanted.c[0])), FedMember.person_id.in_(left_out)))
    return query.order_by(FedMember.person_id)


def _count(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def _named(session: Session, query: Select[Any], most: int) -> tuple[str, ...]:
    named = select(Person.display_name).where(Person.id.in_(query.order_by(None))).order_by(Person.folded_name, Person.id)
    return tuple(session.scalars(named.limit(most)))


def _feeder(session: Session, seat: Seat, feeder_id: int) -> Feeder:
    row = session.get(Feeder, feeder_id)
    if row is None or row.space_id != seat.space.id:
        raise NotFound(_("This group brings nobody in here."))
    return row


def _note(session: Session, seat: Seat, act: str, after: Any) -> None:
    record(session, access.actor_of(session, seat.person_id), act, f"space:{seat.space.key}", after=after)


def choices(session: Session, *, most: int = 500) -> dict[str, Sequence[tuple[str, str]]]:
    """Groups and entities to choose from: keys and names."""
    return {
        "group": [
            (key, name) for key, name in session.execute(select(Group.key, Group.name).order_by(Group.name).limit(most))
        ],
        "entity": [
            (key, name) for key, name in session.execute(select(Entity.key, Entity.name).order_by(Entity.name).limit(most))
        ],
    }
