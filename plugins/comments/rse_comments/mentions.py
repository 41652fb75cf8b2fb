"""Mentions: only of people who can read what they are named in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rse_core.models.organisation import Membership, Person
from rse_core.people import PersonCard, folded, names

from . import text
from .models import Comment, CommentMention

#: Names in one comment that are told; more is shouting.
MOST = 20
SUGGESTIONS = 8


def keep(session: Session, comment: Comment) -> None:
    """Record whom a comment names: people of its audience, at most :data:`MOST`."""
    wanted = text.mentioned(comment.body)[:MOST]
    found: set[int] = set()
    if wanted and comment.audience_id is not None:
        found = set(
            session.scalars(
                select(Person.id)
                .join(Membership, Membership.person_id == Person.id)
                .where(
                    Person.username.in_(wanted), Person.status == "active", Membership.audience_id == comment.audience_id
                )
            )
        )
    before = set(session.scalars(select(CommentMention.person_id).where(CommentMention.comment_id == comment.id)))
    if before - found:
        session.execute(
            delete(CommentMention).where(
                CommentMention.comment_id == comment.id, CommentMention.person_id.in_(before - found)
            )
        )
    session.add_all(CommentMention(comment_id=comment.id, person_id=person_id) for person_id in sorted(found - before))
    session.flush()


def forget(session: Session, comment_id: int) -> None:
    """The comment names nobody any more."""
    session.execute(delete(CommentMention).where(CommentMention.comment_id == comment_id))


def of_comments(session: Session, comment_ids: Iterable[int]) -> Mapping[int, dict[str, tuple[int, str]]]:
    """Whom these comments name: username → (id, name) by comment, in two queries."""
    rows = session.execute(
        select(CommentMention.comment_id, CommentMention.person_id).where(
            CommentMention.comment_id.in_(list(comment_ids))
        )
    ).all()
    cards = names(session, {person_id for _comment, person_id in rows})
    found: dict[int, dict[str, tuple[int, str]]] = {}
    for comment_id, person_id in rows:
        card = cards.get(person_id)
        if card is not None:
            found.setdefault(comment_id, {})[card.username] = (card.id, card.display_name)
    return found


def suggest(session: Session, audience_id: int | None, typed: str) -> list[PersonCard]:
    """People of the audience whose name or username begins with what was typed; one query, at most eight."""
    start = folded(typed)
    if not start or audience_id is None:
        return []
    people = session.scalars(
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.audience_id == audience_id,
            Person.status == "active",
            Person.folded_name.startswith(start, autoescape=True)
            | Person.folded_name.contains(" " + start, autoescape=True)
            | Person.username.startswith(typed, autoescape=True),
        )
        .order_by(Person.folded_name)
        .limit(SUGGESTIONS)
    ).all()
    cards = names(session, people)
    return [cards[i] for i in people if i in cards]
