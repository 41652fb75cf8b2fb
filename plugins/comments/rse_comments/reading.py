"""Reading a thread: by keyset, in a number of queries that does not depend on how long it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, ScalarSelect, UnaryExpression, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from rse_core import mentions, richtext
from rse_core.api import BadInput, ContentInfo, ObjectRef, translator
from rse_core.models.runtime import Preference
from rse_core.people import PersonCard, names

from . import access
from .models import Comment, Thread

_ = translator(__file__, "rse_comments").gettext

SORTS = ("newest", "oldest", "best")
PREFERENCE = "comments.sort"
PAGE = 20
REPLIES = 10
MOST = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """One comment as it is shown. ``html`` is safe; empty for a placeholder. ``author`` None: erased."""

    id: int
    parent_id: int | None
    ref: ObjectRef
    state: str
    html: str
    body: str
    author_id: int | None
    author: PersonCard | None
    answers: PersonCard | None
    created_at: dt.datetime
    edited_at: dt.datetime | None
    version: int
    score: int
    reason: str
    mine: bool
    moderated: bool
    replies: tuple[Shown, ...] = ()
    more_replies: int = 0
    #: a line that it was deleted or taken down stands in its place
    gone: bool = False


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A page of a thread. ``after`` is where the next one begins (None on the last); ``newest`` the greatest id in sight."""

    comments: tuple[Shown, ...]
    after: tuple[int, ...] | None
    sort: str
    newest: int
    moderator: bool
    closed: str
    thread: Thread | None


def sort_of(session: Session, person_id: int | None, asked: str | None) -> str:
    """The order: as asked, else as the person chose before, else the newest first."""
    if asked:
        if asked not in SORTS:
            raise BadInput(_("“%(sort)s” is not an order.", sort=asked[:20]), remedy=_("Use newest, oldest or best."))
        return asked
    if person_id is None:
        return SORTS[0]
    kept = session.scalar(select(Preference.value).where(Preference.person_id == person_id, Preference.key == PREFERENCE))
    return kept if kept in SORTS else SORTS[0]


def remember_sort(session: Session, person_id: int, sort: str) -> None:
    """The person's order from now on."""
    sort = sort_of(session, None, sort)
    row = session.get(Preference, (person_id, PREFERENCE))
    if row is None:
        session.add(Preference(person_id=person_id, key=PREFERENCE, value=sort))
    else:
        row.value = sort


def page(
    session: Session, person_id: int | None, info: ContentInfo, *, sort: str | None = None,
    after: Sequence[int] | None = None, linked: int | None = None, most: int = PAGE,
) -> ThreadPage:  # fmt: skip
    """A page of the comments of one object.

    :param after: the key of the last comment of the page before, as :attr:`ThreadPage.after` gave it.
    :param linked: a comment that must be among those shown first, with its context.
    :param most: top comments on a page, at most :data:`MOST`.
    """
    order = sort_of(session, person_id, sort)
    held = access.rights(session, person_id, info)
    seen = access.visible(person_id, held)
    here = and_(Comment.ref_type == info.ref.type, Comment.ref_id == info.ref.id)
    query = select(Comment).where(here, Comment.parent_id.is_(None), seen)
    if after is not None:
        query = query.where(_beyond(order, after))
        if linked is not None:
            # It stood before the first page, wherever its place is.
            query = query.where(Comment.id.is_distinct_from(_top_of(linked)))
    tops = list(session.scalars(query.order_by(*_order(order)).limit(min(most, MOST) + 1)))
    more = len(tops) > min(most, MOST)
    tops = tops[: min(most, MOST)]
    rest = _key(order, tops[-1]) if more else None
    if linked is not None and after is None:
        tops = _with_linked(session, here, seen, tops, linked)
    replies = _replies(session, [top.id for top in tops], seen, linked)
    rows = [*tops, *(reply for some in replies.values() for reply in some)]
    shown = _shown(session, person_id, rows, held)
    newest = session.scalar(select(func.max(Comment.id)).where(here, Comment.state == "published")) or 0
    thread = session.get(Thread, (info.ref.type, info.ref.id))
    comments = tuple(
        _nest(shown[top.id], [shown[reply.id] for reply in replies.get(top.id, ())], top.replies) for top in tops
    )
    return ThreadPage(comments, rest, order, newest, held.everything, access.closed_because(thread, info), thread)


def more_replies(
    session: Session, person_id: int | None, info: ContentInfo, parent_id: int, *, after: int = 0, most: int = 50
) -> tuple[list[Shown], int | None]:
    """Further replies to one comment, the eldest first, and where the next page begins."""
    held = access.rights(session, person_id, info)
    seen = access.visible(person_id, held)
    rows = list(
        session.scalars(
            select(Comment)
            .where(
                Comment.ref_type == info.ref.type, Comment.ref_id == info.ref.id, Comment.parent_id == parent_id,
                Comment.id > after, seen,
            )
            .order_by(Comment.id)
            .limit(most + 1)
        )
    )  # fmt: skip
    shown = _shown(session, person_id, rows[:most], held)
    return [shown[row.id] for row in rows[:most]], rows[most - 1].id if len(rows) > most else None


def newer_than(session: Session, info: ContentInfo, since: int, person_id: int | None) -> int:
    """How many published comments of others came after the one with this id; at most 100 are counted."""
    some = (
        select(Comment.id)
        .where(
            Comment.ref_type == info.ref.type, Comment.ref_id == info.ref.id, Comment.state == "published",
            Comment.id > since, Comment.author_id.is_distinct_from(person_id),
        )
        .limit(100)
        .subquery()
    )  # fmt: skip
    return session.scalar(select(func.count()).select_from(some)) or 0


def one(session: Session, person_id: int | None, comment: Comment) -> Shown:
    """A single comment as it is shown."""
    return _shown(session, person_id, [comment], access.Rights())[comment.id]


def _order(sort: str) -> tuple[UnaryExpression[int], ...]:
    if sort == "oldest":
        return (Comment.id.asc(),)
    if sort == "best":
        return (Comment.score.desc(), Comment.id.desc())
    return (Comment.id.desc(),)


def _key(sort: str, comment: Comment) -> tuple[int, ...]:
    return (comment.score, comment.id) if sort == "best" else (comment.id,)


def _beyond(sort: str, after: Sequence[int]) -> ColumnElement[bool]:
    if len(after) != (2 if sort == "best" else 1):
        raise BadInput(_("The cursor does not belong to this order."), remedy=_("Begin again without a cursor."))
    if sort == "best":
        score, ident = after
        return or_(Comment.score < score, and_(Comment.score == score, Comment.id < ident))
    return Comment.id > after[0] if sort == "oldest" else Comment.id < after[0]


def _with_linked(
    session: Session, here: ColumnElement[bool], seen: ColumnElement[bool], tops: list[Comment], linked: int
) -> list[Comment]:
    found = session.scalar(select(Comment).where(here, seen, Comment.id == linked))
    if found is None or found.id in {top.id for top in tops} or found.parent_id in {top.id for top in tops}:
        return tops
    top = found
    if found.parent_id:
        # Its top comment may wait for a moderator, and then is not for everybody.
        top = session.scalar(select(Comment).where(here, seen, Comment.id == found.parent_id))
    return [top, *tops] if top is not None else tops


def _replies(
    session: Session, top_ids: Sequence[int], seen: ColumnElement[bool], linked: int | None
) -> dict[int, list[Comment]]:
    if not top_ids:
        return {}
    # The first few of each, by a window: one query for all, whatever their number.
    ranked = (
        select(Comment.id, func.row_number().over(partition_by=Comment.parent_id, order_by=Comment.id).label("place"))
        .where(Comment.parent_id.in_(top_ids), seen)
        .subquery()
    )
    wanted = ranked.c.place <= REPLIES
    if linked is not None:
        wanted = or_(wanted, ranked.c.id == linked)
    rows = session.scalars(
        select(Comment).join(ranked, ranked.c.id == Comment.id).where(wanted).order_by(Comment.parent_id, Comment.id)
    )
    found: dict[int, list[Comment]] = {}
    for row in rows:
        found.setdefault(row.parent_id or 0, []).append(row)
    return found


def _top_of(comment_id: int) -> ScalarSelect[int]:
    found = aliased(Comment)
    return select(func.coalesce(found.parent_id, found.id)).where(found.id == comment_id).scalar_subquery()


def _shown(session: Session, person_id: int | None, rows: Sequence[Comment], held: access.Rights) -> dict[int, Shown]:
    moderated = {row.id for row in rows} if held.everything else set()
    if held.entities and rows:
        ids = [row.id for row in rows]
        moderated = set(
            session.scalars(select(Comment.id).where(Comment.id.in_(ids), Comment.author_id.in_(held.authors())))
        )
    named = mentions.named_in(session, [access.own_ref(row.id) for row in rows])
    answered = {row.answers_id for row in rows if row.answers_id and row.answers_id != row.parent_id}
    answers: dict[int, int | None] = {}
    if answered:
        authors = session.execute(select(Comment.id, Comment.author_id).where(Comment.id.in_(answered)))
        answers = {ident: author for ident, author in authors}
    people = names(session, [*(row.author_id for row in rows), *answers.values()])
    shown = {}
    for row in rows:
        mine = row.author_id is not None and row.author_id == person_id
        gone = row.state == "deleted" or (row.state == "hidden" and not mine and row.id not in moderated)
        answers_author = answers.get(row.answers_id or 0)
        shown[row.id] = Shown(
            row.id, row.parent_id, access.own_ref(row.id), row.state,
            "" if gone else richtext.render(row.body, named.get(access.own_ref(row.id), {})),
            "" if gone else row.body,
            None if gone else row.author_id,
            None if gone or row.author_id is None else people.get(row.author_id),
            people.get(answers_author) if answers_author else None,
            row.created_at, row.edited_at, row.version, row.score, "" if gone and row.state == "hidden" else row.reason,
            mine, row.id in moderated, gone=gone,
        )  # fmt: skip
    return shown


def _nest(top: Shown, replies: Sequence[Shown], total: int) -> Shown:
    published = sum(1 for reply in replies if reply.state == "published")
    return replace(top, replies=tuple(replies), more_replies=max(0, total - published))
