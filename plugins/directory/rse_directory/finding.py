"""Searching people: the condition, a page by keyset, facets within bounds, proposals while one types."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased

from rse_core import places
from rse_core.models.organisation import Entity, EntityPath, Person, PersonEntity

from . import access, words
from .access import Sight
from .many import one_of
from .models import Near, PersonSkill, Skill, Token
from .words import Term

#: Facets look at so many people at most; beyond that they have no numbers. Values of one facet.
COUNTED, VALUES = 2_000, 12
#: A word under which there are more entries than that is too broad to look at all of them.
BROAD = 2 * COUNTED
#: Of a broad word, so many people are looked at in the order of names before all that have it are sorted.
WALKED = 1_500
PAGE, QUICK = 20, 8
#: Where a page goes on: among names that begin as typed, or among all others.
FIRST, THEN = "0", "1"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of the directory, as it stands in an address."""

    text: str = ""
    entity: str = ""
    site: str = ""
    job: str = ""
    skill: str = ""
    outside: bool = False
    former: bool = False

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Asked:
        """From an address; too long is cut, unknown is left out."""

        def text(name: str) -> str:
            return values.get(name, "").replace("\x00", " ").strip()[:300]

        return cls(
            text("q")[: words.MAX_TYPED], text("entity"), text("site"), text("job"), text("skill"),
            values.get("outside") == "1", values.get("former") == "1",
        )  # fmt: skip

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, by name."""
        return {name: getattr(self, name) for name in ("entity", "site", "job", "skill") if getattr(self, name)}

    def arguments(self, **changed: Any) -> dict[str, str]:
        """For an address: this with something changed; what is not set is left out."""
        other = replace(self, **changed)
        found = ({"q": other.text} if other.text else {}) | other.filters
        return found | {name: "1" for name in ("outside", "former") if getattr(other, name)}

    @property
    def is_empty(self) -> bool:
        """No text and no filter: the whole list."""
        return not self.text and not self.filters

    @property
    def scope(self) -> str:
        """What a cursor is bound to."""
        plain = "\x1f".join(f"{name}={value}" for name, value in self.arguments().items())
        return "directory.2:" + hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=9).hexdigest()


@dataclass(frozen=True, slots=True)
class Hits:
    """Ids in order; ``after`` where the next page begins, for :func:`find`; ``near``: by names close to what was typed."""

    ids: tuple[int, ...] = ()
    after: tuple[str, int] | None = None
    near: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet; ``count`` is None where there are too many people to count."""

    key: str
    label: str
    count: int | None
    chosen: bool = False


def ids_of(seen: Sight, term: Term, *, most: int = 0) -> ColumnElement[bool]:
    """A condition on :class:`Person`: this term finds them, by what of them is shown.

    :param most: look at so many entries of the index at most; 0 for all.
    """
    found = [one.limit(most) if most else one for one in _entries(seen, term)]
    if len(found) == 1:
        return Person.id.in_(found[0])
    return Person.id.in_(union_all(*(select(one.subquery().c.person_id) if most else one for one in found)))


def _entries(seen: Sight, term: Term, *, of: ColumnElement[int] | None = None) -> list[Select[int]]:
    """Entries of the index that this term meets, always or by people of one's entities; ``of``: one person's alone."""
    ranges = [_begins(words.WORD, word) for word in (term.word, *term.near) if word]
    if term.digits:
        ranges.append(_begins(words.PHONE, term.digits))
    always, within = access.token_rules(seen)
    found: list[Select[int]] = [select(Token.person_id).where(or_(*ranges), always)]
    if within is not None:
        theirs = select(Person.id).where(Person.entity_id.in_(seen.path))
        found.append(select(Token.person_id).where(or_(*ranges), within, Token.person_id.in_(theirs)))
    return found if of is None else [one.where(Token.person_id == of).correlate(of.table) for one in found]


def _is_broad(session: Session, seen: Sight, terms: Sequence[Term]) -> bool:
    """Whether one word was typed under which there are more entries than are looked at for facets."""
    if len(terms) != 1:
        return False
    some = _entries(seen, terms[0])[0].limit(BROAD + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > BROAD


def _begins(kind: int, prefix: str) -> ColumnElement[bool]:
    return and_(Token.kind == kind, Token.token >= prefix, Token.token < words.after(prefix))


def condition(
    seen: Sight, asked: Asked, terms: Iterable[Term], *, without: str = "", most: int = 0
) -> ColumnElement[bool]:
    """Everything that was asked, on :class:`Person`.

    :param without: leave out the filter of this facet.
    :param most: see :func:`ids_of`.
    """
    people = access.people(seen, former=asked.former, outside=asked.outside)
    rules = [people, *(ids_of(seen, term, most=most) for term in terms)]
    if asked.entity and without != "entity":
        below = select(EntityPath.entity_id).join(Entity, Entity.id == EntityPath.ancestor_id)
        rules.append(places.of(below.where(Entity.key == asked.entity)))
    if asked.site and without != "site":
        rules += [Person.site == asked.site, access.field_shown(seen, "site")]
    if asked.job and without != "job":
        rules += [Person.job_title == asked.job, access.field_shown(seen, "job_title")]
    if asked.skill and without != "skill":
        having = select(PersonSkill.person_id).join(Skill).where(Skill.key == asked.skill)
        rules += [Person.id.in_(having), access.field_shown(seen, "expertise")]
    return and_(*rules)


def find(
    session: Session, seen: Sight, asked: Asked, *, after: tuple[str, int] | None = None, limit: int = PAGE,
    near: bool = False,
) -> Hits:  # fmt: skip
    """A page: names that begin as typed, from either end, then everybody else, each in the order of names; when nothing
    begins as typed, names that are one slip away."""
    terms = words.parse(asked.text)
    if asked.text and not terms:
        return Hits()
    if near:
        terms = _nearer(session, terms)
    begin = "" if near or any(term.digits for term in terms) else words.whole(asked.text)
    rule = condition(seen, asked, terms)
    # Whose whole name begins so has every word that was typed, and names are hidden from nobody.
    named = condition(seen, asked, ()) if begin else rule

    def walked(later: ColumnElement[bool], most: int) -> list[tuple[int, str]]:
        return _walked(session, seen, terms[0], and_(named, later), most) if _is_broad(session, seen, terms) else []

    found = _page(session, rule, after, limit, begin=begin, named=named, walked=walked if not asked.filters else None)
    if found.ids or after or not terms:
        return replace(found, near=near)
    better = _nearer(session, terms)
    if better == terms:
        return found
    rule = condition(seen, asked, better)
    found = _page(session, rule, None, limit, named=rule)
    return replace(found, near=bool(found.ids))


def _page(
    session: Session, rule: ColumnElement[bool], after: tuple[str, int] | None, limit: int, *, named: ColumnElement[bool],
    begin: str = "", walked: Callable[[ColumnElement[bool], int], list[tuple[int, str]]] | None = None,
) -> Hits:  # fmt: skip
    """Names that begin as typed come off an index in their order, whatever their number; the others are sorted.

    :param named: what holds for those whose name begins as typed.
    :param walked: a quicker way to the others, which may find too few of them.
    """
    rows: list[tuple[int, str]] = []
    place, key = (after[0][:1], after[0][1:]) if after is not None else (FIRST, "")
    if begin and place == FIRST:
        rows = _beginning(session, named, begin, (key, after[1]) if after is not None else None, limit + 1)
    if len(rows) <= limit:
        later: ColumnElement[bool] = ~_named(begin).exists() if begin else true()
        if after is not None and place == THEN:
            same = and_(Person.folded_name == key, Person.id > after[1])
            later = and_(later, or_(Person.folded_name > key, same))
        most = limit + 1 - len(rows)
        more = walked(later, most) if walked is not None else []
        if len(more) < most:
            others = select(Person.id, Person.folded_name).where(rule, later).order_by(Person.folded_name, Person.id)
            more = [(ident, name) for ident, name in session.execute(others.limit(most))]
        rows += [(ident, THEN + name) for ident, name in more]
    shown = rows[:limit]
    return Hits(tuple(ident for ident, _key in shown), (shown[-1][1], shown[-1][0]) if len(rows) > limit else None)


def _walked(
    session: Session, seen: Sight, term: Term, rule: ColumnElement[bool], most: int
) -> list[tuple[int, str]]:
    """The first people, in the order of names, who have a word that very many have; too few where they stand far apart."""
    some = select(Person.id, Person.folded_name).where(rule).order_by(Person.folded_name, Person.id).limit(WALKED).subquery()
    rows = select(some.c.id, some.c.folded_name).where(or_(*(one.exists() for one in _entries(seen, term, of=some.c.id))))
    return [(ident, name) for ident, name in session.execute(rows.order_by(some.c.folded_name, some.c.id).limit(most))]


def _named(begin: str) -> Select[int]:
    """Entries of a person whose name begins so, from either end."""
    return select(Token.person_id).where(Token.person_id == Person.id, _begins(words.WHOLE, begin)).correlate(Person)


def _beginning(
    session: Session, rule: ColumnElement[bool], begin: str, after: tuple[str, int] | None, limit: int
) -> list[tuple[int, str]]:
    earlier = aliased(Token)
    rows = (
        select(Token.person_id, Token.token)
        .join(Person, Person.id == Token.person_id)
        .where(
            _begins(words.WHOLE, begin),
            rule,
            # Somebody whose name begins so from both ends comes once.
            ~select(earlier.person_id)
            .where(
                earlier.person_id == Token.person_id, earlier.kind == words.WHOLE, earlier.token >= begin,
                earlier.token < Token.token,
            )
            .exists(),
        )
        .order_by(Token.token, Token.person_id)
        .limit(limit)
    )  # fmt: skip
    if after is not None:
        rows = rows.where(or_(Token.token > after[0], and_(Token.token == after[0], Token.person_id > after[1])))
    return [(ident, FIRST + token) for ident, token in session.execute(rows)]


def _nearer(session: Session, terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms with words that are one slip away beside them; one query."""
    wanted = {term.word: words.parts(term.word) for term in terms if len(term.word) >= 4 and term.word.isalpha()}
    if not wanted:
        return terms
    every = sorted(set().union(*wanted.values()))
    known = session.execute(select(Near.part, Near.word).where(Near.part.in_(every))).all()
    near = {
        word: tuple(sorted({other for part, other in known if part in mine and words.is_one_slip(word, other)})[:6])
        for word, mine in wanted.items()
    }
    return tuple(replace(term, near=near.get(term.word, ())) for term in terms)


def suggest(session: Session, seen: Sight, typed: str, *, limit: int = QUICK) -> list[int]:
    """Ids while somebody types: whose name begins so, from either end; then who has words that begin so."""
    begin = words.whole(typed)
    if not begin:
        return []
    found: dict[int, None] = {}
    rows = (
        select(Token.person_id)
        .join(Person, Person.id == Token.person_id)
        .where(_begins(words.WHOLE, begin), access.people(seen))
        .order_by(Token.token, Token.person_id)
        .limit(limit * 2)
    )
    found.update(dict.fromkeys(session.scalars(rows)))
    if len(found) < limit and len(begin) > 1:
        found.update(dict.fromkeys(find(session, seen, Asked(typed[: words.MAX_TYPED]), limit=limit).ids))
    return list(found)[:limit]


# -- facets --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Facets, and how many people there are in all: None when that is more than :data:`COUNTED`."""

    facets: Mapping[str, tuple[Value, ...]]
    count: int | None


def facets(session: Session, seen: Sight, asked: Asked, *, near: bool = False) -> Narrowing:
    """What one can narrow by, each as if it were not narrowed by itself; bounded, whatever the number of people."""
    terms = words.parse(asked.text)
    if asked.text and not terms:
        return Narrowing({}, 0)
    if near:
        terms = _nearer(session, terms)
    broad = _is_broad(session, seen, terms)
    # Of a broad word a part is looked at, and nothing is numbered; a filter makes it less broad.
    most = BROAD if broad and not asked.filters else 0
    everybody, whole = _sample(session, seen, condition(seen, asked, terms, most=most)), not most
    made: dict[str, tuple[Value, ...]] = {}
    for name in ("entity", "site", "job", "skill"):
        some, exact = everybody, whole and len(everybody) <= COUNTED
        if asked.filters.get(name):
            part = BROAD if broad and len(asked.filters) == 1 else 0
            some = _sample(session, seen, condition(seen, asked, terms, without=name, most=part))
            exact = not part and len(some) <= COUNTED
        found = _values(session, asked, name, some[:COUNTED])
        if found:
            made[name] = tuple(
                Value(key, label, number if exact else None, asked.filters.get(name) == key) for key, label, number in found
            )
    return Narrowing(made, len(everybody) if whole and len(everybody) <= COUNTED else None)


def _sample(session: Session, seen: Sight, rule: ColumnElement[bool]) -> Sequence[Any]:
    """People with what of them may be counted, one more than is counted at most. One query: the search itself runs once."""

    def shown(column: Any, field: str) -> Any:
        return case((access.field_shown(seen, field), column), else_="").label(field)

    rows = select(
        Person.id, Person.entity_id, shown(Person.site, "site"), shown(Person.job_title, "job_title"),
        case((access.field_shown(seen, "expertise"), 1), else_=0).label("expertise"),
        select(PersonEntity.person_id).where(PersonEntity.person_id == Person.id).correlate(Person).exists().label("beside"),
    )  # fmt: skip
    return session.execute(rows.where(rule).order_by(Person.id).limit(COUNTED + 1)).all()


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
