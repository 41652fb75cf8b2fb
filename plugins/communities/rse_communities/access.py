"""Who knows of a space, who sees what is in it, who runs it. Everything here is decided before anything is said.

A space that somebody may not know of is answered as one that does not exist: :data:`ABSENT`, the same sentence.

*Break-glass.* A site administrator who looks into a private space has, for an hour, the role ``moderator`` at that space
(:mod:`rse_communities.entering`). A job takes it back; one that is over is not counted here even when the job is late.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from rse_core import audiences, spaces
from rse_core.api import (
    Actor,
    Decision,
    Forbidden,
    NotFound,
    ObjectRef,
    SignInNeeded,
    Target,
    can,
    core_of,
    require,
    translator,
    utcnow,
)
from rse_core.models.organisation import Audience, Person, RoleGrant, Space, SpaceAlias, SpaceMember
from rse_core.organisation import MANAGING_ROLES, space_ref
from rse_core.people import PersonCard, card, folded

from .models import Entry, Invitation, Profile

_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy

SEE, JOIN, INVITE, CREATE = "communities.see", "communities.join", "communities.invite", "communities.create"
TYPE = "communities.space"
ABSENT = lazy("There is no such space here.")
#: Who may change what a space is; moderators run its life (requests, members' contributions) only.
ADMINISTERING = frozenset({"owner", "admin"})


@dataclass(frozen=True, slots=True)
class Seat:
    """A space as one person meets it.

    :param role: their role as a member; None for who is none.
    :param runs: by a role of the site (animator, moderator of the space), also for an hour (``entered_until``).
    """

    space: Space
    profile: Profile
    person_id: int
    role: str | None
    runs: bool
    external: bool
    site_admin: bool
    invited: bool
    entered_until: dt.datetime | None
    #: who may see what is in it
    audience_id: int

    @property
    def ref(self) -> ObjectRef:
        """The reference of the space."""
        return space_ref(self.space.id)

    @property
    def member(self) -> bool:
        """Whether they are in it."""
        return self.role is not None

    @property
    def open(self) -> bool:
        """Whether it has opened and is neither archived nor merged."""
        return self.profile.state == "open" and self.space.archived_at is None

    @property
    def inside(self) -> bool:
        """Whether they may see what is in it."""
        return self.member or self.runs or (self.space.visibility == "public" and not self.external)

    @property
    def manages(self) -> bool:
        """Whether they run its life: requests, invitations, what members write."""
        return self.role in MANAGING_ROLES or self.runs

    @property
    def administers(self) -> bool:
        """Whether they change what it is: settings, rights, members, groups."""
        return self.role in ADMINISTERING

    @property
    def owns(self) -> bool:
        """Whether they decide on its visibility, its owners and its end."""
        return self.role == "owner"

    @property
    def target(self) -> Target:
        """What the rules need to know of it."""
        return Target(self.audience_id, space_id=self.space.id)


def _columns(person_id: int) -> tuple[Any, ...]:
    def granted(role: str) -> ColumnElement[bool]:
        return exists().where(
            RoleGrant.person_id == person_id, RoleGrant.role == role, RoleGrant.scope == "space",
            RoleGrant.scope_id == Space.id,
        )  # fmt: skip

    entered = (
        select(Entry.ends_at)
        .where(Entry.person_id == person_id, Entry.space_id == Space.id, Entry.ended_at.is_(None))
        .order_by(Entry.id.desc()).limit(1).scalar_subquery()
    )  # fmt: skip
    invited = exists().where(
        Invitation.person_id == person_id, Invitation.space_id == Space.id, Invitation.state == "pending",
        Invitation.expires_at > utcnow(),
    )  # fmt: skip
    everyone = select(Audience.id).where(Audience.kind == "everyone").scalar_subquery()
    members = select(Audience.id).where(Audience.kind == "space", Audience.target_id == Space.id).scalar_subquery()
    return (
        Space, Profile, SpaceMember.role, granted("animator"), granted("moderator"), entered, invited, everyone, members,
        exists().where(Person.id == person_id, Person.external.is_(True)),
    )  # fmt: skip


def _seat(session: Session, person_id: int, row: Any) -> Seat:
    space, profile, role, animator, moderator, entered, invited, everyone, members, external = row
    if entered is not None and entered <= utcnow():
        moderator, entered = False, None
    return Seat(
        space=space,
        profile=profile or _unwritten(space),
        person_id=person_id,
        role=role,
        runs=bool(animator or moderator),
        external=bool(external),
        site_admin=is_site_admin(session, person_id),
        invited=bool(invited),
        entered_until=entered,
        audience_id=everyone if space.visibility == "public" else members,
    )


def _unwritten(space: Space) -> Profile:
    """The profile of a space that the core alone made: a team, open. Not kept by being read."""
    return Profile(
        space_id=space.id, kind="team", folded=folded(space.name)[:300], purpose="", description="", rules="",
        join_policy="none" if space.visibility == "secret" else "request", state="open", wanted=space.visibility, sheet={},
        members=0, version=1, created_at=space.created_at,
    )  # fmt: skip


def knows(seat: Seat) -> bool:
    """Whether this person may know that the space exists."""
    if seat.member or seat.runs or seat.invited:
        return True
    return seat.space.visibility != "secret" and seat.profile.state == "open" and not seat.external


def find(session: Session, person_id: int | None, key: str) -> Seat:
    """The space of this key (or a former one), for somebody who may know of it; one query.

    :raises SignInNeeded: for nobody.
    :raises NotFound: for every other space, whether it exists or not.
    """
    if person_id is None:
        raise SignInNeeded(_("Please sign in to see the communities."))
    former = select(SpaceAlias.space_id).where(SpaceAlias.key == key).scalar_subquery()
    query = (
        select(*_columns(person_id))
        .outerjoin(Profile, Profile.space_id == Space.id)
        .outerjoin(SpaceMember, and_(SpaceMember.space_id == Space.id, SpaceMember.person_id == person_id))
        .where(or_(Space.key == key, Space.id == former), Space.merged_into.is_(None))
    )
    row = session.execute(query).first()
    seat = None if row is None else _seat(session, person_id, row)
    if seat is None or not knows(seat):
        raise NotFound(str(ABSENT))
    return seat


def by_id(session: Session, person_id: int, space_id: int) -> Seat:
    """As :func:`find`, by id."""
    query = (
        select(*_columns(person_id))
        .outerjoin(Profile, Profile.space_id == Space.id)
        .outerjoin(SpaceMember, and_(SpaceMember.space_id == Space.id, SpaceMember.person_id == person_id))
        .where(Space.id == space_id, Space.merged_into.is_(None))
    )
    row = session.execute(query).first()
    seat = None if row is None else _seat(session, person_id, row)
    if seat is None or not knows(seat):
        raise NotFound(str(ABSENT))
    return seat


def require_see(session: Session, seat: Seat) -> Decision:
    """:raises Forbidden: below the level at which communities are seen."""
    return require(session, seat.person_id, SEE, seat.target if seat.inside else None)


def inside(session: Session, person_id: int | None, key: str) -> Seat:
    """As :func:`find`, for who may see what is in it.

    :raises Forbidden: for who sees its card only.
    """
    seat = find(session, person_id, key)
    require_see(session, seat)
    if not seat.inside:
        raise Forbidden(_("Only the members of this space see what is in it."))
    return seat


def managing(session: Session, person_id: int | None, key: str, *, least: str = "manages") -> Seat:
    """As :func:`find`, for those who run it.

    :param least: ``manages``, ``administers`` or ``owns``.
    :raises Forbidden: for everybody else who knows of it.
    """
    seat = find(session, person_id, key)
    if not getattr(seat, least):
        if least == "owns":
            raise Forbidden(_("Only the owners of this space may do this."))
        raise Forbidden(_("Only those who run this space may do this."))
    return seat


def may_join(session: Session, person_id: int) -> Decision:
    """May this person join spaces at all?"""
    return can(session, person_id, JOIN)


def is_site_admin(session: Session, person_id: int | None) -> bool:
    """From memory, at most two seconds old."""
    facts = None if person_id is None else core_of(session).policy.person(person_id)
    return facts is not None and facts.disabled_at is None and ("site_admin", "site", 0) in facts.roles


def require_site_admin(session: Session, person_id: int | None) -> None:
    """:raises NotFound: for everybody else: the page is not there for them."""
    if not is_site_admin(session, person_id):
        raise NotFound(_("There is no such page here."))


def actor_of(session: Session, person_id: int) -> Actor:
    """Who acts, for histories."""
    found = card(session, person_id)
    return Actor(found.username if found else f"person:{person_id}", person_id)


def person_card(session: Session, username: str) -> PersonCard:
    """Somebody by username, for forms.

    :raises BadInput: when there is no active person of this name.
    """
    from rse_core.api import BadInput
    from rse_core.people import names

    ident = session.scalar(select(Person.id).where(Person.username == username.strip(), Person.status == "active"))
    found = names(session, [ident]).get(ident) if ident is not None else None
    if found is None:
        message = _("There is no active person with the username “%(name)s”.", name=username.strip()[:80])
        raise BadInput(message, fields={"person": message})
    return found


def profile_for_write(session: Session, seat: Seat, version: int | None = None) -> Profile:
    """The profile's row, locked; made when the core alone knew of the space.

    :param version: the version that was read; None for an act that depends on none.
    :raises Conflict: when it has changed since.
    """
    from rse_core.api import Conflict

    row = session.scalar(
        select(Profile).where(Profile.space_id == seat.space.id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        row = _unwritten(seat.space)
        session.add(row)
        session.flush()
    if version is not None and version != row.version:
        raise Conflict(
            _("Somebody has changed this space since you opened the form."),
            remedy=_("What you typed was kept; compare it with the page as it is now, then save again."),
        )
    return row


def audience_of(session: Session, space_id: int) -> int:
    """Who sees what is in it."""
    return audiences.of_space(session, space_id)


def space_row(session: Session, key: str) -> Space:
    """A space by key for those who administer the site; secret ones too.

    :raises NotFound: when there is none.
    """
    found = spaces.by_key(session, key)
    if found is None:
        raise NotFound(str(ABSENT))
    return found
