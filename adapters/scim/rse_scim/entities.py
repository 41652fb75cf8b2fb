"""Entities by the attribute that names them: found by key or name, made, or refused."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import organisation
from rse_core.api import Actor, BadInput
from rse_core.models.organisation import Entity

from .config import Config
from .i18n import _


def entity_of(session: Session, name: str, config: Config, actor: Actor) -> int | None:
    """The id of the entity of this name; None for none.

    A key counts before a name. A name that two entities have says nothing: then the key must be sent.

    :raises BadInput: for an entity that is unknown where they are not made, or not to be told from another.
    """
    if not name:
        return None
    key = session.scalar(select(Entity.id).where(Entity.key == name))
    if key is not None:
        return key
    named = session.scalars(select(Entity.id).where(Entity.name == name).limit(2)).all()
    if len(named) == 1:
        return named[0]
    if named:
        raise BadInput(
            _("Several entities are called “%(name)s”.", name=name[:80]), remedy=_("Send the id of the entity instead.")
        )
    if config.missing_entity == "refuse":
        raise BadInput(
            _("There is no entity “%(name)s”.", name=name[:80]),
            remedy=_("Make it first, or set missing_entity = \"create\" in [scim]."),
        )
    parent = None
    if config.entity_parent:
        parent = organisation.entity_by_key(session, config.entity_parent).id
    if len(name) > organisation.MAX_KEY or not name.isprintable():
        raise BadInput(
            _("“%(name)s” cannot be the id of an entity.", name=name[:80]),
            remedy=_("Send at most %(count)s characters that can be shown.", count=organisation.MAX_KEY),
        )
    return organisation.add_entity(session, name, name, parent, actor=actor).id
