"""What keeps the index true: events, changes of spaces, and the jobs that look at many objects."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from sqlalchemy.orm import Session

from rse_core.api import Event, ObjectRef, SpaceChange, core_of, defer
from rse_core.search import documents, searchable_types

from . import store
from .backend import TextSearch

#: Reactions change nothing that can be found, and there are very many of them.
IDLE = ("likes.*",)
#: Objects that stand on one that moved, looked at in one go; more are left to a job.
AT_ONCE = 200


def told(session: Session, event: Event) -> None:
    """Something happened to an object: look at it again, whatever it was."""
    ref = event.ref
    if ref is None or any(fnmatch.fnmatchcase(event.name, name) for name in IDLE):
        return
    kind = core_of(session).plugins.content_types.get(ref.type)
    if kind is not None and kind.searchable:
        refresh(session, [ref])
    elif kind is not None:
        _carry(session, [ref])


def refresh(session: Session, refs: Sequence[ObjectRef], *, generation: int = 0) -> int:
    """Ask what the index should hold of these objects, and do it; how many documents they have."""
    store.shared_lock(session)
    store.lock_refs(session, refs)
    found, moved = _take_in(session, refs, generation)
    _carry(session, moved)
    return found


def _take_in(session: Session, refs: Sequence[ObjectRef], generation: int = 0) -> tuple[int, list[ObjectRef]]:
    found, gone = documents(session, refs)
    other = core_of(session).plugins.search_backend()
    if other is not None and not isinstance(other, TextSearch):
        # This plugin's own index goes on beside it: it knows what stands on what, and can take over at any time.
        other.index(session, found, gone)
    return len(found), store.index(session, found, gone, generation=generation)


def _carry(session: Session, moved: Sequence[ObjectRef]) -> None:
    """What stands on an object that came, went or moved may be for others now."""
    for parent in moved:
        refs, more = store.children(session, parent, limit=AT_ONCE)
        if refs:
            store.lock_refs(session, refs)
            # Replies name the same object as their place: one step down is enough.
            _take_in(session, refs)
        if more:
            defer(session, "search.below", ref=str(parent), after=more)
        for name in searchable_types(session):
            again(session, str(parent), name)


def again(session: Session, ref: str, kind: str, after: str | None = None) -> None:
    """Job: look at what of this kind stands on an object; while that one was hidden it was not in the index."""
    found = searchable_types(session).get(kind)
    if found is None or found.below is None:
        return
    ids = found.below(session, ObjectRef.parse(ref), after, AT_ONCE)
    if ids:
        refs = [ObjectRef(kind, ident) for ident in ids]
        store.shared_lock(session)
        store.lock_refs(session, refs)
        _take_in(session, refs)
    if len(ids) == AT_ONCE:
        defer(session, "search.again", ref=ref, kind=kind, after=ids[-1])


def look(session: Session, refs: list[str]) -> None:
    """Job: look at these objects."""
    refresh(session, [ObjectRef.parse(ref) for ref in refs])


def below(session: Session, ref: str, after: int = 0) -> None:
    """Job: look at what stands on an object, batch by batch."""
    refs, more = store.children(session, ObjectRef.parse(ref), after=after)
    if refs:
        refresh(session, refs)
    if more:
        defer(session, "search.below", ref=ref, after=more)


def space_changed(session: Session, change: SpaceChange) -> None:
    """Within the transaction that changes a space."""
    unsure = store.space_changed(session, change)
    for start in range(0, len(unsure), store.CHUNK):
        defer(session, "search.look", refs=[str(ref) for ref in unsure[start : start + store.CHUNK]])
