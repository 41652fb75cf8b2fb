"""Search: the port. Plugins say what may be found (``rse_search_documents``); a backend plugin keeps the index.

The core keeps the intranet's own search out of it: without a backend nothing is indexed and nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from .content import ObjectRef
from .contributions import SearchDocument


class SearchBackend(Protocol):
    """What a search plugin offers."""

    name: str

    def index(self, session: Session, documents: Iterable[SearchDocument], gone: Iterable[ObjectRef]) -> None:
        """Take these documents in, and forget those objects."""


def documents(session: Session, refs: Sequence[ObjectRef]) -> tuple[list[SearchDocument], list[ObjectRef]]:
    """What the index should hold of these objects, and which of them it should forget.

    An object that no plugin wants found any more (deleted, pending, private) is among the second.
    """
    from .runtime import core_of

    found = list(core_of(session).plugins.search_documents(session, refs))
    known = {document.ref for document in found}
    return found, [ref for ref in refs if ref not in known]
