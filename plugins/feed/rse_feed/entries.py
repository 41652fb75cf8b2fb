"""Entries: the lines of the feed. Each points at an object, a post of ours, a page or any plugin's, and follows it.

A post's entry changes in the transaction that changes the post. Other plugins' objects are followed by their events, those
that they declare as :class:`~rse_core.api.Activity`: what an entry shows of them (audience, space, title) is asked of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import String, and_, case, cast, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from rse_core.api import Activity, ContentInfo, Event, ObjectRef, core_of, dialect_insert, resolve
from rse_core.models.content import Page
from rse_core.objects import SHOWN

from . import counting, news
from .access import TYPE, ref_of
from .models import Entry, Post
from .texts import heading

PUBLISHED = "feed.published"
PAGE_EVENT = "page.published"
TITLE_MOST = 300


# -- posts ---------------------------------------------------------------------------------------------------------------


def keep(session: Session, post: Post) -> None:
    """The entry of a post, and the counter of its space, as the post is now. Call it whenever its state, audience, space or
    title changed; it may be called twice.
    """
    session.flush()
    shown = post.state == "published"
    entry = session.scalar(
        select(Entry).where(Entry.ref_type == TYPE, Entry.ref_id == str(post.id), Entry.event == PUBLISHED).with_for_update()
    )
    counted = entry.space_id if entry is not None and entry.audience_id is not None else None
    before = None if entry is None else (entry.audience_id, entry.space_id)
    if entry is None:
        if not shown:
            return
        at = post.published_at or post.created_at
        entry = Entry(ref_type=TYPE, ref_id=str(post.id), event=PUBLISHED, created_at=at, last_activity=at)
        session.add(entry)
    entry.actor_id, entry.entity_id, entry.space_id = post.author_id, post.entity_id, post.space_id
    entry.audience_id = post.audience_id if shown else None
    entry.title = heading(post.title, post.body)[:TITLE_MOST]
    session.flush()
    if before != (entry.audience_id, entry.space_id):
        news.say(session, before, (entry.audience_id, entry.space_id))
    wanted = post.space_id if shown else None
    if counted != wanted:
        counting.less(session, counted)
        counting.more(session, wanted, post.published_at)


def forget(session: Session, ref: ObjectRef) -> None:
    """The object is gone: so are its entries."""
    session.execute(
        delete(Entry).where(Entry.ref_type == ref.type, Entry.ref_id == ref.id).execution_options(synchronize_session=False)
    )


def _disagree():  # type: ignore[no-untyped-def]
    ours = and_(Entry.ref_type == TYPE, Entry.ref_id == cast(Post.id, String), Entry.event == PUBLISHED)
    shown = Post.state == "published"
    same = and_(
        Entry.audience_id.is_not_distinct_from(case((shown, Post.audience_id), else_=None)),
        Entry.space_id.is_not_distinct_from(Post.space_id),
    )
    return ours, or_(and_(shown, Entry.id.is_(None)), and_(Entry.id.is_not(None), ~same))


def astray(session: Session) -> int:
    """Posts whose entry is missing, or says another audience or space; one statement."""
    ours, differ = _disagree()
    return session.scalar(select(func.count()).select_from(Post).outerjoin(Entry, ours).where(differ)) or 0


def mend(session: Session) -> None:
    """Make the missing entries of posts and correct the others, set by set."""
    ours, differ = _disagree()
    wrong = select(Entry.id).join(Post, ours).where(differ)
    session.execute(delete(Entry).where(Entry.id.in_(wrong)).execution_options(synchronize_session=False))
    at = func.coalesce(Post.published_at, Post.created_at)
    columns = [
        "ref_type", "ref_id", "event", "actor_id", "entity_id", "audience_id", "space_id", "title", "low", "created_at",
        "last_activity",
    ]  # fmt: skip
    missing = (
        select(
            literal(TYPE), cast(Post.id, String), literal(PUBLISHED), Post.author_id, Post.entity_id, Post.audience_id,
            Post.space_id, case((Post.title != "", Post.title), else_=func.substr(Post.body, 1, 90)), literal(False), at, at,
        )
        .outerjoin(Entry, ours)
        .where(Post.state == "published", Entry.id.is_(None))
    )  # fmt: skip
    session.execute(insert(Entry).from_select(columns, missing))


# -- what other plugins, and the intranet itself, tell -------------------------------------------------------------------


def follow(session: Session, event: Event) -> None:
    """A consumer of every event: makes the entry of what a feed may tell of, lets one become active again, and lets entries
    follow objects whose state, audience or space changed."""
    if event.ref is None or event.name.startswith(("feed.", "moderation.held")):
        return
    activity = _activities(session).get(event.name)
    if activity is not None and activity.bump:
        _bump(session, event)
        return
    if activity is not None:
        _make(session, event, activity)
    elif event.name == PAGE_EVENT:
        _page(session, event)
    _refresh(session, event.ref)


def _activities(session: Session) -> dict[str, Activity]:
    found = core_of(session).plugins.contributions(Activity)
    return {activity.event: activity for plugin, activity in found if plugin != "feed"}


def _make(session: Session, event: Event, activity: Activity) -> None:
    assert event.ref is not None  # noqa: S101  follow() has looked
    info = resolve(session, [event.ref]).get(event.ref)
    if info is None or info.state == "deleted":
        return
    _upsert(
        session, event.ref, event.name, actor_id=event.actor_id, entity_id=None, audience_id=_listed(info),
        space_id=info.space_id, title=info.title, low=activity.low, at=event.at,
    )  # fmt: skip


def _page(session: Session, event: Event) -> None:
    """A page that the intranet published: an entry when its source said for whom; else nothing but the page itself."""
    assert event.ref is not None  # noqa: S101  follow() has looked
    page = session.scalar(select(Page).where(Page.key == event.ref.id))
    if page is None or page.gone_at is not None or page.audience_id is None:
        return
    _upsert(
        session, event.ref, PAGE_EVENT, actor_id=None, entity_id=page.entity_id, audience_id=page.audience_id, space_id=None,
        title=page.title or page.address, low=False, at=page.published_at or event.at,
    )  # fmt: skip


def _upsert(
    session: Session, ref: ObjectRef, event: str, *, actor_id: int | None, entity_id: int | None, audience_id: int | None,
    space_id: int | None, title: str, low: bool, at: dt.datetime,
) -> None:  # fmt: skip
    values = {
        "actor_id": actor_id, "entity_id": entity_id, "audience_id": audience_id, "space_id": space_id,
        "title": title[:TITLE_MOST], "low": low,
    }  # fmt: skip
    statement = dialect_insert(session, Entry).values(
        ref_type=ref.type, ref_id=ref.id, event=event, created_at=at, last_activity=at, **values
    )
    # Told again: the line is corrected, and keeps its place.
    session.execute(
        statement.on_conflict_do_update(index_elements=["ref_type", "ref_id", "event"], set_=values)
    )  # fmt: skip
    news.say(session, (audience_id, space_id))


def _bump(session: Session, event: Event) -> None:
    assert event.ref is not None  # noqa: S101  follow() has looked
    refs = {event.ref}
    if isinstance(event.data.get("object"), str):
        refs.add(ObjectRef.parse(event.data["object"]))
    else:
        info = resolve(session, [event.ref]).get(event.ref)
        if info is not None and info.parent is not None:
            refs.add(info.parent)
    session.execute(
        update(Entry).where(_of(refs), Entry.last_activity < event.at).values(last_activity=event.at)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


def _refresh(session: Session, ref: ObjectRef) -> None:
    """The entries of one object as the object is now."""
    if ref.type == TYPE:
        return
    rows = session.execute(select(Entry.id, Entry.audience_id, Entry.space_id, Entry.title).where(_of([ref]))).all()
    if not rows:
        return
    info = resolve(session, [ref]).get(ref)
    gone = info is None or info.state == "deleted"
    audience = None if info is None else _listed(info)
    if ref.type == "page":
        page = session.execute(select(Page.audience_id, Page.gone_at).where(Page.key == ref.id)).first()
        gone, audience = page is None or page.gone_at is not None, page.audience_id if page else None
    if gone or info is None:
        forget(session, ref)
        return
    title = info.title[:TITLE_MOST]
    if any((row.audience_id, row.space_id, row.title) != (audience, info.space_id, title) for row in rows):
        session.execute(
            update(Entry).where(_of([ref])).values(audience_id=audience, space_id=info.space_id, title=title)
            .execution_options(synchronize_session=False)
        )  # fmt: skip


def _listed(info: ContentInfo) -> int | None:
    """The audience that finds it in its feed; None while nobody does."""
    return info.audience_id if info.state in SHOWN and info.state != "archived" else None


def _of(refs: Iterable[ObjectRef]):  # type: ignore[no-untyped-def]
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.type, []).append(ref.id)
    return or_(*(and_(Entry.ref_type == kind, Entry.ref_id.in_(ids)) for kind, ids in by_type.items()))


def entry_of(session: Session, post_id: int) -> Entry | None:
    """The entry of a post; None while it never was published."""
    return session.scalar(
        select(Entry).where(Entry.ref_type == TYPE, Entry.ref_id == str(post_id), Entry.event == PUBLISHED)
    )


__all__ = ["PUBLISHED", "astray", "entry_of", "follow", "forget", "keep", "mend", "ref_of"]
