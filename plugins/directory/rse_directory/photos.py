"""Photos are files of an object of their own: it is for whom the photo is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import audiences
from rse_core.api import ContentInfo, ObjectRef, core_of, option
from rse_core.models.organisation import Entity, EntityPath, Person

from . import fields as field_rules
from .fields import ENTITY, EVERYONE
from .models import Profile

PHOTO = "directory.photo"


def photo_ref(person_id: int) -> ObjectRef:
    """What a person's photo is a file of."""
    return ObjectRef(PHOTO, str(person_id))


def numbers(ids: Sequence[str]) -> list[int]:
    """Ids as numbers; what is none is left out."""
    return [int(one) for one in ids if one.isdecimal() and one.isascii() and len(one) < 19]


def zones(session: Session, entity_ids: Sequence[int | None]) -> Mapping[int, int]:
    """The isolated entity in which each of these is; those in none, or of a service of all, are left out."""
    keys: list[str] = option(session, "directory.isolated")
    if not keys:
        return {}
    services: list[str] = option(session, "directory.services")
    rows = session.execute(
        select(EntityPath.entity_id, EntityPath.ancestor_id, Entity.key)
        .join(Entity, Entity.id == EntityPath.ancestor_id)
        .where(EntityPath.entity_id.in_([one for one in entity_ids if one is not None]), Entity.key.in_([*keys, *services]))
        .order_by(EntityPath.depth.desc())
    ).all()
    found = {row.entity_id: row.ancestor_id for row in rows if row.key in keys}
    for row in rows:
        if row.key in services:
            found.pop(row.entity_id, None)
    return found


def resolve_photos(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Photos of active staff who are in the list; nobody's else."""
    rows = session.execute(
        select(Person.id, Person.display_name, Person.username, Person.entity_id, Profile.listed)
        .outerjoin(Profile, Profile.person_id == Person.id)
        .where(Person.id.in_(numbers(ids)), Person.status == "active", Person.external.is_(False))
    ).all()
    chosen = field_rules.choices(session, [row.id for row in rows])
    rule, may_leave = field_rules.fields(session)["photo"], option(session, "directory.may_leave")
    zoned, prefix = zones(session, [row.entity_id for row in rows]), core_of(session).settings.url_prefix
    everyone, found = audiences.everyone(session), {}
    for row in rows:
        if may_leave and row.listed is False:
            continue
        audience = field_rules.effective(rule, chosen.get(row.id, {}).get("photo", 0))
        if audience == EVERYONE:
            place: int | None = everyone
            if row.entity_id in zoned:
                place = audiences.of_entity(session, zoned[row.entity_id])
        elif audience == ENTITY and row.entity_id is not None:
            place = audiences.of_entity(session, row.entity_id)
        else:
            place = None
        found[str(row.id)] = ContentInfo(
            photo_ref(row.id), row.display_name, f"{prefix}/directory/people/{row.username}", place, author_id=row.id
        )
    return found
