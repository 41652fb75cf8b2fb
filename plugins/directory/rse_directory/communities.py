"""The communities that somebody is in, as far as whoever looks may know of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from rse_core.api import ObjectRef, core_of, resolve, seen
from rse_core.models.organisation import Space, SpaceMember

from .access import Sight

#: As spaces are called where a plugin gives them pages; without one there are none to show.
TYPE = "communities.space"
#: At most, of one person.
MOST = 50


@dataclass(frozen=True, slots=True)
class Community:
    """A community of somebody's, with its page."""

    name: str
    url: str


def of(session: Session, sight: Sight, person_id: int) -> tuple[Community, ...]:
    """The communities of a person, by name: those that everybody sees into, and those that both are in.

    Of a community whose contents only its members see, only they know who is in it.
    """
    if TYPE not in core_of(session).plugins.content_types:
        return ()
    mine = select(SpaceMember.space_id).where(SpaceMember.person_id == sight.person_id)
    shared = Space.id.in_(mine)
    rows = (
        select(Space.id, shared.label("shared"))
        .join(SpaceMember, SpaceMember.space_id == Space.id)
        .where(SpaceMember.person_id == person_id, Space.archived_at.is_(None), Space.merged_into.is_(None))
        .where(shared if sight.external else or_(shared, Space.visibility == "public"))
    )
    found = session.execute(rows.order_by(Space.name, Space.id).limit(MOST)).all()
    both = [ObjectRef(TYPE, str(row.id)) for row in found if row.shared]
    others = [ObjectRef(TYPE, str(row.id)) for row in found if not row.shared]
    # One that is public and not open yet is its members' alone: the plugin says so.
    known = resolve(session, both) | (seen(session, sight.person_id, others) if others else {})
    infos = [known.get(ObjectRef(TYPE, str(row.id))) for row in found]
    return tuple(Community(info.title, info.url) for info in infos if info is not None)
