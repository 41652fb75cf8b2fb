"""What a person reads: the feed, and the page of a space, by keyset, in a fixed number of queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import files, mentions, preferences, richtext
from rse_core.api import Activity, BadInput, ContentInfo, ObjectRef, Text, core_of, option, resolve, translator
from rse_core.models.organisation import Entity, Space
from rse_core.people import PersonCard, names

from . import access, announcements, objects, places, texts, topics, walking
from .models import Entry, Post
from .walking import Place, Wanted

_ = translator(__file__, "rse_feed").gettext

SORT = "feed.sort"
PAGE = 20
#: What "new posts" counts up to.
NEW_MOST = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is shown. ``html`` is safe, and empty for what is not a post; ``verb`` says what happened to that."""

    entry_id: int
    ref: ObjectRef
    at: dt.datetime
    title: str
    url: str
    actor: PersonCard | None
    entity: str
    space: tuple[str, str] | None
    verb: Text = ""
    html: str = ""
    post_id: int | None = None
    version: int = 0
    state: str = "published"
    link: Mapping[str, str] | None = None
    edited_at: dt.datetime | None = None
    announcement: bool = False
    must_read: bool = False
    confirmed: dt.datetime | None = None
    topics: Sequence[topics.Shown] = ()
    files: Sequence[files.FileInfo] = ()
    rights: access.Rights = field(default_factory=access.Rights)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, and where the list goes on (None: nowhere)."""

    lines: tuple[Line, ...]
    next: Place | None


def sort_of(session: Session, person_id: int, asked: str = "") -> str:
    """The order that is asked for, else the person's own, else the newest first."""
    kept = asked or preferences.get(session, person_id, SORT, "new")
    return kept if kept in walking.SORTS else "new"


def remember_sort(session: Session, person_id: int, sort: str) -> None:
    """:raises BadInput: for an order that there is not."""
    if sort not in walking.SORTS:
        raise BadInput(_("Use one of: %(choices)s.", choices=", ".join(walking.SORTS)))
    preferences.put(session, person_id, SORT, sort)


def wanted_of(session: Session, person_id: int, *, sort: str, space_id: int | None = None, kind: str = "all") -> Wanted:
    """What this person's list holds: also what matters little, when they or else the site want everything."""
    everything = preferences.get(session, person_id, texts.EVERYTHING)
    if everything is None:
        everything = option(session, texts.EVERYTHING)
    return Wanted(
        sort, space_id=space_id, kind=kind if kind in walking.KINDS else "all", everything=bool(everything)
    )  # fmt: skip


def page(session: Session, person_id: int | None, wanted: Wanted, *, before: Place | None = None, most: int = PAGE) -> Page:
    """The next entries that this person may read.

    :param before: the key of the last one of the page before. What moves up while one pages is not shown twice: it is newer
        than the key.
    """
    sight = places.of(session, person_id)
    if person_id is None or not (sight.audiences or sight.opened):
        return Page((), None)
    clause, values = walking.ids(session, sight, wanted, before=before, most=most + 1)
    rows = session.execute(clause, values).all()
    keys = [(row.at, row.id) for row in rows]
    shown = _lines(session, person_id, [ident for _at, ident in keys[:most]], {ident: at for at, ident in keys})
    return Page(shown, keys[most - 1] if len(keys) > most else None)


def news(session: Session, person_id: int, since: dt.datetime, *, space_id: int | None = None) -> int:
    """How many entries of others came since, at most :data:`NEW_MOST`; one query."""
    sight = places.of(session, person_id)
    if not (sight.audiences or sight.opened):
        return 0
    wanted = Wanted("new", space_id=space_id)
    return walking.count_since(session, sight, wanted, since, person_id, most=NEW_MOST)


def one(session: Session, person_id: int, post: Post) -> Line:
    """One post, as its own page shows it; the caller has made sure that the person may read it."""
    (line,) = _posts(session, person_id, {post.id: post.published_at or post.created_at}).values()
    return line


def mine(session: Session, person_id: int, *, after: int | None = None, most: int = PAGE) -> list[Post]:
    """A person's posts that are not there for others: drafts, planned, waiting, refused, hidden; the newest first."""
    query = select(Post).where(
        Post.author_id == person_id, Post.state.in_(("draft", "scheduled", "pending", "refused", "hidden"))
    )
    if after is not None:
        query = query.where(Post.id < after)
    return list(session.scalars(query.order_by(Post.id.desc()).limit(most)))


# -- filling in ----------------------------------------------------------------------------------------------------------


def _lines(
    session: Session, person_id: int, ids: Sequence[int], at: Mapping[int, dt.datetime]
) -> tuple[Line, ...]:
    columns = (Entry.id, Entry.ref_type, Entry.ref_id, Entry.event, Entry.actor_id, Entry.entity_id, Entry.space_id)
    found = {row.id: row for row in session.execute(select(*columns).where(Entry.id.in_(ids)))} if ids else {}
    posts = {int(row.ref_id): at[row.id] for row in found.values() if row.ref_type == access.TYPE}
    entry_of = {int(row.ref_id): row.id for row in found.values() if row.ref_type == access.TYPE}
    lines = {entry_of[post]: line for post, line in _posts(session, person_id, posts, entry_of).items()}
    others = [row for row in found.values() if row.ref_type != access.TYPE]
    if others:
        lines |= _others(session, others, at)
    return tuple(lines[ident] for ident in ids if ident in lines)


def _posts(
    session: Session, person_id: int, at: Mapping[int, dt.datetime], entry_of: Mapping[int, int] | None = None
) -> dict[int, Line]:
    if not at:
        return {}
    columns = (
        Post.id, Post.author_id, Post.entity_id, Post.audience_id, Post.space_id, Post.title, Post.body, Post.state,
        Post.version, Post.link, Post.announcement, Post.must_read, Post.edited_at, Post.published_at, Post.created_at,
        Post.locked_at,
    )  # fmt: skip
    rows = session.execute(select(*columns).where(Post.id.in_(list(at)))).all()
    refs = {row.id: access.ref_of(row.id) for row in rows}
    prefix = core_of(session).settings.url_prefix
    infos = {
        row.id: objects.info_of(
            row.id, texts.heading(row.title, row.body), row.state, row.audience_id, row.space_id, row.author_id,
            row.locked_at is not None, row.published_at or row.created_at, prefix,
        )
        for row in rows
    }  # fmt: skip
    objects.remember(session, infos.values())
    people = names(session, [row.author_id for row in rows])
    entities = _entities(session, {row.entity_id for row in rows if row.entity_id})
    spaces = _spaces(session, {row.space_id for row in rows if row.space_id})
    about = topics.of(session, list(refs))
    kept = files.of(session, list(refs.values()))
    named = mentions.named_in(session, list(refs.values()))
    confirmed = announcements.states(session, person_id, [row.id for row in rows if row.must_read])
    lines = {}
    for row in rows:
        ref, author = refs[row.id], people.get(row.author_id or 0)
        lines[row.id] = Line(
            (entry_of or {}).get(row.id, 0), ref, at[row.id], row.title, infos[row.id].url, author,
            entities.get(row.entity_id or 0, ""), spaces.get(row.space_id or 0),
            html=richtext.render(row.body, named.get(ref, {}), rich=True), post_id=row.id, version=row.version,
            state=row.state, link=row.link, edited_at=row.edited_at, announcement=row.announcement,
            must_read=row.must_read, confirmed=confirmed.get(row.id), topics=about.get(row.id, ()),
            files=kept.get(ref, ()),
            rights=access.rights(
                session, person_id, author_id=row.author_id, audience_id=row.audience_id, space_id=row.space_id,
                state=row.state, author_entity=author.entity_id if author else None,
            ),
        )  # fmt: skip
    return lines


def _others(session: Session, rows: Sequence[Any], at: Mapping[int, dt.datetime]) -> dict[int, Line]:
    refs = {row.id: ObjectRef(row.ref_type, row.ref_id) for row in rows}
    infos = resolve(session, list(refs.values()))
    verbs = {activity.event: activity.verb for _plugin, activity in core_of(session).plugins.contributions(Activity)}
    people = names(session, [row.actor_id for row in rows])
    entities = _entities(session, {row.entity_id for row in rows if row.entity_id})
    spaces = _spaces(session, {row.space_id for row in rows if row.space_id})
    lines = {}
    for row in rows:
        info: ContentInfo | None = infos.get(refs[row.id])
        # Gone since the entry was written: the consumer that follows events takes the entry away in a moment.
        if info is not None:
            lines[row.id] = Line(
                row.id, info.ref, at[row.id], info.title, info.url, people.get(row.actor_id or 0),
                entities.get(row.entity_id or 0, "") or info.extra.get("entity", ""),
                spaces.get(row.space_id or 0), verb=verbs.get(row.event, ""),
                html=richtext.render(info.extra.get("summary", ""), {}),
            )  # fmt: skip
    return lines


def _entities(session: Session, ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return dict(session.execute(select(Entity.id, Entity.name).where(Entity.id.in_(ids))).tuples().all())


def _spaces(session: Session, ids: set[int]) -> dict[int, tuple[str, str]]:
    if not ids:
        return {}
    rows = session.execute(select(Space.id, Space.key, Space.name).where(Space.id.in_(ids)))
    return {ident: (key, name) for ident, key, name in rows}

