"""The framing sheet: who posts, likes, comments and moderates, who animates, what the space is for. A space opens with a
complete one; what it says is what holds, as its answers are the rules themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import moderation, organisation, spaces
from rse_core.api import BadInput, Conflict, Event, Text, core_of, emit, record, translator, utcnow
from rse_core.models.organisation import Space

from . import access, creating
from .access import Seat
from .kinds import WHO, choice
from .models import Profile

_t = translator(__file__, "rse_communities")
_, lazy = _t.gettext, _t.lazy

#: A question of the sheet, and the capability whose rule its answer is.
QUESTIONS: Mapping[str, str] = {"posts": "feed.post", "likes": "likes.react", "comments": "comments.write"}
LABELS: Mapping[str, Text] = {
    "posts": lazy("Who posts"),
    "likes": lazy("Who reacts"),
    "comments": lazy("Who comments"),
    "moderates": lazy("When contributions are moderated"),
    "contact": lazy("Who animates it"),
    "purpose": lazy("What it is for"),
}
MODERATION: Mapping[str, Text] = {
    "after": lazy("After publication, on a report"),
    "before": lazy("Before publication, by those who run it"),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The answers, and the fields that are still to be filled in."""

    answers: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether the space may open."""
        return not self.missing


def sheet_of(profile: Profile, contact: str) -> Sheet:
    """The sheet as it stands.

    :param contact: username of who animates the space; "" for nobody.
    """
    kept = profile.sheet or {}
    answers = {field: str(kept.get(field, "")) for field in (*QUESTIONS, "moderates")}
    answers |= {"contact": contact, "purpose": profile.purpose}
    return Sheet(answers, tuple(field for field in LABELS if not answers[field]))


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A space that is being prepared, and what its sheet still lacks; ``missing`` empty: it only has to be opened."""

    id: int
    key: str
    name: str
    missing: tuple[str, ...]


def unfinished(session: Session, person_id: int, *, after: int = 0, most: int = 50) -> list[Unfinished]:
    """Spaces that wait for their framing sheet, by id; for site administrators.

    :raises NotFound: for everybody else.
    """
    access.require_site_admin(session, person_id)
    rows = session.execute(
        select(Space, Profile)
        .join(Profile, Profile.space_id == Space.id)
        .where(
            Space.id > after, Profile.state == "preparing", Space.archived_at.is_(None), Space.merged_into.is_(None)
        )
        .order_by(Space.id)
        .limit(most)
    )
    return [
        Unfinished(space.id, space.key, space.name, sheet_of(profile, "x" if profile.contact_id else "").missing)
        for space, profile in rows
    ]


def save(session: Session, person_id: int, key: str, answers: Mapping[str, str], *, version: int | None = None) -> Profile:
    """Keep what was filled in, complete or not; each answer becomes the rule that it speaks of.

    :raises Forbidden: for who does not administer the space.
    :raises Conflict: when it has changed since ``version``.
    """
    seat = access.managing(session, person_id, key, least="administers")
    given: dict[str, str] = {}
    for field in QUESTIONS:
        if answers.get(field):
            given[field] = choice(field, answers[field], WHO)
    if answers.get("moderates"):
        given["moderates"] = choice("moderates", answers["moderates"], MODERATION)
    wanted: dict[str, Any] = {field: answers[field] for field in ("purpose", "contact") if field in answers}
    creating.change(session, person_id, key, version=version, **wanted)
    profile = access.profile_for_write(session, seat)
    before = dict(profile.sheet or {})
    profile.sheet = given
    known = core_of(session).plugins.capabilities
    for field, capability in QUESTIONS.items():
        if field in given and capability in known:
            organisation.set_space_rule(session, seat.space.id, capability, given[field])
    actor = access.actor_of(session, person_id)
    if "moderates" in given:
        moderation.review(
            session, "space", seat.space.id, given["moderates"] == "before", actor=actor, subject=f"space:{seat.space.key}"
        )
    record(session, actor, "communities.sheet", f"space:{seat.space.key}", before=before, after=given)
    session.flush()
    return profile


def follow_rule(session: Session, space_id: int, capability: str, who: str) -> None:
    """A rule was changed in the grid: the sheet says the same."""
    field = next((field for field, its in QUESTIONS.items() if its == capability), None)
    profile = session.get(Profile, space_id)
    if field is not None and profile is not None and (profile.sheet or {}).get(field):
        profile.sheet = {**profile.sheet, field: who}


def open_space(session: Session, person_id: int, key: str) -> Seat:
    """Open a space that was being prepared: from now on it is as visible as was wanted.

    :raises BadInput: names what the sheet still lacks.
    :raises Conflict: when it is open already, or archived.
    :raises Forbidden: for who does not own it.
    """
    seat = access.managing(session, person_id, key, least="owns")
    profile = access.profile_for_write(session, seat)
    if profile.state != "preparing":
        raise Conflict(_("This space is open already."))
    if seat.space.archived_at is not None:
        raise Conflict(_("This space is archived."), remedy=_("Open it again first."))
    sheet = sheet_of(profile, "x" if profile.contact_id else "")
    if not sheet.complete:
        names = ", ".join(str(LABELS[field]) for field in sheet.missing)
        raise BadInput(
            _("The framing sheet is not complete: %(names)s.", names=names),
            fields=dict.fromkeys(sheet.missing, _("To be filled in before the space opens.")),
        )
    profile.state, profile.opened_at = "open", utcnow()
    profile.version += 1
    session.flush()
    actor = access.actor_of(session, person_id)
    spaces.change_visibility(session, seat.space.id, profile.wanted, actor=actor)
    record(session, actor, "communities.open", f"space:{seat.space.key}", after={"visibility": profile.wanted})
    emit(session, Event("communities.opened", person_id, seat.ref, access.audience_of(session, seat.space.id)))
    return access.by_id(session, person_id, seat.space.id)
