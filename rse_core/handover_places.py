"""Who may hand over what of somebody who has left, and the places in which it stands.

Administrators of the site may everywhere; those who administer the leaver's entity, but for secret spaces and groups of
which they are not; those who run a space, there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select, union
from sqlalchemy.orm import Session

from . import audiences, roles, spaces
from .audit import Actor
from .errors import NotFound
from .i18n import _
from .models.organisation import Audience, Entity, Group, Person, RoleGrant, Space, SpaceMember
from .organisation import MANAGING_ROLES

#: Kinds of place, as their keys begin: ``space:garden``, ``entity:cpam-75``, ``group:ambassadors``; ``everyone`` is alone.
EVERYONE = "everyone"
#: A space, else an audience.
Where = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Power:
    """What somebody may hand over of one leaver. ``runs``: the spaces that they run; ``within``: their own audiences."""

    actor: Actor
    site: bool = False
    entity: bool = False
    runs: frozenset[int] = frozenset()
    within: frozenset[int] = frozenset()

    def over_space(self, space_id: int, visibility: str, members: int | None) -> bool:
        """Whether that reaches this space, of which ``members`` is the audience."""
        known = visibility != "secret" or members in self.within
        return self.site or space_id in self.runs or (self.entity and known)

    def over_audience(self, kind: str, audience_id: int) -> bool:
        """Whether that reaches what stands in no space, for this audience."""
        return self.site or (self.entity and (kind != "group" or audience_id in self.within))


@dataclass(frozen=True, slots=True)
class Spot:
    """A place: a space, or the audience of what stands in none. ``members``: the audience that a taker is in."""

    key: str
    kind: str
    name: str
    members: int
    space_id: int | None = None
    audience_id: int | None = None


def find(session: Session, username: str, actor: Actor) -> tuple[Person, Power]:
    """The leaver, and what ``actor`` may hand over of theirs. A command, which has no person, may everything.

    :raises NotFound: for somebody who does not exist, whose account was erased, or of whom the actor may hand over nothing:
        always the same sentence.
    """
    person = session.scalar(select(Person).where(Person.username == username, Person.source != "erased"))
    power = None if person is None else power_over(session, person, actor)
    if person is None or power is None:
        raise NotFound(_("There is nobody of this name whose things you may hand over."))
    return person, power


def power_over(session: Session, person: Person, actor: Actor) -> Power | None:
    """What ``actor`` may hand over of this person's; None for nothing at all. A constant number of queries."""
    who = actor.person_id
    if who is None:
        return Power(actor, site=True)
    if roles.is_site_admin(session, who):
        return Power(actor, site=True, within=audiences.of_person(session, who))
    runs = run_by(session, who)
    entity = person.entity_id is not None and roles.administers(session, who, person.entity_id)
    if not runs and not entity:
        return None
    return Power(actor, entity=entity, runs=runs, within=audiences.of_person(session, who))


def run_by(session: Session, person_id: int) -> frozenset[int]:
    """The spaces that this person runs, by their place in it or by a role; none for who is not active."""
    member = select(SpaceMember.space_id).where(
        SpaceMember.person_id == person_id, SpaceMember.role.in_(MANAGING_ROLES)
    )
    granted = select(RoleGrant.scope_id).where(
        RoleGrant.person_id == person_id, RoleGrant.scope == "space", RoleGrant.role.in_(("animator", "moderator"))
    )
    active = select(Person.id).where(Person.id == person_id, Person.status == "active").exists()
    return frozenset(session.scalars(union(member.where(active), granted.where(active))))


def spots_of(
    session: Session, power: Power, keys: Iterable[Where]
) -> dict[Where, Spot]:
    """Those of these places (space, else audience) that ``power`` reaches; three queries."""
    wanted = list(keys)
    ids = {space_id for space_id, _audience in wanted if space_id is not None}
    other = {audience for space_id, audience in wanted if space_id is None and audience is not None}
    rows = session.execute(select(Audience.id, Audience.kind, Audience.target_id).where(
        or_(Audience.id.in_(other), and_(Audience.kind == "space", Audience.target_id.in_(ids)))
    )).all()  # fmt: skip
    members = {row.target_id: row.id for row in rows if row.kind == "space"}
    found: dict[Where, Spot] = {}
    named = select(Space.id, Space.key, Space.name, Space.visibility).where(Space.id.in_(ids))
    for ident, key, name, visibility in session.execute(named) if ids else ():
        audience = members.get(ident)
        if audience is not None and power.over_space(ident, visibility, audience):
            found[ident, None] = Spot(f"space:{key}", "space", name, audience, space_id=ident)
    for (kind, target), (audience, key, name) in _named(session, rows, other).items():
        if power.over_audience(kind, audience):
            label = f"{kind}:{key}" if target else EVERYONE
            found[None, audience] = Spot(label, kind, name, audience, audience_id=audience)
    return found


def _named(session: Session, rows: Sequence[Any], wanted: set[int]) -> dict[tuple[str, int], tuple[int, str, str]]:
    """(kind, target) → audience, key and name, of audiences that are no space's."""
    kept = {(row.kind, row.target_id): row.id for row in rows if row.id in wanted and row.kind != "space"}
    found: dict[tuple[str, int], tuple[int, str, str]] = {}
    for kind, model in (("entity", Entity), ("group", Group)):
        ids = [target for which, target in kept if which == kind]
        if ids:
            for ident, key, name in session.execute(select(model.id, model.key, model.name).where(model.id.in_(ids))):
                found[kind, ident] = (kept[kind, ident], key, name)
    if (EVERYONE, 0) in kept:
        found[EVERYONE, 0] = (kept[EVERYONE, 0], "", _("Everyone"))
    return found


def spot_of(session: Session, power: Power, key: str) -> Spot:
    """The place of this key.

    :raises NotFound: for one that there is not, or that ``power`` does not reach: always the same sentence.
    """
    kind, _colon, name = key.partition(":")
    where: Where = (None, None)
    if kind == "space":
        space = spaces.by_key(session, name)
        where = (None if space is None else space.id, None)
    elif key == EVERYONE:
        where = (None, audiences.everyone(session))
    elif kind in ("entity", "group"):
        model = Entity if kind == "entity" else Group
        target = session.scalar(select(model.id).where(model.key == name))
        row = select(Audience.id).where(Audience.kind == kind, Audience.target_id == target)
        where = (None, None if target is None else session.scalar(row))
    spot = spots_of(session, power, [where]).get(where) if where != (None, None) else None
    if spot is None:
        raise NotFound(_("There is no place “%(key)s” where you may hand something over.", key=key[:80]))
    return spot
