"""Search: the port. Plugins say what may be found (``rse_search_documents``); a backend plugin keeps the index.

The core keeps the intranet's own search out of it: without a backend nothing is indexed and nothing is found. Of the
intranet's pages those are given to it that a source told the audience of: the title of a page that merely somebody visited
is not for everybody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .content import ContentType, ObjectRef
from .contributions import SearchDocument
from .cursor import Place, plugin_on
from .decision import Reason
from .models.content import Page
from .models.organisation import Person
from .policy import Target, open_audiences
from .search_again import withheld

#: Finding is reading; a search plugin registers this capability.
USE = "search.use"


@dataclass(frozen=True, slots=True)
class SearchScope:
    """Objects of these types are found in these audiences. A person's sight is a few of them: see :func:`scopes`.

    What stands on another object (a comment) is found where that one's type is too.
    ``not_in``: spaces in which these types are closed to the person, or the plugin that brings them is switched off.
    ``only_in``: nothing but what stands in these spaces. ``closed``: types that are closed to the person everywhere.
    ``among``: a select of the ids that are found at all; None for all of them.
    """

    types: tuple[str, ...]
    audiences: tuple[int, ...]
    not_in: tuple[int, ...] = ()
    only_in: tuple[int, ...] = ()
    closed: tuple[str, ...] = ()
    among: Select[str] | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody looks for. Several ``kinds`` widen, every other condition narrows.

    :param entity_id: what people of this entity, or of one below it, published.
    :param after: the cursor of the answer before, as :attr:`SearchAnswer.next` gave it.
    :param sort: ``relevance`` or ``newest``.
    :param titles: only what has the words in its title.
    """

    text: str
    kinds: tuple[str, ...] = ()
    entity_id: int | None = None
    space_id: int | None = None
    author_id: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    sort: str = "relevance"
    after: str | None = None
    limit: int = 20
    facets: bool = False
    titles: bool = False


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One thing found. ``snippet`` is safe HTML in which only ``<mark>`` stands around what matched."""

    ref: ObjectRef
    title: str
    snippet: str
    kind: str
    at: dt.datetime | None = None
    author_id: int | None = None
    space_id: int | None = None
    entity_id: int | None = None
    audience_id: int | None = None


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What was found: hits, where to go on, and for each facet its values with their numbers (of what this person may see).

    A facet's numbers take every condition of the query into account but the one that the facet itself sets.

    ``fuzzy``: nothing was found as typed; these are near it. ``suggestion``: what may have been meant, in words of what the
    person may see. ``count``: of all that was found, when facets were asked for.
    """

    hits: tuple[SearchHit, ...] = ()
    next: str | None = None
    facets: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    fuzzy: bool = False
    suggestion: str = ""
    count: int | None = None


class SearchBackend(Protocol):
    """What a search plugin offers.

    One that also has ``look(session, refs)`` is asked by that to take in anew what these objects are now, where a rule has
    changed (:mod:`rse_core.search_again`); others are given the documents by :meth:`index`.
    """

    name: str

    def index(self, session: Session, documents: Iterable[SearchDocument], gone: Iterable[ObjectRef]) -> None:
        """Take these documents in, and forget those objects."""

    def find(self, session: Session, scopes: Sequence[SearchScope], query: SearchQuery) -> SearchAnswer:
        """What stands in these scopes and matches; filtered in SQL, in a constant number of queries."""

    def clear(self, session: Session) -> None:
        """Forget everything."""


def documents(session: Session, refs: Sequence[ObjectRef]) -> tuple[list[SearchDocument], list[ObjectRef]]:
    """What the index should hold of these objects, and which of them it should forget.

    An object that no plugin wants found any more (deleted, pending, private) is among the second.
    """
    from .runtime import core_of

    asked = set(refs)
    found = [*_pages(session, refs), *core_of(session).plugins.search_documents(session, refs)]
    # A plugin speaks of what it was asked about, once.
    known = {document.ref: document for document in found if document.ref in asked}
    return _with_entities(session, list(known.values())), [ref for ref in dict.fromkeys(refs) if ref not in known]


def searchable_types(session: Session) -> dict[str, ContentType]:
    """The types whose objects may be found, by name."""
    from .runtime import core_of

    return {name: kind for name, kind in core_of(session).plugins.content_types.items() if kind.searchable}


def scopes(session: Session, person_id: int | None) -> list[SearchScope]:
    """What this person may find: which types, in which audiences. From memory, without a query for a person who is known.

    Where a type says more than audiences do (:attr:`~rse_core.content.ContentType.among`), its plugin is asked.
    An audience counts where search is open to the person; a type counts where its plugin is on for them, and from the level
    on at which its objects are shown (:attr:`~rse_core.content.ContentType.reads`).
    """
    from .runtime import core_of

    core = core_of(session)
    person = None if person_id is None else core.policy.person(person_id)
    if person is None:
        return []
    snapshot = core.policy.snapshot()
    base = open_audiences(session, person_id, USE)
    everyone, special = core.policy.everyone(), core.policy.special_spaces()
    alike: dict[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]], list[str]] = {}
    some: dict[str, Select[str]] = {}
    closed, hidden = [], withheld(session)
    for name, kind in sorted(searchable_types(session).items()):
        if name in hidden:
            closed.append(name)
            continue
        owner = name.partition(".")[0] if "." in name else ""
        switches = snapshot.switches.get(owner, {})
        found = []
        for audience_id in base:
            where, target = snapshot.audiences.get(audience_id, ("", 0))
            space_id = target if where == "space" else None
            if switches and not plugin_on(snapshot, owner, person, Place(audience_id, space_id=space_id))[0]:
                continue
            if kind.reads is None or _reads(session, person_id, kind.reads, Target(audience_id, space_id=space_id)):
                found.append(audience_id)
        if kind.beyond is not None and person_id is not None and everyone in found:
            found += [one for one in kind.beyond(session, person_id) if one not in found]
        # What is for everyone in a public space is read as that space says.
        inside = everyone in person.audiences
        here = [
            ident for ident in special
            if inside and core.policy.can(session, person_id, USE, Target(everyone, space_id=ident)).allowed
            and (kind.reads is None or _reads(session, person_id, kind.reads, Target(everyone, space_id=ident)))
        ]  # fmt: skip
        if found:
            off = {int(key) for (where, key), on in switches.items() if where == "space" and not on}
            off |= set(special) - set(here) if everyone in found else set()
            alike.setdefault((tuple(found), tuple(sorted(off)), ()), []).append(name)
        if here and everyone not in found:
            alike.setdefault(((everyone,), (), tuple(here)), []).append(name)
        if not found and not here:
            closed.append(name)
        elif kind.among is not None and person_id is not None:
            among = kind.among(session, person_id)
            if among is not None:
                some[name] = among
    shut = tuple(closed)
    made = []
    for (audiences, shut_in, only), types in alike.items():
        plain = tuple(name for name in types if name not in some)
        if plain:
            made.append(SearchScope(plain, audiences, shut_in, only, shut))
        made += [SearchScope((name,), audiences, shut_in, only, shut, some[name]) for name in types if name in some]
    return made


def _reads(session: Session, person_id: int | None, capability: str, place: Target) -> bool:
    from .runtime import core_of

    core = core_of(session)
    decision = core.policy.can(session, person_id, capability, place)
    if decision.allowed:
        return True
    offered = core.plugins.capabilities.get(capability)
    if decision.reason in (Reason.PLUGIN_OFF, Reason.UNKNOWN_OBJECT):
        return False
    if decision.reason is Reason.ROLE and (offered is None or not offered.writes):
        return False
    if core.settings.inform_shows == "all":
        return True
    # Who may not write, for want of the charter or in this space, may still read.
    effective, required = decision.effective_level, decision.required_level
    return effective is not None and required is not None and effective >= required


def _pages(session: Session, refs: Sequence[ObjectRef]) -> list[SearchDocument]:
    keys = [ref.id for ref in refs if ref.type == "page"]
    if not keys:
        return []
    rows = session.execute(
        select(
            Page.key, Page.title, Page.summary, Page.audience_id, Page.published_at, Page.first_seen, Page.entity_id,
            Page.section, Page.byline,
        ).where(Page.key.in_(keys), Page.audience_id.is_not(None), Page.gone_at.is_(None), Page.title != "")
    )  # fmt: skip
    return [
        SearchDocument(
            ObjectRef("page", row.key), row.title, row.summary, row.audience_id, None, row.published_at or row.first_seen,
            entity_id=row.entity_id, kind="page", words=f"{row.byline} {row.section.replace('/', ' ')}".strip(),
        )
        for row in rows
    ]  # fmt: skip


def _with_entities(session: Session, found: list[SearchDocument]) -> list[SearchDocument]:
    """What says nothing of an entity is of its author's."""
    wanted = {document.author_id for document in found if document.entity_id is None and document.author_id is not None}
    if not wanted:
        return found
    rows = session.execute(select(Person.id, Person.entity_id).where(Person.id.in_(wanted)))
    entities = {person: entity for person, entity in rows}
    return [
        replace(document, entity_id=entities.get(document.author_id))
        if document.entity_id is None and document.author_id is not None
        else document
        for document in found
    ]
