"""Topics: the subjects that posts carry, from ``#words`` in the text and from those chosen beside it.

A topic belongs to the whole site or to one space. What may be known of it is decided by its posts: one that is used only
where a person does not read is not there for them, neither in lists nor in suggestions nor by its address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, literal, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    dialect_insert,
    option,
    record,
    translator,
)
from rse_core.audiences import visible
from rse_core.models.organisation import Audience, Membership, Space
from rse_core.people import folded
from rse_core.roles import is_site_admin, manages_space
from rse_core.statements import Statement

from . import sight
from .models import Post, PostRevision, PostTopic, Topic, TopicFollow

_ = translator(__file__, "rse_feed").gettext

#: ``#word`` where a word could begin; never a number alone, the end of an address or an HTML entity.
WORD = re.compile(r"(?<![\w#&/@.=?%:-])(?<!\]\()#(?=[\w-]*[^\W\d_])(\w[\w-]{0,59})(?![\w-])")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_NAME = re.compile(r"\w[\w -]{0,59}\Z")
MOST_NAME = 60
SUGGESTIONS = 8
PAGE = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A topic as it is shown. ``space_id`` 0: of the whole site. ``posts``: those that the person may see, where counted."""

    id: int
    key: str
    name: str
    space_id: int
    space_key: str = ""
    space_name: str = ""
    posts: int = 0
    followed: bool = False


def key_of(name: str) -> str:
    """What a topic is known by: lower case, no accents, hyphens for spaces.

    >>> key_of("Départ à la Retraite")
    'depart-a-la-retraite'
    """
    return folded(name).replace(" ", "-")[:MOST_NAME].strip("-")


def words(body: str) -> list[str]:
    """The ``#words`` of a text, outside code, each once, in order."""
    found = {key_of(word): word for word in reversed(WORD.findall(_CODE.sub(" ", body)))}
    return [found[key] for key in reversed(found) if key]


def keep(session: Session, post: Post, chosen: Iterable[str] | None = None) -> list[Topic]:
    """Note what a post is about: the topics chosen in the form, then its ``#words``, as many as the site allows.

    Called whenever the post is kept, draft or not; also after it moved, when topics of the space it left are looked up anew.

    :param chosen: names as typed in the form; None leaves those that were chosen before.
    :raises BadInput: for a name that is none, or more chosen than ``feed.topics_max``.
    """
    most: int = option(session, "feed.topics_max")
    if chosen is None:
        wanted = _kept_names(session, post)
    else:
        wanted = [_checked(name) for name in chosen if name.strip(" #")]
        if len({key_of(name) for name in wanted}) > most:
            message = _("A post has at most %(most)s topics.", most=str(most))
            raise BadInput(message, fields={"topics": message})
    names = {key_of(name): name for name in reversed([*wanted, *words(post.body)])}
    some = [names[key] for key in reversed(names) if key][:most]
    found = [_find_or_make(session, name, post.space_id or 0) for name in some]
    session.execute(delete(PostTopic).where(PostTopic.post_id == post.id))
    for topic in found:
        statement = dialect_insert(session, PostTopic).values(topic_id=topic.id, post_id=post.id)
        session.execute(statement.on_conflict_do_nothing())
    return found


def _kept_names(session: Session, post: Post) -> list[str]:
    """The names of the post's topics but for those that only its former text named."""
    before = session.scalar(
        select(PostRevision.body).where(PostRevision.post_id == post.id).order_by(PostRevision.id.desc()).limit(1)
    )
    gone = {key_of(word) for word in words(before or "")}
    rows = session.scalars(
        select(Topic.name).join(PostTopic, PostTopic.topic_id == Topic.id).where(PostTopic.post_id == post.id)
        .order_by(Topic.id)
    )  # fmt: skip
    return [name for name in rows if key_of(name) not in gone]


def _checked(name: str) -> str:
    name = " ".join(name.strip(" #").split())
    if not _NAME.match(name) or not key_of(name):
        message = _("“%(name)s” cannot be a topic.", name=name[:MOST_NAME])
        remedy = _("Use letters, digits, spaces and hyphens, at most %(most)s.", most=str(MOST_NAME))
        raise BadInput(message, remedy=remedy, fields={"topics": f"{message} {remedy}"})
    return name


def _find_or_make(session: Session, name: str, space_id: int) -> Topic:
    """The space's own topic, else the site's; where there is neither, a new one of the place where it is first used."""
    key = key_of(name)
    scopes = {space_id, 0}
    for _attempt in range(2):
        rows = session.scalars(select(Topic).where(Topic.key == key, Topic.space_id.in_(scopes))).all()
        if rows:
            return max(rows, key=lambda topic: topic.space_id)
        statement = dialect_insert(session, Topic).values(key=key, name=name[:MOST_NAME], space_id=space_id)
        session.execute(statement.on_conflict_do_nothing(index_elements=["space_id", "key"]))
    raise Conflict(_("The topic could not be kept."), remedy=_("Send it again."))


def of(session: Session, post_ids: Sequence[int]) -> Mapping[int, list[Shown]]:
    """The topics of these posts, in one query. Whoever may see a post may see what it is about."""
    found: dict[int, list[Shown]] = {}
    if not post_ids:
        return found
    for post_id, *topic in _OF(session, posts=list(post_ids)):
        found.setdefault(post_id, []).append(_shown(topic))
    return found


_OF = Statement(
    "SELECT o.post_id, t.id, t.key, t.name, t.space_id, s.key AS space_key, s.name AS space_name FROM rse_feed_post_topic o "
    "JOIN rse_feed_topic t ON t.id = o.topic_id LEFT JOIN rse_core_space s ON s.id = t.space_id "
    "WHERE o.post_id IN :posts ORDER BY t.key",
    posts=int,
)
_COLUMNS = (Topic.id, Topic.key, Topic.name, Topic.space_id, Space.key, Space.name)


def _shown(row: Sequence[Any], *, posts: int = 0, followed: bool = False) -> Shown:
    ident, key, name, space_id, space_key, space_name = row
    return Shown(ident, key, name, space_id, space_key or "", space_name or "", posts, followed)


def known(session: Session, person_id: int | None) -> ColumnElement[bool]:
    """The topics that this person may know of: those of posts that they may see, and those that they follow where they
    still read."""
    used = exists().where(PostTopic.topic_id == Topic.id, PostTopic.post_id == Post.id, sight.posts(session, person_id))
    mine = exists().where(TopicFollow.topic_id == Topic.id, TopicFollow.person_id == person_id)
    return or_(used, and_(mine, or_(Topic.space_id == 0, Topic.space_id.in_(_spaces(person_id)))))


def _spaces(person_id: int | None) -> Select[int]:
    """The spaces that this person is in."""
    return select(Audience.target_id).where(Audience.kind == "space", Audience.id.in_(visible(person_id)))


def find(session: Session, person_id: int | None, key: str, space_key: str | None = None) -> Shown:
    """The topic of this key: the space's when one is named, else the site's, else that of a space where the person reads.

    :raises NotFound: for one that the person may not know of, as for one that does not exist.
    """
    query = _query(person_id).where(Topic.key == key_of(key), known(session, person_id))
    if space_key is not None:
        query = query.where(Space.key == space_key)
    return _one(session, query.order_by(Topic.space_id, Topic.id).limit(1))


def get(session: Session, person_id: int | None, topic_id: int) -> Shown:
    """:raises NotFound: for one that the person may not know of, as for one that does not exist."""
    return _one(session, _query(person_id).where(Topic.id == topic_id, known(session, person_id)))


def _query(person_id: int | None) -> Select[Any]:
    mine = exists().where(TopicFollow.topic_id == Topic.id, TopicFollow.person_id == person_id)
    columns: list[Any] = [*_COLUMNS, mine.label("followed")]
    return select(*columns).outerjoin(Space, Space.id == Topic.space_id)


def _one(session: Session, query: Select[Any]) -> Shown:
    row = session.execute(query).first()
    if row is None:
        raise NotFound(_("There is no such topic."))
    return _shown(row[:6], followed=row[6])


def page(
    session: Session, person_id: int | None, *, after: Sequence[object] | None = None, most: int = PAGE,
    followed: bool = False,
) -> tuple[list[Shown], tuple[str, int] | None]:  # fmt: skip
    """The topics that the person may know of, by name, each with the number of posts that they may see; two queries.

    :param after: the key of the last row of the page before.
    :param followed: only those that the person follows.
    """
    query = _query(person_id).where(known(session, person_id))
    if followed:
        query = query.where(exists().where(TopicFollow.topic_id == Topic.id, TopicFollow.person_id == person_id))
    if after is not None:
        last, ident = str(after[0]), int(str(after[1]))
        query = query.where(or_(Topic.key > last, and_(Topic.key == last, Topic.id > ident)))
    rows = session.execute(query.order_by(Topic.key, Topic.id).limit(most + 1)).all()
    counts = _counts(session, person_id, [row[0] for row in rows[:most]])
    shown = [_shown(row[:6], posts=counts.get(row[0], 0), followed=row[6]) for row in rows[:most]]
    return shown, (shown[-1].key, shown[-1].id) if len(rows) > most else None


def _counts(session: Session, person_id: int | None, topic_ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(PostTopic.topic_id, func.count())
        .join(Post, Post.id == PostTopic.post_id)
        .where(PostTopic.topic_id.in_(topic_ids), sight.posts(session, person_id))
        .group_by(PostTopic.topic_id)
    )
    return {topic_id: number for topic_id, number in rows}


def post_ids(
    session: Session, person_id: int | None, topic_id: int, *, after: int | None = None, most: int = 20
) -> tuple[list[int], int | None]:
    """The posts on a topic that the person may see, the newest first, and where the next page begins."""
    query = (
        select(PostTopic.post_id)
        .join(Post, Post.id == PostTopic.post_id)
        .where(PostTopic.topic_id == topic_id, sight.posts(session, person_id))
    )
    if after is not None:
        query = query.where(PostTopic.post_id < after)
    ids = list(session.scalars(query.order_by(PostTopic.post_id.desc()).limit(most + 1)))
    return ids[:most], ids[most - 1] if len(ids) > most else None


def suggest(session: Session, person_id: int, typed: str, *, space_key: str = "") -> list[Shown]:
    """Topics whose name begins with what was typed, of the site and of the given space; only those one may know of."""
    start = key_of(typed.strip(" #")[:MOST_NAME])
    if not start:
        return []
    query = _query(person_id).where(
        Topic.key.startswith(start, autoescape=True), known(session, person_id),
        or_(Topic.space_id == 0, Space.key == space_key),
    )  # fmt: skip
    rows = session.execute(query.order_by(Topic.space_id.desc(), Topic.key).limit(SUGGESTIONS))
    return [_shown(row[:6], followed=row[6]) for row in rows]


def follow(session: Session, person_id: int, topic_id: int) -> Shown:
    """Be told of what is posted on this topic; twice is once.

    :raises NotFound: for a topic that the person may not know of.
    """
    get(session, person_id, topic_id)
    statement = dialect_insert(session, TopicFollow).values(topic_id=topic_id, person_id=person_id)
    session.execute(statement.on_conflict_do_nothing())
    return get(session, person_id, topic_id)


def unfollow(session: Session, person_id: int, topic_id: int) -> None:
    """No longer be told; also of a topic that one may not see any more, and of one that is gone."""
    session.execute(delete(TopicFollow).where(TopicFollow.topic_id == topic_id, TopicFollow.person_id == person_id))


def followers(post: Post, *, leaving_out: Sequence[int] = ()) -> Select[int]:
    """Those who follow a topic of this post and for whom it is: a select of people, for ``notify_many``."""
    return (
        select(TopicFollow.person_id)
        .join(PostTopic, PostTopic.topic_id == TopicFollow.topic_id)
        .join(Membership, Membership.person_id == TopicFollow.person_id)
        .where(PostTopic.post_id == post.id, Membership.audience_id == post.audience_id)
        .where(TopicFollow.person_id.not_in(leaving_out))
        .distinct()
    )


# -- by those who run the site or a space ----------------------------------------------------------------------


def may_manage(session: Session, person_id: int | None, topic: Shown) -> bool:
    """Whether this person may rename and merge this topic: a site administrator, or who manages its space."""
    if is_site_admin(session, person_id):
        return True
    return topic.space_id != 0 and manages_space(session, person_id, topic.space_id)


def may_make_global(session: Session, person_id: int | None, topic: Shown) -> bool:
    """Whether this person may make a space's topic one of the whole site."""
    return topic.space_id != 0 and is_site_admin(session, person_id)


def mergeable(session: Session, person_id: int | None, topic: Shown, *, most: int = 200) -> list[Shown]:
    """The topics that this one can be merged into: of its own place, and of the site for who looks after those."""
    scopes = {topic.space_id, 0} if is_site_admin(session, person_id) else {topic.space_id}
    rows = session.execute(
        _query(person_id)
        .where(Topic.id != topic.id, Topic.space_id.in_(scopes), known(session, person_id))
        .order_by(Topic.key, Topic.id)
        .limit(most)
    )
    return [_shown(row[:6], followed=row[6]) for row in rows]


def rename(session: Session, actor: Actor, topic_id: int, name: str) -> Shown:
    """Give a topic another name.

    :raises Conflict: when there is one of that name already: then they can be merged.
    """
    topic = _managed(session, actor, topic_id)
    name = _checked(name)
    row = session.get_one(Topic, topic.id)
    taken = session.scalar(
        select(Topic.id).where(Topic.key == key_of(name), Topic.space_id == row.space_id, Topic.id != row.id)
    )
    if taken is not None:
        raise Conflict(_("There is a topic of this name already."), remedy=_("Merge the two."))
    row.name, row.key = name, key_of(name)
    session.flush()
    record(session, actor, "feed.topic.rename", f"topic:{row.id}", before=topic.name, after=name)
    return get(session, actor.person_id, topic_id)


def merge(session: Session, actor: Actor, topic_id: int, into_id: int) -> Shown:
    """Make one topic of two: what carried the first carries the second, and who followed it follows that.

    :raises BadInput: for a topic and itself, or one of another space: posts would then be told of where they do not stand.
    """
    source, into = _managed(session, actor, topic_id), _managed(session, actor, into_id)
    if source.id == into.id or into.space_id not in (0, source.space_id):
        message = _("These two topics cannot be merged.")
        raise BadInput(message, remedy=_("Choose another topic of the same space, or of the whole site."))
    _pour(session, source.id, into.id)
    record(session, actor, "feed.topic.merge", f"topic:{into.id}", before=source.name, after=into.name)
    return get(session, actor.person_id, into_id)


def make_global(session: Session, actor: Actor, topic_id: int) -> Shown:
    """Make a space's topic one of the whole site; where there is one of that name, they become one.

    :raises Forbidden: for anybody but a site administrator: the name is then offered outside the space.
    """
    topic = _managed(session, actor, topic_id)
    if not is_site_admin(session, actor.person_id):
        raise Forbidden(_("Only a site administrator makes a topic one of the whole site."))
    if topic.space_id == 0:
        return topic
    there = session.scalar(select(Topic.id).where(Topic.key == topic.key, Topic.space_id == 0))
    if there is not None:
        _pour(session, topic.id, there)
    else:
        session.get_one(Topic, topic.id).space_id = 0
        session.flush()
    record(
        session, actor, "feed.topic.global", f"topic:{there or topic.id}", before=f"space:{topic.space_key}", after="site"
    )  # fmt: skip
    return get(session, actor.person_id, there or topic.id)


def _managed(session: Session, actor: Actor, topic_id: int) -> Shown:
    topic = get(session, actor.person_id, topic_id)
    if not may_manage(session, actor.person_id, topic):
        raise Forbidden(_("You do not look after this topic."))
    return topic


def _pour(session: Session, source: int, into: int) -> None:
    """What had the one topic has the other, once; the one is gone."""
    posts = select(PostTopic.post_id).where(PostTopic.topic_id == into)
    session.execute(
        insert(PostTopic).from_select(
            ["topic_id", "post_id"],
            select(literal(into), PostTopic.post_id).where(PostTopic.topic_id == source, PostTopic.post_id.not_in(posts)),
        )
    )
    people = select(TopicFollow.person_id).where(TopicFollow.topic_id == into)
    session.execute(
        insert(TopicFollow).from_select(
            ["topic_id", "person_id", "since"],
            select(literal(into), TopicFollow.person_id, TopicFollow.since).where(
                TopicFollow.topic_id == source, TopicFollow.person_id.not_in(people)
            ),
        )
    )
    session.execute(delete(Topic).where(Topic.id == source).execution_options(synchronize_session=False))
    session.expire_all()
