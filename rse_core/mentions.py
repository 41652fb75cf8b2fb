"""Mentions: people named in a text by ``@username``; only those who can read it are recorded, offered and told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from . import richtext
from .content import ObjectRef
from .models.content import Mention
from .models.organisation import Membership, Person
from .people import PersonCard, folded, names
from .runtime import core_of

#: Names in one text that are told; more is shouting.
MOST = 20
SUGGESTIONS = 8


def keep(session: Session, ref: ObjectRef, body: str, audience_id: int | None) -> list[int]:
    """Record whom a text names: people of its audience, at most :data:`MOST`.

    :returns: the ids of all who are recorded now.
    """
    wanted = richtext.mentioned(body)[:MOST]
    rows = session.scalars(select(Mention).where(Mention.ref_type == ref.type, Mention.ref_id == ref.id))
    before = {row.typed: row for row in rows}
    for typed in before.keys() - set(wanted):
        session.delete(before.pop(typed))
    known = {row.person_id for row in before.values()}
    new = [typed for typed in wanted if typed not in before]
    if new and audience_id is not None:
        session.flush()
        found = session.execute(
            select(Person.id, Person.username)
            .join(Membership, Membership.person_id == Person.id)
            .where(Person.username.in_(new), Person.status == "active", Membership.audience_id == audience_id)
            .order_by(Person.id)
        ).all()
        for person_id, typed in found:
            if person_id not in known:
                known.add(person_id)
                session.add(Mention(ref_type=ref.type, ref_id=ref.id, person_id=person_id, typed=typed))
    session.flush()
    return sorted(known)


def forget(session: Session, ref: ObjectRef) -> None:
    """The object names nobody any more."""
    session.execute(delete(Mention).where(Mention.ref_type == ref.type, Mention.ref_id == ref.id))


def unname(session: Session, person_id: int, *columns: InstrumentedAttribute[str]) -> list[Any]:
    """Take ``@username`` of somebody who is being erased out of texts: a name that nobody has any more stands there instead.

    Reads each table once, whatever the state of its rows; for that moment alone.

    :param columns: the columns of texts, ``Comment.body``.
    :returns: the rows that changed, each once.
    """
    person = session.get_one(Person, person_id)
    typed = set(session.scalars(select(Mention.typed).where(Mention.person_id == person_id))) | {person.username}
    instead = f"@erased-{person_id}"
    changed: dict[int, Any] = {}
    for column in columns:
        wanted = or_(*(column.contains(f"@{name}", autoescape=True) for name in typed))
        for row in session.scalars(select(column.class_).where(wanted)):
            before = getattr(row, column.key)
            after = richtext.MENTION.sub(lambda found: instead if found.group(1) in typed else found.group(0), before)
            if after != before:
                setattr(row, column.key, after)
                changed[id(row)] = row
    session.flush()
    return list(changed.values())


def people_of(session: Session, ref: ObjectRef) -> list[int]:
    """The ids of those whom one object names."""
    return list(session.scalars(select(Mention.person_id).where(Mention.ref_type == ref.type, Mention.ref_id == ref.id)))


def named_in(session: Session, refs: Sequence[ObjectRef]) -> Mapping[ObjectRef, dict[str, tuple[int, str]]]:
    """Whom these objects of one type name: the name as typed → (id, name now), in two queries; for
    :func:`richtext.render`."""
    if not refs:
        return {}
    kind = refs[0].type
    rows = session.execute(
        select(Mention.ref_id, Mention.person_id, Mention.typed).where(
            Mention.ref_type == kind, Mention.ref_id.in_([ref.id for ref in refs])
        )
    ).all()
    cards = names(session, {person_id for _ref, person_id, _typed in rows})
    found: dict[ObjectRef, dict[str, tuple[int, str]]] = {}
    for ref_id, person_id, typed in rows:
        card = cards.get(person_id)
        if card is not None:
            found.setdefault(ObjectRef(kind, ref_id), {})[typed] = (card.id, card.display_name)
    return found


def suggest(
    session: Session, audience_id: int | None, typed: str, *, viewer_id: int,
    may: Callable[[int], bool] = lambda _id: True,
) -> list[PersonCard]:  # fmt: skip
    """People of the audience whose name or username begins with what was typed, at most eight.

    :param viewer_id: who is offered them; plugins say whom that person is not offered (``rse_people_offered``).
    :param may: leaves out those for whom it says no (to whom the object is not shown).
    """
    start = folded(typed)
    if not start or audience_id is None:
        return []
    offered = core_of(session).plugins.people_offered(session, viewer_id)
    people = session.scalars(
        select(Person.id)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.audience_id == audience_id,
            Person.status == "active",
            Person.folded_name.startswith(start, autoescape=True)
            | Person.folded_name.contains(" " + start, autoescape=True)
            | Person.username.startswith(typed, autoescape=True),
            *offered,
        )
        .order_by(Person.folded_name)
        .limit(SUGGESTIONS * 3)
    ).all()
    cards = names(session, people)
    return list(itertools.islice((cards[i] for i in people if i in cards and may(i)), SUGGESTIONS))
