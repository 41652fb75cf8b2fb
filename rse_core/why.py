"""“Why can't I?”, asked by an administrator for somebody else: the decision of :meth:`Policy.explain` with its whole trail.

Nothing is computed here: who may ask, about whom and about what, is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from .content import ObjectRef
from .decision import Decision
from .delegation import Rights
from .errors import BadInput, NotFound
from .i18n import _
from .models.organisation import EntityPath, Person
from .people import PersonCard, folded, names
from .rules import visible
from .runtime import core_of

#: People offered for a name that was typed.
OFFERED = 12
MAX_OBJECT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, read, and the decision with its trail."""

    person: PersonCard
    capability: str
    on: ObjectRef | None
    decision: Decision


def object_of(text: str) -> ObjectRef | None:
    """What the act would be on: ``type:id``, or the path or address of a page; None for an empty text.

    :raises BadInput: for any other text.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > MAX_OBJECT or "\x00" in text:
        raise BadInput(
            _("This does not name an object."), remedy=_("Write TYPE:ID, or the address of a page."),
            fields={"on": _("Write TYPE:ID, or the address of a page.")},
        )  # fmt: skip
    if text.startswith(("/", "http://", "https://")):
        return ObjectRef("page", text)
    return ObjectRef.parse(text)


def ask(session: Session, rights: Rights, username: str, capability: str, on: ObjectRef | None = None) -> Answer:
    """The decision for a person whom the asker administers, told in full.

    :raises NotFound: for a person, or an object, that the asker may not know of, and for an unknown capability. An
        administrator of an entity is told of no object that they could not see themselves: neither that it is there nor
        who is in its space.
    """
    core = core_of(session)
    snapshot = core.policy.snapshot()
    row = session.execute(select(Person.id, Person.entity_id).where(Person.username == username)).one_or_none()
    if row is None or not (rights.site or (row.entity_id is not None and rights.over(snapshot, row.entity_id))):
        raise NotFound(
            _("You administer no person with the username “%(name)s”.", name=username[:80]),
            remedy=_("Type the beginning of a name and choose from the list."),
        )
    if capability not in core.plugins.capabilities:
        raise NotFound(_("There is no capability “%(name)s”.", name=capability[:80]), remedy=_("Choose one of the list."))
    resolved = core.policy.resolve(session, on)
    if on is not None and not rights.site:
        asker = core.policy.person(rights.person_id)
        if resolved[0] is None or asker is None or not visible(snapshot, asker, resolved[0]):
            raise NotFound(
                _("There is no such object, or none that you may see."), remedy=_("Check the reference or the address.")
            )
    decision = core.policy.explain(session, row.id, capability, on, resolved=resolved)
    return Answer(names(session, (row.id,))[row.id], capability, on, decision)


def candidates(session: Session, rights: Rights, typed: str) -> list[PersonCard]:
    """People whom the asker administers and whose name or username begins as typed, by name, at most twelve."""
    start = folded(typed)
    if not start:
        return []
    query = select(Person.id).where(
        Person.folded_name.startswith(start, autoescape=True)
        | Person.folded_name.contains(" " + start, autoescape=True)
        | Person.username.startswith(typed.strip(), autoescape=True)
    )
    if not rights.site:
        below = select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(rights.entities))
        query = query.where(Person.entity_id.in_(below))
    ids = session.scalars(query.order_by(Person.folded_name, Person.id).limit(OFFERED)).all()
    found = names(session, ids)
    return [found[ident] for ident in ids if ident in found]
