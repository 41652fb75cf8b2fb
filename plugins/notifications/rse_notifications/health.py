"""Whether messages leave: what failed for good, what waits too long, addresses that refuse."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rse_core.api import HealthResult, core_of, translator, utcnow

from .models import Address, Message
from .planning import outgoing
from .sending import REFUSALS

_ = translator(__file__, "rse_notifications").gettext
LATE = dt.timedelta(hours=1)
RECENT = dt.timedelta(days=2)


def check(session: Session) -> HealthResult:
    """Do messages leave?"""
    now = utcnow()
    failed = _count(session, Message.state == "failed", Message.done_at > now - RECENT)
    late = _count(session, Message.state == "queued", Message.due_at < now - LATE)
    refused = session.scalar(select(func.count()).select_from(Address).where(Address.refused >= REFUSALS)) or 0
    if not outgoing(core_of(session)):
        return HealthResult(True, _("notifications stay in the page: nothing carries them elsewhere"))
    if failed or late:
        return HealthResult(
            False,
            _("%(failed)s messages failed for good in two days, %(late)s wait for more than an hour",
              failed=str(failed), late=str(late)),
            _("See that a worker runs and that the mail server answers, then run rse doctor --repair."),
        )  # fmt: skip
    return HealthResult(True, _("messages leave; %(refused)s addresses refuse them", refused=str(refused)))


def repair(session: Session) -> HealthResult:
    """Try again what failed for good lately, but for what its address refused."""
    changed = session.execute(
        update(Message)
        .where(Message.state == "failed", Message.done_at > utcnow() - RECENT, Message.attempts > 1)
        .values(state="queued", attempts=0, due_at=utcnow(), done_at=None)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    ).all()
    return HealthResult(True, _("%(count)s messages are tried again", count=str(len(changed))))


def _count(session: Session, *conditions: object) -> int:
    some = select(Message.id).where(*conditions).limit(10_000).subquery()  # type: ignore[arg-type]
    return session.scalar(select(func.count()).select_from(some)) or 0
