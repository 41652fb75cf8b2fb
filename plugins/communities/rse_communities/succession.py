"""Who takes over when an owner leaves the organisation: the deputy; else the space waits for a site administrator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from rse_core import organisation
from rse_core.api import Actor, Event, NotFound, notify, record, translator
from rse_core.models.organisation import Person, RoleGrant, Space, SpaceMember
from rse_core.organisation import space_ref
from rse_core.people import PersonCard

from . import access, members
from .models import Profile

_ = translator(__file__, "rse_communities").gettext
_SELF = Actor("communities")


def people_changed(session: Session, event: Event) -> None:
    """The consumer of ``people.disabled`` and ``people.enabled``: counts follow, and owners' places are filled."""
    person_id = event.data.get("person")
    if not isinstance(person_id, int):
        return
    members.recount(session, _spaces_of(session, person_id))
    if event.name == "people.disabled":
        take_over(session, person_id)


def take_over(session: Session, person_id: int) -> None:
    """Fill the places of somebody who has left: each space of which nobody else is an active owner."""
    left = session.get(Person, person_id)
    if left is None or left.status == "active":
        return
    owned = session.execute(
        select(Space, Profile)
        .join(SpaceMember, SpaceMember.space_id == Space.id)
        .outerjoin(Profile, Profile.space_id == Space.id)
        .where(SpaceMember.person_id == person_id, SpaceMember.role == "owner", Space.merged_into.is_(None), ~_owned())
    ).all()
    for space, profile in owned:
        deputy = None if profile is None or profile.deputy_id is None else _deputy(session, space.id, profile.deputy_id)
        if deputy is None:
            _tell_admins(session, space)
            continue
        _make_owner(session, space, deputy.id, actor=_SELF, why=_("The owner has left; the deputy takes over."))
        profile.deputy_id = None
        if profile.contact_id == person_id:
            profile.contact_id = deputy.id
        session.flush()
        notify(
            session, deputy.id, "communities.succeeded", space_ref(space.id), actor_id=None,
            cause=f"succeeded:{space.id}:{deputy.id}", data={"space": space.name},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Orphan:
    """A space without an active owner."""

    id: int
    key: str
    name: str
    members: int


def orphans(session: Session, person_id: int, *, after: int = 0, most: int = 50) -> list[Orphan]:
    """Spaces that nobody active owns, by id; for site administrators.

    :raises NotFound: for everybody else.
    """
    access.require_site_admin(session, person_id)
    rows = session.execute(
        select(Space.id, Space.key, Space.name, Profile.members)
        .outerjoin(Profile, Profile.space_id == Space.id)
        .where(Space.id > after, Space.merged_into.is_(None), Space.archived_at.is_(None), ~_owned())
        .order_by(Space.id)
        .limit(most)
    )
    return [Orphan(ident, key, name, count or 0) for ident, key, name, count in rows]


def assign(session: Session, person_id: int, key: str, username: str) -> PersonCard:
    """Give a space without an owner to somebody, a member or not.

    :raises NotFound: for who is no site administrator, and for a space that has an owner.
    """
    access.require_site_admin(session, person_id)
    space = access.space_row(session, key)
    if session.scalar(select(Space.id).where(Space.id == space.id, ~_owned())) is None:
        raise NotFound(_("This space does not wait for an owner."))
    card = access.person_card(session, username)
    actor = access.actor_of(session, person_id)
    _make_owner(session, space, card.id, actor=actor, why=_("The space had no owner."))
    notify(
        session, card.id, "communities.succeeded", space_ref(space.id), actor_id=person_id,
        cause=f"assigned:{space.id}:{card.id}", data={"space": space.name},
    )  # fmt: skip
    return card


def _owned():  # type: ignore[no-untyped-def]
    return exists().where(
        SpaceMember.space_id == Space.id, SpaceMember.role == "owner", Person.id == SpaceMember.person_id,
        Person.status == "active",
    ).correlate(Space)  # fmt: skip


def _deputy(session: Session, space_id: int, deputy_id: int) -> Person | None:
    return session.scalar(
        select(Person)
        .join(SpaceMember, SpaceMember.person_id == Person.id)
        .where(
            Person.id == deputy_id, SpaceMember.space_id == space_id, Person.status == "active", Person.external.is_(False)
        )
    )


def _make_owner(session: Session, space: Space, person_id: int, *, actor: Actor, why: str) -> None:
    archived, space.archived_at = space.archived_at, None
    session.flush()
    organisation.join_space(session, space.id, person_id, "owner")
    space.archived_at = archived
    members.settle(session, space.id, [person_id])
    members.recount(session, [space.id])
    record(session, actor, "communities.owner", f"space:{space.key}", after={"person": person_id}, why=why)


def _tell_admins(session: Session, space: Space) -> None:
    admins: Sequence[int] = session.scalars(
        select(RoleGrant.person_id)
        .join(Person, Person.id == RoleGrant.person_id)
        .where(RoleGrant.role == "site_admin", Person.status == "active")
        .limit(50)
    ).all()
    for admin in admins:
        notify(
            session, admin, "communities.orphaned", space_ref(space.id), actor_id=None, cause=f"orphaned:{space.id}",
            data={"space": space.name},
        )  # fmt: skip


def _spaces_of(session: Session, person_id: int) -> Sequence[int]:
    return session.scalars(select(SpaceMember.space_id).where(SpaceMember.person_id == person_id)).all()
