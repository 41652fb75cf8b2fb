"""Is the index behind? Events that wait or were given up, types that were never indexed, a rebuilding left lying."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from rse_core.api import HealthResult, ObjectRef, core_of, translator, utcnow
from rse_core.models.runtime import Delivery, Outbox
from rse_core.search import searchable_types

from . import indexing, rebuild
from .backend import TextSearch
from .models import Document

_t = translator(__file__, "rse_search")
_ = _t.gettext
CONSUMER = "search.index"
LATE = dt.timedelta(minutes=15)
LEFT = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Behind:
    """What the index lacks. ``late``: events that have waited long; ``dead``: given up; ``unbuilt``, ``left``: types."""

    late: int = 0
    dead: int = 0
    unbuilt: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not (self.late or self.dead or self.unbuilt or self.left)


def behind(session: Session) -> Behind:
    """What is behind; a few counts by index."""
    now = utcnow()
    had = exists().where(Delivery.event_id == Outbox.event_id, Delivery.consumer == CONSUMER, Delivery.state != "retry")
    waiting = select(Outbox.id).where(Outbox.done_at.is_(None), Outbox.at < now - LATE, ~had).limit(1_000).subquery()
    stands = rebuild.stands(session)
    built = set(session.scalars(select(Document.ref_type).distinct()))
    unbuilt = [
        name
        for name, kind in searchable_types(session).items()
        if kind.refs is not None and name not in stands and name not in built and kind.refs(session, None, 1)
    ]
    return Behind(
        session.scalar(select(func.count()).select_from(waiting)) or 0,
        session.scalar(select(func.count()).where(Delivery.consumer == CONSUMER, Delivery.state == "dead")) or 0,
        tuple(sorted(unbuilt)),
        tuple(sorted(name for name, one in stands.items() if one.ended_at is None and one.started_at < now - LEFT)),
    )


def check(session: Session) -> HealthResult:
    """Does the index hold what it should?"""
    found = behind(session)
    if not isinstance(core_of(session).plugins.search_backend(), TextSearch):
        return HealthResult(True, _("another plugin keeps the index"))
    if found.ok:
        return HealthResult(True, _("the index is up to date; no extension of the database is needed"))
    parts = []
    if found.late:
        parts.append(_t.ngettext("%(num)s change waits to be indexed", "%(num)s changes wait to be indexed", found.late))
    if found.dead:
        parts.append(_t.ngettext("%(num)s change could not be indexed", "%(num)s changes could not be indexed", found.dead))
    if found.unbuilt:
        parts.append(_("never indexed: %(names)s", names=", ".join(found.unbuilt)))
    if found.left:
        parts.append(_("a rebuilding was interrupted: %(names)s", names=", ".join(found.left)))
    only_late = bool(found.late) and not (found.dead or found.unbuilt or found.left)
    remedy = _("Start a worker: rse worker.") if only_late else _("Run rse doctor --repair, or rse search rebuild.")
    return HealthResult(False, "; ".join(parts), remedy)


def repair(session: Session) -> HealthResult:
    """Look again at what could not be indexed, and begin the rebuilding that is lacking; jobs do the rest."""
    found = behind(session)
    rows = session.execute(
        select(Outbox.ref_type, Outbox.ref_id)
        .join(Delivery, Delivery.event_id == Outbox.event_id)
        .where(Delivery.consumer == CONSUMER, Delivery.state == "dead", Outbox.ref_type.is_not(None))
        .distinct()
        .limit(1_000)
    ).all()
    known = searchable_types(session)
    refs = [ObjectRef(kind, ident) for kind, ident in rows if kind in known and ident]
    if refs:
        indexing.refresh(session, refs)
    session.execute(
        update(Delivery).where(Delivery.consumer == CONSUMER, Delivery.state == "dead").values(state="done")
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    rebuild.in_background(session, [*found.unbuilt, *found.left])
    return HealthResult(True, _("what was missing is being indexed"))
