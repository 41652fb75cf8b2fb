"""The recycle bin: what was deleted can come back for some days; then it is emptied for good by a job."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from rse_core import audiences
from rse_core.api import (
    Conflict,
    Discarded,
    Event,
    NotFound,
    ObjectRef,
    SpaceChange,
    core_of,
    defer,
    dialect_insert,
    emit,
    option,
    record,
    translator,
    utcnow,
)
from rse_core.models.organisation import Person

from . import access, cases, lines
from .models import Binned, Case, Found

_ = translator(__file__, "rse_governance").gettext
DAYS, JOB = "governance.bin_days", "governance.empty_bin"
PAGE, BATCH = 25, 200
#: How long it is known which words a rule found.
FOUND = dt.timedelta(days=400)


def take(session: Session, gone: Discarded) -> bool:
    """Keep it restorable, where its plugin can show it again; False lets it go. What a moderator deleted is told to its
    author, who may appeal: it stays at least as long as that."""
    author, by = gone.author_id, gone.by_id
    if author is None or by is None or author == by:
        return _keep(session, gone, dt.timedelta())
    kept = _keep(session, gone, cases.term(session))
    cases.noted_deleted(
        session, gone.ref, author_id=author, by_id=by, reason=gone.reason, target=gone.target, kept=kept
    )  # fmt: skip
    return kept


def _keep(session: Session, gone: Discarded, least: dt.timedelta) -> bool:
    kind = core_of(session).plugins.content_types.get(gone.ref.type)
    days: int = option(session, DAYS)
    if kind is None or kind.handling.restore is None or not days:
        return False
    now = utcnow()
    entity = select(Person.entity_id).where(Person.id == gone.author_id)
    values = {
        "author_id": gone.author_id, "audience_id": gone.target.audience_id or None, "space_id": gone.target.space_id,
        "entity_id": None if gone.author_id is None else session.scalar(entity), "deleted_by": gone.by_id,
        "reason": gone.reason, "at": now, "until": now + max(dt.timedelta(days=days), least),
    }  # fmt: skip
    kept = dialect_insert(session, Binned).values(ref_type=gone.ref.type, ref_id=gone.ref.id, **values)
    session.execute(kept.on_conflict_do_update(index_elements=["ref_type", "ref_id"], set_=values))
    return True


def page(
    session: Session, person_id: int, *, after: int | None = None, most: int = PAGE
) -> tuple[Sequence[lines.Line], int | None]:
    """What the person could show again, the latest first, and where the next page begins."""
    access.require_some(session, person_id)
    query = select(Binned).where(
        Binned.until > utcnow(), access.mine(session, person_id, Binned), access.open_to(person_id, Binned.audience_id)
    )
    if after is not None:
        query = query.where(Binned.id < after)
    rows = list(session.scalars(query.order_by(Binned.id.desc()).limit(most + 1)))
    return lines.of(session, rows[:most], by="deleted_by"), rows[most - 1].id if len(rows) > most else None


def restore(session: Session, person_id: int, binned_id: int, *, why: str = "") -> ObjectRef:
    """Show it again.

    :raises NotFound: for what the person does not moderate, or what was emptied.
    """
    row = session.scalar(
        select(Binned)
        .where(
            Binned.id == binned_id, Binned.until > utcnow(), access.mine(session, person_id, Binned),
            access.open_to(person_id, Binned.audience_id),
        )
        .with_for_update(of=Binned)
    )  # fmt: skip
    if row is None:
        raise NotFound(_("This is no longer in the recycle bin."))
    kind = core_of(session).plugins.content_types.get(row.ref_type)
    if kind is None or kind.handling.restore is None:
        raise Conflict(_("What this plugin keeps cannot be shown again from here."))
    actor = access.actor_of(session, person_id)
    kind.handling.restore(session, row.ref_id, actor)
    ref = ObjectRef(row.ref_type, row.ref_id)
    why = " ".join(why.split())[:1_000]
    record(session, actor, "bin.restore", str(ref), why=why)
    cases.shown_again(session, ref, person_id, why)
    emit(session, Event("governance.undeleted", person_id, ref, row.audience_id, {"author": row.author_id}))
    session.delete(row)
    session.flush()
    return ref


def empty(session: Session) -> None:
    """The job: empty what is due, some at a time; not while an appeal waits."""
    appealed = exists().where(
        Case.ref_type == Binned.ref_type, Case.ref_id == Binned.ref_id, Case.state == "appealed"
    )  # fmt: skip
    query = select(Binned).where(Binned.until <= utcnow(), ~appealed).order_by(Binned.until)
    due = list(session.scalars(query.limit(BATCH)))
    types = core_of(session).plugins.content_types
    for row in due:
        kind = types.get(row.ref_type)
        if kind is not None and kind.handling.purge is not None:
            kind.handling.purge(session, row.ref_id)
        cases.forget(session, ObjectRef(row.ref_type, row.ref_id))
        session.delete(row)
    session.execute(delete(Found).where(Found.at < utcnow() - FOUND))
    session.flush()
    if len(due) == BATCH:
        defer(session, JOB)


def moved(session: Session, change: SpaceChange) -> None:
    """A space has another audience, or was taken in by another: so has what was reported or deleted there."""
    quietly = {"synchronize_session": False}
    for model in (Case, Binned):
        there = model.space_id == change.space_id
        if change.into is not None:
            # What was for the members of one is for those of the other.
            inner = model.audience_id == audiences.of_members(session, change.space_id)
            members = audiences.of_members(session, change.into)
            session.execute(update(model).where(inner).values(audience_id=members).execution_options(**quietly))
        same = there & (model.audience_id == change.audience_before)
        session.execute(update(model).where(same).values(audience_id=change.audience_after).execution_options(**quietly))
        if change.into is not None:
            session.execute(update(model).where(there).values(space_id=change.into).execution_options(**quietly))
