"""What changes of spaces have in common: who gains and loses sight, and how everything in a space follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from . import audiences, notify, organisation
from .audit import Actor, record
from .contributions import SpaceChange
from .events import Event, emit
from .models.content import Page
from .models.governance import Held
from .models.organisation import Membership, Person, RoleGrant, Space
from .organisation import space_ref


@dataclass(frozen=True, slots=True)
class Reach:
    """What a change of visibility does: how many people see what is in the space, now and then.

    ``losing`` names the first of those who lose sight of it; show it to the space's managers only.
    """

    before: int
    after: int
    gain: int
    lose: int
    losing: tuple[str, ...] = ()


def reach(session: Session, before: int, after: int, names: int) -> Reach:
    return compare(session, people_of(before), people_of(after), names)


def people_of(audience_id: int) -> Select[int]:
    return select(Membership.person_id).where(Membership.audience_id == audience_id)


def compare(session: Session, before: Select[int], after: Select[int], names: int) -> Reach:
    def count(query: Select[Any]) -> int:
        return session.scalar(select(func.count()).select_from(query.subquery())) or 0

    losing = before.where(Membership.person_id.not_in(after))
    shown: Sequence[str] = ()
    if names:
        named = select(Person.display_name).where(Person.id.in_(losing)).order_by(Person.folded_name, Person.id)
        shown = session.scalars(named.limit(names)).all()
    gaining = after.where(Membership.person_id.not_in(before))
    return Reach(count(before), count(after), count(gaining), count(losing), tuple(shown))


def grants(space_id: int) -> tuple[Any, ...]:
    return RoleGrant.scope == "space", RoleGrant.scope_id == space_id


def move(session: Session, change: SpaceChange) -> None:
    """The core's own rows, then every plugin's."""
    from .runtime import core_of

    session.execute(
        gone(
            update(Held)
            .where(Held.space_id == change.space_id)
            .values(audience_id=change.audience_after, space_id=change.into or change.space_id)
        )
    )
    notify.space_changed(session, change)
    if change.into is not None:
        # A page for the members of a space is for those of the one that took it in; never for more people than that.
        members = audiences.of_members(session, change.space_id)
        moved = update(Page).where(Page.audience_id == members)
        session.execute(gone(moved.values(audience_id=audiences.of_members(session, change.into))))
    core_of(session).plugins.space_changed(session, change)


def changed(
    session: Session,
    actor: Actor,
    space: Space,
    audience_id: int | None,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    data = {"before": dict(before), "after": dict(after)}
    emit(session, Event("space.changed", actor.person_id, space_ref(space.id), audience_id, data))


def note(session: Session, actor: Actor, act: str, space: Space, **what: Any) -> None:
    record(session, actor, act, f"space:{space.key}", **what)


def get(session: Session, space_id: int) -> Space:
    return organisation._get(session, Space, space_id)


def check(value: str, choices: tuple[str, ...], field: str) -> None:
    organisation._check_choice(field, value, choices)


def gone(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)
