"""Any plugin's objects, and pages, by reference: what they are, and which of them a person may see."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from .audiences import of_person
from .content import ContentInfo, ObjectRef
from .decision import Reason
from .freshness import DIRTY
from .subjects import Target

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
    mine, asked = _audiences(session, person_id), dict[tuple[object, ...], bool]()
    found: dict[ObjectRef, ContentInfo] = {}
    for ref, info in resolve(session, refs).items():
        if info.audience_id not in mine or info.state not in SHOWN:
            continue
        # All that the answer hangs on: of a list, many stand in the same place.
        place = (info.ref.type, info.parent and info.parent.type, info.audience_id, info.space_id)
        if place not in asked:
            asked[place] = closed(session, person_id, info)
        if not asked[place]:
            found[ref] = info
    return found


def closed(session: Session, person_id: int | None, info: ContentInfo) -> bool:
    """Whether a rule of the space where an object stands, or a switch of its plugin, keeps it from this person though it is
    for them; also when that keeps from them what the object stands on. From memory. Levels are no matter of this: each
    plugin says what they open.
    """
    from .runtime import core_of

    core = core_of(session)
    target = Target(info.audience_id, space_id=info.space_id)
    for ref in (info.ref,) if info.parent is None else (info.ref, info.parent):
        kind = core.plugins.content_types.get(ref.type)
        reads = None if kind is None else kind.reads
        offered = None if reads is None else core.plugins.capabilities.get(reads)
        if reads is None or offered is None:
            continue
        decision = core.policy.can(session, person_id, reads, target)
        if decision.reason is Reason.PLUGIN_OFF or (decision.reason is Reason.ROLE and not offered.writes):
            return True
    return False


def _audiences(session: Session, person_id: int | None) -> frozenset[int]:
    from .runtime import core_of

    if person_id is None:
        return frozenset()
    if not session.info.get("rse_reading") or DIRTY in session.info:
        return of_person(session, person_id)
    # As decisions do, at most two seconds behind.
    facts = core_of(session).policy.person(person_id)
    return frozenset() if facts is None else facts.audiences
