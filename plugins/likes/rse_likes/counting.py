"""Writing a reaction and its counter: exact under any number of writers, idempotent under double clicks and retries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, literal, select, update
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, core_of, dialect_insert, utcnow

from .models import Reaction, ReactionCount


def put(session: Session, person_id: int, ref: ObjectRef, kind: str, via: str) -> str | None:
    """The person's reaction to this object is ``kind`` after this.

    :returns: ``"added"``, ``"changed"``, or None when it already was.
    """
    now = utcnow()
    statement = dialect_insert(session, Reaction).values(
        person_id=person_id, ref_type=ref.type, ref_id=ref.id, kind=kind, via=via, created_at=now, changed_at=now
    )
    # The unique key decides between two clicks at once; on PostgreSQL the second waits here for the first.
    if _insert_counted(session, statement.on_conflict_do_nothing(), ref, kind):
        return "added"
    before = session.scalar(_mine(person_id, ref).with_for_update())
    if before is None:  # withdrawn by the same person between the two statements
        return put(session, person_id, ref, kind, via)
    if before == kind:
        return None
    session.execute(
        update(Reaction)
        .where(Reaction.person_id == person_id, Reaction.ref_type == ref.type, Reaction.ref_id == ref.id)
        .values(kind=kind, changed_at=now)
    )
    _add(session, ref, {before: -1, kind: 1})
    return "changed"


def take(session: Session, person_id: int, ref: ObjectRef) -> str | None:
    """The person has no reaction to this object after this; the kind that was withdrawn, None when there was none."""
    kind = session.scalar(
        delete(Reaction)
        .where(Reaction.person_id == person_id, Reaction.ref_type == ref.type, Reaction.ref_id == ref.id)
        .returning(Reaction.kind)
    )
    if kind is not None:
        _add(session, ref, {kind: -1})
    return kind


def _insert_counted(session: Session, statement: Any, ref: ObjectRef, kind: str) -> bool:
    """Insert the reaction and count it; whether there was anything to insert."""
    if core_of(session).db.is_sqlite:  # takes no INSERT inside a WITH; its writers come one by one anyway
        added = session.execute(statement.returning(Reaction.id)).scalar() is not None
        if added:
            _add(session, ref, {kind: 1})
        return added
    # One statement: the row of a hot object's counter stays locked for one journey less.
    added = statement.returning(Reaction.ref_type, Reaction.ref_id, Reaction.kind).cte("added")
    counted = dialect_insert(session, ReactionCount).from_select(
        ["ref_type", "ref_id", "kind", "count"], select(added.c.ref_type, added.c.ref_id, added.c.kind, literal(1))
    )
    counted = counted.on_conflict_do_update(
        index_elements=["ref_type", "ref_id", "kind"], set_={"count": ReactionCount.count + 1}
    )
    return session.execute(counted.returning(ReactionCount.count)).scalar() is not None


def _mine(person_id: int, ref: ObjectRef) -> Any:
    return select(Reaction.kind).where(
        Reaction.person_id == person_id, Reaction.ref_type == ref.type, Reaction.ref_id == ref.id
    )


def _add(session: Session, ref: ObjectRef, changes: dict[str, int]) -> None:
    # In the order of the kinds: two people who change between the same two kinds must not wait for each other.
    for kind, change in sorted(changes.items()):
        if change < 0:
            session.execute(
                update(ReactionCount)
                .where(ReactionCount.ref_type == ref.type, ReactionCount.ref_id == ref.id, ReactionCount.kind == kind)
                .values(count=ReactionCount.count + change)
            )
            continue
        statement = dialect_insert(session, ReactionCount).values(ref_type=ref.type, ref_id=ref.id, kind=kind, count=change)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["ref_type", "ref_id", "kind"], set_={"count": ReactionCount.count + change}
            )
        )
