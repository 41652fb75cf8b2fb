"""The entries of a page, filled in: one statement for all that hangs on the entry itself, and one for each kind of
thing that a post may have. Columns, no entities; nothing is asked for that no line of the page can have.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, TextualSelect, and_, case, cast, or_, select
from sqlalchemy.orm import Session

from rse_core import files, mentions, richtext
from rse_core.api import Activity, ContentInfo, ObjectRef, Text, core_of, resolve, utcnow
from rse_core.models.content import Page as IntranetPage
from rse_core.models.organisation import Audience, Entity, Group, Person, Space
from rse_core.people import PersonCard

from . import access, announcements, objects, texts, topics
from .models import Entry, Pin, Post

#: A longer text is shown by its beginning in a list.
WHOLE = 1_600
BEGINNING = 700


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is shown. ``html`` is safe; ``verb`` says what happened to an object of another plugin.

    ``whole`` is False where a list shows the beginning of a long text. ``audience``: for whom, in words, outside spaces.
    """

    entry_id: int
    ref: ObjectRef
    at: dt.datetime
    title: str
    url: str
    actor: PersonCard | None
    entity: str
    space: tuple[str, str] | None
    space_url: str = ""
    event: str = ""
    verb: Text = ""
    html: str = ""
    whole: bool = True
    summary: str = ""
    audience: str = ""
    post_id: int | None = None
    space_id: int | None = None
    version: int = 0
    state: str = "published"
    link: Mapping[str, str] | None = None
    edited_at: dt.datetime | None = None
    announcement: bool = False
    must_read: bool = False
    firm: bool = False
    acknowledge_by: dt.datetime | None = None
    confirmed: dt.datetime | None = None
    locked: bool = False
    pinned: bool = False
    topics: Sequence[topics.Shown] = ()
    files: Sequence[files.FileInfo] = ()
    rights: access.Rights = field(default_factory=access.Rights)

    @property
    def id(self) -> int | None:
        """The post's number; None for what is no post."""
        return self.post_id

    @property
    def who(self) -> str:
        """Whose it is, in words: the entity's or the person's name; "" for a former account."""
        return self.entity or (self.actor.display_name if self.actor else "")


# -- statements ----------------------------------------------------------------------------------------------------------

_entry, _post, _person = Entry.__table__.c, Post.__table__.c, Person.__table__.c
_post_table, _entry_table, _person_table = Post.__table__, Entry.__table__, Person.__table__
_home = Entity.__table__.alias("home")
_named = Entity.__table__.alias("named")
_for_entity = Entity.__table__.alias("for_entity")
_for_group = Group.__table__.alias("for_group")
_space, _audience = Space.__table__, Audience.__table__

_COLUMNS = (
    _post.id.label("post_id"), _post.title, _post.body, _post.state, _post.version, _post.link, _post.announcement,
    _post.must_read, _post.firm, _post.acknowledge_by, _post.published_at, _post.created_at, _post.edited_at,
    _post.locked_at, _post.author_id, _post.owner_id, _post.audience_id.label("post_audience"),
    _person.id.label("person_id"), _person.username, _person.display_name, _person.entity_id.label("home_id"),
    _person.job_title, _person.status, _person.external, _home.c.name.label("home"), _named.c.name.label("named"),
    _space.c.key.label("space_key"), _space.c.name.label("space_name"), _audience.c.kind,
    _for_entity.c.name.label("for_entity"), _for_group.c.name.label("for_group"),
)  # fmt: skip
_ENTRY = (
    _entry.id.label("entry_id"), _entry.ref_type, _entry.ref_id, _entry.event, _entry.title.label("entry_title"),
    _entry.created_at.label("entered_at"), _entry.space_id,
)  # fmt: skip


def _joined(found: Any, actor: ColumnElement[Any], entity: Any, space: Any, audience: Any) -> Any:
    """The people and places around an entry or a post."""
    return (
        found.outerjoin(_person_table, _person.id == actor)
        .outerjoin(_home, _home.c.id == _person.entity_id)
        .outerjoin(_named, _named.c.id == entity)
        .outerjoin(_space, _space.c.id == space)
        .outerjoin(_audience, _audience.c.id == audience)
        .outerjoin(_for_entity, and_(_audience.c.kind == "entity", _for_entity.c.id == _audience.c.target_id))
        .outerjoin(_for_group, and_(_audience.c.kind == "group", _for_group.c.id == _audience.c.target_id))
    )


def _post_of_entry() -> ColumnElement[bool]:
    ours = case((_entry.ref_type == access.TYPE, cast(_entry.ref_id, BigInteger)), else_=None)
    return _post.id == ours


@lru_cache(maxsize=512)
def walked(walk: TextualSelect) -> Select[Any]:
    """The entries that a walk gives, in its order, with all that hangs on them."""
    found = walk.subquery("walk")
    joined = found.join(_entry_table, _entry.id == found.c.id).outerjoin(_post_table, _post_of_entry())
    joined = _joined(joined, _entry.actor_id, _entry.entity_id, _entry.space_id, _entry.audience_id)
    return select(*_ENTRY, found.c.at, *_COLUMNS).select_from(joined).order_by(found.c.at.desc(), found.c.id.desc())


def pinned(space_id: int, sight: ColumnElement[bool]) -> Select[Any]:
    """The entries at the head of a space's page."""
    pins = Pin.__table__
    joined = pins.join(_entry_table, _entry.id == pins.c.entry_id).outerjoin(_post_table, _post_of_entry())
    joined = _joined(joined, _entry.actor_id, _entry.entity_id, _entry.space_id, _entry.audience_id)
    return (
        select(*_ENTRY, _entry.created_at.label("at"), *_COLUMNS)
        .select_from(joined)
        .where(pins.c.space_id == space_id, or_(pins.c.until.is_(None), pins.c.until > utcnow()), sight)
        .order_by(pins.c.pinned_at.desc())
    )


_OF_POST = _joined(
    _post_table.outerjoin(
        _entry_table, and_(_entry.ref_type == access.TYPE, _entry.ref_id == cast(_post.id, _entry.ref_id.type))
    ),
    _post.author_id, _post.entity_id, _post.space_id, _post.audience_id,
)  # fmt: skip


def of_posts(ids: Sequence[int]) -> Select[Any]:
    """These posts, whatever their state."""
    columns = [*_ENTRY[:-1], _post.space_id, *_COLUMNS]
    return select(*columns).select_from(_OF_POST).where(_post.id.in_(ids)).order_by(_post.id.desc())


# -- filling in ----------------------------------------------------------------------------------------------------------


def fill(session: Session, person_id: int, rows: Sequence[Any], *, short: bool = True) -> tuple[Line, ...]:
    """The lines of these rows, in their order. What is gone since its entry was written is left out.

    :param short: long texts by their beginning.
    """
    posts = [row for row in rows if row.post_id is not None]
    others = [row for row in rows if row.post_id is None]
    made = {id(row): line for row, line in _posts(session, person_id, posts, short)}
    made |= {id(row): line for row, line in _others(session, others)}
    return tuple(made[id(row)] for row in rows if id(row) in made)


def _posts(session: Session, person_id: int, rows: Sequence[Any], short: bool) -> Iterable[tuple[Any, Line]]:
    if not rows:
        return
    prefix = core_of(session).settings.url_prefix
    infos = {
        row.post_id: objects.info_of(
            row.post_id, texts.heading(row.title, row.body), row.state, row.post_audience, row.space_id, row.author_id,
            row.locked_at is not None, row.published_at or row.created_at, prefix, row.owner_id,
        )
        for row in rows
    }  # fmt: skip
    objects.remember(session, infos.values())
    refs = [info.ref for info in infos.values()]
    kept = files.of(session, refs)
    about = topics.of(session, list(infos))
    calling = [infos[row.post_id].ref for row in rows if "@" in row.body]
    named = mentions.named_in(session, calling) if calling else {}
    asking = [row.post_id for row in rows if row.must_read]
    confirmed = announcements.states(session, person_id, asking) if asking else {}
    for row in rows:
        info = infos[row.post_id]
        whole = not short or len(row.body) <= WHOLE
        html = richtext.render(row.body, named.get(info.ref, {}), rich=True) if whole else ""
        yield row, Line(
            row.entry_id or 0, info.ref, row.published_at or row.created_at, row.title, info.url, _card(row),
            row.named or "",
            (row.space_key, row.space_name) if row.space_key else None, _space_url(session, row), row.event or "",
            html=html, whole=whole, summary="" if whole else richtext.plain(row.body, BEGINNING), audience=_for(row),
            post_id=row.post_id,
            space_id=row.space_id, version=row.version, state=row.state, link=row.link, edited_at=row.edited_at,
            announcement=bool(row.announcement), must_read=bool(row.must_read), firm=bool(row.firm),
            acknowledge_by=row.acknowledge_by, confirmed=confirmed.get(row.post_id), locked=row.locked_at is not None,
            topics=about.get(row.post_id, ()), files=kept.get(info.ref, ()),
            rights=access.rights(
                session, person_id, author_id=row.author_id, audience_id=row.post_audience, space_id=row.space_id,
                state=row.state, author_entity=row.home_id, owner_id=row.owner_id,
            ),
        )  # fmt: skip


def _others(session: Session, rows: Sequence[Any]) -> Iterable[tuple[Any, Line]]:
    """Objects of other plugins, asked of them, one query for each type; pages of the intranet by their own."""
    if not rows:
        return
    refs = {id(row): ObjectRef(row.ref_type, row.ref_id) for row in rows}
    infos: Mapping[ObjectRef, ContentInfo] = resolve(session, list(refs.values()))
    keys = [row.ref_id for row in rows if row.ref_type == "page"]
    said: dict[str, Any] = {}
    if keys:
        columns = (IntranetPage.key, IntranetPage.summary, IntranetPage.byline)
        said = {page.key: page for page in session.execute(select(*columns).where(IntranetPage.key.in_(keys)))}
    verbs = {activity.event: activity.verb for _plugin, activity in core_of(session).plugins.contributions(Activity)}
    for row in rows:
        info = infos.get(refs[id(row)])
        if info is None:
            # The consumer that follows events takes the entry away in a moment.
            continue
        page = said.get(row.ref_id) if row.ref_type == "page" else None
        yield row, Line(
            row.entry_id, info.ref, row.entered_at, info.title, info.url, _card(row),
            row.named or (page.byline if page else ""), (row.space_key, row.space_name) if row.space_key else None,
            _space_url(session, row), row.event,
            verbs.get(row.event, ""), audience=_for(row), space_id=row.space_id, state=info.state,
            summary=page.summary if page else "",
        )  # fmt: skip


def _card(row: Any) -> PersonCard | None:
    if row.person_id is None:
        return None
    return PersonCard(
        row.person_id, row.username, row.display_name, row.home_id, row.home or "", row.job_title, row.status == "active",
        external=bool(row.external),
    )  # fmt: skip


def _space_url(session: Session, row: Any) -> str:
    core = core_of(session)
    known = row.space_key and "communities.space" in core.plugins.content_types
    return f"{core.settings.url_prefix}/communities/{row.space_key}/" if known else ""


def _for(row: Any) -> str:
    """For whom it is, outside spaces: the name of an entity or a group; "" for everyone."""
    return "" if row.space_key else row.for_entity or row.for_group or ""
