"""Announcements: what a whole audience is told, and who has confirmed having read what must be read.

Who is asked: the audience of the post; for one that stands in a space its members, even where everyone may read it.
Whoever wrote it has read it. Who has confirmed is listed for the author and the moderators; who has not is known to nobody:
only how many, and not where they are fewer than ten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Actor,
    Conflict,
    Event,
    Forbidden,
    NotFound,
    core_of,
    defer,
    dialect_insert,
    emit,
    record,
    translator,
    utcnow,
    withdraw,
)
from rse_core.audiences import of_members, visible
from rse_core.models.organisation import Audience, Entity, Membership, Person
from rse_core.models.runtime import NotificationRow
from rse_core.notify import broadcast, mark_read, moved, notify_many
from rse_core.ratelimit import limit
from rse_core.statements import Statement

from . import access, places, reach, sight
from .models import Acknowledgement, Post
from .texts import heading

_ = translator(__file__, "rse_feed").gettext

ANNOUNCED, TO_READ = "feed.announced", "feed.to_read"
REMIND = "feed.remind"
PAGE = 50
BADGE = 100
#: Seconds within which one person reminds once of one announcement.
DAY = 86_400


def cause_of(post_id: int) -> str:
    """What the broadcast of an announcement is caused by."""
    return f"announcement:{post_id}"


def target(session: Session, post: Post) -> int:
    """The audience that is told and asked."""
    return of_members(session, post.space_id) if post.space_id is not None else post.audience_id


def published(session: Session, post: Post) -> None:
    """Tell the whole audience, by one row; a second time is nothing."""
    if not post.announcement:
        return
    if post.must_read and post.author_id is not None:
        _note(session, post.author_id, post.id)
    broadcast(
        session, target(session, post), ANNOUNCED, access.ref_of(post.id), actor_id=post.author_id,
        cause=cause_of(post.id), data={"title": heading(post.title, post.body), "must_read": post.must_read}, firm=post.firm,
    )  # fmt: skip


def follow(session: Session, event: Event) -> None:
    """The consumer: a post that was edited, moved, shown again or taken back takes its announcement with it."""
    if event.ref is None or event.ref.type != access.TYPE or not event.ref.id.isdecimal():
        return
    post = session.get(Post, int(event.ref.id))
    if post is not None and event.name == "feed.edited":
        moved(session, event.ref, post.audience_id, post.space_id)
    if post is not None and post.state == "published" and post.announcement:
        if event.name == "feed.moved":
            withdraw(session, cause_of(post.id))
        published(session, post)
        return
    withdraw(session, cause_of(int(event.ref.id)))
    _forget_reminders(session, int(event.ref.id))


# -- by those who are asked ----------------------------------------------------------------------------------------------


def asked(session: Session, person_id: int) -> ColumnElement[bool]:
    """The posts that this person is asked to confirm, confirmed or not."""
    spaces = select(Audience.target_id).where(Audience.kind == "space", Audience.id.in_(visible(person_id)))
    return and_(
        Post.must_read, sight.posts(session, person_id), or_(Post.space_id.is_(None), Post.space_id.in_(spaces))
    )


def is_asked(session: Session, person_id: int, post: Post) -> bool:
    """Whether this person is asked to confirm this post, confirmed or not."""
    if not post.must_read:
        return False
    return session.scalar(select(Post.id).where(Post.id == post.id, asked(session, person_id))) is not None


def _confirmed(person_id: int) -> ColumnElement[bool]:
    return exists().where(Acknowledgement.post_id == Post.id, Acknowledgement.person_id == person_id)


def acknowledge(session: Session, person_id: int, post_id: int) -> dt.datetime:
    """Confirm having read it; a second time changes nothing, and late counts too.

    :returns: when it was confirmed first.
    :raises NotFound: for a post that this person does not read.
    :raises Forbidden: for one that they are not asked to confirm.
    """
    if not is_asked(session, person_id, access.readable(session, person_id, post_id)):
        raise Forbidden(_("You are not asked to confirm this."))
    if _note(session, person_id, post_id):
        emit(session, Event("feed.acknowledged", person_id, access.ref_of(post_id)))
    unread = session.scalars(
        select(NotificationRow.id).where(
            NotificationRow.person_id == person_id, NotificationRow.read_at.is_(None),
            NotificationRow.group_key == f"{TO_READ}|{access.ref_of(post_id)}",
        )
    ).all()  # fmt: skip
    if unread:
        mark_read(session, person_id, list(unread))
    return states(session, person_id, [post_id])[post_id]


def _note(session: Session, person_id: int, post_id: int) -> bool:
    """Whether it was not confirmed before."""
    made = dialect_insert(session, Acknowledgement).values(post_id=post_id, person_id=person_id, at=utcnow())
    new = session.execute(made.on_conflict_do_nothing().returning(Acknowledgement.post_id)).scalar()
    return new is not None


def states(session: Session, person_id: int | None, post_ids: Sequence[int]) -> Mapping[int, dt.datetime]:
    """Which of these posts this person has confirmed, and when; one query."""
    if person_id is None or not post_ids:
        return {}
    rows = session.execute(
        select(Acknowledgement.post_id, Acknowledgement.at).where(
            Acknowledgement.person_id == person_id, Acknowledgement.post_id.in_(post_ids)
        )
    )
    return {post_id: at for post_id, at in rows}


@dataclass(frozen=True, slots=True)
class ToRead:
    """One line of the list of what is to be read."""

    id: int
    title: str
    author_id: int | None
    published_at: dt.datetime | None
    acknowledge_by: dt.datetime | None
    confirmed_at: dt.datetime | None

    @property
    def late(self) -> bool:
        """The date for confirming is over."""
        return self.confirmed_at is None and self.acknowledge_by is not None and self.acknowledge_by < utcnow()


def to_read(
    session: Session, person_id: int, *, done: bool = False, after: int | None = None, most: int = PAGE
) -> tuple[list[ToRead], int | None]:
    """What this person is asked to confirm, the newest first; or with ``done`` what they confirmed. One query."""
    query = (
        select(
            Post.id, Post.title, Post.body, Post.author_id, Post.published_at, Post.acknowledge_by, Acknowledgement.at
        )
        .outerjoin(Acknowledgement, and_(Acknowledgement.post_id == Post.id, Acknowledgement.person_id == person_id))
        .where(asked(session, person_id), Acknowledgement.at.is_not(None) if done else Acknowledgement.at.is_(None))
    )
    if after is not None:
        query = query.where(Post.id < after)
    rows = session.execute(query.order_by(Post.id.desc()).limit(most + 1)).all()
    found = [ToRead(row[0], heading(row[1], row[2]), *row[3:]) for row in rows[:most]]
    return found, found[-1].id if len(rows) > most else None


def waiting(session: Session, person_id: int) -> int:
    """How many this person has still to confirm, at most :data:`BADGE`; one indexed query."""
    sight = places.of(session, person_id)
    facts = core_of(session).policy.person(person_id)
    if facts is not None and not sight.opened and not sight.closed:
        # Where nothing special holds, as nearly everywhere: it is on every page.
        values = {"audiences": list(sight.audiences), "spaces": list(facts.spaces), "person": person_id, "most": BADGE}
        return int(_WAITING(session, **values)[0][0])
    some = select(Post.id).where(asked(session, person_id), ~_confirmed(person_id)).limit(BADGE).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


# The plus keeps SQLite from looking by space: those to confirm are few, and have an index of their own.
_ASKED = (
    "SELECT count(*) FROM (SELECT p.id FROM rse_feed_post p WHERE {flag} AND p.state = 'published' "
    "AND p.audience_id IN :audiences AND (+p.space_id IS NULL OR +p.space_id IN :spaces) AND NOT EXISTS (SELECT 1 "
    "FROM rse_feed_acknowledgement a WHERE a.post_id = p.id AND a.person_id = :person) LIMIT :most) AS asked"
)
_WAITING = Statement(
    _ASKED.format(flag="p.must_read"), sqlite=_ASKED.format(flag="p.must_read = 1"), audiences=int, spaces=int
)


# -- by those who announce -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """How many are asked, confirmed, and did not, among the people of some entities, as it may be told.

    ``entities``: id and name; several where the figures of each alone would tell of fewer than ten.
    """

    entities: tuple[tuple[int | None, str], ...]
    asked: reach.Figure
    confirmed: int
    missing: reach.Figure


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an announcement is confirmed. ``rate`` in percent, None where it would tell of fewer than ten."""

    post: Post
    title: str
    asked: reach.Figure
    confirmed: int
    missing: reach.Figure
    rate: int | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirmed, and when."""

    person_id: int
    username: str
    name: str
    entity: str
    at: dt.datetime


def overseen(session: Session, person_id: int | None, post_id: int) -> Post:
    """An announcement whose confirmations this person may see: its author, and who moderates its audience.

    :raises NotFound: for one that they do not see, or that asks for nothing.
    :raises Forbidden: for everybody else.
    """
    post = access.readable(session, person_id, post_id)
    if not post.must_read:
        raise NotFound(_("Nobody is asked to confirm this post."))
    if post.author_id != person_id and not access.moderates_post(session, person_id, post):
        raise Forbidden(_("Who confirmed is shown to the author and to moderators."))
    return post


def standing(session: Session, person_id: int | None, post_id: int) -> Standing:
    """The figures; a constant number of queries. Those asked are those of the audience who can read it now."""
    post = overseen(session, person_id, post_id)
    audience = target(session, post)
    asked_by = reach.of(session, audience, space_id=post.space_id).readers
    rows = session.execute(_confirmations(post.id, audience).with_only_columns(Person.entity_id, func.count()).group_by(
        Person.entity_id
    ))  # fmt: skip
    confirmed = {entity: number for entity, number in rows}
    ids = {entity for entity in (*asked_by, *confirmed) if entity is not None}
    names = {ident: name for ident, name in session.execute(select(Entity.id, Entity.name).where(Entity.id.in_(ids)))}
    counts = [
        ([(entity, names.get(entity or 0, ""))], asked_by.get(entity, 0), confirmed.get(entity, 0))
        for entity in {*asked_by, *confirmed}
    ]
    total, done = sum(asked_by.values()), sum(confirmed.values())
    whole = _part([], total, done)
    rate = None if whole.missing.number is None or not total else min(100, round(100 * done / total))
    parts = [_part(*one) for one in pooled(counts)]
    return Standing(post, heading(post.title, post.body), whole.asked, done, whole.missing, rate, tuple(parts))


_Counts = tuple[list[tuple[int | None, str]], int, int]


def _tells(number: int, done: int) -> bool:
    """Whether these figures tell of fewer than ten people who were asked, or who have not confirmed."""
    return 0 < number < reach.FEW or 0 < number - done < reach.FEW


def pooled(counts: list[_Counts]) -> list[_Counts]:
    """The figures by entity, in which no group of fewer than ten is told, nor can be had by subtraction from the whole.

    Entities that would tell of one are told together; with the smallest of the others, as long as they still would.
    """
    alone = sorted((one for one in counts if not _tells(one[1], one[2])), key=lambda one: (-one[1], one[0][0][1]))
    small = [one for one in counts if _tells(one[1], one[2])]
    names: list[tuple[int | None, str]] = []
    number = done = 0
    while small or (names and alone and _tells(number, done)):
        some, more, sure = small.pop() if small else alone.pop()
        names, number, done = [*names, *some], number + more, done + sure
    alone.sort(key=lambda one: (one[0][0][0] is None, one[0][0][1].casefold()))
    return [*alone, (sorted(names, key=lambda one: (one[0] is None, one[1].casefold())), number, done)] if names else alone


def _part(entities: list[tuple[int | None, str]], number: int, done: int) -> Part:
    # What is asked, less what is confirmed, is what is missing: a small one hides both.
    if _tells(number, done):
        hidden = reach.Figure("", None, reach.few())
        asked = hidden if number < reach.FEW else reach.Figure("", None, "–")
        return Part(tuple(entities), asked, done, hidden)
    left = max(0, number - done)
    return Part(tuple(entities), reach.plain(number), done, reach.plain(left))


def _confirmations(post_id: int, audience_id: int) -> Select[int]:
    return (
        select(Acknowledgement.person_id)
        .join(Person, Person.id == Acknowledgement.person_id)
        .join(Membership, and_(Membership.person_id == Person.id, Membership.audience_id == audience_id))
        .where(Acknowledgement.post_id == post_id)
    )


def confirmations(
    session: Session, person_id: int | None, post_id: int, *, entity_id: int | None = None,
    after: Sequence[object] | None = None, most: int = PAGE,
) -> tuple[list[Confirmation], tuple[str, int] | None]:  # fmt: skip
    """Who confirmed, by name; keyset on the folded name and the id.

    :param entity_id: only people of this entity.
    """
    post = overseen(session, person_id, post_id)
    query = _confirmations(post.id, target(session, post))
    if entity_id is not None:
        query = query.where(Person.entity_id == entity_id)
    if after is not None:
        name, ident = str(after[0]), int(str(after[1]))
        query = query.where(or_(Person.folded_name > name, and_(Person.folded_name == name, Person.id > ident)))
    rows = session.execute(
        query.outerjoin(Entity, Entity.id == Person.entity_id)
        .with_only_columns(
            Person.id, Person.username, Person.display_name, Entity.name, Acknowledgement.at, Person.folded_name
        )
        .order_by(Person.folded_name, Person.id)
        .limit(most + 1)
    ).all()
    found = [Confirmation(row[0], row[1], row[2], row[3] or "", row[4]) for row in rows[:most]]
    return found, (rows[most - 1][5], rows[most - 1][0]) if len(rows) > most else None


def exported(session: Session, actor: Actor, post_id: int) -> list[Confirmation]:
    """Everybody who confirmed, for a file; noted in the audit log."""
    post = overseen(session, actor.person_id, post_id)
    found = list(_all(session, actor.person_id, post.id))
    record(
        session, actor, "feed.acknowledgements.export", str(access.ref_of(post.id)), after={"rows": len(found)}
    )  # fmt: skip
    return found


def _all(session: Session, person_id: int | None, post_id: int) -> Iterator[Confirmation]:
    after: tuple[str, int] | None = None
    while True:
        rows, after = confirmations(session, person_id, post_id, after=after, most=1_000)
        yield from rows
        if after is None:
            return


def remind(session: Session, actor: Actor, post_id: int) -> None:
    """Tell once more those who have not confirmed, without saying who they are; at most once a day.

    :raises Conflict: for an announcement that is not published.
    :raises TooMany: for a second time within the day.
    """
    post = overseen(session, actor.person_id, post_id)
    if post.state != "published":
        raise Conflict(_("Only a published announcement can be recalled to mind."))
    if actor.person_id is not None:
        limit(session, actor.person_id, f"feed.remind:{post.id}", most=1, seconds=DAY)
    defer(session, REMIND, post_id=post.id, mark=int(utcnow().timestamp()))
    record(session, actor, "feed.remind", str(access.ref_of(post.id)))


def remind_now(session: Session, post_id: int, mark: int) -> None:
    """The job: those of the audience who have not confirmed, set by set.

    :param mark: tells one reminder from the next; the same one tells nobody twice.
    """
    post = session.get(Post, post_id)
    if post is None or post.state != "published" or not post.must_read:
        return
    people = (
        select(Membership.person_id)
        .where(Membership.audience_id == target(session, post))
        .where(~exists().where(Acknowledgement.post_id == post.id, Acknowledgement.person_id == Membership.person_id))
    )
    until = post.acknowledge_by.isoformat() if post.acknowledge_by else None
    notify_many(
        session, people, TO_READ, access.ref_of(post.id), actor_id=None, cause=f"remind:{post.id}:{mark}",
        data={"title": heading(post.title, post.body), "until": until}, firm=post.firm,
    )  # fmt: skip


def _forget_reminders(session: Session, post_id: int) -> None:
    session.execute(
        delete(NotificationRow)
        .where(NotificationRow.group_key == f"{TO_READ}|{access.ref_of(post_id)}", NotificationRow.read_at.is_(None))
        .execution_options(synchronize_session=False)
    )
