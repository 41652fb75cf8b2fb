"""What communities keep about a person, exported and erased. Memberships themselves are the core's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rse_core.api import defer
from rse_core.models.organisation import Person, Space, SpaceMember

from . import members, succession
from .models import Batch, Entry, Exclusion, FedMember, Feeder, Invitation, JoinRequest, Profile


def export(session: Session, person_id: int) -> Iterable[Mapping[str, Any]]:
    """Requests and invitations with their texts, what they run, and where they looked in as an administrator."""
    found: list[Mapping[str, Any]] = []
    models: tuple[tuple[str, Any], ...] = (("request", JoinRequest), ("invitation", Invitation))
    for name, model in models:
        rows = session.execute(
            select(model, Space.name).join(Space, Space.id == model.space_id).where(model.person_id == person_id)
            .order_by(model.id)
        )  # fmt: skip
        for row, space in rows:
            line = {"what": name, "space": space, "message": row.message, "state": row.state,
                    "at": row.created_at.isoformat()}  # fmt: skip
            if isinstance(row, JoinRequest):
                line["answer"] = row.answer
            found.append(line)
    sent = session.execute(
        select(Invitation.message, Invitation.created_at, Space.name)
        .join(Space, Space.id == Invitation.space_id)
        .where(Invitation.invited_by == person_id)
    )
    found += [{"what": "invitation sent", "space": space, "message": text, "at": at.isoformat()} for text, at, space in sent]
    for name, column in (("contact", Profile.contact_id), ("deputy", Profile.deputy_id), ("maker", Profile.created_by)):
        spaces = session.scalars(select(Space.name).join(Profile, Profile.space_id == Space.id).where(column == person_id))
        found += [{"what": name, "space": space} for space in spaces]
    entries = session.execute(
        select(Entry.reason, Entry.at, Space.name)
        .join(Space, Space.id == Entry.space_id)
        .where(Entry.person_id == person_id)
    )
    found += [{"what": "entry", "space": space, "reason": reason, "at": at.isoformat()} for reason, at, space in entries]
    return found


def erase(session: Session, person_id: int) -> int:
    """Requests, invitations and exclusions go; a name beside what others decided goes too. Owned spaces find an owner."""
    person = session.get(Person, person_id)
    owned = list(session.scalars(select(SpaceMember.space_id).where(SpaceMember.person_id == person_id)))
    if person is not None and owned:
        before, person.status = person.status, "disabled"
        session.flush()
        succession.take_over(session, person_id)
        person.status = before
        session.flush()
    count = 0
    for model in (JoinRequest, Invitation, Exclusion, FedMember):
        done: Any = session.execute(delete(model).where(model.person_id == person_id))
        count += done.rowcount
    for column in (
        JoinRequest.decided_by, Invitation.invited_by, Feeder.created_by, Batch.created_by, Entry.person_id,
        Profile.contact_id, Profile.deputy_id, Profile.created_by,
    ):  # fmt: skip
        changed: Any = session.execute(
            update(column.class_).where(column == person_id).values({column.key: None})
            .execution_options(synchronize_session=False)
        )  # fmt: skip
        count += changed.rowcount
    if owned:
        # Their memberships are the core's to take away; the counts follow once that is done.
        defer(session, "communities.recount", space_ids=owned)
    return count


def recount(session: Session, space_ids: list[int]) -> None:
    """The job ``communities.recount``."""
    members.recount(session, space_ids)
