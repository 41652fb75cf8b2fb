"""Who moderates what: as SQL conditions for lists, one by one for acts.

What stands in a space that not everybody sees is shown to those who run that space, to its members who moderate, and to
nobody else: a site administrator who has to look into it does so with a reason and for a time (“break-glass”).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from rse_core import moderation
from rse_core.api import Actor, Forbidden, NotFound, core_of, translator
from rse_core.models.governance import Held
from rse_core.models.organisation import Audience, Membership, Person
from rse_core.organisation import MANAGING_ROLES
from rse_core.people import card
from rse_core.roles import is_site_admin

from .models import Binned, Case

_ = translator(__file__, "rse_governance").gettext
Row = type[Held] | type[Case] | type[Binned]
REPORT = "governance.report"


def actor_of(session: Session, person_id: int) -> Actor:
    """Who acts, for the log."""
    found = card(session, person_id)
    return Actor(found.username if found else f"person:{person_id}", person_id)


def mine(session: Session, person_id: int, row: Row) -> ColumnElement[bool]:
    """The rows that this person moderates, whether or not they may look into them, and did not write; one query."""
    there = moderation.moderated(
        session, person_id, audience_id=row.audience_id, entity_id=row.entity_id, space_id=row.space_id
    )
    return and_(there, or_(row.author_id.is_(None), row.author_id != person_id))


def open_to(person_id: int, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """What is for an audience that is no space's, or of a space that the person is in; no query."""
    closed = exists().where(Audience.id == column, Audience.kind == "space")
    inside = exists().where(Membership.audience_id == column, Membership.person_id == person_id)
    return or_(~closed, inside)


def escalated(session: Session, person_id: int) -> ColumnElement[bool]:
    """Cases whose appeal goes to the moderators of the whole site, and so to this person; not against their own decision."""
    if not of_site(session, person_id):
        return false()
    return and_(
        Case.escalated.is_(True), Case.state.in_(("appealed", "confirmed", "restored")),
        or_(Case.author_id.is_(None), Case.author_id != person_id),
        or_(Case.decided_by.is_(None), Case.decided_by != person_id),
    )  # fmt: skip


def who_may_look(session: Session, people: set[int], audience_id: int | None) -> set[int]:
    """Those of these moderators to whom :func:`open_to` opens what is for an audience."""
    kind = None if audience_id is None else session.scalar(select(Audience.kind).where(Audience.id == audience_id))
    if kind != "space":
        return people
    inside = select(Membership.person_id).where(Membership.audience_id == audience_id, Membership.person_id.in_(people))
    return set(session.scalars(inside))


def moderates_something(session: Session, person_id: int | None) -> bool:
    """Whether the person moderates anywhere; from memory."""
    facts = None if person_id is None else core_of(session).policy.person(person_id)
    if facts is None or facts.disabled_at is not None:
        return False
    return bool(facts.roles) or any(role in MANAGING_ROLES for role in facts.spaces.values())


def of_site(session: Session, person_id: int | None) -> bool:
    """Whether the person moderates the whole site; from memory."""
    facts = None if person_id is None else core_of(session).policy.person(person_id)
    if facts is None or facts.disabled_at is not None:
        return False
    return ("site_admin", "site", 0) in facts.roles or ("moderator", "site", 0) in facts.roles


def require_some(session: Session, person_id: int) -> None:
    """:raises Forbidden: for who moderates nothing."""
    if not moderates_something(session, person_id):
        raise Forbidden(
            _("These pages are for those who moderate the site, an entity, a group or a space."),
            remedy=_("If you should be one of them, ask a site administrator."),
        )


def require_site(session: Session, person_id: int) -> None:
    """:raises Forbidden: for who does not moderate the whole site."""
    if not of_site(session, person_id):
        raise Forbidden(_("This is for those who moderate the whole site."))


def require_admin(session: Session, person_id: int) -> None:
    """:raises Forbidden: for who is no site administrator."""
    if not is_site_admin(session, person_id):
        raise Forbidden(_("This is for site administrators."))


def person_named(session: Session, username: str) -> Person:
    """:raises NotFound: when there is nobody of this name."""
    found = session.scalar(select(Person).where(Person.username == username.strip(), Person.source != "erased"))
    if found is None:
        raise NotFound(_("There is no person with the username “%(name)s”.", name=username.strip()[:80]))
    return found

