"""Finding: one query for the hits and one for every facet, both under the scopes of the person who asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    column,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from rse_core.api import BadInput, ObjectRef, translator, utcnow
from rse_core.models.organisation import EntityPath
from rse_core.search import SearchAnswer, SearchHit, SearchQuery, SearchScope

from . import matching
from .marks import snippet
from .models import Document
from .store import is_sqlite
from .typed import Term, Typed

_ = translator(__file__, "rse_search").gettext
#: Values shown of one facet.
MOST = 12
#: Days, for the facet of dates; a later one holds the earlier ones.
DATES = {"week": 7, "month": 31, "year": 366}
FACETS = ("kind", "entity", "space", "author", "date")
#: Weights of title, further words, body, stems of the title, other stems.
_BM25 = (10.0, 4.0, 1.0, 8.0, 0.8)
#: SQLite's table of words; as a column, its own name stands for all of them.
_TABLE = table("rse_search_text", column("rowid", Integer))
_TEXT: Any = literal_column("rse_search_text")
#: What a title with every word in it counts. Scores are whole numbers: pages are told apart by what compares exactly.
TITLED = 100_000


@dataclass(frozen=True, slots=True)
class Matched:
    """The query of one person in the terms of one database: conditions on documents, and the score."""

    sqlite: bool
    typed: Typed
    scopes: Sequence[SearchScope]
    query: SearchQuery
    #: for the index's own housekeeping alone: whatever the audience
    everything: bool = False

    def base(self, *columns: Any) -> Select[Any]:
        """Documents that the words find within the scopes, before any other condition."""
        found = select(*columns).where(self._allowed())
        terms, titles = self.typed.terms, self.query.titles
        if terms and self.sqlite:
            text = literal(matching.fts5(terms, titles=titles))
            found = found.select_from(Document).join(_TABLE, _TABLE.c.rowid == Document.id)
            found = found.where(_TEXT.bool_op("MATCH")(text))
        elif terms:
            found = found.where(Document.vector.bool_op("@@")(self._tsquery(terms, titles=titles)))
        if self.typed.without:
            found = found.where(self._without())
        return found

    def score(self) -> ColumnElement[int]:
        """How well a document matches: a whole number, the greater the better; 0 without words.

        What has every word in its title comes first; what stands on an object bears that object's title, and does not.
        """
        terms = self.typed.terms
        if not terms:
            return literal_column("0", Integer)
        if self.sqlite:
            text = literal(matching.fts5(terms, titles=True))
            rank: Any = cast(func.bm25(_TEXT, *_BM25) * -100, Integer)
            titled = Document.id.in_(select(_TABLE.c.rowid).where(_TEXT.bool_op("MATCH")(text)))
        else:
            ranked = func.ts_rank(Document.vector, self._tsquery(terms, titles=self.query.titles), 1)
            rank = cast(func.floor(ranked * 10_000), Integer)
            titled = Document.vector.bool_op("@@")(self._tsquery(terms, titles=True))
        first = case((and_(titled, Document.parent_type.is_(None)), TITLED), else_=0)
        return rank + first

    def narrowed(self, row: Any, *, but: str = "") -> list[ColumnElement[bool]]:
        """The other conditions of the query, on a document or on a row of the facets' table.

        :param but: the facet whose own condition is left out.
        """
        query = self.query
        found: list[ColumnElement[bool]] = []
        if query.kinds and but != "kind":
            found.append(row.kind.in_(query.kinds))
        if query.entity_id is not None and but != "entity":
            below = select(EntityPath.entity_id).where(EntityPath.ancestor_id == query.entity_id)
            found.append(row.entity_id.in_(below))
        if query.space_id is not None and but != "space":
            found.append(row.space_id == query.space_id)
        if query.author_id is not None and but != "author":
            found.append(row.author_id == query.author_id)
        if but != "date":
            if query.since is not None:
                found.append(row.at >= query.since)
            if query.until is not None:
                found.append(row.at < query.until)
        return found

    def _allowed(self) -> ColumnElement[bool]:
        return true() if self.everything else allowed(self.scopes)

    def _without(self) -> ColumnElement[bool]:
        terms = self.typed.without
        if self.sqlite:
            text = literal(matching.fts5(terms, joined=" OR "))
            return Document.id.not_in(select(_TABLE.c.rowid).where(_TEXT.bool_op("MATCH")(text)))
        return not_(Document.vector.bool_op("@@")(self._tsquery(terms, joined=" | ")))

    def _tsquery(self, terms: Sequence[Term], **options: Any) -> ColumnElement[Any]:
        return cast(literal(matching.tsquery(terms, **options), String), TSQUERY)


def allowed(scopes: Sequence[SearchScope]) -> ColumnElement[bool]:
    """The documents of these scopes, as a condition."""
    types = {name for scope in scopes for name in (*scope.types, *scope.closed)}
    parts = []
    for scope in scopes:
        if not scope.types or not scope.audiences:
            continue
        part = and_(Document.ref_type.in_(scope.types), _where(scope))
        if scope.among is not None:
            part = and_(part, Document.ref_id.in_(scope.among))
        for other in sorted(types.difference(scope.types)):
            there = [_where(one) for one in scopes if other in one.types and one.audiences]
            elsewhere = or_(Document.parent_type.is_(None), Document.parent_type != other)
            part = and_(part, or_(elsewhere, *there))
        parts.append(part)
    return or_(*parts) if parts else false()


def _where(scope: SearchScope) -> ColumnElement[bool]:
    found: ColumnElement[bool] = Document.audience_id.in_(scope.audiences)
    if scope.not_in:
        found = and_(found, or_(Document.space_id.is_(None), Document.space_id.not_in(scope.not_in)))
    if scope.only_in:
        found = and_(found, Document.space_id.in_(scope.only_in))
    return found


def hits(session: Session, matched: Matched) -> SearchAnswer:
    """A page of what was found."""
    query = matched.query
    newest = query.sort == "newest" or not matched.typed.terms
    # Which rows it is comes first: the texts are read for those alone.
    rows_of = (
        matched.base(Document.id, Document.at, (literal_column("0", Integer) if newest else matched.score()).label("score"))
        .where(*matched.narrowed(Document))
        .subquery()
    )
    columns = rows_of.c
    # Among equals the newest; the id decides the rest, so that pages meet without a gap.
    order = (columns.at, columns.id) if newest else (columns.score, columns.at, columns.id)
    page = select(columns.id, columns.score).order_by(*(one.desc() for one in order)).limit(query.limit + 1)
    if query.after:
        page = page.where(tuple_(*order) < tuple_(*_place(query.after, newest)))
    chosen = page.subquery()
    rows = session.execute(
        select(
            Document.id, Document.ref_type, Document.ref_id, Document.kind, Document.title, Document.body, Document.at,
            Document.author_id, Document.space_id, Document.entity_id, Document.audience_id, chosen.c.score,
        )
        .join(chosen, chosen.c.id == Document.id)
        .order_by(*(() if newest else (chosen.c.score.desc(),)), Document.at.desc(), Document.id.desc())
    ).all()  # fmt: skip
    more, rows = rows[query.limit :], rows[: query.limit]
    found = tuple(
        SearchHit(
            ObjectRef(row.ref_type, row.ref_id), row.title, snippet(row.body, matched.typed.terms), row.kind, row.at,
            row.author_id, row.space_id, row.entity_id, row.audience_id,
        )
        for row in rows
    )  # fmt: skip
    last = rows[-1] if rows else None
    place = f"{last.score}|{last.at.isoformat()}|{last.id}" if more and last is not None else None
    return SearchAnswer(found, place)


def _place(after: str, newest: bool) -> list[Any]:
    try:
        score, at, number = after.split("|")
        place: list[Any] = [literal(dt.datetime.fromisoformat(at), Document.at.type), literal(int(number))]
        return place if newest else [literal(int(score)), *place]
    except ValueError:
        raise BadInput(_("This list cannot be continued there."), remedy=_("Begin the search again.")) from None


def facets(session: Session, matched: Matched) -> SearchAnswer:
    """The numbers of every facet, each under all conditions but its own, and of all that was found; one query."""
    found = matched.base(
        Document.id, Document.kind, Document.entity_id, Document.space_id, Document.author_id, Document.at
    ).cte("found").prefix_with("MATERIALIZED")  # fmt: skip
    row = found.c
    parts: list[Any] = [
        select(literal("all"), literal(""), func.count()).select_from(found).where(*matched.narrowed(row)),
        _grouped(matched, "kind", row.kind, found),
        _grouped(matched, "space", row.space_id, found),
        _grouped(matched, "author", row.author_id, found),
        _by_entity(matched, found),
        *(_dated(matched, name, days, found) for name, days in DATES.items()),
    ]
    answer: dict[str, list[tuple[str, int]]] = {name: [] for name in FACETS}
    count = 0
    for facet, value, number in session.execute(union_all(*parts)):
        if facet == "all":
            count = number
        elif number:
            answer[facet].append((value, number))
    for facet in FACETS:
        if facet != "date":
            answer[facet].sort(key=lambda pair: (-pair[1], pair[0]))
    return SearchAnswer(facets=answer, count=count)


def _grouped(matched: Matched, facet: str, by: Any, found: CTE) -> Select[Any]:
    number = func.count().label("n")
    grouped = (
        select(literal(facet).label("facet"), cast(by, String).label("value"), number)
        .select_from(found)
        .where(by.is_not(None), *matched.narrowed(found.c, but=facet))
        .group_by(by)
        .order_by(number.desc(), by)
        .limit(MOST)
        .subquery()
    )
    return select(grouped)


def _by_entity(matched: Matched, found: CTE) -> Select[Any]:
    """An entity has what it and those below it published: the number is what one finds there."""
    number = func.count().label("n")
    grouped = (
        select(literal("entity").label("facet"), cast(EntityPath.ancestor_id, String).label("value"), number)
        .select_from(found.join(EntityPath, EntityPath.entity_id == found.c.entity_id))
        .where(*matched.narrowed(found.c, but="entity"))
        .group_by(EntityPath.ancestor_id)
        .order_by(number.desc(), EntityPath.ancestor_id)
        .limit(MOST)
        .subquery()
    )
    return select(grouped)


def _dated(matched: Matched, name: str, days: int, found: CTE) -> Select[str, str, int]:
    since = utcnow() - dt.timedelta(days=days)
    counted = select(literal("date"), literal(name), func.count()).select_from(found)
    return counted.where(found.c.at >= since, *matched.narrowed(found.c, but="date"))


def visible_counts(
    session: Session, scopes: Sequence[SearchScope], words: Sequence[str], *, most: int = 50
) -> dict[str, int]:
    """In how many documents of these scopes each word stands, counted up to ``most``; one query."""
    sqlite = is_sqlite(session)
    parts = []
    for word in words:
        matched = Matched(sqlite, Typed((Term((word,)),)), scopes, SearchQuery(word))
        ids = matched.base(Document.id)
        # PostgreSQL would take a limit for a reason to walk through an audience instead of asking the index of words.
        few = (ids.limit(most) if sqlite else ids).subquery()
        parts.append(select(literal(word), select(func.count()).select_from(few).scalar_subquery()))
    if not parts:
        return {}
    return {word: min(number, most) for word, number in session.execute(union_all(*parts))}


def visible_anywhere(session: Session, words: Sequence[str]) -> set[str]:
    """Those of these words that stand in any document at all."""
    sqlite = is_sqlite(session)
    found = set()
    for word in words:
        matched = Matched(sqlite, Typed((Term((word,)),)), (), SearchQuery(word), everything=True)
        if session.scalar(matched.base(Document.id).limit(1)) is not None:
            found.add(word)
    return found
