"""Rebuilding the index while it serves: every object is looked at again, batch by batch; what is not confirmed goes last.

Each type of object has a row that says how far it got; a rebuilding that was interrupted goes on there. Documents carry the
number of the rebuilding that confirmed them, so that at no moment anything is missing that should be found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from rse_core.api import BadInput, ContentType, ObjectRef, defer, translator, utcnow
from rse_core.search import searchable_types

from . import indexing, store
from .models import Document, Rebuild

_ = translator(__file__, "rse_search").gettext
BATCH = 200


@dataclass(frozen=True, slots=True)
class Stand:
    """How far the rebuilding of one type is."""

    ref_type: str
    done: int
    started_at: dt.datetime
    ended_at: dt.datetime | None


def types(session: Session, kinds: Iterable[str] = ()) -> list[str]:
    """The types that can be rebuilt, all or those named (``feed.post``, or ``post`` for short).

    :raises BadInput: for a name that none of them has.
    """
    known = sorted(name for name, kind in searchable_types(session).items() if kind.refs is not None)
    wanted = []
    for name in kinds:
        found = [one for one in known if one == name or one.rpartition(".")[2] == name]
        if not found:
            raise BadInput(
                _("No type of object that can be indexed again is called “%(name)s”.", name=name),
                remedy=_("Use one of: %(names)s.", names=", ".join(known)),
            )
        wanted += found
    return list(dict.fromkeys(wanted)) if wanted else known


def begin(session: Session, ref_type: str, *, anew: bool = False) -> Stand:
    """Begin to rebuild a type, or go on where an earlier one was interrupted.

    :param anew: from the beginning all the same.
    """
    if not store.is_sqlite(session):
        # Whoever is indexing has read the number of the rebuilding before: they finish first.
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": store.LOCK})
    row = session.get(Rebuild, ref_type)
    if row is None:
        row = Rebuild(ref_type=ref_type, generation=0, done=0, ended_at=utcnow(), started_at=utcnow())
        session.add(row)
    if row.ended_at is not None or anew:
        row.generation += 1
        row.after, row.done, row.started_at, row.ended_at = None, 0, utcnow(), None
    session.flush()
    return _stand(row)


def step(session: Session, ref_type: str, *, batch: int = BATCH) -> Stand:
    """Look at the next objects of a type; at the end remove what the rebuilding did not confirm."""
    row = session.get(Rebuild, ref_type, with_for_update=True)
    if row is None or row.ended_at is not None:
        return _stand(row) if row is not None else Stand(ref_type, 0, utcnow(), utcnow())
    kind: ContentType | None = searchable_types(session).get(ref_type)
    ids = list(kind.refs(session, row.after, batch)) if kind is not None and kind.refs is not None else []
    if ids:
        indexing.refresh(session, [ObjectRef(ref_type, ident) for ident in ids], generation=row.generation)
        row.after, row.done = ids[-1], row.done + len(ids)
    if len(ids) < batch:
        session.execute(
            delete(Document).where(Document.ref_type == ref_type, Document.generation < row.generation)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        row.ended_at = utcnow()
    session.flush()
    return _stand(row)


def drop_unknown(session: Session) -> int:
    """Remove documents of types that no plugin brings any more; how many."""
    known = list(searchable_types(session))
    gone = delete(Document).where(Document.ref_type.not_in(known)).returning(Document.id)
    return len(session.execute(gone.execution_options(synchronize_session=False)).all())


def stands(session: Session) -> dict[str, Stand]:
    """Where every rebuilding stands, by type."""
    return {row.ref_type: _stand(row) for row in session.scalars(select(Rebuild))}


def in_background(session: Session, wanted: Iterable[str]) -> None:
    """Rebuild these types by jobs, one batch each."""
    for ref_type in wanted:
        begin(session, ref_type)
        defer(session, "search.rebuild", key=f"search.rebuild:{ref_type}", ref_type=ref_type)


def work(session: Session, ref_type: str) -> None:
    """Job: a batch, and the next one after it."""
    stand = step(session, ref_type)
    if stand.ended_at is None:
        defer(session, "search.rebuild", ref_type=ref_type)


def size(session: Session, ref_type: str) -> int:
    """How many documents of a type there are."""
    return session.scalar(select(func.count()).where(Document.ref_type == ref_type)) or 0


def _stand(row: Rebuild) -> Stand:
    return Stand(row.ref_type, row.done, row.started_at, row.ended_at)
