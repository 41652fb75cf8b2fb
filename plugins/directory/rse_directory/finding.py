"""Searching people: the condition, a page by keyset, proposals while one types."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true, union_all
from sqlalchemy.orm import Session, aliased

from rse_core import places
from rse_core.models.organisation import Entity, EntityPath, Person

from . import access, sounds, words
from .access import Sight
from .models import Near, PersonSkill, Skill, Token
from .words import Term

#: Facets look at so many people at most; beyond that they have no numbers.
COUNTED = 2_000
#: A word under which there are more entries than that is too broad to look at all of them.
BROAD = 2 * COUNTED
#: Of a broad word, so many people are looked at in the order of names before all that have it are sorted.
WALKED = 1_500
PAGE, QUICK = 20, 8
#: How names were found: as typed, one slip away, or also by how they sound.
TYPED, SLIPS, SOUNDS = 0, 1, 2
#: Words that are looked for beside one that was typed: one slip away, and that sound like it.
MOST_SLIPS, MOST_SOUNDS = 6, 12
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
    """Ids in order; ``after`` where the next page begins, for :func:`find`; ``near``: how close the names are to what was
    typed (:data:`TYPED`, :data:`SLIPS` or :data:`SOUNDS`).

    ``alike``: beside few people that were found as typed, some whose names sound so; ``broad``: whether very many have the
    word that was typed; None where that was not looked at.
    """

    ids: tuple[int, ...] = ()
    after: tuple[str, int] | None = None
    near: int = TYPED
    alike: tuple[int, ...] = ()
    broad: bool | None = None


def ids_of(seen: Sight, term: Term, *, most: int = 0) -> ColumnElement[bool]:
    """A condition on :class:`Person`: this term finds them, by what of them is shown.

    :param most: look at so many entries of the index at most; 0 for all.
    """
    found = [one.limit(most) if most else one for one in _entries(seen, term)]
    if len(found) == 1:
        return Person.id.in_(found[0])
    return Person.id.in_(union_all(*(select(one.subquery().c.person_id) if most else one for one in found)))


def _entries(seen: Sight, term: Term) -> list[Select[int]]:
    always, within = access.token_rules(seen)
    found: list[Select[int]] = [select(Token.person_id).where(_ranges(term), always)]
    if within is not None:
        theirs = select(Person.id).where(Person.entity_id.in_(seen.path))
        found.append(select(Token.person_id).where(_ranges(term), within, Token.person_id.in_(theirs)))
    return found


def _ranges(term: Term, *, theirs: bool = False) -> ColumnElement[bool]:
    """:param theirs: among the entries of one person."""
    ranges = [_begins(words.WORD, word, theirs=theirs) for word in (term.word, *term.near) if word]
    if term.digits:
        ranges.append(_begins(words.PHONE, term.digits, theirs=theirs))
    return or_(*ranges)


def is_broad(session: Session, seen: Sight, terms: Sequence[Term]) -> bool:
    """Whether one word was typed under which there are more entries than are looked at for facets."""
    if len(terms) != 1:
        return False
    some = _entries(seen, terms[0])[0].limit(BROAD + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) > BROAD


def _begins(kind: int, prefix: str, *, theirs: bool = False) -> ColumnElement[bool]:
    # A sum is in no index: SQLite would go through everybody's entries that begin so, for each person anew.
    column = Token.kind + 0 if theirs else Token.kind
    return and_(column == kind, Token.token >= prefix, Token.token < words.after(prefix))


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
    near: int = TYPED,
) -> Hits:  # fmt: skip
    """A page: names that begin as typed, from either end, then everybody else, each in the order of names.

    When nothing begins as typed: names that are one slip away; where they do not fill a page, with those that sound as
    typed. Few that were found as typed have such people beside them (:attr:`Hits.alike`), as far as the page has room.

    :param near: :attr:`Hits.near` of the page before.
    """
    terms = words.parse(asked.text)
    if asked.text and not terms:
        return Hits()
    if near:
        terms = nearer(session, terms, near)
    begin = "" if near or any(term.digits for term in terms) else words.whole(asked.text)
    rule = condition(seen, asked, terms)
    # Whose whole name begins so has every word that was typed, and names are hidden from nobody.
    anybody = condition(seen, asked, ())
    named = anybody if begin else rule

    broad: bool | None = None

    def walked(later: ColumnElement[bool], most: int) -> list[tuple[int, str]]:
        nonlocal broad
        broad = is_broad(session, seen, terms)
        # Whether they have the word is asked of each on the way: gathering all who have it is what this spares.
        return _walked(session, seen, terms[0], and_(anybody, later), most) if broad else []

    found = _page(session, rule, after, limit, begin=begin, named=named, walked=walked if not asked.filters else None)
    found = replace(found, near=near, broad=broad)
    if after or not terms or near or len(found.ids) >= limit:
        return found
    slips, alike = _beside(session, terms, slips=not found.ids)
    if found.ids:
        return replace(found, alike=_alike(session, seen, asked, terms, alike, limit - len(found.ids)))
    for way, better in ((SLIPS, slips), (SOUNDS, _joined(slips, alike))):
        if better != terms:
            rule = condition(seen, asked, better)
            found = replace(_page(session, rule, None, limit, named=rule), near=way)
            if found.after:
                break
        terms = better
    return found if found.ids else Hits(broad=broad)


def _alike(
    session: Session, seen: Sight, asked: Asked, typed: tuple[Term, ...], terms: tuple[Term, ...], most: int
) -> tuple[int, ...]:
    """Ids of some who are found by how it sounds, but not as it was typed."""
    if not any(term.near for term in terms):
        return ()
    others = ~and_(*(ids_of(seen, term) for term in typed))
    rows = select(Person.id).where(condition(seen, asked, terms), others).order_by(Person.folded_name, Person.id)
    return tuple(session.scalars(rows.limit(most)))


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
    first = select(Person.id, Person.folded_name, Person.entity_id).where(rule)
    some = first.order_by(Person.folded_name, Person.id).limit(WALKED).subquery()
    always, within = access.token_rules(seen)
    shown = always if within is None else or_(always, and_(within, some.c.entity_id.in_(seen.path)))
    has = select(Token.person_id).where(Token.person_id == some.c.id, _ranges(term, theirs=True), shown).correlate(some)
    # With its limit this is asked of each in turn, until there are enough: PostgreSQL would gather everybody otherwise.
    rows = select(some.c.id, some.c.folded_name).where(has.limit(1).scalar_subquery().is_not(None))
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


def nearer(session: Session, terms: tuple[Term, ...], near: int = SOUNDS) -> tuple[Term, ...]:
    """The terms with words beside them that are one slip away, or also with those that sound so; one query."""
    slips, alike = _beside(session, terms)
    return slips if near == SLIPS else _joined(slips, alike)


def _beside(
    session: Session, terms: tuple[Term, ...], *, slips: bool = True
) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    """The terms with names beside them that are one slip away, and with those that sound so; one query.

    :param slips: whether the former are asked for.
    """
    typed = {term.word for term in terms}
    # Le Goff may be written Legoff: each of the words then begins that one, or stands in it.
    whole: dict[str, list[str]] = {}
    for one, some in words.in_one([term.word for term in terms]) if slips else ():
        for word in some:
            whole.setdefault(word, []).append(one)
    pieces = {word: words.parts(word) for word in typed if slips and len(word) >= 4 and word.isalpha()}
    keys = {word: key for word in typed if (key := sounds.key(word))}
    if not pieces and not keys and not whole:
        return terms, terms
    wanted = sorted(set(keys.values()).union(*pieces.values()))
    known = session.execute(select(Near.part, Near.word).where(Near.part.in_(wanted))).all()
    close = {
        word: sorted({other for part, other in known if part in mine and words.is_one_slip(word, other)})[:MOST_SLIPS]
        for word, mine in pieces.items()
    }
    alike = {
        word: sorted(
            {other for part, other in known if part == key and other != word},
            key=lambda other: (abs(len(other) - len(word)), other),
        )[:MOST_SOUNDS]
        for word, key in keys.items()
    }
    return (
        tuple(replace(term, near=(*close.get(term.word, ()), *whole.get(term.word, ()))) for term in terms),
        tuple(replace(term, near=tuple(alike.get(term.word, ()))) for term in terms),
    )


def _joined(some: tuple[Term, ...], others: tuple[Term, ...]) -> tuple[Term, ...]:
    pairs = zip(some, others, strict=True)
    return tuple(replace(one, near=tuple(dict.fromkeys((*one.near, *other.near)))) for one, other in pairs)


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
        more = find(session, seen, Asked(typed[: words.MAX_TYPED]), limit=limit)
        found.update(dict.fromkeys((*more.ids, *more.alike)))
    return list(found)[:limit]
