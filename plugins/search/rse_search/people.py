"""People, to be found by name, job and entity: those who are in the organisation now, by everybody in it.

A plugin that keeps a directory brings people of its own; this is what can be found without one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo, ObjectRef, SearchDocument, core_of, defer, utcnow
from rse_core.audiences import everyone
from rse_core.models.organisation import Entity, Person

from .models import EntityName, Watermark
from .store import CHUNK

TYPE = "search.person"
#: A change may be committed a little after the time that it carries.
_LATE = dt.timedelta(minutes=10)
_BEGINNING = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def ref_of(person_id: int) -> ObjectRef:
    """The reference of a person."""
    return ObjectRef(TYPE, str(person_id))


def _numbers(ids: Iterable[str]) -> list[int]:
    return [int(ident) for ident in ids if ident.isdecimal() and len(ident) < 19]


def resolve(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """People by id; the address is the list of what they wrote."""
    if beside(session):
        return {}
    rows = session.execute(
        select(Person.id, Person.display_name, Person.username).where(
            Person.id.in_(_numbers(ids)), Person.status == "active", Person.external.is_(False)
        )
    )
    prefix, audience = core_of(session).settings.url_prefix, everyone(session)
    return {
        str(row.id): ContentInfo(
            ref_of(row.id), row.display_name, f"{prefix}/search/?{urlencode({'author': row.username})}", audience
        )
        for row in rows
    }


def ids(session: Session, after: str | None, limit: int) -> Sequence[str]:
    """Everybody's id, by keyset."""
    rows = select(Person.id).where(Person.id > int(after or 0)).order_by(Person.id).limit(limit)
    return [str(number) for number in session.scalars(rows)]


def beside(session: Session) -> bool:
    """Another plugin brings the people that are found: these would be found twice, and by what it hides."""
    types = core_of(session).plugins.content_types
    return any(name != TYPE and name.partition(".")[2] == "person" and one.searchable for name, one in types.items())


def documents(session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
    """Active people of the organisation only."""
    numbers = _numbers(ref.id for ref in refs if ref.type == TYPE)
    if not numbers or beside(session):
        return
    audience = everyone(session)
    rows = session.execute(
        select(Person.id, Person.display_name, Person.job_title, Person.entity_id, Person.created_at, Entity.name)
        .outerjoin(Entity, Entity.id == Person.entity_id)
        .where(Person.id.in_(numbers), Person.status == "active", Person.external.is_(False))
    )
    for row in rows:
        about = ", ".join(part for part in (row.job_title, row.name) if part)
        yield SearchDocument(
            ref_of(row.id), row.display_name, about, audience, at=row.created_at, entity_id=row.entity_id, kind="person"
        )


def follow(session: Session) -> None:
    """Job: whose name, job or entity changed, who came and who left since the last time, and entities with another name.

    The organisation's files are taken in by whole sets, without an event for each person; their time of change tells.
    """
    from . import rebuild

    mark = session.get(Watermark, "people")
    since = mark.at - _LATE if mark is not None else _BEGINNING
    now = utcnow()
    changed = set(session.scalars(select(Person.id).where(Person.updated_at >= since))) if mark is not None else set()
    renamed = session.execute(
        select(Entity.id, Entity.name)
        .outerjoin(EntityName, EntityName.entity_id == Entity.id)
        .where(or_(EntityName.name.is_(None), EntityName.name != Entity.name))
    ).all()
    if renamed:
        numbers = [row.id for row in renamed]
        if mark is not None:
            for start in range(0, len(numbers), CHUNK):
                chunk = numbers[start : start + CHUNK]
                changed |= set(session.scalars(select(Person.id).where(Person.entity_id.in_(chunk))))
                session.execute(delete(EntityName).where(EntityName.entity_id.in_(chunk)))
        session.flush()
        session.add_all([EntityName(entity_id=row.id, name=row.name) for row in renamed])
    if mark is None:
        session.add(Watermark(name="people", at=now))
    else:
        mark.at = now
    # What was there before this plugin, or before another one whose objects are found: indexed batch by batch.
    known = rebuild.stands(session)
    rebuild.in_background(session, [name for name in rebuild.types(session) if name not in known])
    _look(session, sorted(changed))


def _look(session: Session, numbers: Sequence[int]) -> None:
    from .indexing import refresh

    if len(numbers) <= CHUNK:
        if numbers:
            refresh(session, [ref_of(number) for number in numbers])
        return
    for start in range(0, len(numbers), CHUNK):
        defer(session, "search.look", refs=[str(ref_of(number)) for number in numbers[start : start + CHUNK]])
