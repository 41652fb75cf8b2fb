"""Comments as objects of the core: reacted to, found, moderated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import richtext
from rse_core.api import ContentInfo, ObjectRef, SearchDocument
from rse_core.api import resolve as resolve_refs
from rse_core.objects import SHOWN

from . import access
from .models import Comment

#: What a state is to the rest of the site: one that was refused is its author's, one taken down the moderators' too.
STATES = {"refused": "draft", "hidden": "pending"}


def _load(session: Session, ids: Sequence[str]) -> list[Comment]:
    numbers = [int(ident) for ident in ids if ident.isdecimal() and len(ident) < 19]
    return list(session.scalars(select(Comment).where(Comment.id.in_(numbers)))) if numbers else []


def resolve(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Comments by id, with the sections and the space of what they stand on; two queries whatever their number."""
    rows = _load(session, ids)
    places = resolve_refs(session, list({access.ref_of(row) for row in rows}))
    found = {}
    for row in rows:
        place = places.get(access.ref_of(row))
        if place is None:
            continue
        state = STATES.get(row.state, row.state) if row.state != "published" or place.state == "published" else place.state
        found[str(row.id)] = ContentInfo(
            ref=access.own_ref(row.id),
            title=richtext.plain(row.body) if row.state != "deleted" else "",
            url=f"{place.url}#rse-comment-{row.id}",
            audience_id=place.audience_id,
            sections=place.sections,
            space_id=place.space_id,
            author_id=row.author_id,
            state=state,
            created_at=row.created_at,
            parent=place.ref,
        )
    return found


def ids(session: Session, after: str | None, limit: int) -> Sequence[str]:
    """Every comment's id, by keyset."""
    rows = select(Comment.id).where(Comment.id > int(after or 0)).order_by(Comment.id).limit(limit)
    return [str(number) for number in session.scalars(rows)]


def below(session: Session, ref: ObjectRef, after: str | None, limit: int) -> Sequence[str]:
    """Ids of the comments of one object, by keyset."""
    rows = (
        select(Comment.id)
        .where(Comment.ref_type == ref.type, Comment.ref_id == ref.id, Comment.id > int(after or 0))
        .order_by(Comment.id)
        .limit(limit)
    )
    return [str(number) for number in session.scalars(rows)]


def documents(session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
    """Published comments only: what waits, was refused or deleted is not to be found."""
    rows = _load(session, [ref.id for ref in refs if ref.type == access.TYPE])
    places = resolve_refs(session, list({access.ref_of(row) for row in rows}))
    for row in rows:
        place = places.get(access.ref_of(row))
        if row.state == "published" and place is not None and place.audience_id is not None and place.state in SHOWN:
            yield SearchDocument(
                access.own_ref(row.id), place.title, richtext.plain(row.body, 10_000), place.audience_id, row.author_id,
                row.created_at, place.space_id, kind="comment", parent=place.ref,
            )  # fmt: skip
