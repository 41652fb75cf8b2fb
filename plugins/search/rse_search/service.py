"""Searching as a person: what they may find, with titles, addresses, names and numbers; in a constant number of queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo, LazyText, ObjectRef, core_of, require, resolve, translator
from rse_core.models.organisation import Entity, Space
from rse_core.objects import SHOWN
from rse_core.people import PersonCard, names
from rse_core.search import (
    USE,
    SearchAnswer,
    SearchBackend,
    SearchHit,
    SearchQuery,
    SearchScope,
    documents,
    scopes,
    searchable_types,
)

from .asking import Asked
from .backend import TextSearch
from .marks import marked
from .typed import parse

_t = translator(__file__, "rse_search")
_, lazy = _t.gettext, _t.lazy
#: What people call the kinds, one and many; another kind is called as its type says.
KINDS: dict[str, tuple[LazyText, LazyText]] = {
    "post": (lazy("Post"), lazy("Posts")),
    "announcement": (lazy("Announcement"), lazy("Announcements")),
    "comment": (lazy("Comment"), lazy("Comments")),
    "page": (lazy("Page"), lazy("Pages")),
    "space": (lazy("Community"), lazy("Communities")),
    "person": (lazy("Person"), lazy("People")),
    "document": (lazy("Document"), lazy("Documents")),
    "card": (lazy("Card"), lazy("Cards")),
}
FACETS = {
    "kind": lazy("Kind"),
    "date": lazy("Date"),
    "space": lazy("Community"),
    "entity": lazy("Entity"),
    "author": lazy("Author"),
}
DATES = {"week": lazy("Last 7 days"), "month": lazy("Last 31 days"), "year": lazy("Last 12 months")}
#: Proposed while typing, of these kinds.
QUICK, QUICK_KINDS = 8, ("person", "space", "page")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing found, ready to be shown. ``title`` and ``snippet`` are safe HTML with marks."""

    ref: ObjectRef
    title: Markup
    plain_title: str
    url: str
    snippet: Markup
    kind: str
    kind_label: str
    at: dt.datetime | None
    author: PersonCard | None
    entity: str
    space: str


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet: what stands in the address, what people read, how many."""

    key: str
    label: str
    count: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """What one can narrow by."""

    name: str
    label: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A page of what was found. ``better``: what may have been meant; with ``fuzzy`` that is what was found."""

    hits: tuple[Found, ...] = ()
    facets: tuple[Facet, ...] = ()
    count: int | None = None
    next: str | None = None
    better: str = ""
    fuzzy: bool = False
    #: the filters that are set, each with its name for people
    chosen: Mapping[str, str] = field(default_factory=dict)


def backend(session: Session) -> SearchBackend:
    """The index in use: this plugin's, or another that a site put in its place."""
    return core_of(session).plugins.search_backend() or TextSearch()


def search(
    session: Session, person_id: int | None, asked: Asked, *, after: str | None = None, limit: int = 20, facets: bool = True
) -> Results:
    """What this person finds.

    :raises Forbidden: when search is not open to them; carries the decision.
    :raises SignInNeeded: when nobody is signed in.
    """
    require(session, person_id, USE)
    if asked.is_empty:
        return Results()
    sight = scopes(session, person_id)
    query = asked.query(session, after=after, limit=limit, facets=facets)
    answer = backend(session).find(session, sight, query)
    live = _live(session, sight, answer.hits)
    labels = _labels(session, answer)
    text = answer.suggestion if answer.fuzzy else asked.text
    shown_facets = _facets(session, answer, asked, labels)
    return Results(
        tuple(_found(session, hit, live[hit.ref], text, labels) for hit in answer.hits if hit.ref in live),
        shown_facets,
        answer.count,
        answer.next,
        answer.suggestion,
        answer.fuzzy,
        {name: _chosen(shown_facets, name, key) for name, key in asked.filters.items()},
    )


def suggest(session: Session, person_id: int | None, typed: str) -> list[Found]:
    """People, communities and pages whose names begin so, while somebody types; at most :data:`QUICK`.

    :raises Forbidden: when search is not open to them.
    """
    require(session, person_id, USE)
    terms = parse(typed).terms
    if not terms or not any(len(word) > 1 for term in terms for word in term.words):
        return []
    sight = scopes(session, person_id)
    answer = backend(session).find(session, sight, SearchQuery(typed, kinds=QUICK_KINDS, limit=QUICK, titles=True))
    live = _live(session, sight, answer.hits)
    labels = _labels(session, answer)
    text = answer.suggestion if answer.fuzzy else typed
    return [_found(session, hit, live[hit.ref], text, labels) for hit in answer.hits if hit.ref in live]


def kind_label(session: Session, kind: str, ref_type: str, *, many: bool = False) -> str:
    """What people call this kind of thing."""
    if kind in KINDS:
        return str(KINDS[kind][many])
    known = searchable_types(session).get(ref_type) or searchable_types(session).get(kind)
    label = str(known.label) if known is not None else kind
    return label[:1].upper() + label[1:]


def _live(session: Session, sight: Sequence[SearchScope], hits: Sequence[SearchHit]) -> dict[ObjectRef, ContentInfo]:
    """The objects as they are now. The index follows a moment later: what went or is for others since is not shown."""
    infos = resolve(session, [hit.ref for hit in hits])
    found = {hit.ref: infos[hit.ref] for hit in hits if hit.ref in infos and infos[hit.ref].state in SHOWN}
    # Where the object and its document differ in whom they are for (a listed space is found by more than see into it), the
    # plugin that keeps it says for whom it is to be found.
    unsure = [hit.ref for hit in hits if hit.ref in found and found[hit.ref].audience_id != hit.audience_id]
    if unsure:
        documented, _gone = documents(session, unsure)
        allowed = {one.ref for one in documented if _in_sight(sight, one.ref.type, one.audience_id)}
        for ref in unsure:
            if ref not in allowed:
                del found[ref]
    return found


def _in_sight(sight: Sequence[SearchScope], ref_type: str, audience_id: int) -> bool:
    return any(ref_type in scope.types and audience_id in scope.audiences for scope in sight)


@dataclass(frozen=True, slots=True)
class _Labels:
    people: Mapping[int, PersonCard]
    entities: Mapping[int, tuple[str, str]]
    spaces: Mapping[int, tuple[str, str]]


def _labels(session: Session, answer: SearchAnswer) -> _Labels:
    """Names of all that the hits and the facets speak of; three queries."""

    def ids(facet: str, of_hits: set[int | None]) -> list[int]:
        return sorted({int(value) for value, _n in answer.facets.get(facet, ())} | {i for i in of_hits if i is not None})

    def keyed(model: type[Entity] | type[Space], wanted: Sequence[int]) -> dict[int, tuple[str, str]]:
        if not wanted:
            return {}
        rows = session.execute(select(model.id, model.key, model.name).where(model.id.in_(wanted)))
        return {row.id: (row.key, row.name) for row in rows}

    return _Labels(
        names(session, ids("author", {hit.author_id for hit in answer.hits})),
        keyed(Entity, ids("entity", {hit.entity_id for hit in answer.hits})),
        keyed(Space, ids("space", {hit.space_id for hit in answer.hits})),
    )


def _found(session: Session, hit: SearchHit, info: ContentInfo, text: str, labels: _Labels) -> Found:
    title = hit.title or info.title
    return Found(
        hit.ref,
        Markup(marked(title, parse(text).terms)),  # noqa: S704  escaped there
        title,
        info.url,
        Markup(hit.snippet),  # noqa: S704  safe by the port's contract
        hit.kind,
        kind_label(session, hit.kind, hit.ref.type),
        hit.at,
        labels.people.get(hit.author_id or 0),
        labels.entities.get(hit.entity_id or 0, ("", ""))[1],
        labels.spaces.get(hit.space_id or 0, ("", ""))[1] if hit.kind != "space" else "",
    )


def _facets(session: Session, answer: SearchAnswer, asked: Asked, labels: _Labels) -> tuple[Facet, ...]:
    made = []
    for name, label in FACETS.items():
        values = []
        for value, number in answer.facets.get(name, ()):
            key, text = _said(session, name, value, labels)
            if key:
                values.append(Value(key, text, number, getattr(asked, name) == key))
        if values:
            made.append(Facet(name, str(label), tuple(values)))
    return tuple(made)


def _said(session: Session, facet: str, value: str, labels: _Labels) -> tuple[str, str]:
    if facet == "kind":
        return value, kind_label(session, value, value, many=True)
    if facet == "date":
        return value, str(DATES.get(value, value))
    if facet == "author":
        card = labels.people.get(int(value))
        return (card.username, card.display_name) if card is not None else ("", "")
    return (labels.entities if facet == "entity" else labels.spaces).get(int(value), ("", ""))


def _chosen(facets: Sequence[Facet], name: str, key: str) -> str:
    """A filter in words. What it is called is told only where something of it can be seen; else it is what was typed."""
    for facet in facets:
        for value in facet.values:
            if facet.name == name and value.key == key:
                return value.label
    if name == "date":
        return str(DATES[key])
    return str(KINDS[key][1]) if name == "kind" and key in KINDS else key
