"""Where a person may be told of things: the audiences and the spaces they reach, by capability; no query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import Session

from .contributions import NotificationType
from .db import utcnow
from .decision import Reason
from .models.notices import Broadcast
from .models.runtime import NotificationRow
from .policy import can
from .subjects import Target

if TYPE_CHECKING:
    from .runtime import Core

#: A tuple of values, or a sub-select that gives them.
Values = Any


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a person is told of some types: audiences that are no space's, and spaces they are in."""

    types: Values
    #: these types ask for no capability
    free: bool
    audiences: Values
    spaces: Values
    closed: Values = ()
    #: from outside the organisation: what is for everyone in a public space is not for them
    inside: Values | None = field(default=None)

    def elsewhere(self, table: type[NotificationRow] | type[Broadcast]) -> ColumnElement[bool]:
        """SQL: of these types, and not in a space that :meth:`here` is about."""
        found = and_(table.type.in_(self.types), table.audience_id.in_(self.audiences))
        for mine in (self.spaces, self.closed):
            if isinstance(mine, Select) or mine:
                found = and_(found, or_(table.space_id.is_(None), table.space_id.not_in(mine)))
        return found

    def here(self, table: type[NotificationRow] | type[Broadcast]) -> ColumnElement[bool]:
        """SQL: of these types, in one of the person's spaces that is open to it."""
        found = and_(table.type.in_(self.types), table.space_id.in_(self.spaces))
        return found if self.inside is None else and_(found, table.audience_id.in_(self.inside))


def reaches(session: Session, person_id: int, types: Iterable[str] | None = None) -> list[Reach]:
    """What the person reaches, by the capabilities that types of notifications (``types``: these) ask for; no query."""
    from .runtime import core_of

    core = core_of(session)
    facts = core.policy.person(person_id)
    if facts is None or (facts.disabled_at is not None and facts.disabled_at <= utcnow()):
        return []
    by_capability: dict[str | None, list[str]] = {}
    wanted = None if types is None else frozenset(types)
    for _plugin, kind in core.plugins.contributions(NotificationType):
        if wanted is not None and kind.name not in wanted:
            continue
        by_capability.setdefault(kind.capability, []).append(kind.name)
    kinds = core.policy.snapshot().audiences
    plain = sorted(one for one in facts.audiences if kinds.get(one, ("",))[0] != "space")
    mine = sorted({*facts.spaces, *(kinds[one][1] for one in facts.audiences if kinds.get(one, ("",))[0] == "space")})
    everyone = core.policy.everyone()
    # What stands in a public space is for everyone, and may be closed to who is not in it.
    others = [one for one in core.policy.special_spaces() if one not in mine]
    reading = _reading(core)
    inside = tuple(sorted(facts.audiences)) if facts.external else None
    alike: dict[tuple[bool, tuple[int, ...], tuple[int, ...], tuple[int, ...]], list[str]] = {}
    for capability, names in by_capability.items():
        audiences, spaces = plain, mine
        if capability is not None:
            audiences = [one for one in plain if can(session, person_id, capability, Target(one))]
            spaces = [one for one in mine if can(session, person_id, capability, Target(space_id=one))]
        asked = [capability] if capability is not None else reading
        answers = ((one, can(session, person_id, each, Target(everyone, space_id=one))) for one in others for each in asked)
        # A type that asks for nothing is no matter of levels.
        shut = [one for one, said in answers if not said.allowed and (capability is not None or said.reason is Reason.ROLE)]
        closed = tuple(sorted({*mine, *shut} - set(spaces)))
        # Most capabilities open to the same people: asked about together, they make one short question.
        alike.setdefault((capability is None, tuple(audiences), tuple(spaces), closed), []).extend(names)
    return [
        Reach(tuple(names), free, audiences, spaces, closed, inside)
        for (free, audiences, spaces, closed), names in alike.items()
    ]


def _reading(core: Core) -> list[str]:
    """The capabilities by which objects are read, of plugins that have one."""
    wanted = {kind.reads for kind in core.plugins.content_types.values() if kind.reads is not None}
    known = core.plugins.capabilities
    return sorted(name for name in wanted if name in known and not known[name].writes)
