"""The words under which people are found, kept in step with the core's people and with what they write of themselves.

The organisation's files change people by whole sets, without an event for each: the time of change of each person is
compared with what its words were made from. What is searched is compared live with whether the person is here and what is
shown to whom, so that a word that is a minute old tells nobody more than they may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from rse_core.api import Event, ObjectRef, defer, dialect_insert, emit
from rse_core.models.organisation import Person

from . import sounds, words
from .fields import NOBODY, choices
from .models import Indexed, Near, Own, PersonSkill, Profile, Skill, Token

BATCH, MOST = 500, 20
CHANGED = "directory.changed"
TYPE = "directory.person"


def ref_of(person_id: int) -> ObjectRef:
    """The reference of a person."""
    return ObjectRef(TYPE, str(person_id))


def refresh(session: Session, ids: Iterable[int]) -> int:
    """Make the words of these people anew; how many of them exist."""
    wanted = sorted(set(ids))
    rows = session.execute(
        select(
            Person.id, Person.display_name, Person.job_title, Person.site, Person.email, Person.phone, Person.updated_at
        ).where(Person.id.in_(wanted))
    ).all()
    profiles = {
        row.person_id: row
        for row in session.execute(
            select(Profile.person_id, Profile.about, Profile.experience, Profile.projects, Profile.languages).where(
                Profile.person_id.in_(wanted)
            )
        )
    }
    texts: dict[int, list[tuple[str, str]]] = {}
    for person_id, label in session.execute(
        select(PersonSkill.person_id, Skill.label).join(Skill).where(PersonSkill.person_id.in_(wanted))
    ):
        texts.setdefault(person_id, []).append(("expertise", label))
    for person_id, field, value in session.execute(
        select(Own.person_id, Own.field, Own.value).where(Own.person_id.in_(wanted))
    ):
        texts.setdefault(person_id, []).append((field, value))
    chosen = choices(session, wanted)
    made: dict[tuple[int, str, int, str], int] = {}
    names: set[str] = set()
    for row in rows:
        mine = chosen.get(row.id, {})
        for kind, token in words.name_tokens(row.display_name):
            made[kind, token, row.id, "name"] = 0
            if kind == words.WORD:
                names.add(token)
        of_texts = [("job_title", row.job_title), ("site", row.site), ("email", row.email), *texts.get(row.id, ())]
        if (written := profiles.get(row.id)) is not None:
            of_texts += [(key, getattr(written, key)) for key in ("about", "experience", "projects", "languages")]
        for field, text in of_texts:
            if mine.get(field) != NOBODY:
                for kind, token in words.text_tokens(text):
                    made[kind, token, row.id, field] = mine.get(field, 0)
        if mine.get("phone") != NOBODY:
            for kind, token in words.phone_tokens(row.phone):
                made[kind, token, row.id, "phone"] = mine.get("phone", 0)
    _write(session, wanted, made)
    _learn(session, names)
    seen = dialect_insert(session, Indexed)
    for row in rows:
        values = seen.values(person_id=row.id, seen=row.updated_at)
        session.execute(values.on_conflict_do_update(index_elements=["person_id"], set_={"seen": row.updated_at}))
    return len(rows)


def _write(session: Session, ids: Sequence[int], made: dict[tuple[int, str, int, str], int]) -> None:
    session.execute(delete(Token).where(Token.person_id.in_(ids)).execution_options(synchronize_session=False))
    gone = set(ids) - {key[2] for key in made}
    if gone:
        session.execute(delete(Indexed).where(Indexed.person_id.in_(gone)).execution_options(synchronize_session=False))
    rows = [
        {"kind": kind, "token": token, "person_id": person_id, "field": field, "choice": choice}
        for (kind, token, person_id, field), choice in made.items()
    ]
    if rows:
        # Two that index the same person at once write the same words.
        session.execute(dialect_insert(session, Token).on_conflict_do_nothing(), rows)


def _learn(session: Session, names: set[str]) -> None:
    wanted = sorted(word for word in names if 4 <= len(word) <= 20 and word.isalpha())
    if not wanted:
        return
    known = set(session.scalars(select(Near.word).where(Near.part == Near.word, Near.part.in_(wanted))))
    rows = [
        {"part": part, "word": word}
        for word in wanted
        if word not in known
        for part in sorted(filter(None, {*words.parts(word), sounds.key(word)}))
    ]
    if rows:
        session.execute(dialect_insert(session, Near).on_conflict_do_nothing(), rows)


def behind(session: Session, limit: int = BATCH) -> list[int]:
    """People whose words are older than they are."""
    rows = (
        select(Person.id)
        .outerjoin(Indexed, Indexed.person_id == Person.id)
        .where(or_(Indexed.seen.is_(None), Indexed.seen != Person.updated_at))
        .order_by(Person.id)
        .limit(limit)
    )
    return list(session.scalars(rows))


def follow(session: Session) -> None:
    """Job: follow the core's people, batch by batch; more than a few thousand go on in a job of their own."""
    for _turn in range(MOST):
        found = behind(session)
        if not found:
            return
        refresh(session, found)
        for person_id in found:
            emit(session, Event(CHANGED, None, ref_of(person_id)))
        session.flush()
    defer(session, "directory.follow_more", key="directory.follow_more")


def told(session: Session, event: Event) -> None:
    """Consumer: somebody left or is back."""
    person_id = event.data.get("person")
    if isinstance(person_id, int) and refresh(session, [person_id]):
        emit(session, Event(CHANGED, None, ref_of(person_id)))


def changed(session: Session, person_id: int, actor_id: int | None) -> None:
    """The person changed something here: at once, in the same transaction."""
    session.flush()
    refresh(session, [person_id])
    emit(session, Event(CHANGED, actor_id, ref_of(person_id)))


def forget(session: Session, person_id: int) -> int:
    """Remove the words of somebody; how many."""
    gone = delete(Token).where(Token.person_id == person_id).returning(Token.token)
    number = len(session.execute(gone.execution_options(synchronize_session=False)).all())
    session.execute(delete(Indexed).where(Indexed.person_id == person_id).execution_options(synchronize_session=False))
    return number
