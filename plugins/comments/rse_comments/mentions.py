"""Mentions: only of people who can read what they are named in."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo
from rse_core.models.organisation import Membership, Person
from rse_core.people import PersonCard, folded, names

from . import access, text
from .models import Comment, CommentMention

#: Names in one comment that are told; more is shouting.
MOST = 20
SUGGESTIONS = 8


def keep(session: Session, comment: Comment) -> None:
    """Record whom a comment names: people of its audience, at most :data:`MOST`."""
    wanted = text.mentioned(comment.body)[:MOST]
    before = {
        row.typed: row for row in session.scalars(select(CommentMention).where(CommentMention.comment_id == comment.id))
    }
    for typed in before.keys() - set(wanted):
        session.delete(before[typed])
    new = [typed for typed in wanted if typed not in before]
    if new and comment.audience_id is not None:
        session.flush()
        known = {row.person_id for typed, row in before.items() if typed in wanted}
        found = session.execute(
            select(Person.id, Person.username)
            .join(Membership, Membership.person_id == Person.id)
            .where(Person.username.in_(new), Person.status == "active", Membership.audience_id == comment.audience_id)
            .order_by(Person.id)
        ).all()
        session.add_all(
            CommentMention(comment_id=comment.id, person_id=person_id, typed=typed)
            for person_id, typed in found
            if person_id not in known
        )
    session.flush()


def forget(session: Session, comment_id: int) -> None:
    """The comment names nobody any more."""
    session.execute(delete(CommentMention).where(CommentMention.comment_id == comment_id))


def of_comments(session: Session, comment_ids: Iterable[int]) -> Mapping[int, dict[str, tuple[int, str]]]:
    """Whom these comments name: the name as typed → (id, name now) by comment, in two queries."""
    rows = session.execute(
        select(CommentMention.comment_id, CommentMention.person_id, CommentMention.typed).where(
            CommentMention.comment_id.in_(list(comment_ids))
        )
    ).all()
    cards = names(session, {person_id for _comment, person_id, _typed in rows})
    found: dict[int, dict[str, tuple[int, str]]] = {}
    for comment_id, person_id, typed in rows:
        card = cards.get(person_id)
        if card is not None:
            found.setdefault(comment_id, {})[typed] = (card.id, card.display_name)
    return found


def suggest(session: Session, info: ContentInfo, typed: str) -> list[PersonCard]:
    """People of the audience whose name or username begins with what was typed, at most eight; those to whom comments are
    not shown there are left out.
    """
    start = folded(typed)
    if not start or info.audience_id is None:
        return []
    people = session.scalars(
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.audience_id == info.audience_id,
            Person.status == "active",
            Person.folded_name.startswith(start, autoescape=True)
            | Person.folded_name.contains(" " + start, autoescape=True)
            | Person.username.startswith(typed, autoescape=True),
        )
        .order_by(Person.folded_name)
        .limit(SUGGESTIONS * 3)
    ).all()
    cards = names(session, people)
    found = (cards[i] for i in people if i in cards and access.shown_to(session, i, info))
    return list(itertools.islice(found, SUGGESTIONS))
