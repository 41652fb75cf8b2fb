"""The roles of those who run the site, each at a scope, each change in the audit log.

=================  ==========================  ===========================================================
role               scope                       what it is for
=================  ==========================  ===========================================================
``site_admin``     site                        everything that is set for the whole site
``entity_admin``   entity                      what is set for that entity and all below it
``moderator``      site, entity, group, space  what waits for a moderator there (an entity: all below it too)
``animator``       space                       the life of that space
=================  ==========================  ===========================================================

A role counts while its person is active.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import audiences
from .audit import Actor, record
from .errors import BadInput, Conflict, NotFound
from .freshness import touch
from .i18n import _
from .models.organisation import (
    Audience,
    Entity,
    EntityPath,
    Group,
    Person,
    RoleGrant,
    Space,
    SpaceMember,
)
from .organisation import MANAGING_ROLES

if TYPE_CHECKING:
    from .policy import Target

#: Each role, and the scopes at which it can be granted.
ROLES: dict[str, tuple[str, ...]] = {
    "site_admin": ("site",),
    "entity_admin": ("entity",),
    "moderator": ("site", "entity", "group", "space"),
    "animator": ("space",),
}
_SCOPES: dict[str, type[Entity] | type[Group] | type[Space]] = {
    "entity": Entity,
    "group": Group,
    "space": Space,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A granted role. ``scope_key``: the external id of the entity, group or space; "" for the site."""

    person_id: int
    username: str
    role: str
    scope: str
    scope_id: int
    scope_key: str
    granted_at: Any
    granted_by: str
    why: str

    @property
    def where(self) -> str:
        """``site``, ``entity:cpam-75`` …"""
        return self.scope if self.scope == "site" else f"{self.scope}:{self.scope_key}"


def parse_role(text: str) -> str:
    """A role from its name, with ``-`` or ``_``, in any case.

    :raises BadInput: names the roles.
    """
    role = text.strip().lower().replace("-", "_")
    if role not in ROLES:
        message = _("“%(name)s” is not a role.", name=text[:80])
        raise BadInput(message, remedy=_("Use one of: %(choices)s.", choices=", ".join(ROLES)))
    return role


def grant(
    session: Session,
    person_id: int,
    role: str,
    *,
    scope: str = "site",
    scope_id: int = 0,
    actor: Actor,
    why: str = "",
) -> bool:
    """Give the person a role at a scope; False when they had it already.

    :raises BadInput: for an unknown role, or a scope that the role does not have.
    :raises NotFound: when the person, entity, group or space does not exist.
    :raises Conflict: when the person has left.
    """
    touch(session, person_id)
    role = _check(session, role, scope, scope_id)
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound(f"There is no person with the id {person_id}.")
    if person.status != "active":
        message = _("“%(name)s” has left and can have no role.", name=person.username)
        raise Conflict(message, remedy=_("Bring them back with an import first."))
    if _row(session, person_id, role, scope, scope_id) is not None:
        return False
    session.add(RoleGrant(person_id=person_id, role=role, scope=scope, scope_id=scope_id, granted_by=actor.label, why=why))
    after = {"role": role, "at": _where(session, scope, scope_id)}
    record(session, actor, "role.grant", f"person:{person.username}", after=after, why=why)
    _refresh(session, scope, person_id)
    return True


def revoke(
    session: Session,
    person_id: int,
    role: str,
    *,
    scope: str = "site",
    scope_id: int = 0,
    actor: Actor,
    why: str = "",
    force: bool = False,
) -> bool:
    """Take a role from the person; False when they did not have it.

    :raises Conflict: when nobody else is site administrator, unless ``force``.
    """
    touch(session, person_id)
    role = _check(session, role, scope, scope_id)
    row = _row(session, person_id, role, scope, scope_id)
    if row is None:
        return False
    username = session.scalar(select(Person.username).where(Person.id == person_id))
    if role == "site_admin" and not force and not _other_site_admins(session, person_id):
        message = _("“%(name)s” is the last site administrator.", name=username)
        raise Conflict(message, remedy=_("Grant the role to somebody else first, or use --force."))
    before = {"role": role, "at": _where(session, scope, scope_id)}
    record(session, actor, "role.revoke", f"person:{username}", before=before, why=why)
    session.delete(row)
    _refresh(session, scope, person_id)
    return True


def list_grants(
    session: Session,
    *,
    person_id: int | None = None,
    role: str | None = None,
    scope: str | None = None,
    scope_id: int | None = None,
) -> list[Grant]:
    """The grants that stand, by scope, role and username; those of people who have left too."""
    rows = select(RoleGrant, Person.username).join(Person, Person.id == RoleGrant.person_id)
    if person_id is not None:
        rows = rows.where(RoleGrant.person_id == person_id)
    if role is not None:
        rows = rows.where(RoleGrant.role == parse_role(role))
    if scope is not None:
        rows = rows.where(RoleGrant.scope == scope)
    if scope_id is not None:
        rows = rows.where(RoleGrant.scope_id == scope_id)
    rows = rows.order_by(RoleGrant.scope, RoleGrant.role, RoleGrant.scope_id, Person.username)
    found = session.execute(rows).all()
    keys = _scope_keys(session, [row for row, _ in found])
    return [
        Grant(
            row.person_id,
            username,
            row.role,
            row.scope,
            row.scope_id,
            keys.get((row.scope, row.scope_id), ""),
            row.granted_at,
            row.granted_by,
            row.why,
        )
        for row, username in found
    ]


def is_site_admin(session: Session, person_id: int | None) -> bool:
    """Whether this person is an active site administrator."""
    return _has(session, person_id, ("site_admin",), "site", (0,))


def administers(session: Session, person_id: int | None, entity_id: int | None) -> bool:
    """Whether this person administers the entity: its administrator, one above it, or of the site."""
    if is_site_admin(session, person_id):
        return True
    return _has(session, person_id, ("entity_admin",), "entity", _entities_above(session, [entity_id]))


def moderates(session: Session, person_id: int | None, target: Target) -> bool:
    """Whether this person decides on what is written on ``target``.

    A site administrator and a moderator of the site always do; else a moderator (or administrator) of an
    entity on the path of
    the author's entity or of the target's audience, a moderator of the group that is the audience, and
    those who manage the space.
    """
    if person_id is None:
        return False
    if _has(session, person_id, ("site_admin", "moderator"), "site", (0,)):
        return True
    entities: list[int | None] = []
    space_id = target.space_id
    audience = None if target.audience_id is None else session.get(Audience, target.audience_id)
    if audience is not None and audience.kind == "entity":
        entities.append(audience.target_id)
    elif audience is not None and audience.kind == "space" and space_id is None:
        space_id = audience.target_id
    groups = [audience.target_id] if audience is not None and audience.kind == "group" else []
    if _has(session, person_id, ("moderator",), "group", groups):
        return True
    if target.author_id is not None:
        entities.append(session.scalar(select(Person.entity_id).where(Person.id == target.author_id)))
    above = _entities_above(session, entities)
    if _has(session, person_id, ("moderator", "entity_admin"), "entity", above):
        return True
    return space_id is not None and manages_space(session, person_id, space_id)


def manages_space(session: Session, person_id: int | None, space_id: int) -> bool:
    """Whether this person manages the space: as its owner, admin or moderator, or by a role granted there."""
    if person_id is None:
        return False
    member = select(SpaceMember.role).join(Person, Person.id == SpaceMember.person_id)
    member = member.where(SpaceMember.space_id == space_id, SpaceMember.person_id == person_id, Person.status == "active")
    if session.scalar(member) in MANAGING_ROLES:
        return True
    return _has(session, person_id, ("moderator", "animator"), "space", (space_id,))


def _has(session: Session, person_id: int | None, roles: tuple[str, ...], scope: str, scope_ids: Iterable[int]) -> bool:
    wanted = list(scope_ids)
    if person_id is None or not wanted:
        return False
    row = select(RoleGrant.id).join(Person, Person.id == RoleGrant.person_id)
    row = row.where(
        RoleGrant.person_id == person_id,
        RoleGrant.role.in_(roles),
        RoleGrant.scope == scope,
        RoleGrant.scope_id.in_(wanted),
        Person.status == "active",
    )
    return session.scalar(row.limit(1)) is not None


def _entities_above(session: Session, entity_ids: Iterable[int | None]) -> list[int]:
    wanted = [i for i in entity_ids if i is not None]
    if not wanted:
        return []
    return list(session.scalars(select(EntityPath.ancestor_id).where(EntityPath.entity_id.in_(wanted)).distinct()))


def _check(session: Session, role: str, scope: str, scope_id: int) -> str:
    role = parse_role(role)
    if scope not in ROLES[role]:
        allowed = ", ".join("--" + s for s in ROLES[role])
        message = _("The role %(role)s cannot be given at the scope “%(scope)s”.", role=role, scope=scope)
        raise BadInput(message, remedy=_("Use one of: %(choices)s.", choices=allowed))
    if scope == "site" and scope_id:
        raise BadInput("The site has no id.", remedy="Leave the id away.")
    if scope != "site" and session.get(_SCOPES[scope], scope_id) is None:
        raise NotFound(f"There is no {scope} with the id {scope_id}.")
    return role


def _refresh(session: Session, scope: str, person_id: int) -> None:
    session.flush()
    if scope == "space":
        audiences.refresh(session, [person_id])


def _row(session: Session, person_id: int, role: str, scope: str, scope_id: int) -> RoleGrant | None:
    return session.scalar(
        select(RoleGrant).where(
            RoleGrant.person_id == person_id,
            RoleGrant.role == role,
            RoleGrant.scope == scope,
            RoleGrant.scope_id == scope_id,
        )
    )


def _other_site_admins(session: Session, person_id: int) -> int:
    rows = select(func.count()).select_from(RoleGrant).join(Person, Person.id == RoleGrant.person_id)
    rows = rows.where(RoleGrant.role == "site_admin", RoleGrant.person_id != person_id, Person.status == "active")
    return session.scalar(rows) or 0


def _where(session: Session, scope: str, scope_id: int) -> str:
    if scope == "site":
        return "site"
    model = _SCOPES[scope]
    key = session.scalar(select(model.key).where(model.id == scope_id))
    return f"{scope}:{key or scope_id}"


def _scope_keys(session: Session, grants: Iterable[RoleGrant]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for row in grants:
        wanted.setdefault(row.scope, set()).add(row.scope_id)
    keys: dict[tuple[str, int], str] = {}
    for scope, ids in wanted.items():
        if scope in _SCOPES:
            model = _SCOPES[scope]
            for ident, key in session.execute(select(model.id, model.key).where(model.id.in_(ids))):
                keys[scope, ident] = key
    return keys
