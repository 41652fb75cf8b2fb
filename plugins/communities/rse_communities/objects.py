"""Spaces as objects of the core: shown in slots and feeds, found, told of.

The card of a public or listed space is for everyone; what stands in it is not. A secret space, or one that has not opened
yet, is for its members alone, its card too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import audiences, richtext
from rse_core.api import ContentInfo, Event, ObjectRef, SearchDocument, core_of
from rse_core.models.organisation import Audience, Space
from rse_core.organisation import space_ref
from rse_core.people import folded

from . import access, members
from .models import Profile

PORTION = 500


def resolve(session: Session, ids: Sequence[str]) -> Mapping[str, ContentInfo]:
    """Spaces by id, in two queries whatever their number; merged ones are not there."""
    prefix = core_of(session).settings.url_prefix
    found = {}
    everyone = 0
    for space, profile, members_audience in _load(session, ids):
        everyone = everyone or audiences.everyone(session)
        found[str(space.id)] = ContentInfo(
            ref=space_ref(space.id),
            title=space.name,
            url=f"{prefix}/communities/{space.key}/",
            audience_id=everyone if _listed(space, profile) else members_audience,
            space_id=space.id,
            state="archived" if space.archived_at is not None else "published",
            created_at=space.created_at,
            extra={"key": space.key},
        )
    return found


def documents(session: Session, refs: Sequence[ObjectRef]) -> Iterable[SearchDocument]:
    """What the search keeps: name, purpose, description; an archived space is found by its members."""
    infos = resolve(session, [ref.id for ref in refs if ref.type == access.TYPE])
    if not infos:
        return
    rows = session.execute(
        select(Profile.space_id, Profile.purpose, Profile.description).where(
            Profile.space_id.in_([int(ident) for ident in infos])
        )
    )
    texts = {ident: f"{purpose}\n{richtext.plain(description, 10_000)}".strip() for ident, purpose, description in rows}
    for ident, info in infos.items():
        audience = info.audience_id
        if info.state == "archived":
            audience = audiences.of_members(session, int(ident))
        if audience is not None:
            yield SearchDocument(
                info.ref, info.title, texts.get(int(ident), ""), audience, None, info.created_at, None, kind="space",
                words=info.extra["key"].replace("-", " "),
            )  # fmt: skip


def listed(session: Session, after: str | None, limit: int) -> Sequence[str]:
    """Ids of spaces in a fixed order, for rebuilding the index."""
    begin = int(after) if after is not None and after.isdecimal() else 0
    rows = select(Space.id).where(Space.id > begin, Space.merged_into.is_(None)).order_by(Space.id).limit(limit)
    return [str(ident) for ident in session.scalars(rows)]


def follow(session: Session, event: Event) -> None:
    """The consumer of the core's events about spaces: a profile for each, names and counts as they are."""
    if event.ref is None or event.ref.type != access.TYPE or not event.ref.id.isdecimal():
        return
    space = session.get(Space, int(event.ref.id))
    if space is None:
        return
    profile = session.get(Profile, space.id)
    if profile is None:
        profile = access._unwritten(space)
        session.add(profile)
        session.flush()
    if profile.folded != folded(space.name)[:300]:
        profile.folded = folded(space.name)[:300]
        session.flush()
    members.recount(session, [space.id])


def complete(session: Session) -> None:
    """The job ``communities.profiles``: spaces that were made before this plugin get a profile."""
    missing = session.scalars(
        select(Space)
        .outerjoin(Profile, Profile.space_id == Space.id)
        .where(Profile.space_id.is_(None))
        .order_by(Space.id)
        .limit(PORTION)
    ).all()
    for space in missing:
        session.add(access._unwritten(space))
    session.flush()
    members.recount(session, [space.id for space in missing])
    if len(missing) == PORTION:
        from rse_core.api import defer

        defer(session, "communities.profiles", key=f"communities.profiles:{missing[-1].id}")


def _listed(space: Space, profile: Profile | None) -> bool:
    return space.visibility in ("public", "listed") and (profile is None or profile.state == "open")


def _load(session: Session, ids: Sequence[str]) -> list[tuple[Space, Profile | None, int | None]]:
    numbers = [int(ident) for ident in ids if ident.isdecimal() and len(ident) < 19]
    if not numbers:
        return []
    rows = session.execute(
        select(Space, Profile, Audience.id)
        .outerjoin(Profile, Profile.space_id == Space.id)
        .outerjoin(Audience, (Audience.kind == "space") & (Audience.target_id == Space.id))
        .where(Space.id.in_(numbers), Space.merged_into.is_(None))
    )
    return [(space, profile, audience) for space, profile, audience in rows]
