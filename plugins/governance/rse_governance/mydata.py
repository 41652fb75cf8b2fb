"""A person's own data: exported, erased by themselves."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core import privacy
from rse_core.api import Actor, BadInput, Conflict, Forbidden, option, translator
from rse_core.models.organisation import Person, RoleGrant
from rse_core.people import get
from rse_core.ratelimit import limit
from rse_core.roles import is_site_admin

from . import keeping

_ = translator(__file__, "rse_governance").gettext
SELF_ERASE = "governance.self_erase"


def export(session: Session, person_id: int) -> dict[str, object]:
    """Everything that is kept about the person; a few times an hour.

    :raises TooMany: beyond that.
    """
    limit(session, person_id, "governance.export", most=6, seconds=3600)
    return privacy.export(session, person_id)


def kinds(session: Session) -> list[keeping.Processing]:
    """What is kept about people, why and how long."""
    return keeping.processing(session)


def erase(session: Session, person_id: int, *, typed: str) -> None:
    """Make the person anonymous, for good, as they ask.

    :param typed: their username, to be sure.
    :raises Forbidden: where the site does not let people do it themselves.
    :raises BadInput: when something else was typed.
    :raises Conflict: for the last site administrator.
    """
    if not option(session, SELF_ERASE):
        raise Forbidden(_("Accounts are erased by those who run the site."), remedy=_("Ask them; nothing was erased."))
    person = get(session, person_id)
    if typed.strip() != person.username:
        message = _("Type your username, %(name)s, to confirm.", name=person.username)
        raise BadInput(message, fields={"username": message})
    if is_site_admin(session, person_id):
        others = select(func.count()).select_from(RoleGrant).join(Person, Person.id == RoleGrant.person_id).where(
            RoleGrant.role == "site_admin", RoleGrant.person_id != person_id, Person.status == "active"
        )  # fmt: skip
        if not session.scalar(others):
            raise Conflict(_("You are the last site administrator."), remedy=_("Give the role to somebody else first."))
    # Not by name: the line is written when the name is already gone.
    privacy.erase(session, person_id, actor=Actor("erased", person_id), why=_("Asked for by the person."))
