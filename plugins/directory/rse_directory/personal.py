"""What is kept here about a person: what they wrote, whom they confirmed, what they asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from rse_core import files

from . import fields, indexing
from .models import Choice, Endorsement, Look, Own, PersonSkill, PhotoFrom, Profile, Question, Skill
from .photos import photo_ref


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Everything of theirs; of others only whom they confirmed and asked."""
    found: list[Mapping[str, Any]] = []
    row = session.get(Profile, person_id)
    if row is not None:
        texts = {key: getattr(row, key) for key in fields.TEXTS}
        born = f"{row.birth_day:02}.{row.birth_month:02}" if row.birth_day and row.birth_month else ""
        found.append({"kind": "profile", **texts, "birthday": born, "listed": row.listed, "at": row.updated_at.isoformat()})
    for key, value in session.execute(select(Own.field, Own.value).where(Own.person_id == person_id)):
        found.append({"kind": "field", "field": key, "value": value})
    for key, code in session.execute(select(Choice.field, Choice.audience).where(Choice.person_id == person_id)):
        found.append({"kind": "choice", "field": key, "shown_to": fields.name_of(code)})
    if (photo := session.get(PhotoFrom, person_id)) is not None:
        found.append({"kind": "photo of a source", "source": photo.source, "at": photo.at.isoformat()})
    rows = select(Skill.label, PersonSkill.declared_at).join(PersonSkill).where(PersonSkill.person_id == person_id)
    for label, at in session.execute(rows.order_by(Skill.key)):
        found.append({"kind": "expertise", "label": label, "at": at.isoformat()})
    given = select(Skill.label, Endorsement.at).join(Skill, Skill.id == Endorsement.skill_id)
    for label, at in session.execute(given.where(Endorsement.by_id == person_id).order_by(Endorsement.at)):
        found.append({"kind": "endorsement given", "label": label, "at": at.isoformat()})
    asked = select(Question).where(or_(Question.from_id == person_id, Question.to_id == person_id)).order_by(Question.id)
    for one in session.scalars(asked):
        mine = one.from_id == person_id
        # What others wrote to them is theirs to read, as a letter is.
        found.append({"kind": "asked" if mine else "was asked", "message": one.message, "at": one.at.isoformat()})
    return found


def erase(session: Session, person_id: int) -> int:
    """Everything of theirs goes, the photo and the words that they are found by too; how many rows."""
    number = indexing.forget(session, person_id)
    files.forget(session, photo_ref(person_id))
    for table, rule in (
        (Endorsement, or_(Endorsement.person_id == person_id, Endorsement.by_id == person_id)),
        (PersonSkill, PersonSkill.person_id == person_id),
        (Own, Own.person_id == person_id),
        (Choice, Choice.person_id == person_id),
        (Question, or_(Question.from_id == person_id, Question.to_id == person_id)),
        (Look, or_(Look.viewer_id == person_id, Look.subject_id == person_id)),
        (PhotoFrom, PhotoFrom.person_id == person_id),
        (Profile, Profile.person_id == person_id),
    ):
        done: Any = session.execute(delete(table).where(rule).execution_options(synchronize_session=False))
        number += int(done.rowcount)
    return number
