"""Any plugin's objects, and pages, by reference: what they are, and which of them a person may see."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from .audiences import of_person
from .content import ContentInfo, ObjectRef

#: States in which an object is there for everybody of its audience.
SHOWN = frozenset({"published", "archived", "locked"})


def resolve(session: Session, refs: Sequence[ObjectRef]) -> dict[ObjectRef, ContentInfo]:
    """What is known of these objects, in one call for each type among them; those that do not exist are left out."""
    from .runtime import core_of

    types = core_of(session).plugins.content_types
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.type, []).append(ref.id)
    found: dict[ObjectRef, ContentInfo] = {}
    for name, ids in by_type.items():
        if name in types:
            loaded = types[name].resolve(session, ids)
            found |= {ObjectRef(name, ident): info for ident, info in loaded.items()}
    return found


def seen(session: Session, person_id: int | None, refs: Sequence[ObjectRef]) -> dict[ObjectRef, ContentInfo]:
    """Those of these objects that the person may see, in a constant number of queries.

    What only its author and the moderators see (a draft, something pending) is not among them.
    """
    mine = of_person(session, person_id) if person_id is not None else frozenset()
    return {
        ref: info
        for ref, info in resolve(session, refs).items()
        if info.audience_id in mine and info.state in SHOWN
    }
