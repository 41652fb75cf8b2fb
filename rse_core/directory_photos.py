"""Photos from directories: read a few at a time after people were written, and handed to the plugin that keeps photos."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from .contributions import DirectoryPhoto, DirectorySource
from .errors import RseError
from .i18n import _
from .importer.report import LineError, Report
from .models.organisation import Person

if TYPE_CHECKING:
    from .runtime import Core

logger = logging.getLogger(__name__)


def take(
    core: Core, source: DirectorySource, mark: str, report: Report, progress: Callable[[str, int, int], None] | None = None
) -> bool:
    """Take the photos of everybody, or of who changed since ``mark``; what became of them stands in the report.

    :returns: whether all were read and offered; else everything is to be read again, as the marks of people know nothing
        of photos.
    """
    if source.photos is None or not core.plugins.implementations("rse_photos"):
        return True
    done = 0
    try:
        for some in source.photos(mark):
            if not _few(core, source.name, some, report):
                return False
            done += len(some)
            if progress is not None:
                progress("photos", done, done)
    except RseError as error:
        report.errors.append(LineError(source.name, 0, "photo", error.message, error.remedy or ""))
        return False
    except Exception as error:  # isolation point: people were written, and stay so
        logger.exception("the photos of %s could not be read", source.name)
        report.errors.append(LineError(source.name, 0, "photo", f"{type(error).__name__}: {error}", ""))
        return False
    return True


def _few(core: Core, source: str, photos: Sequence[DirectoryPhoto], report: Report) -> bool:
    by_id = {one.external_id: one for one in photos if one.external_id}
    with core.db.read() as session:
        rows = select(Person.id, Person.external_id).where(
            Person.external_id.in_(sorted(by_id)), Person.source == source, Person.status == "active"
        )
        people = {row.id: by_id[row.external_id] for row in session.execute(rows)}
    problems = {ident: one.problem for ident, one in people.items() if one.problem}
    offered = {ident: one.data for ident, one in people.items() if not one.problem}
    answer = core.plugins.photos(core, source, offered) if offered else {}
    for ident, problem in {**problems, **(answer or {})}.items():
        if problem:
            where, remedy = people[ident].where or source, _("Give another photo there, or none.")
            report.errors.append(LineError(where, 0, "photo", problem, remedy))
        else:
            report.photos += 1
    return answer is not None
