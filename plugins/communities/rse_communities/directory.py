"""The directory of spaces: public and listed ones, and those one is in; found by name, filtered, by keyset.

The number of queries depends neither on how many spaces there are nor on how many one is in. No total is shown: a count
would tell of what one may not know.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.orm import Session

from rse_core import files
from rse_core.api import NotFound, ObjectRef, core_of, require, translator
from rse_core.files import FileInfo
from rse_core.models.organisation import Space, SpaceMember
from rse_core.organisation import space_ref
from rse_core.people import folded

from . import access
from .kinds import KINDS
from .models import Profile

_ = translator(__file__, "rse_communities").gettext
PAGE = 24


@dataclass(frozen=True, slots=True)
class Found:
    """One space of the list."""

    id: int
    key: str
    name: str
    visibility: str
    kind: str
    purpose: str
    members: int
    join_policy: str
    state: str
    role: str | None
    archived_at: dt.datetime | None
    active_at: dt.datetime | None
    folded: str

    @property
    def ref(self) -> ObjectRef:
        """The reference of the space."""
        return space_ref(self.id)


def page(
    session: Session, person_id: int, *, typed: str = "", kind: str = "", mine: bool = False,
    after: tuple[str, int] | None = None, most: int = PAGE,
) -> tuple[list[Found], tuple[str, int] | None]:  # fmt: skip
    """Spaces that this person may know of, by name; one query.

    :param typed: words of the name, whole or their beginnings; accents, œ and case left aside.
    :returns: the spaces, and where the next page begins.
    :raises Forbidden: below the level at which communities are seen.
    """
    require(session, person_id, access.SEE)
    facts = core_of(session).policy.person(person_id)
    if facts is None:
        raise NotFound(_("This person is not known here."))
    query = _visible(person_id, everybody=not (mine or facts.external))
    for word in folded(typed).split()[:6]:
        start = Profile.folded.startswith(word, autoescape=True)
        query = query.where(or_(start, Profile.folded.contains(f" {word}", autoescape=True),
                                Profile.folded.contains(f"'{word}", autoescape=True)))  # fmt: skip
    if kind in KINDS:
        query = query.where(Profile.kind == kind)
    if after is not None:
        query = query.where(tuple_(Profile.folded, Profile.space_id) > after)
    rows = session.execute(query.order_by(Profile.folded, Profile.space_id).limit(most + 1)).all()
    found = [Found(*row) for row in rows[:most]]
    last = found[-1] if len(rows) > most else None
    return found, None if last is None else (last.folded, last.id)


def _visible(person_id: int, *, everybody: bool) -> Any:
    member = and_(SpaceMember.space_id == Space.id, SpaceMember.person_id == person_id)
    query = (
        select(
            Space.id, Space.key, Space.name, Space.visibility, Profile.kind, Profile.purpose, Profile.members,
            Profile.join_policy, Profile.state, SpaceMember.role, Space.archived_at, Profile.active_at, Profile.folded,
        )
        .join(Profile, Profile.space_id == Space.id)
        .where(Space.merged_into.is_(None))
    )  # fmt: skip
    if not everybody:
        return query.join(SpaceMember, member)
    listed = and_(Space.visibility.in_(("public", "listed")), Profile.state == "open", Space.archived_at.is_(None))
    return query.outerjoin(SpaceMember, member).where(or_(SpaceMember.person_id.is_not(None), listed))


def pictures(session: Session, found: list[Found]) -> dict[ObjectRef, FileInfo]:
    """The pictures of these spaces, in one query."""
    kept = files.of(session, [one.ref for one in found])
    return {ref: some[0] for ref, some in kept.items() if some}
