"""Is the site fit to serve? What ``/rse/readyz`` answers and ``rse doctor`` prints."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from . import search_again
from .contributions import HealthCheck, HealthResult
from .db import utcnow
from .errors import RseError
from .i18n import _, ngettext

if TYPE_CHECKING:
    from .runtime import Core

log = logging.getLogger("rse.health")
#: A job or event that has waited longer than this means that no worker runs.
LATE = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Line:
    """One check: its name, its outcome, and whether the site cannot serve without it."""

    name: str
    result: HealthResult
    vital: bool = False

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "ok": self.result.ok,
            "detail": str(self.result.detail),
            "remedy": str(self.result.remedy),
            "vital": self.vital,
        }


@dataclass(slots=True)
class Report:
    """All checks. ``ready`` is False when a vital one failed."""

    lines: list[Line] = field(default_factory=list)
    oldest_job: dt.datetime | None = None

    @property
    def ready(self) -> bool:
        return all(line.result.ok for line in self.lines if line.vital)

    @property
    def healthy(self) -> bool:
        return all(line.result.ok for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "ready": self.ready,
            "checks": {line.name: {k: v for k, v in line.as_dict().items() if k != "name"} for line in self.lines},
        }


def readiness(core: Core) -> Report:
    """The checks that are quick enough to be asked every few seconds."""
    report = Report()
    report.lines.append(Line("database", _database(core), vital=True))
    if not report.ready:
        return report
    report.lines.append(Line("migrations", _migrations(core), vital=True))
    report.lines.append(Line("plugins", _plugins(core)))
    if report.ready:
        report.lines.append(Line("jobs", _jobs(core, report)))
        if core.plugins.legacy_sources():
            report.lines.append(Line("sources", _sources(core)))
        if core.plugins.directory_sources():
            report.lines.append(Line("directories", _directories(core)))
        for name, check in _checks(core):
            if check.ready:
                report.lines.append(Line(name, run_check(core, check)))
    return report


def examine(core: Core, *, repair: bool = False) -> list[Line]:
    """Every check there is, for ``rse doctor``; with ``repair`` what is wrong is mended where its plugin knows how."""
    report = readiness(core)
    lines = list(report.lines)
    seen = {line.name for line in lines}
    lines.append(Line("secret", _secret(core)))
    if core.settings.live:
        lines.append(Line("live", _live(core)))
    own = [("found", HealthCheck("found", search_again.check, search_again.repair))]
    for name, check in [*(own if report.ready else []), *_checks(core)]:
        result = run_check(core, check)
        if not result.ok and repair and check.repair is not None:
            result = _repair(core, check)
        lines = [line for line in lines if line.name != name] if name in seen else lines
        lines.append(Line(name, result))
    return lines


def _repair(core: Core, check: HealthCheck) -> HealthResult:
    assert check.repair is not None  # noqa: S101  the caller looked
    try:
        with core.db.write() as session:
            return check.repair(session)
    except Exception as error:
        log.exception("the repair of %s failed", check.name)
        return HealthResult(False, f"{type(error).__name__}: {error}", _("See the log."))


def _secret(core: Core) -> HealthResult:
    try:
        core.settings.key()
    except RseError as error:
        return HealthResult(False, error.message, error.remedy or "")
    return HealthResult(True)


_LISTENERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
)


def _live(core: Core) -> HealthResult:
    from .live.listening import NAME

    if core.db.is_sqlite:
        return HealthResult(
            False, _("“live” is set, and the database is SQLite: pages ask from time to time."),
            _("Remove it; rse run tells pages by itself on SQLite, with one process."),
        )  # fmt: skip
    try:
        with core.db.read() as session:
            found = session.scalar(_LISTENERS, {"name": NAME}) or 0
    except Exception as error:
        log.exception("the processes that listen cannot be counted")
        return HealthResult(False, f"{type(error).__name__}: {error}", _("See the log."))
    if not found:
        return HealthResult(
            False, _("“live” is set, and no process listens: pages ask from time to time."), _("Start one: rse live.")
        )
    return HealthResult(True, ngettext("%(num)s process listens.", "%(num)s processes listen.", found))


def run_check(core: Core, check: HealthCheck) -> HealthResult:
    """Run one check; an error in it is its outcome."""
    try:
        with core.db.read() as session:
            return check.check(session)
    except Exception as error:
        log.exception("the health check %s failed", check.name)
        return HealthResult(False, f"{type(error).__name__}: {error}", _("See the log."))


def _checks(core: Core) -> list[tuple[str, HealthCheck]]:
    return [
        (check.name if check.name.startswith(f"{plugin}.") else f"{plugin}.{check.name}", check)
        for plugin, check in core.plugins.contributions(HealthCheck)
    ]


def _database(core: Core) -> HealthResult:
    try:
        with core.db.read() as session:
            session.execute(text("SELECT 1"))
    except Exception as error:
        log.warning("the database does not answer: %s", error)
        return HealthResult(False, _("The database does not answer."), _("Check RSE_DATABASE_URL and the database server."))
    return HealthResult(True)


def _migrations(core: Core) -> HealthResult:
    try:
        core.check_database()
    except RseError as error:
        return HealthResult(False, error.message, error.remedy or "")
    return HealthResult(True)


def _plugins(core: Core) -> HealthResult:
    bad = [state for state in core.plugins.states.values() if state.status == "quarantined"]
    if not bad:
        return HealthResult(True)
    return HealthResult(
        False,
        " ".join(f"{state.name}: {state.reason}" for state in bad),
        " ".join(f"{state.name}: {state.remedy}" for state in bad if state.remedy),
    )


def _sources(core: Core) -> HealthResult:
    from . import legacy

    return run_check(core, HealthCheck("sources", lambda session: legacy.health(core, session)))


def _directories(core: Core) -> HealthResult:
    from . import directory

    return run_check(core, HealthCheck("directories", lambda session: directory.check(core, session)))


def _jobs(core: Core, report: Report) -> HealthResult:
    try:
        with core.db.read() as session:
            report.oldest_job = core.jobs.oldest(session)
    except Exception as error:
        log.exception("the queue cannot be read")
        return HealthResult(False, str(error), _("See the log."))
    if report.oldest_job is None:
        return HealthResult(True)
    waits = utcnow() - report.oldest_job
    detail = _("The oldest job has waited %(seconds)s s.", seconds=max(0, int(waits.total_seconds())))
    if waits > LATE:
        return HealthResult(False, detail, _("Start a worker: rse worker."))
    return HealthResult(True, detail)
