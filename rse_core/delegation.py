"""Who may move the cursor where, and how far: site administrators everywhere, an entity's administrator in its branch.

The ceiling is a stop for everybody: to go beyond it, move the ceiling first, which is for site administrators.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import cursor, roles
from .audit import Actor
from .cursor import Snapshot
from .db import utcnow
from .errors import Forbidden
from .i18n import _
from .levels import Level
from .levelsets import Where, place
from .models.levels import LevelRow
from .models.organisation import RoleGrant


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody administers: the whole ``site``, or the branches below ``entities``."""

    person_id: int
    site: bool
    entities: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.site or bool(self.entities)

    def over(self, snapshot: Snapshot, entity_id: int) -> bool:
        """Whether this entity is administered, by itself or from above."""
        return self.site or any(above in self.entities for above in snapshot.paths.get(entity_id, ()))

    def may_place(self, snapshot: Snapshot, where: Where, kind: str) -> bool:
        """Whether a row of this kind may be placed there."""
        if self.site:
            return True
        return kind != "ceiling" and where.scope == "entity" and self.over(snapshot, int(where.ident))


def rights_of(session: Session, person_id: int) -> Rights:
    """What this person administers."""
    if roles.is_site_admin(session, person_id):
        return Rights(person_id, True)
    found = session.scalars(
        select(RoleGrant.scope_id).where(
            RoleGrant.person_id == person_id, RoleGrant.role == "entity_admin", RoleGrant.scope == "entity"
        )
    )
    return Rights(person_id, False, frozenset(found))


def stop_at(snapshot: Snapshot, where: Where, kind: str, at: dt.datetime) -> Level:
    """The highest level that may be placed there: the ceiling above it at that moment."""
    if kind != "level":
        return Level.COCREATE
    path = snapshot.paths.get(int(where.ident), ()) if where.scope == "entity" else ()
    return Level(cursor.ceiling(snapshot, path, at))


def place_as(
    session: Session, rights: Rights, snapshot: Snapshot, where: Where, level: Level | None, *, actor: Actor,
    kind: str = "level", starts_at: dt.datetime | None = None, why: str = "",
) -> LevelRow:  # fmt: skip
    """Place a row on behalf of somebody.

    :raises Forbidden: when it is not theirs to place, or above the ceiling.
    """
    if not rights.may_place(snapshot, where, kind):
        raise Forbidden(
            _("You do not administer this part of the site."),
            remedy=_("Ask a site administrator, or choose an entity of yours."),
        )
    stop = stop_at(snapshot, where, kind, starts_at or utcnow())
    if level is not None and level > stop:
        raise Forbidden(
            _("The ceiling there is “%(level)s”.", level=stop.label),
            remedy=_("Choose that level or a lower one, or have the ceiling moved first."),
        )
    return place(session, where, level, actor=actor, kind=kind, starts_at=starts_at, why=why)
