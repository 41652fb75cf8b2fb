"""Posts as objects of the core: reacted to, commented on, found, moderated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import files, richtext
from rse_core.api import ContentInfo, ObjectRef, SearchDocument, core_of

from . import access, topics
from .models import Post
from .texts import heading

_KNOWN = "rse_feed_known"
#: What each state of a post is to the rest of the site. Hidden, refused and planned ones are their author's, and wait.
STATES = {
    "draft": "draft", "scheduled": "scheduled", "pending": "pending", "published": "published", "refused": "draft",
    "hidden": "pending", "archived": "archived", "deleted": "deleted",
}  # fmt: skip
_COLUMNS = (
    Post.id, Post.title, Post.body, Post.state, Post.audience_id, Post.space_id, Post.author_id, Post.locked_at,
    Post.published_at, Post.created_at, Post.owner_id,
)  # fmt: skip


def resolve(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Posts by id, in one query; none for those that this session's page has just read."""
    known: dict[str, ContentInfo] = session.info.get(_KNOWN, {}) if session.info.get("rse_reading") else {}
    found = {ident: known[ident] for ident in ids if ident in known}
    numbers = [int(ident) for ident in ids if ident not in found and ident.isdecimal() and len(ident) < 19]
    if numbers:
        prefix = core_of(session).settings.url_prefix
        for row in session.execute(select(*_COLUMNS).where(Post.id.in_(numbers))):
            found[str(row.id)] = _info(row, prefix)
    return found


def remember(session: Session, infos: Iterable[ContentInfo]) -> None:
    """What a page has read need not be read again for each slot of it."""
    session.info.setdefault(_KNOWN, {}).update({info.ref.id: info for info in infos})


def _info(row: Any, prefix: str) -> ContentInfo:
    return info_of(
        row.id, heading(row.title, row.body) if row.state != "deleted" else "", row.state, row.audience_id, row.space_id,
        row.author_id, row.locked_at is not None, row.published_at or row.created_at, prefix,
        row.owner_id,
    )  # fmt: skip


def info_of(
    post_id: int, title: str, state: str, audience_id: int, space_id: int | None, author_id: int | None, locked: bool,
    at: dt.datetime, prefix: str, owner_id: int | None = None,
) -> ContentInfo:  # fmt: skip
    """A post as the rest of the site knows it."""
    shown = "locked" if locked and state == "published" else STATES[state]
    return ContentInfo(
        access.ref_of(post_id), title, f"{prefix}/feed/posts/{post_id}", audience_id, space_id=space_id, author_id=author_id,
        state=shown, created_at=at, keeper_id=owner_id,
    )  # fmt: skip


def documents(session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
    """Published posts only, archived ones too: what waits, is planned or was taken down is not to be found."""
    numbers = [int(ref.id) for ref in refs if ref.type == access.TYPE and ref.id.isdecimal() and len(ref.id) < 19]
    if not numbers:
        return
    rows = session.execute(select(*_COLUMNS, Post.entity_id).where(Post.id.in_(numbers), Post.state.in_(access.OPEN))).all()
    ids = [row.id for row in rows]
    about = topics.of(session, ids)
    attached = files.of(session, [access.ref_of(ident) for ident in ids])
    for row in rows:
        ref = access.ref_of(row.id)
        words = [topic.name for topic in about.get(row.id, [])]
        words += [part for info in attached.get(ref, []) for part in (info.name, info.alt) if part]
        yield SearchDocument(
            ref, heading(row.title, row.body), richtext.plain(row.body, 20_000), row.audience_id, row.author_id,
            row.published_at, row.space_id, row.entity_id, kind="post", words=" ".join(words),
        )  # fmt: skip


def ids(session: Session, after: str | None, limit: int) -> Sequence[str]:
    """Ids of posts that may be found, by keyset, for rebuilding an index."""
    last = int(after) if after and after.isdecimal() else 0
    query = select(Post.id).where(Post.id > last, Post.state.in_(access.OPEN)).order_by(Post.id).limit(limit)
    return [str(ident) for ident in session.scalars(query)]
