"""The audit log: every act of those who run the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
