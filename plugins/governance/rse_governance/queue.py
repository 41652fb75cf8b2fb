"""What waits for a moderator, and what was decided: listed, approved, refused, corrected, one by one or many at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rse_core import moderation
from rse_core.api import (
    BadInput,
    Conflict,
    Event,
    NotFound,
    ObjectRef,
    RseError,
    core_of,
    emit,
    record,
    translator,
)
from rse_core.models.governance import Held

from . import access, lines

_t = translator(__file__, "rse_governance")
_ = _t.gettext
STATES = ("pending", "approved", "refused")
PAGE = 25
#: Decisions in one go.
MOST = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the queue. ``after``: where the next begins; ``elsewhere``: how many more wait where one may not look."""

    lines: Sequence[lines.Line]
    after: int | None
    elsewhere: int = 0


def page(
    session: Session, person_id: int, *, state: str = "pending", kind: str = "", after: int | None = None, most: int = PAGE
) -> Page:
    """What the person moderates: what waits, the eldest first; what was decided, the latest first.

    :param kind: only objects of this type.
    :raises Forbidden: for who moderates nothing.
    """
    access.require_some(session, person_id)
    if state not in STATES:
        raise BadInput(_("“%(state)s” is none of pending, approved and refused.", state=state[:20]))
    mine = access.mine(session, person_id, Held)
    query = select(Held).where(Held.state == state, mine, access.open_to(person_id, Held.audience_id))
    if kind:
        query = query.where(Held.ref_type == kind)
    if state == "pending":
        query = query.where(Held.id > (after or 0)).order_by(Held.id)
    else:
        query = query.order_by(Held.id.desc())
        query = query if after is None else query.where(Held.id < after)
    rows = list(session.scalars(query.limit(most + 1)))
    more = rows[most - 1].id if len(rows) > most else None
    elsewhere = 0
    if state == "pending" and after is None:
        elsewhere = session.scalar(
            select(func.count()).select_from(Held)
            .where(Held.state == "pending", mine, ~access.open_to(person_id, Held.audience_id))
        ) or 0  # fmt: skip
    return Page(lines.of(session, rows[:most]), more, elsewhere)


def count_waiting(session: Session, person_id: int) -> int:
    """How much waits for this person; one query beside that for their roles."""
    query = select(func.count()).select_from(Held).where(
        Held.state == "pending", access.mine(session, person_id, Held), access.open_to(person_id, Held.audience_id)
    )  # fmt: skip
    return session.scalar(query) or 0


def decide(session: Session, person_id: int, held_id: int, *, approve: bool, reason: str = "") -> Held:
    """Approve or refuse.

    :raises NotFound: for what does not wait for this person.
    :raises BadInput: for a refusal without a reason.
    :raises Conflict: when it was decided before.
    """
    one(session, person_id, held_id)
    reason = " ".join(reason.split())
    if not approve and not reason:
        raise BadInput(_("Give the reason: its author is shown it."), fields={"reason": _("Missing.")})
    return moderation.decide(session, held_id, approve, access.actor_of(session, person_id), reason)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of many decisions: how many were taken, and why the others were not."""

    done: int
    problems: Sequence[str]


def decide_many(
    session: Session, person_id: int, held_ids: Sequence[int], *, approve: bool, reason: str = ""
) -> Outcome:
    """Decide on many with one reason. What was decided meanwhile, or is not this person's, is left and named."""
    if not held_ids or len(held_ids) > MOST:
        raise BadInput(_("Choose 1 to %(most)s of them.", most=str(MOST)))
    if not approve and not reason.strip():
        raise BadInput(_("Give the reason: its author is shown it."), fields={"reason": _("Missing.")})
    done, problems = 0, []
    for held_id in dict.fromkeys(held_ids):
        try:
            decide(session, person_id, held_id, approve=approve, reason=reason)
            done += 1
        except RseError as error:
            problems.append(str(error.message))
    return Outcome(done, problems)


def amend(session: Session, person_id: int, held_id: int, text: str, *, seen: str = "") -> Held:
    """Correct what waits; its author is told. It goes on waiting.

    :param seen: :func:`digest` of the text that was corrected; another one now is a conflict.
    """
    held = one(session, person_id, held_id)
    if held.state != "pending":
        raise Conflict(_("This was decided before."), remedy=_("Reload the list."))
    kind = core_of(session).plugins.content_types.get(held.ref_type)
    handling = None if kind is None else kind.handling
    if handling is None or handling.amend is None or handling.text is None:
        raise Conflict(_("What this plugin keeps cannot be corrected from here."))
    now = handling.text(session, [held.ref_id]).get(held.ref_id, "")
    if seen and digest(now) != seen:
        raise Conflict(_("Its author has changed it meanwhile."), remedy=_("Read the text again, then correct it."))
    actor = access.actor_of(session, person_id)
    handling.amend(session, held.ref_id, actor, text)
    ref = ObjectRef(held.ref_type, held.ref_id)
    record(session, actor, "moderation.amended", str(ref))
    emit(session, Event("moderation.amended", person_id, ref, held.audience_id, {"held": held.id, "author": held.author_id}))
    return held


def one(session: Session, person_id: int, held_id: int) -> Held:
    """Something that this person moderates and may look into.

    :raises NotFound: for every other.
    """
    found = session.scalar(
        select(Held).where(
            Held.id == held_id, access.mine(session, person_id, Held), access.open_to(person_id, Held.audience_id)
        )
    )
    if found is None:
        raise NotFound(_("Nothing of the number %(number)s waits for you.", number=str(held_id)))
    return found


def of_author(session: Session, person_id: int, *, after: int | None = None, most: int = PAGE) -> Page:
    """What became of one's own texts that were held, the latest first."""
    query = select(Held).where(Held.author_id == person_id).order_by(Held.id.desc())
    rows = list(session.scalars((query if after is None else query.where(Held.id < after)).limit(most + 1)))
    return Page(lines.of(session, rows[:most]), rows[most - 1].id if len(rows) > most else None)


def digest(text: str) -> str:
    """A short stable mark of a text, for forms."""
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()
