"""Moderation before publishing: what is held waits for the moderators of its scope, who approve or refuse with a reason.

The core keeps the queue and tells (``moderation.approved``, ``moderation.refused``); the plugin that keeps the object
shows it, or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, false, or_, select, true
from sqlalchemy.orm import Session

from .audit import Actor, record
from .content import ObjectRef
from .cursor import MANAGING_ROLES
from .db import utcnow
from .errors import BadInput, Conflict, Forbidden, NotFound
from .events import Event, emit
from .freshness import touch
from .i18n import _
from .levelsets import Where
from .models.governance import Held, ReviewRule
from .models.organisation import Audience, EntityPath, Person, RoleGrant, SpaceMember
from .roles import moderates
from .subjects import Target

REVIEWABLE = ("site", "entity", "space", "person")


def hold(session: Session, ref: ObjectRef, *, capability: str, author_id: int | None, target: Target | None = None) -> Held:
    """Put something written into the queue; once while it waits.

    :param target: what it was written on: its audience and space say whose moderators decide, with the author's entity.
    """
    waiting = _pending(session, ref)
    if waiting is not None:
        return waiting
    author = None if author_id is None else session.get(Person, author_id)
    held = Held(
        ref_type=ref.type, ref_id=ref.id, capability=capability, author_id=author_id,
        audience_id=target.audience_id or None if target else None,
        entity_id=author.entity_id if author else None, space_id=target.space_id if target else None,
    )  # fmt: skip
    session.add(held)
    session.flush()
    emit(session, Event("moderation.held", author_id, ref, held.audience_id, {"held": held.id, "capability": capability}))
    return held


def decide(session: Session, held_id: int, approve: bool, actor: Actor, reason: str = "") -> Held:
    """Approve or refuse; the author learns which, and the reason.

    :raises NotFound: when nothing of this number was held.
    :raises Conflict: when it was decided before.
    :raises Forbidden: when the actor is a person who does not moderate there, or the author.
    """
    held = session.scalar(select(Held).where(Held.id == held_id).with_for_update())
    if held is None:
        raise NotFound(_("Nothing of the number %(number)s waits for a moderator.", number=str(held_id)))
    if held.state != "pending":
        raise Conflict(_("This was decided before."), remedy=_("Reload the list."))
    if actor.person_id is not None and (
        actor.person_id == held.author_id or not moderates(session, actor.person_id, target_of(held))
    ):
        raise Forbidden(_("You do not moderate this."))
    if len(reason) > 2_000 or "\x00" in reason:
        raise BadInput(_("The reason is longer than %(max)s characters, or not a text.", max="2000"))
    held.state = "approved" if approve else "refused"
    held.decided_at, held.decided_by, held.reason = utcnow(), actor.person_id, reason
    session.flush()
    ref = ObjectRef(held.ref_type, held.ref_id)
    record(session, actor, f"moderation.{held.state}", str(ref), before="pending", after=held.state, why=reason)
    data = {"held": held.id, "capability": held.capability, "author": held.author_id}
    emit(session, Event(f"moderation.{held.state}", actor.person_id, ref, held.audience_id, data))
    return held


def taken_down(
    session: Session, ref: ObjectRef, *, author_id: int | None, actor: Actor, reason: str, target: Target
) -> None:
    """Tell that a moderator took something down from its plugin's own page, so that its author may appeal as elsewhere."""
    data = {"author": author_id, "reason": reason, "space": target.space_id}
    emit(session, Event("moderation.taken_down", actor.person_id, ref, target.audience_id or None, data))


def withdraw(session: Session, ref: ObjectRef) -> bool:
    """Take it out of the queue, because its author deleted it; False when it did not wait."""
    waiting = _pending(session, ref)
    if waiting is None:
        return False
    session.execute(delete(Held).where(Held.id == waiting.id))
    return True


def queue(session: Session, person_id: int | None = None, *, after: int = 0, limit: int = 50) -> list[Held]:
    """What waits, the eldest first: all of it (None), or what this person moderates and did not write."""
    query = select(Held).where(Held.state == "pending", Held.id > after).order_by(Held.id).limit(limit)
    if person_id is not None:
        mine = moderated(
            session, person_id, audience_id=Held.audience_id, entity_id=Held.entity_id, space_id=Held.space_id
        )
        query = query.where(mine, or_(Held.author_id.is_(None), Held.author_id != person_id))
    return list(session.scalars(query))


def states(session: Session, refs: Iterable[ObjectRef]) -> Mapping[ObjectRef, Held]:
    """What was last held of these objects, in one query."""
    wanted = {(ref.type, ref.id) for ref in refs}
    if not wanted:
        return {}
    rows = session.scalars(
        select(Held)
        .where(Held.ref_type.in_({t for t, _id in wanted}), Held.ref_id.in_({i for _type, i in wanted}))
        .order_by(Held.id)
    )
    return {ObjectRef(row.ref_type, row.ref_id): row for row in rows if (row.ref_type, row.ref_id) in wanted}


def review(session: Session, scope: str, scope_id: int, on: bool, *, actor: Actor, subject: str, why: str = "") -> bool:
    """Moderate before publishing there, or stop; False when it was so already. What waits goes on waiting.

    :param subject: how the audit log names the place: ``entity:cpam-75``, ``person:hdupont``.
    """
    if scope not in REVIEWABLE:
        raise BadInput(_("Publishing is not moderated by %(scope)s.", scope=scope))
    touch(session)
    row = session.get(ReviewRule, (scope, scope_id))
    if (row is not None) is on:
        return False
    if row is None:
        session.add(ReviewRule(scope=scope, scope_id=scope_id, created_by=actor.label, why=why))
    else:
        session.delete(row)
    session.flush()
    record(session, actor, "moderation.review", subject, before=not on, after=on, why=why)
    return True


def review_of(session: Session, where: Where, on: bool, *, actor: Actor, why: str = "") -> bool:
    """:func:`review` of the site, an entity or a space."""
    return review(session, where.scope, int(where.ident), on, actor=actor, subject=str(where), why=why)


def target_of(held: Held) -> Target:
    """Whose moderators decide on it."""
    return Target(held.audience_id, space_id=held.space_id, author_id=held.author_id)


def _pending(session: Session, ref: ObjectRef) -> Held | None:
    return session.scalar(
        select(Held).where(Held.ref_type == ref.type, Held.ref_id == ref.id, Held.state == "pending")
    )


def moderated(
    session: Session, person_id: int, *, audience_id: ColumnElement[Any] | Any, entity_id: ColumnElement[Any] | Any,
    space_id: ColumnElement[Any] | Any,
) -> ColumnElement[bool]:  # fmt: skip
    """What this person moderates, as an SQL condition over three columns; one query for their roles.

    :param audience_id: column of the audience of what is moderated; ``entity_id`` that of its author's entity.
    """
    grants = [
        tuple(row)
        for row in session.execute(
            select(RoleGrant.role, RoleGrant.scope, RoleGrant.scope_id)
            .join(Person, Person.id == RoleGrant.person_id)
            .where(RoleGrant.person_id == person_id, Person.status == "active")
        )
    ]
    if any(role in ("site_admin", "moderator") and scope == "site" for role, scope, _id in grants):
        return true()
    heads = [i for role, scope, i in grants if scope == "entity" and role in ("moderator", "entity_admin")]
    groups = [i for role, scope, i in grants if scope == "group" and role == "moderator"]
    spaces = [i for role, scope, i in grants if scope == "space" and role in ("moderator", "animator")]
    below = select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(heads))
    managed = (
        select(SpaceMember.space_id)
        .join(Person, Person.id == SpaceMember.person_id)
        .where(SpaceMember.person_id == person_id, SpaceMember.role.in_(MANAGING_ROLES), Person.status == "active")
    )
    audience = exists().where(
        Audience.id == audience_id,
        or_(
            (Audience.kind == "entity") & Audience.target_id.in_(below),
            (Audience.kind == "group") & Audience.target_id.in_(groups),
            (Audience.kind == "space") & (Audience.target_id.in_(spaces) | Audience.target_id.in_(managed)),
        ),
    )
    parts: list[ColumnElement[bool]] = [
        entity_id.in_(below) if heads else false(), audience, space_id.in_(spaces), space_id.in_(managed),
    ]  # fmt: skip
    return or_(*parts)


def moderators(
    session: Session, *, audience_id: int | None, entity_id: int | None = None, space_id: int | None = None,
    nearest: bool = False,
) -> set[int]:  # fmt: skip
    """The active people who moderate what stands there: :func:`moderated` asked the other way round.

    :param entity_id: the author's entity.
    :param nearest: those of the space, group or entities only, and those of the site where there are none.
    """
    audience = None if audience_id is None else session.get(Audience, audience_id)
    kinds: dict[str, set[int | None]] = {"space": {space_id} - {None}, "group": set(), "entity": {entity_id} - {None}}
    if audience is not None and audience.kind in kinds:
        kinds[audience.kind].add(audience.target_id)
    spaces, groups, entities = kinds["space"], kinds["group"], kinds["entity"]
    above = select(EntityPath.ancestor_id).where(EntityPath.entity_id.in_(entities))
    granted = select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id).where(Person.status == "active")
    near = granted.where(
        or_(
            (RoleGrant.scope == "entity")
            & RoleGrant.role.in_(("moderator", "entity_admin"))
            & RoleGrant.scope_id.in_(above),
            (RoleGrant.scope == "group") & (RoleGrant.role == "moderator") & RoleGrant.scope_id.in_(groups),
            (RoleGrant.scope == "space") & RoleGrant.role.in_(("moderator", "animator")) & RoleGrant.scope_id.in_(spaces),
        )
    )
    managing = (
        select(SpaceMember.person_id)
        .join(Person, Person.id == SpaceMember.person_id)
        .where(SpaceMember.space_id.in_(spaces), SpaceMember.role.in_(MANAGING_ROLES), Person.status == "active")
    )
    found = set(session.scalars(near)) | set(session.scalars(managing))
    if nearest and found:
        return found
    site = granted.where(RoleGrant.scope == "site", RoleGrant.role.in_(("site_admin", "moderator")))
    return found | set(session.scalars(site))
