"""The simplest of lists of notifications, for a core without the plugin that has a page for them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..notify_lines import Line
from ..notify_lines import lines as as_lines
from ..notify_reading import of_person

__all__ = ["Line", "lines"]


def lines(session: Session, person_id: int, *, limit: int) -> list[Line]:
    """The newest notifications of a person; a constant number of queries for each type of object."""
    return as_lines(session, person_id, of_person(session, person_id, limit=limit))
