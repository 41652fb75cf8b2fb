"""The intranet's own content: sources are read by a job, a batch at a time, each for itself.

Every minute :data:`JOBS` look which source is due and defer one job for it. A source is read outside any transaction; what
it yields is written in batches, each with the source's notes in one transaction. A source that fails waits longer each time,
shows in ``rse content status`` and ``/rse/readyz``, and stops no other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from . import legacy_state as states
from .contributions import HealthResult, Job, LegacySource, Publication
from .db import utcnow
from .errors import Conflict, NotFound, RseError
from .i18n import _, use_locale
from .legacy_ingest import Ingest
from .legacy_state import Counts, SourceStatus

if TYPE_CHECKING:
    from .runtime import Core

log = logging.getLogger("rse.legacy")
BATCH = 100
#: Faults in a row after which the source is reported as ill, and turns missed before it is reported as forgotten.
ILL, MISSED = 3, 10
#: What a publication that no page can hold raises; everything else is a fault of ours or of the database.
_UNUSABLE = (DataError, IntegrityError, ValueError, TypeError, AttributeError)
#: Told of progress: the source's name and how many publications have been read.
Progress = Callable[[str, int], None]


@dataclass(slots=True)
class SyncReport:
    """How the reading of one source went. ``busy``: another worker reads it. ``unfinished``: there is more to read."""

    source: str
    counts: Counts = field(default_factory=Counts)
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    busy: bool = False
    unfinished: bool = False
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"seconds": round(self.seconds, 1)}


def source_named(core: Core, name: str) -> LegacySource:
    """A source by its name, or by what follows its plugin's name.

    :raises NotFound: names those that there are.
    """
    sources = core.plugins.legacy_sources()
    found = sources.get(name) or next((s for key, s in sources.items() if key.partition(".")[2] == name), None)
    if found is None:
        known = ", ".join(sorted(sources)) or _("none")
        raise NotFound(_("There is no source “%(name)s”.", name=name), remedy=_("Known sources: %(list)s.", list=known))
    return found


def sync(core: Core, source: LegacySource, *, dry_run: bool = False, progress: Progress | None = None) -> SyncReport:
    """Read a source until it has nothing more to say or a limit is reached; nothing is raised for what is its fault.

    :param dry_run: read and compare, and write nothing.
    """
    report = SyncReport(source.name)
    started = time.monotonic()
    if dry_run:
        with core.db.read() as session:
            claimed = states.peek(session, source.name)
    else:
        found = states.claim(core, source.name)
        if found is None:
            report.busy = True
            return report
        claimed = found
    run = _Run(core, source, claimed, report, dry_run, progress)
    try:
        # What is kept of a fault is read by those who run the site, in its language.
        with use_locale(core.settings.default_locale):
            run.read()
    except Conflict as error:
        report.error = error.message
        log.warning("source %s: %s", source.name, error)
    except RseError as error:
        report.error = str(error)
        log.warning("source %s: %s", source.name, error)
    except Exception as error:  # isolation point: one source's fault must not stop the others
        report.error = f"{type(error).__name__}: {error}"[:1000]
        log.exception("the source %s failed", source.name)
    report.seconds = time.monotonic() - started
    if not dry_run:
        states.finish(
            core, source, claimed, report.counts, error=report.error, warnings=tuple(report.warnings),
            unfinished=report.unfinished,
        )  # fmt: skip
    return report


def look(source: LegacySource, *, limit: int = 10) -> list[Publication]:
    """The first publications that a source gives to one who has never read it; nothing is written."""
    reader = source.read({})
    found: list[Publication] = []
    try:
        for publication in reader:
            found.append(publication)
            if len(found) >= limit:
                break
    finally:
        reader.close()
    return found


def statuses(core: Core, session: Session) -> list[SourceStatus]:
    """How each source does."""
    return states.statuses(session, core.plugins.legacy_sources())


def health(core: Core, session: Session) -> HealthResult:
    """Whether every source can be read, for ``/rse/readyz`` and ``rse doctor``."""
    ill = [s for s in statuses(core, session) if s.failures >= ILL or _forgotten(s)]
    if not ill:
        return HealthResult(True)
    detail = " ".join(f"{s.name}: {s.error or _('not read for a long time.')}" for s in ill)
    return HealthResult(False, detail, _("See rse content status."))


def _forgotten(status: SourceStatus) -> bool:
    return status.due_at is not None and (utcnow() - status.due_at).total_seconds() > max(3600, MISSED * status.every)


class _Run:
    """One reading of one source."""

    def __init__(
        self, core: Core, source: LegacySource, claimed: states.Claimed, report: SyncReport, dry_run: bool,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self.core, self.source, self.claimed, self.report = core, source, claimed, report
        self.dry_run, self.progress = dry_run, progress
        self.ends = time.monotonic() + source.max_seconds
        self.items = 0

    def read(self) -> None:
        notes: Mapping[str, Any] = dict(self.claimed.notes)
        while True:
            before, notes, more = notes, *self._once(notes)
            if not more:
                return
            if notes == before:
                raise RseError(
                    _("The source asks to be read again from the same place."), remedy=_("This is a fault of its plugin.")
                )
            if time.monotonic() > self.ends or self.items >= self.source.max_items:
                self.report.unfinished = True
                return

    def _once(self, notes: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
        """One call of the source's ``read``: its new notes, and whether it wants to be called again."""
        reader = iter(self.source.read(notes))
        batch: list[Publication] = []
        ended: Any = None
        try:
            while True:
                try:
                    publication = next(reader)
                except StopIteration as end:
                    ended = end.value
                    break
                self._count()
                batch.append(publication)
                if len(batch) >= BATCH:
                    batch, full = [], batch
                    self._write(full)
        except Exception:
            # What was said before the fault counts; the notes stay, so that it is said again.
            self._write(batch)
            raise
        finally:
            close = getattr(reader, "close", None)
            if close is not None:
                close()
        kept = dict(ended) if isinstance(ended, Mapping) else dict(notes)
        more = bool(kept.pop("more", False))
        for sentence in kept.pop("warnings", None) or ():
            self._warn(str(sentence)[:500])
        self._write(batch, kept)
        return kept, more

    def _count(self) -> None:
        self.items += 1
        if self.progress is not None:
            self.progress(self.source.name, self.items)
        if self.items > self.source.max_items:
            raise RseError(
                _("The source gave more than %(max)s items at once (limit max_items).", max=str(self.source.max_items)),
                remedy=_("Raise the limit, or have the source list less."),
            )
        if time.monotonic() > self.ends:
            raise RseError(
                _("The source took longer than %(max)s seconds (limit max_seconds).", max=str(self.source.max_seconds))
            )

    def _write(self, batch: list[Publication], notes: Mapping[str, Any] | None = None) -> None:
        if not batch and notes is None:
            return
        try:
            self._commit(batch, notes)
        except _UNUSABLE:
            # Something in it cannot be kept: one at a time, so that the others are.
            for publication in batch:
                try:
                    self._commit([publication])
                except _UNUSABLE as error:
                    log.warning("source %s: a publication cannot be used: %s", self.source.name, error)
                    self.report.counts.seen += 1
                    self.report.counts.unusable += 1
            if notes is not None:
                self._commit([], notes)

    def _commit(self, batch: list[Publication], notes: Mapping[str, Any] | None = None) -> None:
        with self._session() as session:
            if not self.dry_run:
                states.hold(session, self.source.name, self.claimed, notes=notes)
            taken = Ingest(self.core, session, self.source, first=self.claimed.first)
            counts = taken.take(batch)
            if self.dry_run:
                session.rollback()
        self.report.counts.add(counts)
        for sentence in taken.warnings:
            self._warn(sentence)

    def _session(self) -> Any:
        return self.core.db.write()

    def _warn(self, sentence: str) -> None:
        if sentence not in self.report.warnings:
            self.report.warnings.append(sentence)


def _look_for_due(session: Session) -> None:
    from .jobs import defer
    from .runtime import core_of

    for name in states.due(session, core_of(session).plugins.legacy_sources()):
        defer(session, READ.name, key=f"{READ.name}:{name}", source=name)


def _read(session: Session, source: str) -> None:
    from .runtime import core_of

    core = core_of(session)
    found = core.plugins.legacy_sources().get(source)
    # Reading waits for another's server: never inside a transaction, which on SQLite would hold every writer up.
    session.commit()
    if found is not None:
        sync(core, found)


LOOK = Job("core.legacy", _look_for_due, every=60)
READ = Job("core.legacy_read", _read)
JOBS: tuple[Job, ...] = (LOOK, READ)


def each(core: Core, name: str | None = None) -> Iterator[LegacySource]:
    """The source of that name, or all of them in the order of their names.

    :raises NotFound: when there is none of that name.
    """
    if name is not None:
        yield source_named(core, name)
        return
    for _name, source in sorted(core.plugins.legacy_sources().items()):
        yield source
