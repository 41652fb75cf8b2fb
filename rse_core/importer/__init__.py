"""Import of people, entities and groups from CSV files: idempotent, all or nothing, quick.

::

    parsed = importer.read("people.csv", "entities.csv", "groups.csv")   # no database
    with core.db.write() as session:
        report = importer.run(session, parsed, actor=actor)

What the files say is compared with the database by the organisation's own ids, and only the difference is
written: a second
run changes nothing. Somebody of source ``csv`` who is missing from the file is disabled, and back as they
were when they
return. Entities and groups that are missing are kept; such a group loses its members.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..audit import Actor, record
from ..freshness import touch
from .existing import load
from .planning import Planner
from .report import Counts, FileRefused, LineError, Progress, Report
from .rows import ENTITY_COLUMNS, GROUP_COLUMNS, PEOPLE_COLUMNS, Parsed, read
from .writing import Writer

__all__ = [
    "ENTITY_COLUMNS", "GROUP_COLUMNS", "PEOPLE_COLUMNS", "Counts", "FileRefused", "LineError", "Parsed",
    "Progress",
    "Report", "read", "run",
]  # fmt: skip


def run(
    session: Session,
    parsed: Parsed,
    *,
    actor: Actor,
    dry_run: bool = False,
    keep_going: bool = False,
    allow_mass_disable: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Bring the database to what the files say, in the caller's transaction.

    Nothing is written with ``dry_run`` (a session that reads will do), when a line is bad (unless
    ``keep_going``: then the good
    lines are taken), or when more than 10 % of the people would be disabled (unless ``allow_mass_disable``).
    """
    report = Report(dry_run=dry_run)
    if not dry_run:
        # First of all, so that whoever else changes people waits until this is done.
        touch(session)
    existing = load(session)
    planner = Planner(parsed, existing, report, keep_going=keep_going)
    plan = planner.make(allow_mass_disable=allow_mass_disable)
    if dry_run:
        return report
    if report.refused or (report.errors and not keep_going):
        report.people, report.entities, report.groups = Counts(), Counts(), Counts()
        return report
    Writer(session, plan, existing, progress, parsed.source).write()
    report.written = True
    after = {
        "people": report.people.as_dict(),
        "entities": report.entities.as_dict(),
        "groups": report.groups.as_dict(),
        "errors": len(report.errors),
    }
    record(session, actor, "people.import", "site", after=after)
    return report
