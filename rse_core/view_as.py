"""“View as”: an administrator looks at RSE as somebody of an entity at a level would, reads only, and both ends are logged.

Nobody is impersonated: see :mod:`rse_core.onlookers`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import cursor
from .audit import Actor, record
from .db import utcnow
from .delegation import Rights, rights_of
from .errors import BadInput, Forbidden, NotFound
from .i18n import _
from .levels import Level, parse_level
from .models.organisation import Entity
from .onlookers import onlooker
from .runtime import core_of

#: At most so long; then it ends by itself.
LASTS = dt.timedelta(hours=1)
MAX_WHY = 500
BEGIN, END = "view_as.begin", "view_as.end"


@dataclass(frozen=True, slots=True)
class Viewing:
    """Who looks (``by``, the administrator's id), as somebody of which entity at which level, and until when."""

    by: int
    entity_id: int
    level: Level
    until: dt.datetime

    @property
    def person_id(self) -> int:
        """The id of the onlooker."""
        return onlooker(self.entity_id, self.level)


def highest(session: Session, entity_id: int) -> Level:
    """The highest level that somebody of this entity can have at present: its ceiling."""
    snapshot = core_of(session).policy.snapshot()
    return Level(cursor.ceiling(snapshot, snapshot.paths.get(entity_id, (entity_id,)), utcnow()))


def begin(session: Session, rights: Rights, entity_key: str, level: str, *, actor: Actor, why: str = "") -> Viewing:
    """Begin to look; goes to the audit log.

    :raises NotFound: for an entity that does not exist, or that is not administered: the same answer.
    :raises BadInput: for a level above the entity's ceiling (nobody there can have it), or an overlong reason.
    """
    why = " ".join(why.split())
    if len(why) > MAX_WHY or "\x00" in why + entity_key:
        raise BadInput(_("The reason has at most %(max)s characters.", max=MAX_WHY), fields={"why": _("Shorten it.")})
    entity_id = session.scalar(select(Entity.id).where(Entity.key == entity_key.strip()))
    snapshot = core_of(session).policy.snapshot()
    if entity_id is None or not rights.over(snapshot, entity_id):
        message = _("You administer no entity with the id “%(key)s”.", key=entity_key[:80])
        raise NotFound(message, remedy=_("Choose an entity of yours."))
    chosen = parse_level(level)
    stop = highest(session, entity_id)
    if chosen > stop:
        raise BadInput(
            _("The ceiling there is “%(level)s”: nobody of this entity can have a higher level.", level=stop.label),
            remedy=_("Choose that level or a lower one, or have the ceiling moved first."),
            fields={"level": _("Choose “%(level)s” or a lower one.", level=stop.label)},
        )
    found = Viewing(rights.person_id, entity_id, chosen, utcnow() + LASTS)
    after = {"level": chosen.name.lower(), "until": found.until.isoformat()}
    record(session, actor, BEGIN, f"entity:{entity_key.strip()}", after=after, why=why)
    return found


def holds(session: Session, viewing: Viewing) -> bool:
    """Whether it goes on: its time is not over, and the administrator still administers the entity."""
    if not utcnow() < viewing.until <= utcnow() + LASTS:
        return False
    rights = rights_of(session, viewing.by)
    there = session.scalar(select(Entity.id).where(Entity.id == viewing.entity_id)) is not None
    return there and rights.over(core_of(session).policy.snapshot(), viewing.entity_id)


def end(session: Session, viewing: Viewing, *, actor: Actor, how: str) -> None:
    """Note that it has ended.

    :param how: ``stopped``, ``signed out``, ``over`` (its time, or the administrator's role).
    """
    key = session.scalar(select(Entity.key).where(Entity.id == viewing.entity_id))
    after = {"level": viewing.level.name.lower(), "how": how}
    record(session, actor, END, f"entity:{key or viewing.entity_id}", after=after)


def refused() -> Forbidden:
    """What every act is answered with meanwhile."""
    return Forbidden(
        _("You are looking as somebody else would: nothing can be done meanwhile, and nothing was saved."),
        remedy=_("Stop looking (the bar above the page), then do it as yourself."),
    )
