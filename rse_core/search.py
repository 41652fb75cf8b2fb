"""Search: the port. Plugins say what may be found (``rse_search_documents``); a backend plugin keeps the index.

The core keeps the intranet's own search out of it: without a backend nothing is indexed and nothing is found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.orm import Session

from .content import ObjectRef
from .contributions import SearchDocument


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody looks for. Several ``kinds`` widen, every other condition narrows.

    :param after: the cursor of the answer before, as :attr:`SearchAnswer.next` gave it.
    :param sort: ``relevance`` or ``newest``.
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


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What was found: hits, where to go on, and for each facet its values with their numbers (of what this person may see).

    ``fuzzy``: nothing was found as typed; these are near it.
    """

    hits: tuple[SearchHit, ...] = ()
    next: str | None = None
    facets: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    fuzzy: bool = False


class SearchBackend(Protocol):
    """What a search plugin offers."""

    name: str

    def index(self, session: Session, documents: Iterable[SearchDocument], gone: Iterable[ObjectRef]) -> None:
        """Take these documents in, and forget those objects."""

    def find(self, session: Session, audiences: Sequence[int], query: SearchQuery) -> SearchAnswer:
        """What stands in these audiences and matches; filtered in SQL, in a constant number of queries."""

    def clear(self, session: Session) -> None:
        """Forget everything."""


def documents(session: Session, refs: Sequence[ObjectRef]) -> tuple[list[SearchDocument], list[ObjectRef]]:
    """What the index should hold of these objects, and which of them it should forget.

    An object that no plugin wants found any more (deleted, pending, private) is among the second.
    """
    from .runtime import core_of

    found = list(core_of(session).plugins.search_documents(session, refs))
    known = {document.ref for document in found}
    return found, [ref for ref in refs if ref not in known]
