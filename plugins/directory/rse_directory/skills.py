"""Expertise: a vocabulary, what people say they know, who confirms it, and asking somebody who knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, case, delete, func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    ObjectRef,
    TooMany,
    dialect_insert,
    notify,
    option,
    record,
    require,
    translator,
    utcnow,
    withdraw,
)
from rse_core.models.organisation import Person
from rse_core.people import PersonCard, folded
from rse_core.people import names as cards_of
from rse_core.roles import is_site_admin

from . import access, indexing, words
from .access import Sight
from .models import Endorsement, PersonSkill, Question, Skill

_ = translator(__file__, "rse_directory").gettext
MOST, LONGEST, MESSAGE = 30, 120, 2000
#: Questions that one person may ask within a day.
ASKED_A_DAY = 10
QUESTION = "directory.question"


@dataclass(frozen=True, slots=True)
class Expertise:
    """Something that a person says they know; ``endorsed`` by how many that the viewer may see, ``by_me`` among them."""

    key: str
    label: str
    endorsed: int = 0
    by_me: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, as one of the two is shown it."""

    id: int
    asker: PersonCard
    asked: PersonCard
    skill: str
    message: str
    at: dt.datetime


def key_of(label: str) -> str:
    """What says that two words of the vocabulary are the same."""
    return folded(label)[:LONGEST]


def labels(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """What these people say they know; one query."""
    found: dict[int, tuple[str, ...]] = {}
    rows = select(PersonSkill.person_id, Skill.label).join(Skill).where(PersonSkill.person_id.in_(ids))
    for person_id, label in session.execute(rows.order_by(Skill.key)):
        found[person_id] = (*found.get(person_id, ()), label)
    return found


def of(session: Session, seen: Sight, person_id: int) -> tuple[Expertise, ...]:
    """What a person says they know, with who confirms it; one query."""
    mine = func.max(case((Endorsement.by_id == seen.person_id, 1), else_=0))
    rows = session.execute(
        select(Skill.key, Skill.label, func.count(Endorsement.by_id), mine)
        .join(PersonSkill, PersonSkill.skill_id == Skill.id)
        .outerjoin(Endorsement, and_(Endorsement.person_id == PersonSkill.person_id, Endorsement.skill_id == Skill.id))
        .where(PersonSkill.person_id == person_id)
        .group_by(Skill.key, Skill.label)
        .order_by(func.count(Endorsement.by_id).desc(), Skill.key)
    )
    return tuple(Expertise(row[0], row[1], row[2], bool(row[3])) for row in rows)


def declare(session: Session, person_id: int, given: Iterable[str]) -> None:
    """Exactly these are what the person says they know; what is no longer said loses its endorsements.

    :raises BadInput: for too many, too long, or a word that the vocabulary lacks where it is closed.
    """
    wanted: dict[str, str] = {}
    for text in given:
        label = " ".join(text.replace("\x00", " ").split())
        if label and key_of(label):
            wanted.setdefault(key_of(label), label)
    too_long = [label for label in wanted.values() if len(label) > LONGEST]
    if too_long or len(wanted) > MOST:
        text = _("At most %(most)s words of expertise, of %(long)s characters each.", most=MOST, long=LONGEST)
        raise BadInput(_("Your profile was not saved."), remedy=text, fields={"skills": text})
    known = {row.key: row.id for row in session.execute(select(Skill.key, Skill.id).where(Skill.key.in_(wanted)))}
    missing = [key for key in wanted if key not in known]
    if missing and not option(session, "directory.open_vocabulary"):
        names = ", ".join(wanted[key] for key in missing[:5])
        text = _("Not in the vocabulary: %(names)s.", names=names)
        raise BadInput(text, remedy=_("Choose from the list, or ask for it to be added."), fields={"skills": text})
    if missing:
        session.execute(
            dialect_insert(session, Skill).on_conflict_do_nothing(),
            [{"key": key, "label": wanted[key], "created_at": utcnow()} for key in missing],
        )
        rows = session.execute(select(Skill.key, Skill.id).where(Skill.key.in_(wanted)))
        known = {row.key: row.id for row in rows}
    now = set(session.scalars(select(PersonSkill.skill_id).where(PersonSkill.person_id == person_id)))
    gone, new = now - set(known.values()), set(known.values()) - now
    for ident in sorted(gone):
        _withdraw(session, person_id, ident)
    if new:
        rows_of = [{"person_id": person_id, "skill_id": ident, "declared_at": utcnow()} for ident in sorted(new)]
        session.execute(dialect_insert(session, PersonSkill).on_conflict_do_nothing(), rows_of)


def _withdraw(session: Session, person_id: int, skill_id: int) -> None:
    both = (Endorsement.person_id == person_id, Endorsement.skill_id == skill_id)
    for by_id in session.scalars(select(Endorsement.by_id).where(*both)).all():
        withdraw(session, f"endorse:{person_id}:{skill_id}:{by_id}")
    session.execute(delete(Endorsement).where(*both))
    session.execute(delete(PersonSkill).where(PersonSkill.person_id == person_id, PersonSkill.skill_id == skill_id))


def endorse(session: Session, by_id: int | None, username: str, key: str, *, on: bool = True) -> None:
    """Confirm what somebody says they know, once; or take that back.

    :raises Forbidden: for one's own expertise.
    :raises NotFound: for who, or what of them, is not shown.
    """
    from . import fields as field_rules
    from .profiles import visible_id

    require(session, by_id, access.ENDORSE)
    seen = access.sight(session, by_id)
    person_id = visible_id(session, seen, username)
    if person_id == seen.person_id:
        raise Forbidden(_("Your own expertise is confirmed by others."))
    entity_id = session.scalar(select(Person.entity_id).where(Person.id == person_id))
    chosen = field_rules.choices(session, [person_id]).get(person_id, {}).get("expertise", 0)
    skill_id = None
    if access.shows(seen, seen.fields["expertise"], chosen, person_id, entity_id):
        skill_id = session.scalar(
            select(PersonSkill.skill_id).join(Skill).where(PersonSkill.person_id == person_id, Skill.key == key_of(key))
            .with_for_update()
        )  # fmt: skip
    if skill_id is None:
        raise NotFound(_("This person does not say that they know this."))
    cause = f"endorse:{person_id}:{skill_id}:{seen.person_id}"
    if not on:
        session.execute(
            delete(Endorsement).where(
                Endorsement.person_id == person_id, Endorsement.skill_id == skill_id, Endorsement.by_id == seen.person_id
            )
        )
        withdraw(session, cause)
        return
    made = dialect_insert(session, Endorsement).values(
        person_id=person_id, skill_id=skill_id, by_id=seen.person_id, at=utcnow()
    )
    if session.execute(made.on_conflict_do_nothing().returning(Endorsement.by_id)).scalar() is not None:
        notify(session, person_id, "directory.endorsed", indexing.ref_of(person_id), actor_id=seen.person_id, cause=cause)


# -- the vocabulary ------------------------------------------------------------------------------------------------------


def vocabulary(
    session: Session, viewer_id: int | None, typed: str = "", *, after: str = "", limit: int = 50
) -> list[Expertise]:
    """Words of the vocabulary that begin as typed, by keyset on the key. ``endorsed`` is not told here."""
    access.sight(session, viewer_id)
    rows = select(Skill.key, Skill.label).order_by(Skill.key).limit(limit)
    begin = key_of(typed)
    if begin:
        rows = rows.where(Skill.key >= begin, Skill.key < words.after(begin))
    if after:
        rows = rows.where(Skill.key > after)
    return [Expertise(row.key, row.label) for row in session.execute(rows)]


def add(session: Session, actor: Actor, label: str) -> str:
    """Add a word to the vocabulary; its key. For administrators of the site."""
    _admin_only(session, actor)
    label = " ".join(label.replace("\x00", " ").split())
    if not key_of(label) or len(label) > LONGEST:
        text = _("Write a word of expertise, of at most %(long)s characters.", long=LONGEST)
        raise BadInput(text, fields={"label": text})
    made = dialect_insert(session, Skill).values(key=key_of(label), label=label, created_at=utcnow())
    if session.execute(made.on_conflict_do_nothing().returning(Skill.id)).scalar() is None:
        raise Conflict(_("“%(name)s” is in the vocabulary already.", name=label))
    record(session, actor, "directory.skill_add", f"skill:{key_of(label)}")
    return key_of(label)


def remove(session: Session, actor: Actor, key: str, *, into: str = "") -> None:
    """Take a word out of the vocabulary, or let another take its people; for administrators of the site."""
    _admin_only(session, actor)
    gone = _skill(session, key)
    having = session.scalars(select(PersonSkill.person_id).where(PersonSkill.skill_id == gone.id)).all()
    if into:
        other = _skill(session, into)
        if other.id == gone.id:
            raise BadInput(_("Choose another word to take its place."))
        rows = [{"person_id": one, "skill_id": other.id, "declared_at": utcnow()} for one in having]
        if rows:
            session.execute(dialect_insert(session, PersonSkill).on_conflict_do_nothing(), rows)
    for person_id in having:
        _withdraw(session, person_id, gone.id)
    session.delete(gone)
    session.flush()
    for start in range(0, len(having), indexing.BATCH):
        indexing.refresh(session, having[start : start + indexing.BATCH])
    record(session, actor, "directory.skill_remove", f"skill:{key}", after=into or None)


def _skill(session: Session, key: str) -> Skill:
    found = session.scalar(select(Skill).where(Skill.key == key_of(key)))
    if found is None:
        raise NotFound(_("“%(name)s” is not in the vocabulary.", name=key[:80]))
    return found


def _admin_only(session: Session, actor: Actor) -> None:
    if actor.person_id is not None and not is_site_admin(session, actor.person_id):
        raise Forbidden(_("The vocabulary is kept by the administrators of the site."))


# -- asking --------------------------------------------------------------------------------------------------------------


def ask(session: Session, from_id: int | None, username: str, message: str, *, skill: str = "") -> int:
    """Ask somebody for their expertise: they are told, and read the message here; the id of the question.

    :raises TooMany: beyond :data:`ASKED_A_DAY`.
    """
    from .profiles import visible_id

    require(session, from_id, access.ASK)
    seen = access.sight(session, from_id)
    to_id = visible_id(session, seen, username)
    if to_id == seen.person_id:
        raise Forbidden(_("You are asking yourself."))
    text = message.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text or len(text) > MESSAGE:
        problem = _("Write your question, in at most %(most)s characters.", most=MESSAGE)
        raise BadInput(problem, fields={"message": problem})
    since = utcnow() - dt.timedelta(days=1)
    asked = session.scalar(select(func.count()).where(Question.from_id == seen.person_id, Question.at > since)) or 0
    if asked >= ASKED_A_DAY:
        raise TooMany(
            _("You have asked %(most)s questions within a day; please wait until tomorrow.", most=ASKED_A_DAY),
            retry_after=3600,
        )
    row = Question(from_id=seen.person_id, to_id=to_id, skill=skill[:LONGEST], message=text, at=utcnow())
    session.add(row)
    session.flush()
    ref = ObjectRef(QUESTION, str(row.id))
    notify(session, to_id, "directory.asked", ref, actor_id=seen.person_id, cause=f"question:{row.id}")
    return row.id


def question(session: Session, person_id: int | None, ident: int) -> Asking:
    """One question; for the two whom it concerns.

    :raises NotFound: for everybody else.
    """
    require(session, person_id, access.SEE)
    row = session.scalar(
        select(Question).where(
            Question.id == ident, or_(Question.from_id == person_id, Question.to_id == person_id)
        )
    )  # fmt: skip
    cards = cards_of(session, (row.from_id, row.to_id)) if row is not None else {}
    if row is None or len(cards) < 2:
        raise NotFound(_("There is no such question, or it is not for you."))
    return Asking(row.id, cards[row.from_id], cards[row.to_id], row.skill, row.message, row.at)
