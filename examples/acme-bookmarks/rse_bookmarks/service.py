"""Keeping and dropping, and what is kept. Takes a session and a person; knows nothing of the web."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo, Event, NotFound, ObjectRef, emit, require, resolve, seen, translator

from .models import Bookmark

_ = translator(__file__, "rse_bookmarks").gettext

CAPABILITY = "bookmarks.keep"
#: Rows of one page of the list.
PAGE = 30


@dataclass(frozen=True, slots=True)
class Kept:
    """A bookmark, with what it points at; ``info`` is None when the person can no longer see that."""

    row: Bookmark
    info: ContentInfo | None


def keep(session: Session, person_id: int, ref: ObjectRef) -> bool:
    """Keep a thing; False when it was kept already.

    :raises NotFound: when it does not exist, or the person may not know of it.
    :raises Forbidden: when the person's level does not open this.
    """
    info = _known(session, ref)
    require(session, person_id, CAPABILITY, info)
    if info.ref in kept(session, person_id, [info.ref]):
        return False
    session.add(Bookmark(person_id=person_id, ref_type=info.ref.type, ref_id=info.ref.id))
    session.flush()
    emit(session, Event("bookmarks.kept", person_id, info.ref, info.audience_id))
    return True


def drop(session: Session, person_id: int, ref: ObjectRef) -> bool:
    """Keep it no longer; False when it was not kept. One's own bookmark may go at any level."""
    found = resolve(session, [ref]).get(ref)
    name = found.ref if found else ref
    gone = session.execute(
        delete(Bookmark)
        .where(Bookmark.person_id == person_id, Bookmark.ref_type == name.type, Bookmark.ref_id == name.id)
        .returning(Bookmark.id)
    )
    return gone.first() is not None


def kept(session: Session, person_id: int | None, refs: Sequence[ObjectRef]) -> set[ObjectRef]:
    """Which of these the person keeps, in one query."""
    if person_id is None or not refs:
        return set()
    rows = session.execute(
        select(Bookmark.ref_type, Bookmark.ref_id).where(
            Bookmark.person_id == person_id,
            tuple_(Bookmark.ref_type, Bookmark.ref_id).in_([(r.type, r.id) for r in refs]),
        )
    )
    return {ObjectRef(ref_type, ref_id) for ref_type, ref_id in rows}


def mine(session: Session, person_id: int, *, before: int | None = None) -> tuple[list[Kept], int | None]:
    """One page of what the person keeps, newest first, and the cursor of the next one (None on the last)."""
    query = select(Bookmark).where(Bookmark.person_id == person_id).order_by(Bookmark.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Bookmark.id < before)
    rows = list(session.scalars(query))
    shown = rows[:PAGE]
    infos = seen(session, person_id, [ObjectRef(row.ref_type, row.ref_id) for row in shown])
    entries = [Kept(row, infos.get(ObjectRef(row.ref_type, row.ref_id))) for row in shown]
    return entries, shown[-1].id if len(rows) > PAGE else None


def _known(session: Session, ref: ObjectRef) -> ContentInfo:
    info = resolve(session, [ref]).get(ref)
    if info is None:
        raise NotFound(_("There is nothing here to keep."))
    return info
