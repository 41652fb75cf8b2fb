"""Who has confirmed an announcement, for those who announce.

Who has confirmed is listed for the author and the moderators; who has not is known to nobody: only how many, and not where
they are fewer than ten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Actor,
    Conflict,
    Forbidden,
    NotFound,
    defer,
    record,
    translator,
    utcnow,
)
from rse_core.models.organisation import Entity, Membership, Person
from rse_core.notify import notify_many
from rse_core.ratelimit import limit
from rse_core.small_groups import FEW, Figure, few, plain, pooled, tells

from . import access, reach
from .announcements import PAGE, TO_READ, target
from .models import Acknowledgement, Post
from .texts import heading

_ = translator(__file__, "rse_feed").gettext

REMIND = "feed.remind"
#: Seconds within which one person reminds once of one announcement.
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Part:
    """How many are asked, confirmed, and did not, among the people of some entities, as it may be told.

    ``entities``: id and name; several where the figures of each alone would tell of fewer than ten.
    """

    entities: tuple[tuple[int | None, str], ...]
    asked: Figure
    confirmed: int
    missing: Figure


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an announcement is confirmed. ``rate`` in percent, None where it would tell of fewer than ten."""

    post: Post
    title: str
    asked: Figure
    confirmed: int
    missing: Figure
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
    if not access.is_own(session, person_id, post) and not access.moderates_post(session, person_id, post):
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


def _part(entities: list[tuple[int | None, str]], number: int, done: int) -> Part:
    # What is asked, less what is confirmed, is what is missing: a small one hides both.
    if tells(number, done):
        hidden = Figure("", None, few())
        asked = hidden if number < FEW else Figure("", None, "–")
        return Part(tuple(entities), asked, done, hidden)
    left = max(0, number - done)
    return Part(tuple(entities), plain(number), done, plain(left))


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
