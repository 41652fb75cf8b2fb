"""The audit log: every act of those who run the site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .db import utcnow
from .models.governance import Audit


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person (``person_id``) or a command (``label`` ``cli:<system user>``)."""

    label: str
    person_id: int | None = None


def record(
    session: Session,
    actor: Actor,
    act: str,
    subject: str,
    *,
    before: Any = None,
    after: Any = None,
    why: str = "",
) -> None:
    """Write one line, in the transaction of the act itself.

    :param act: ``level.set``, ``role.grant``, ``plugin.disable`` …
    :param subject: what it was done to: ``site``, ``entity:cpam-75``, ``person:hdupont``.
    """
    session.add(
        Audit(
            at=utcnow(),
            actor_id=actor.person_id,
            actor=actor.label,
            act=act,
            subject=subject,
            before=before,
            after=after,
            why=why,
        )
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    id: int
    at: dt.datetime
    actor: str
    act: str
    subject: str
    before: Any
    after: Any
    why: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "actor": self.actor,
            "act": self.act,
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
            "why": self.why,
        }


def entries(
    session: Session,
    *,
    since: dt.datetime | None = None,
    act: str | None = None,
    actor: str | None = None,
    subject: str | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Lines of the log, the latest first.

    :param act: this act, or with ``role`` every one of ``role.*``.
    :param before_id: the last id of the page before.
    """
    rows = _filtered(since, act)
    if actor is not None:
        rows = rows.where(Audit.actor == actor)
    if subject is not None:
        rows = rows.where(Audit.subject == subject)
    if before_id is not None:
        rows = rows.where(Audit.id < before_id)
    return [_entry(row) for row in session.scalars(rows.order_by(Audit.id.desc()).limit(limit))]


def stream(
    session: Session, *, since: dt.datetime | None = None, act: str | None = None, size: int = 1_000
) -> Iterator[Entry]:
    """Every line of the log, the earliest first, read in pieces."""
    last = 0
    while True:
        rows = _filtered(since, act).where(Audit.id > last).order_by(Audit.id).limit(size)
        page = [_entry(row) for row in session.scalars(rows)]
        yield from page
        if len(page) < size:
            return
        last = page[-1].id
        session.expunge_all()


def _filtered(since: dt.datetime | None, act: str | None) -> Select[Audit]:
    rows = select(Audit)
    if since is not None:
        rows = rows.where(Audit.at >= since)
    if act is not None:
        rows = rows.where((Audit.act == act) | Audit.act.startswith(act.rstrip(".") + ".", autoescape=True))
    return rows


def _entry(row: Audit) -> Entry:
    return Entry(row.id, row.at, row.actor, row.act, row.subject, row.before, row.after, row.why)
