"""What this plugin keeps about a person: what they reported, decisions on what they wrote, their appeals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from rse_core import mentions
from rse_core.api import core_of

from .models import Binned, Case, Report, Term, WordRule

QUIETLY = {"synchronize_session": False}


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Reports that the person made, and cases about what they wrote; not who reported them."""
    reports = session.execute(
        select(Case.ref_type, Case.ref_id, Report.kind, Report.text, Report.at)
        .join(Case, Case.id == Report.case_id)
        .where(Report.person_id == person_id)
        .order_by(Report.id)
    )
    for kind, ident, reason, text, at in reports:
        yield {"reported": f"{kind}:{ident}", "kind": reason, "text": text, "at": at.isoformat()}
    for case in session.scalars(select(Case).where(Case.author_id == person_id).order_by(Case.id)):
        if case.state == "open" and not case.automatic:
            continue
        yield {
            "decision": case.state, "about": f"{case.ref_type}:{case.ref_id}", "reason": case.reason, "appeal": case.appeal,
            "answer": case.appeal_reason, "at": case.decided_at.isoformat() if case.decided_at else None,
        }  # fmt: skip
    for row in session.scalars(select(Binned).where(Binned.author_id == person_id).order_by(Binned.id)):
        yield {"deleted": f"{row.ref_type}:{row.ref_id}", "at": row.at.isoformat(), "until": row.until.isoformat()}


def erase(session: Session, person_id: int) -> int:
    """Reports stay as a number without name or text; what the person deleted is emptied at once."""
    types = core_of(session).plugins.content_types
    count = 0
    for row in session.scalars(select(Binned).where(Binned.author_id == person_id)).all():
        kind = types.get(row.ref_type)
        if kind is not None and kind.handling.purge is not None:
            kind.handling.purge(session, row.ref_id)
        session.delete(row)
        count += 1
    texts = (Report.text, Case.reason, Case.appeal, Case.appeal_reason, Case.disclosed, Binned.reason)
    mentions.unname(session, person_id, *texts)
    changes = (
        update(Report).where(Report.person_id == person_id).values(person_id=None, text=""),
        update(Case).where(Case.author_id == person_id).values(
            author_id=None, reason="", appeal="", appeal_reason="", disclosed=""
        ),
        update(Case).where(Case.decided_by == person_id).values(decided_by=None),
        update(Case).where(Case.appeal_decided_by == person_id).values(appeal_decided_by=None),
        update(Binned).where(Binned.deleted_by == person_id).values(deleted_by=None),
        update(WordRule).where(WordRule.created_by == person_id).values(created_by=None),
        update(Term).where(Term.set_by == person_id).values(set_by=None),
    )
    for change in changes:
        done: Any = session.execute(change.execution_options(**QUIETLY))
        count += done.rowcount
    return count


def prune(session: Session, before: dt.datetime) -> int:
    """Cases that were decided longer ago than that, with their reports; a part at a time."""
    old = select(Case.id).where(
        or_(Case.state.in_(("kept", "restored", "confirmed")), (Case.state == "hidden") & (Case.appeal_until < before)),
        Case.decided_at < before,
    ).limit(1_000)  # fmt: skip
    done: Any = session.execute(delete(Case).where(Case.id.in_(old)).execution_options(**QUIETLY))
    return int(done.rowcount)
