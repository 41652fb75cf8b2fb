"""What one can narrow a search by: facets, within bounds whatever the number of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from rse_core.models.organisation import Entity, EntityPath, Person, PersonEntity

from . import access, finding, words
from .access import Sight
from .finding import Asked
from .many import one_of
from .models import PersonSkill, Skill

#: Values of one facet.
VALUES = 12


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet; ``count`` is None where there are too many people to count."""

    key: str
    label: str
    count: int | None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Facets, and how many people there are in all: None when that is more than :data:`~rse_directory.finding.COUNTED`."""

    facets: Mapping[str, tuple[Value, ...]]
    count: int | None


def facets(
    session: Session, seen: Sight, asked: Asked, *, near: int = finding.TYPED, broad: bool | None = None
) -> Narrowing:
    """What one can narrow by, each as if it were not narrowed by itself; bounded, whatever the number of people.

    :param near: as :attr:`Hits.near` says.
    :param broad: as :attr:`Hits.broad` says.
    """
    terms = words.parse(asked.text)
    if asked.text and not terms:
        return Narrowing({}, 0)
    if near:
        terms = finding.nearer(session, terms, near)
    broad = finding.is_broad(session, seen, terms) if broad is None else broad
    # Of a broad word a part is looked at, and nothing is numbered; a filter makes it less broad.
    most = finding.BROAD if broad and not asked.filters else 0
    everybody, whole = _sample(session, seen, finding.condition(seen, asked, terms, most=most)), not most
    made: dict[str, tuple[Value, ...]] = {}
    for name in ("entity", "site", "job", "skill"):
        some, exact = everybody, whole and len(everybody) <= finding.COUNTED
        if asked.filters.get(name):
            part = finding.BROAD if broad and len(asked.filters) == 1 else 0
            some = _sample(session, seen, finding.condition(seen, asked, terms, without=name, most=part))
            exact = not part and len(some) <= finding.COUNTED
        found = _values(session, asked, name, some[:finding.COUNTED])
        if found:
            made[name] = tuple(
                Value(key, label, number if exact else None, asked.filters.get(name) == key) for key, label, number in found
            )
    return Narrowing(made, len(everybody) if whole and len(everybody) <= finding.COUNTED else None)


def _sample(session: Session, seen: Sight, rule: ColumnElement[bool]) -> Sequence[Any]:
    """People with what of them may be counted, one more than is counted at most. One query: the search itself runs once."""

    def shown(column: Any, field: str) -> Any:
        return case((access.field_shown(seen, field), column), else_="").label(field)

    rows = select(
        Person.id, Person.entity_id, shown(Person.site, "site"), shown(Person.job_title, "job_title"),
        case((access.field_shown(seen, "expertise"), 1), else_=0).label("expertise"),
        select(PersonEntity.person_id).where(PersonEntity.person_id == Person.id).correlate(Person).exists().label("beside"),
    )  # fmt: skip
    return session.execute(rows.where(rule).order_by(Person.id).limit(finding.COUNTED + 1)).all()


def _values(session: Session, asked: Asked, name: str, some: Sequence[Any]) -> list[tuple[str, str, int]]:
    if name in ("site", "job"):
        texts = Counter(row.site if name == "site" else row.job_title for row in some)
        found = [(text, text, number) for text, number in texts.items() if text]
    elif name == "entity":
        beside = [row.id for row in some if row.beside]
        found = _entities(session, asked, {row.id: row.entity_id for row in some}, beside)
    else:
        ids = [row.id for row in some if row.expertise]
        rows = (
            select(Skill.key, Skill.label, func.count())
            .join(PersonSkill, PersonSkill.skill_id == Skill.id)
            .where(one_of(session, PersonSkill.person_id, ids))
            .group_by(Skill.key, Skill.label)
        )
        found = [(row[0], row[1], row[2]) for row in session.execute(rows)] if ids else []
    return sorted(found, key=lambda one: (-one[2], one[1], one[0]))[:VALUES]


def _entities(
    session: Session, asked: Asked, mains: Mapping[int, int | None], some: Sequence[int]
) -> list[tuple[str, str, int]]:
    """What stands right below the chosen entity, or at the top; and the chosen one, to be taken away again.

    Somebody in several entities counts once in each of those that are shown.

    :param some: who is in others beside the main one.
    """
    if not mains:
        return []
    at = [(person, entity) for person, entity in mains.items() if entity is not None]
    beside = select(PersonEntity.person_id, PersonEntity.entity_id).where(one_of(session, PersonEntity.person_id, some))
    at += [(person, entity) for person, entity in session.execute(beside)] if some else []
    place: ColumnElement[bool] = Entity.parent_id.is_(None)
    if asked.entity:
        chosen = select(Entity.id).where(Entity.key == asked.entity).scalar_subquery()
        place = or_(Entity.parent_id == chosen, Entity.key == asked.entity)
    rows = (
        select(Entity.key, Entity.name, EntityPath.entity_id)
        .join(EntityPath, EntityPath.ancestor_id == Entity.id)
        .where(EntityPath.entity_id.in_(sorted({entity for _person, entity in at})), place)
    )
    shown: dict[int, list[tuple[str, str]]] = {}
    for key, name, entity_id in session.execute(rows):
        shown.setdefault(entity_id, []).append((key, name))
    people: dict[tuple[str, str], set[int]] = {}
    for person, entity in at:
        for one in shown.get(entity, ()):
            people.setdefault(one, set()).add(person)
    return [(key, name, len(some)) for (key, name), some in people.items()]
