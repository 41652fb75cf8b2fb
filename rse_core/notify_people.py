"""Who is told: where the object stands, and who may use it there. Decided for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from .content import ContentInfo, ObjectRef
from .contributions import NotificationType
from .cursor import PersonFacts
from .models.organisation import Audience
from .notify_choices import SPACE
from .objects import resolve
from .policy import Policy
from .snapshot import load_people
from .subjects import Target

#: People in one statement: enough that a round trip costs nothing beside its work, few enough for any driver.
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Where:
    """Where the object of a notification stands. ``info`` None: no plugin knows of such an object."""

    ref: ObjectRef
    info: ContentInfo | None
    space_id: int | None

    @property
    def thread(self) -> ObjectRef | None:
        """What it is a part of, if anything."""
        return None if self.info is None else self.info.parent

    @property
    def mutable(self) -> list[ObjectRef]:
        """What can be muted so that this is not heard: itself, its thread, its space."""
        refs = [self.ref, *([self.thread] if self.thread is not None else [])]
        return [*refs, ObjectRef(SPACE, str(self.space_id))] if self.space_id is not None else refs


def where(session: Session, ref: ObjectRef, audience_id: int | None = None) -> Where:
    """Where the object stands now; one query for its type, and one when only its audience tells the space."""
    info = resolve(session, [ref]).get(ref)
    space_id = None if info is None else info.space_id
    if space_id is None and audience_id is not None:
        row = session.execute(select(Audience.kind, Audience.target_id).where(Audience.id == audience_id)).first()
        if row is not None and row[0] == "space":
            space_id = row[1]
    return Where(ref, info, space_id)


def in_chunks(session: Session, people: Iterable[int] | Select[int]) -> Iterator[list[int]]:
    """The ids, each once, in rising order, a few thousand at a time; a select is never loaded whole."""
    if not isinstance(people, Select):
        ids = sorted(set(people))
        for start in range(0, len(ids), CHUNK):
            yield ids[start : start + CHUNK]
        return
    column: Any = people.order_by(None).subquery().c[0]
    last = None
    while True:
        query = select(column).distinct().order_by(column).limit(CHUNK)
        found = list(session.scalars(query if last is None else query.where(column > last)))
        if found:
            yield found
            last = found[-1]
        if len(found) < CHUNK:
            return


def allowed(session: Session, ids: list[int], kind: NotificationType, place: Where) -> list[int]:
    """Those of these people who may use the type's capability where the object stands; all, for a type without one."""
    if kind.capability is None:
        return ids
    if place.info is None:
        return []
    from .runtime import core_of

    policy = core_of(session).policy
    info = place.info
    hidden = info.audience_id is None or info.state not in ("published", "locked", "archived")
    target = Target(info.audience_id, info.sections, info.space_id, info.ref, info.author_id)
    if hidden or policy.core.plugins.decides:
        policy.preload(ids)
        return [one for one in ids if policy.can(session, one, kind.capability, info if hidden else target).allowed]
    return _alike(session, policy, ids, kind.capability, target)


def _alike(session: Session, policy: Policy, ids: list[int], capability: str, target: Target) -> list[int]:
    """As asking about each. A decision to read looks at nothing but what makes people alike here: their entity, their
    groups, their part in the space, whether they are in the audience; so each kind of person is asked about once."""
    offered = policy.core.plugins.capabilities.get(capability)
    if offered is None or offered.writes:
        policy.preload(ids)
        return [one for one in ids if policy.can(session, one, capability, target).allowed]
    answers: dict[tuple[Any, ...], bool] = {}
    found = []
    for ident, facts in load_people(session, ids).items():
        key = _likeness(facts, target)
        if key not in answers:
            answers[key] = policy.can(session, ident, capability, target).allowed
        if answers[key]:
            found.append(ident)
    return sorted(found)


def _likeness(facts: PersonFacts, target: Target) -> tuple[Any, ...]:
    return (
        facts.entity_id, facts.groups, facts.spaces.get(target.space_id or 0), facts.roles, facts.disabled_at is None,
        facts.external, target.audience_id in facts.audiences,
    )  # fmt: skip
