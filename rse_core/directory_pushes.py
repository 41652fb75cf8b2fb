"""Directories that send what changes by themselves (SCIM): what arrived, in the same runs as those that are read.

Requests that follow one another count as one run; a pause of a quarter of an hour, or a day, ends it. So the page of the
directories and ``rse people syncs`` show one line for each time that the other side was at work, not one for each request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .audit import Actor
from .contributions import DirectoryFault
from .db import utcnow
from .directory import KEPT, MOST_ERRORS
from .importer.report import LineError, Report
from .models.organisation import DirectoryRun

#: A pause of so long ends a run; so does its length.
PAUSE, LENGTH = dt.timedelta(minutes=15), dt.timedelta(days=1)


def note(
    session: Session,
    source: str,
    *,
    actor: Actor,
    people: Mapping[str, int] | None = None,
    groups: Mapping[str, int] | None = None,
    fault: DirectoryFault | None = None,
) -> None:
    """Count what one request did, or what was wrong with it, in the caller's transaction.

    :param people: ``created``, ``updated`` or ``disabled`` → how many; ``groups`` the same.
    """
    now = utcnow()
    latest = select(DirectoryRun).where(DirectoryRun.source == source).order_by(DirectoryRun.id.desc()).limit(1)
    run = session.scalar(latest.with_for_update())
    if run is None or run.state != "done" or run.seen_at < now - PAUSE or run.began_at < now - LENGTH:
        run = DirectoryRun(source=source, actor=actor.label, state="done", complete=False, report=_empty())
        session.add(run)
        session.flush()
        _forget(session, source)
    # A copy: what is changed in place is not seen as changed.
    report = {**run.report, "people": dict(run.report["people"]), "groups": dict(run.report["groups"])}
    for kind, counts in (("people", people), ("groups", groups)):
        for name, count in (counts or {}).items():
            report[kind][name] = report[kind].get(name, 0) + count
    report.update({name: report["people"][name] for name in ("created", "updated", "disabled")})
    if fault is not None:
        # The latest ones stay: they say what is wrong now.
        line = LineError(fault.where, 0, fault.field, fault.message, fault.remedy)
        errors = [*report["errors"], line.as_dict()]
        report["more_errors"] += max(0, len(errors) - MOST_ERRORS)
        report["errors"] = errors[-MOST_ERRORS:]
    run.report, run.seen_at, run.ended_at = report, now, now
    session.flush()


def _empty() -> dict[str, Any]:
    report = Report(written=True).as_dict()
    return {**report, "error": "", "more_errors": 0}


def _forget(session: Session, source: str) -> None:
    old = select(DirectoryRun.id).where(DirectoryRun.source == source).order_by(DirectoryRun.id.desc()).offset(KEPT)
    session.execute(delete(DirectoryRun).where(DirectoryRun.id.in_(session.scalars(old).all())))
