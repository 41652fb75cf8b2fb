"""Visibility, the end of a space, merging and splitting, by those who own it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rse_core import notify, spaces
from rse_core.api import BadInput, Conflict, Event, SpaceChange, emit, translator, utcnow
from rse_core.models.organisation import Space, SpaceMember
from rse_core.people import folded
from rse_core.spaces import Reach

from . import access, creating, members
from .access import Seat
from .kinds import VISIBILITIES, choice
from .models import DayCount, FedMember, Feeder, Invitation, JoinRequest, Profile

_t = translator(__file__, "rse_communities")
_ = _t.gettext
#: How many of those who lose sight are named to the owners.
NAMED = 20


def preview(session: Session, person_id: int, key: str, visibility: str) -> Reach:
    """What another visibility would do; names of who loses sight are for the owners, who alone ask."""
    seat = access.managing(session, person_id, key, least="owns")
    choice("visibility", visibility, VISIBILITIES)
    return spaces.preview_visibility(session, seat.space.id, visibility, names=NAMED)


def set_visibility(session: Session, person_id: int, key: str, visibility: str, *, version: int | None = None) -> Seat:
    """Make the space public, listed or secret; what stands in it is for the new audience at once.

    A space that is being prepared gets it when it opens.

    :raises Forbidden: for who does not own it.
    :raises Conflict: when it has changed since ``version``.
    """
    seat = access.managing(session, person_id, key, least="owns")
    choice("visibility", visibility, VISIBILITIES)
    profile = access.profile_for_write(session, seat, version)
    profile.wanted, profile.version = visibility, profile.version + 1
    session.flush()
    if profile.state != "preparing":
        spaces.change_visibility(session, seat.space.id, visibility, actor=access.actor_of(session, person_id))
    return access.by_id(session, person_id, seat.space.id)


def archive(session: Session, person_id: int, key: str, *, why: str = "") -> None:
    """Close the space: all of it can be read, nothing written; its members are told."""
    seat = access.managing(session, person_id, key, least="owns")
    if not spaces.archive(
        session, seat.space.id, actor=access.actor_of(session, person_id), why=" ".join(why.split())[:1000]
    ):
        return
    _answer_all(session, seat.space.id)
    told = select(SpaceMember.person_id).where(SpaceMember.space_id == seat.space.id)
    notify.notify_many(
        session, told, "communities.archived", seat.ref, actor_id=person_id,
        cause=f"archived:{seat.space.id}:{utcnow().isoformat(timespec='seconds')}", data={"space": seat.space.name},
    )  # fmt: skip
    emit(session, Event("communities.archived", person_id, seat.ref, seat.audience_id))


def unarchive(session: Session, person_id: int, key: str) -> None:
    """Open it again."""
    seat = access.managing(session, person_id, key, least="owns")
    if spaces.unarchive(session, seat.space.id, actor=access.actor_of(session, person_id)):
        emit(session, Event("communities.unarchived", person_id, seat.ref, seat.audience_id))


def preview_merge(session: Session, person_id: int, key: str, target_key: str) -> tuple[Seat, Reach]:
    """What merging the space into another would do; for who owns both."""
    seat = access.managing(session, person_id, key, least="owns")
    target = _target(session, person_id, seat, target_key)
    return target, spaces.preview_merge(session, seat.space.id, target.space.id, names=NAMED)


def merge(session: Session, person_id: int, key: str, target_key: str) -> Seat:
    """Move all that is in the space, and its members, into another one (:mod:`rse_core.spaces` says how).

    :raises Forbidden: for who does not own both.
    """
    seat = access.managing(session, person_id, key, least="owns")
    target = _target(session, person_id, seat, target_key)
    if target.profile.state == "preparing":
        raise Conflict(_("“%(name)s” has not opened yet.", name=target.space.name))
    # Whom a group brought here and who was not in the target yet is there because of that group from now on.
    there = select(SpaceMember.person_id).where(SpaceMember.space_id == target.space.id)
    fed = list(
        session.scalars(
            select(FedMember.person_id).where(FedMember.space_id == seat.space.id, FedMember.person_id.not_in(there))
        )
    )
    spaces.merge(session, seat.space.id, target.space.id, actor=access.actor_of(session, person_id))
    for start in range(0, len(fed), 500):
        session.execute(
            update(FedMember)
            .where(FedMember.space_id == seat.space.id, FedMember.person_id.in_(fed[start : start + 500]))
            .values(space_id=target.space.id)
            .execution_options(synchronize_session=False)
        )
    session.execute(_all(delete(FedMember).where(FedMember.space_id == seat.space.id)))
    emit(session, Event("communities.merged", person_id, target.ref, target.audience_id, {"from": seat.space.id}))
    return access.by_id(session, person_id, target.space.id)


def split(
    session: Session, person_id: int, key: str, *, name: str, usernames: Sequence[str], leaving: bool = False
) -> Space:
    """Make a new space of some members, to be prepared and opened like any other; its maker owns it.

    :raises BadInput: names those who are no members.
    """
    seat = access.managing(session, person_id, key, least="owns")
    title = creating.checked({"name": name})["name"]
    people = [access.person_card(session, one) for one in dict.fromkeys(usernames) if one.strip()]
    inside = set(
        session.scalars(
            select(SpaceMember.person_id).where(
                SpaceMember.space_id == seat.space.id, SpaceMember.person_id.in_([one.id for one in people])
            )
        )
    )
    strangers = [one.display_name for one in people if one.id not in inside]
    if strangers:
        message = _("No members of this space: %(names)s.", names=", ".join(strangers[:10]))
        raise BadInput(message, fields={"people": message})
    if not people:
        raise BadInput(_("Name the members who come along."), fields={"people": _("Missing.")})
    made = spaces.split(
        session, seat.space.id, key=creating.new_key(title), name=title, people=[one.id for one in people],
        owner_id=person_id, actor=access.actor_of(session, person_id), leaving=leaving,
    )  # fmt: skip
    wanted = made.visibility
    made.visibility = "secret"
    session.add(
        Profile(
            space_id=made.id,
            kind=seat.profile.kind,
            folded=folded(title)[:300],
            contact_id=person_id,
            join_policy=seat.profile.join_policy,
            state="preparing",
            wanted=wanted,
            rules=seat.profile.rules,
            sheet=dict(seat.profile.sheet or {}),
            created_by=person_id,
        )
    )
    session.flush()
    if leaving:
        session.execute(
            _all(
                delete(FedMember).where(
                    FedMember.space_id == seat.space.id, FedMember.person_id.in_([one.id for one in people])
                )
            )
        )
    members.recount(session, [seat.space.id, made.id])
    return made


def moved(session: Session, change: SpaceChange) -> None:
    """A space changed or was merged, by whomever: what this plugin keeps of it follows (``rse_space_changed``)."""
    if change.into is None:
        return
    source, into = change.space_id, change.into
    _answer_all(session, source)
    present = {
        (kind, target)
        for kind, target in session.execute(select(Feeder.kind, Feeder.target_id).where(Feeder.space_id == into))
    }
    for row in session.scalars(select(Feeder).where(Feeder.space_id == source)).all():
        if (row.kind, row.target_id) in present:
            session.delete(row)
        else:
            row.space_id = into
    session.flush()
    days = {(row.day, row.what): row for row in session.scalars(select(DayCount).where(DayCount.space_id == into)).all()}
    for day in session.scalars(select(DayCount).where(DayCount.space_id == source)).all():
        known = days.get((day.day, day.what))
        if known is not None:
            known.count += day.count
        else:
            session.add(DayCount(space_id=into, day=day.day, what=day.what, count=day.count))
        session.delete(day)
    session.flush()
    members.recount(session, [source, into])


def _target(session: Session, person_id: int, seat: Seat, key: str) -> Seat:
    # Any space that the person does not own is answered alike.
    target = access.managing(session, person_id, key.strip().strip("/").rpartition("/")[2], least="owns")
    if target.space.id == seat.space.id:
        raise BadInput(_("A space cannot be merged into itself."), fields={"target": _("Choose another one.")})
    return target


def _answer_all(session: Session, space_id: int) -> None:
    """Nobody can come any more: what waits is over."""
    for model in (JoinRequest, Invitation):
        session.execute(
            update(model).where(model.space_id == space_id, model.state == "pending")
            .values(state="expired", decided_at=utcnow()).execution_options(synchronize_session=False)
        )  # fmt: skip


def _all(statement):  # type: ignore[no-untyped-def]
    return statement.execution_options(synchronize_session=False)
