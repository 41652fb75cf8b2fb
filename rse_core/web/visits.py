"""A visit is noted once per person and day, at every level: the baseline of a rollout must exist before it begins."""

from __future__ import annotations

import logging

from .. import indicators
from ..people import PersonCard
from .state import core, session_write

log = logging.getLogger("rse.web")


def note_visit(person: PersonCard | None) -> None:
    """Note today's visit of the person who asks; most requests write nothing."""
    if person is None or indicators.visited_today(core(), person.id):
        return
    try:
        with session_write() as session:
            indicators.record_visit(session, person.id)
    except Exception:
        # A visit that could not be noted must not cost anybody the page; the next request tries again.
        log.exception("a visit could not be noted")
