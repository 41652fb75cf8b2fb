"""Who manages whom, as far as both are known: the manager may be sent before the person that it names."""

from __future__ import annotations

import logging

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from rse_core import people
from rse_core.models.organisation import Person

from .documents import fold
from .models import ScimUser

logger = logging.getLogger("rse.scim")


def link(session: Session, row: ScimUser) -> None:
    """Give the person the manager that their resource names, and give those who waited for this person theirs.

    The manager is known by the id of the resource, else (Okta sends what the site mapped) by its externalId or userName.
    One who is not known, or who stands below the person, is left out.
    """
    wanted = manager_of(session, row.manager) if row.manager else None
    if wanted is not None and (wanted == row.person_id or _stands_above(session, row.person_id, wanted)):
        logger.warning("a manager was left out: person %d would stand above themselves", row.person_id)
        wanted = None
    _set(session, row.person_id, wanted)
    names = [name for name in (row.uid, row.external_id, row.document.get("userName")) if name]
    # In two steps: joined, a database may begin with everybody who has no manager.
    named = session.scalars(select(ScimUser.person_id).where(ScimUser.manager.in_(names))).all()
    waiting = select(Person.id).where(Person.id.in_(named), Person.manager_id.is_(None), Person.id != row.person_id)
    for person_id in session.scalars(waiting).all() if named else ():
        if not _stands_above(session, person_id, row.person_id):
            _set(session, person_id, row.person_id)


def manager_of(session: Session, name: str) -> int | None:
    """The person that a manager's ``value`` names, if there is exactly one."""
    exact = session.scalar(select(ScimUser.person_id).where(ScimUser.uid == name))
    if exact is not None:
        return exact
    found = session.scalars(
        select(ScimUser.person_id)
        .where(or_(ScimUser.external_id == name, ScimUser.user_name_key == fold(name)))
        .limit(2)
    ).all()
    return found[0] if len(found) == 1 else None


def _set(session: Session, person_id: int, manager_id: int | None) -> None:
    before = people.get(session, person_id).manager_id
    if before == manager_id:
        return
    people.update(session, person_id, manager_id=manager_id)
    for one in filter(None, (before, manager_id)):
        leads = session.scalar(select(Person.id).where(Person.manager_id == one, Person.status == "active").limit(1))
        people.update(session, one, is_manager=leads is not None)


def _stands_above(session: Session, person_id: int, other_id: int) -> bool:
    """Whether the person is among the managers of the other, however far up."""
    up = select(Person.id, Person.manager_id).where(Person.id == other_id).cte("up", recursive=True)
    above = aliased(Person)
    # UNION, not UNION ALL: a circle that another source brought ends too.
    up = up.union(select(above.id, above.manager_id).join(up, above.id == up.c.manager_id))
    return session.scalar(select(up.c.id).where(up.c.id == person_id)) is not None
