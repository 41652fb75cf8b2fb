"""Synchronisation with the directories that already know everybody: read, compare, write the difference, keep a report.

A run reads a source completely, or what changed since the mark of the last run that was done. What it reads is planned like
an import of files (:mod:`rse_core.importer`): by the organisation's own ids, all the difference in one transaction. A source
that breaks off raises, and nothing is written; whoever is missing has left only when everybody was read; when more than
10 % would leave, nothing is written until somebody says so.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from . import directory_photos, importer
from .audit import Actor
from .contributions import DirectorySource, HealthResult, Job
from .db import utcnow
from .errors import Conflict, NotFound, RseError
from .i18n import _
from .importer.changes import Change, changes_of
from .importer.directory import parsed_of
from .importer.existing import load
from .importer.planning import Planner
from .importer.report import Progress, Report
from .models.organisation import DirectoryRun

if TYPE_CHECKING:
    from .runtime import Core

logger = logging.getLogger(__name__)

#: A run that has given no sign for so long has died; another may begin.
SILENT = dt.timedelta(minutes=30)
#: Errors kept in a report; the command prints all of them.
MOST_ERRORS = 200
#: Runs kept for each source.
KEPT = 200


@dataclass(slots=True)
class SyncResult:
    """The outcome of one run. ``error``: why the source could not be read to its end, else ""."""

    source: str
    report: Report
    complete: bool = True
    error: str = ""
    changes: Sequence[Change] = ()

    @property
    def state(self) -> str:
        """As a run keeps it."""
        if self.error:
            return "failed"
        return "done" if self.report.written or self.report.dry_run else "refused"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        found = {"source": self.source, "complete": self.complete, "state": self.state, "error": self.error}
        return {**found, **self.report.as_dict(), "changes": [asdict(change) for change in self.changes]}


def source_named(core: Core, name: str) -> DirectorySource:
    """The source of that name; the name of a plugin will do when it has one source only.

    :raises NotFound: names those that there are.
    """
    sources = core.plugins.directory_sources()
    if name in sources:
        return sources[name]
    own = [source for key, source in sources.items() if key.partition(".")[0] == name]
    if len(own) == 1:
        return own[0]
    known = ", ".join(sorted(sources))
    raise NotFound(
        _("There is no directory “%(name)s”.", name=name),
        remedy=_("Use one of: %(names)s.", names=known) if known else _("Install and configure one, for example rse-ldap."),
    )


def sync(
    core: Core,
    source: DirectorySource,
    *,
    actor: Actor,
    dry_run: bool = False,
    complete: bool = False,
    strict: bool = False,
    allow_mass_disable: bool = False,
    adopts: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> SyncResult:
    """Bring people, entities and groups to what the source says.

    :param complete: read everything, even when changes alone could be read.
    :param strict: one bad entry refuses the whole run; else it is left out and reported.
    :param adopts: sources whose people this one takes over.
    :raises Conflict: when the source is being synchronised already, or sends what changes by itself.
    """
    if source.pushed:
        raise Conflict(
            _("“%(name)s” sends what changes by itself; there is nothing to read.", name=source.name),
            remedy=_("See rse people syncs."),
        )
    mark = "" if complete or adopts else _mark(core, source)
    if dry_run:
        return _trial(core, source, mark, strict, allow_mass_disable, adopts, progress)
    run_id = _begin(core, source, actor)
    result = SyncResult(source.name, Report(), complete=not mark)
    found = ""
    try:
        reading = source.read(mark, _alive(core, run_id, progress))
        result.complete, found = reading.complete, reading.mark
        parsed = parsed_of(source.name, reading, adopts=adopts)
        with core.db.write() as session:
            result.report = importer.run(
                session, parsed, actor=actor, keep_going=not strict, allow_mass_disable=allow_mass_disable,
                progress=progress,
            )  # fmt: skip
        alive = _alive(core, run_id, progress)
        if result.report.written and not directory_photos.take(core, source, mark, result.report, alive):
            found = ""
    except RseError as error:
        result.error = str(error)
    except Exception as error:  # isolation point: a fault of one source must not stop the worker
        logger.exception("the directory %s could not be synchronised", source.name)
        result.error = f"{type(error).__name__}: {error}"
    _end(core, run_id, result, found)
    return result


def _trial(
    core: Core, source: DirectorySource, mark: str, strict: bool, allow_mass_disable: bool, adopts: frozenset[str],
    progress: Progress | None,
) -> SyncResult:  # fmt: skip
    try:
        reading = source.read(mark, progress)
    except RseError as error:
        return SyncResult(source.name, Report(dry_run=True), complete=not mark, error=str(error))
    parsed, report = parsed_of(source.name, reading, adopts=adopts), Report(dry_run=True)
    with core.db.read() as session:
        existing = load(session)
    plan = Planner(parsed, existing, report, keep_going=not strict).make(allow_mass_disable=allow_mass_disable)
    return SyncResult(source.name, report, reading.complete, changes=changes_of(plan, existing))


def _mark(core: Core, source: DirectorySource) -> str:
    """Where the source may go on; "" when it is time to read everything again, to find out who has left."""
    with core.db.read() as session:
        last = session.scalar(_done(source.name).limit(1))
        whole = session.scalar(_done(source.name).where(DirectoryRun.complete).limit(1))
    if last is None or whole is None or whole.began_at < utcnow() - dt.timedelta(seconds=source.complete_every):
        return ""
    return str(last.mark)


def _done(source: str) -> Any:
    return (
        select(DirectoryRun)
        .where(DirectoryRun.source == source, DirectoryRun.state == "done")
        .order_by(DirectoryRun.id.desc())
    )


def _begin(core: Core, source: DirectorySource, actor: Actor) -> int:
    with core.db.write() as session:
        running = session.scalar(
            select(DirectoryRun).where(DirectoryRun.source == source.name, DirectoryRun.state == "running")
        )
        if running is not None:
            if running.seen_at > utcnow() - SILENT:
                raise _busy(source.name, running.began_at)
            running.state, running.ended_at, running.report = "failed", utcnow(), {"error": "died"}
        session.flush()
        run = DirectoryRun(source=source.name, actor=actor.label)
        session.add(run)
        try:
            session.flush()
        except IntegrityError:
            raise _busy(source.name, None) from None
        return run.id


def _busy(name: str, since: dt.datetime | None) -> Conflict:
    message = _("“%(name)s” is being synchronised already.", name=name)
    if since is not None:
        message = _("“%(name)s” is being synchronised since %(when)s.", name=name, when=f"{since:%H:%M} UTC")
    return Conflict(message, remedy=_("Wait until it has ended; see rse people syncs."))


def _alive(core: Core, run_id: int, progress: Progress | None) -> Progress:
    """Passes progress on, and says every few minutes that the run lives."""
    told = utcnow()

    def step(stage: str, done: int, total: int) -> None:
        nonlocal told
        if progress is not None:
            progress(stage, done, total)
        if utcnow() - told > SILENT / 10:
            told = utcnow()
            with core.db.write() as session:
                session.execute(update(DirectoryRun).where(DirectoryRun.id == run_id).values(seen_at=told))

    return step


def _end(core: Core, run_id: int, result: SyncResult, mark: str) -> None:
    report = result.report.as_dict()
    errors = report.pop("errors")
    report.update(error=result.error, errors=errors[:MOST_ERRORS], more_errors=max(0, len(errors) - MOST_ERRORS))
    with core.db.write() as session:
        run = session.get_one(DirectoryRun, run_id)
        run.state, run.complete, run.ended_at, run.seen_at = result.state, result.complete, utcnow(), utcnow()
        run.mark, run.report = (mark if result.state == "done" else ""), report
        session.flush()
        old = session.scalars(
            select(DirectoryRun.id).where(DirectoryRun.source == run.source).order_by(DirectoryRun.id.desc()).offset(KEPT)
        ).all()
        if old:
            session.execute(DirectoryRun.__table__.delete().where(DirectoryRun.id.in_(old)))  # type: ignore[attr-defined]


def runs(session: Session, source: str | None = None, *, before: int | None = None, most: int = 50) -> list[DirectoryRun]:
    """The latest runs, of one source or of all, the newest first."""
    query = select(DirectoryRun).order_by(DirectoryRun.id.desc()).limit(most)
    if source is not None:
        query = query.where(DirectoryRun.source == source)
    if before is not None:
        query = query.where(DirectoryRun.id < before)
    return list(session.scalars(query))


def last_done(session: Session, source: str) -> dt.datetime | None:
    """When people of this source were last brought up to date."""
    run = session.scalar(_done(source).limit(1))
    return None if run is None else run.ended_at


def check(core: Core, session: Session) -> HealthResult:
    """Whether each source that is to be read regularly was read lately."""
    late = []
    for name, source in sorted(core.plugins.directory_sources().items()):
        last = runs(session, name, most=1)
        if source.every and not (last and last[0].state in ("done", "running")):
            late.append(name)
        elif source.every:
            done = last_done(session, name)
            if done is None or done < utcnow() - dt.timedelta(seconds=source.every * 3):
                late.append(name)
    if not late:
        return HealthResult(True)
    return HealthResult(
        False, _("These directories were not synchronised when they should have been: %(names)s.", names=", ".join(late)),
        _("See rse people syncs."),
    )  # fmt: skip


# -- by the worker -------------------------------------------------------------------------------------------------------


def _look_for_due(session: Session) -> None:
    from .jobs import defer
    from .runtime import core_of

    for name, source in core_of(session).plugins.directory_sources().items():
        last = runs(session, name, most=1)
        if source.every and (not last or last[0].began_at <= utcnow() - dt.timedelta(seconds=source.every)):
            defer(session, SYNC.name, key=f"{SYNC.name}:{name}", source=name)


def _sync(session: Session, source: str) -> None:
    from .runtime import core_of

    core = core_of(session)
    found = core.plugins.directory_sources().get(source)
    # Reading waits for another's server: never inside a transaction, which on SQLite would hold every writer up.
    session.commit()
    if found is not None:
        try:
            sync(core, found, actor=Actor("worker"))
        except Conflict:
            logger.info("the directory %s is being synchronised by somebody else", source)


LOOK = Job("core.directory", _look_for_due, every=60)
SYNC = Job("core.directory_sync", _sync)
JOBS: tuple[Job, ...] = (LOOK, SYNC)
