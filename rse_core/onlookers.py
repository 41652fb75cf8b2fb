"""Somebody who belongs to an entity at a level and is nobody: for an administrator who looks at RSE as such a person would.

An onlooker is a negative person id that stands in no table and says what it is: an entity and a level. Whatever joins rows
by the id of a person finds none for it: no space, no draft, no notification, nothing of one's own. What follows from the
entity alone (:func:`facts`, :func:`audiences_of`) is given by this module.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from .cursor import PersonFacts
from .errors import Forbidden
from .i18n import _
from .levels import Level
from .models.governance import Charter
from .models.organisation import Audience, Entity, EntityPath

#: Ids for each entity: more than there are levels, and the numbers in between are nobody.
_STEP = 8
_ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: No person can have this username: nothing is found under it.
USERNAME = ""


def onlooker(entity_id: int, level: Level) -> int:
    """The id of somebody who belongs to this entity, at this level."""
    return -(entity_id * _STEP + int(level))


def is_onlooker(person_id: int | None) -> bool:
    """Whether this is the id of an onlooker: then nothing is written, counted or told."""
    return person_id is not None and person_id < 0


def stands_for(person_id: int) -> tuple[int, Level] | None:
    """The entity and the level of an onlooker; None for any other id."""
    entity, level = divmod(-person_id, _STEP)
    return (entity, Level(level)) if person_id < 0 and entity > 0 and level <= max(Level) else None


def no_self() -> Forbidden:
    """What an onlooker is answered on pages about oneself."""
    return Forbidden(
        _("You are looking as somebody of an entity would, and this page is about one person: there is nobody to show."),
        remedy=_("Stop looking (the bar above the page) to see your own."),
    )


def audiences_of(person_id: int) -> Select[int]:
    """The ids of the audiences that everybody of the onlooker's entity is in: everyone's, and those of the entity and all
    above it; none for an id that stands for nothing."""
    found = stands_for(person_id)
    entity = 0 if found is None else found[0]
    above = select(EntityPath.ancestor_id).where(EntityPath.entity_id == entity)
    there = select(Entity.id).where(Entity.id == entity).exists()
    return select(Audience.id).where(
        there,
        or_(Audience.kind == "everyone", and_(Audience.kind == "entity", Audience.target_id.in_(above))),
    )


def facts(session: Session, ids: Iterable[int]) -> dict[int, PersonFacts]:
    """What decisions know of these onlookers. They have accepted every charter, so that it is the level that decides what
    is open; they have no role, no group and no space."""
    wanted = {ident: found for ident in ids if (found := stands_for(ident)) is not None}
    if not wanted:
        return {}
    there = set(session.scalars(select(Entity.id).where(Entity.id.in_({entity for entity, _level in wanted.values()}))))
    accepted = dict.fromkeys(session.scalars(select(Charter.id)), _ALWAYS)
    return {
        ident: PersonFacts(
            ident, entity, audiences=frozenset(session.scalars(audiences_of(ident))), accepted=accepted,
            username=USERNAME, chosen=int(level),
        )
        for ident, (entity, level) in wanted.items() if entity in there
    }  # fmt: skip


def entity_names(session: Session, ids: Iterable[int]) -> Mapping[int, tuple[int, str, Level]]:
    """Of each of these onlookers whose entity exists: the entity's id and name, and the level."""
    wanted = {ident: found for ident in ids if (found := stands_for(ident)) is not None}
    if not wanted:
        return {}
    rows = session.execute(select(Entity.id, Entity.name).where(Entity.id.in_({e for e, _level in wanted.values()})))
    known = {ident: name for ident, name in rows}
    return {ident: (entity, known[entity], level) for ident, (entity, level) in wanted.items() if entity in known}
