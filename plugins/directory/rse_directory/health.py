"""Are the words that people are found by in step with the people?"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from rse_core.api import HealthResult, defer, translator, utcnow
from rse_core.models.organisation import Person

from .models import Indexed

_t = translator(__file__, "rse_directory")
_ = _t.gettext
#: A change may wait so long before it counts as late; no more than so many are counted.
LATE, MOST = dt.timedelta(minutes=15), 1_000


def check(session: Session) -> HealthResult:
    """Whether people wait to be indexed for longer than they should."""
    some = (
        select(Person.id)
        .outerjoin(Indexed, Indexed.person_id == Person.id)
        .where(or_(Indexed.seen.is_(None), Indexed.seen != Person.updated_at), Person.updated_at < utcnow() - LATE)
        .limit(MOST)
    )
    number = session.scalar(select(func.count()).select_from(some.subquery())) or 0
    if not number:
        return HealthResult(True, _("people are found as they are"))
    return HealthResult(
        False, _t.ngettext("%(num)s person is not found as they are", "%(num)s people are not found as they are", number),
        _("Start a worker: rse worker. Or run rse directory reindex."),
    )  # fmt: skip


def repair(session: Session) -> HealthResult:
    """Let a job follow at once."""
    defer(session, "directory.follow_more", key="directory.follow_more")
    return HealthResult(True, _("the people are being indexed"))
