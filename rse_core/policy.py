"""May this person do this here? The rule of the cursor (DESIGN §3) over an in-memory snapshot."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from .content import ContentInfo, ObjectRef
from .decision import Decision

if TYPE_CHECKING:
    from .runtime import Core


@dataclass(frozen=True, slots=True)
class Target:
    """What an act is on, as far as the rules need it. A service that has loaded the object passes this, so that nothing
    is queried; an :class:`ObjectRef` is resolved (cached for pages)."""

    audience_id: int | None = None
    #: sections of the legacy intranet it stands in: the path of its address, and the section learnt from a trusted source
    sections: tuple[str, ...] = ()
    space_id: int | None = None
    ref: ObjectRef | None = None
    author_id: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What ``rse_decide`` and ``rse_review`` are asked."""

    person_id: int
    capability: str
    target: Target
    at: dt.datetime


Subject = Target | ContentInfo | ObjectRef | None


class Policy:
    def __init__(self, core: Core) -> None:
        self.core = core

    def stop(self) -> None: ...


def can(
    session: Session, person_id: int | None, capability: str, target: Subject = None, *, at: dt.datetime | None = None
) -> Decision:
    """May this person do this, here, now? See :class:`~rse_core.decision.Decision`."""
    raise NotImplementedError


def require(session: Session, person_id: int | None, capability: str, target: Subject = None) -> Decision:
    """As :func:`can`, raising :class:`~rse_core.errors.Forbidden` (or SignInNeeded for nobody) when refused."""
    raise NotImplementedError
