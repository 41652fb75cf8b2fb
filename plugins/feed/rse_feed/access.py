"""Which posts a person may see, and what they may do with each. No query but where it says so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from rse_core.api import ContentInfo, Decision, Forbidden, NotFound, Reason, Target, can, core_of, translator
from rse_core.cursor import MANAGING_ROLES, moderates
from rse_core.models.content import Mention
from rse_core.models.organisation import Person
from rse_core.models.runtime import NotificationRow

from .handing import keeps, kept_by
from .models import Post
from .sight import READ, TYPE, ref_of, target_of
from .sight import SHOWN as OPEN

__all__ = ["ANNOUNCE", "OPEN", "POST", "READ", "TYPE", "Rights", "get", "readable", "ref_of", "rights", "target_of"]

_ = translator(__file__, "rse_feed").gettext

POST, ANNOUNCE = "feed.post", "feed.announce"
#: States that only its author, and where it says so its moderators, see.
MODERATED = ("pending", "hidden")
EDITABLE = ("draft", "scheduled", "pending", "published", "refused")


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do with one post. ``moderate``: decides on what its author writes there; ``manage``: runs the space
    that it stands in."""

    mine: bool = False
    edit: bool = False
    delete: bool = False
    moderate: bool = False
    manage: bool = False


def get(session: Session, post_id: int, *, lock: bool = False) -> Post:
    """:raises NotFound: when there is no such post."""
    query = select(Post).where(Post.id == post_id)
    post = session.scalar(query.with_for_update() if lock else query)
    if post is None:
        raise missing()
    return post


def reads_space(session: Session, person_id: int | None, info: ContentInfo) -> bool:
    """Whether this person reads in the space that an object stands in."""
    return can(session, person_id, READ, Target(info.audience_id, space_id=info.space_id)).allowed


def refused(decision: Decision) -> Forbidden:
    """The refusal of a decision, with its own sentence."""
    return Forbidden(str(decision.message), decision=decision)


def missing() -> NotFound:
    """The answer for a post that does not exist, and for one of which this person may not know."""
    return NotFound(_("There is no such post."))


def moderates_there(
    session: Session, person_id: int | None, *, audience_id: int | None, space_id: int | None, entity_id: int | None = None
) -> bool:
    """Whether this person decides on what somebody of ``entity_id`` writes for this audience; from memory. On what only the
    members of a space are shown, those who are in it alone."""
    policy = core_of(session).policy
    facts = None if person_id is None else policy.person(person_id)
    if facts is None or facts.disabled_at is not None:
        return False
    snapshot = policy.snapshot()
    scopes = [("site", 0)]
    kind, target = snapshot.audiences.get(audience_id or 0, ("", 0))
    if kind == "space" and audience_id not in facts.audiences:
        return False
    if kind in ("entity", "group", "space"):
        scopes.append((kind, target))
    if space_id is not None:
        scopes.append(("space", space_id))
    if entity_id is not None:
        scopes.append(("entity", entity_id))
    return any(moderates(snapshot, facts, *scope) for scope in scopes)


def manages(session: Session, person_id: int | None, space_id: int | None) -> bool:
    """Whether this person runs the space; from memory."""
    policy = core_of(session).policy
    facts = None if person_id is None else policy.person(person_id)
    if facts is None or space_id is None or facts.disabled_at is not None:
        return False
    granted = any((role, "space", space_id) in facts.roles for role in ("animator", "moderator"))
    return granted or facts.spaces.get(space_id) in MANAGING_ROLES


def moderates_post(session: Session, person_id: int | None, post: Post) -> bool:
    """Whether this person decides on this post; one query, for its author's entity."""
    entity = None
    if post.author_id is not None:
        entity = session.scalar(select(Person.entity_id).where(Person.id == post.author_id))
    return moderates_there(
        session, person_id, audience_id=post.audience_id, space_id=post.space_id, entity_id=entity
    )  # fmt: skip


def rights(
    session: Session, person_id: int | None, *, author_id: int | None, audience_id: int, space_id: int | None, state: str,
    author_entity: int | None, owner_id: int | None = None,
) -> Rights:  # fmt: skip
    """What this person may do with a post of which the caller knows these; from memory."""
    mine = person_id is not None and (
        author_id == person_id or keeps(session, person_id, owner_id, audience_id=audience_id, space_id=space_id)
    )
    moderate = moderates_there(
        session, person_id, audience_id=audience_id, space_id=space_id, entity_id=author_entity
    )  # fmt: skip
    may_write = mine and bool(can(session, person_id, POST, Target(audience_id, space_id=space_id)))
    return Rights(
        mine,
        may_write and state in EDITABLE,
        (mine or moderate) and state != "deleted",
        moderate,
        manages(session, person_id, space_id),
    )


def is_own(session: Session, person_id: int | None, post: Post) -> bool:
    """Whether this person wrote the post, or answers for it since its author has left; from memory."""
    return person_id is not None and (post.author_id == person_id or kept_by(session, person_id, post))


def may_announce(session: Session, person_id: int, target: Target) -> Decision:
    """May this person announce to this audience? In a space its own rule says who; elsewhere who moderates that audience.

    :returns: the decision of the rules; refused with a sentence of ours where the rules alone would allow it.
    """
    decision = can(session, person_id, ANNOUNCE, target)
    if not decision.allowed or target.space_id is not None:
        return decision
    if moderates_there(session, person_id, audience_id=target.audience_id, space_id=None):
        return decision
    return replace(
        decision, allowed=False, reason=Reason.ROLE, message=_("Only those who moderate this audience can announce to it.")
    )


def readable(session: Session, person_id: int | None, post_id: int) -> Post:
    """A post that this person may read on its own page.

    :raises NotFound: for one that does not exist, or of which they may not know.
    :raises Forbidden: with the decision below the level of reading; and, for who was once told of it or wrote it, when it
        is no longer open to them.
    """
    post = get(session, post_id)
    own = is_own(session, person_id, post)
    if post.state == "deleted":
        if own or told(session, person_id, post_id):
            raise NotFound(_("This post was deleted."))
        raise missing()
    decision = can(session, person_id, READ, target_of(post))
    # Whoever has left is shown nothing, not even what they kept for themselves.
    left = decision.reason is Reason.UNKNOWN_PERSON
    if post.state not in OPEN:
        if not left and (own or (post.state in MODERATED and moderates_post(session, person_id, post))):
            return post
        raise _closed(session, person_id, post)
    if decision.allowed:
        return post
    if decision.reason in (Reason.UNKNOWN_OBJECT, Reason.ROLE, Reason.UNKNOWN_PERSON):
        raise _closed(session, person_id, post)
    if own and post.author_id == person_id:
        # One's own is always to be had, even below the level of reading: it may have to be deleted.
        return post
    raise Forbidden(str(decision.message), decision=decision)


def _closed(session: Session, person_id: int | None, post: Post) -> Forbidden | NotFound:
    # Only to whom it is no news that it exists.
    if person_id is not None and (is_own(session, person_id, post) or told(session, person_id, post.id)):
        return Forbidden(_("This post is not, or no longer, open to you."))
    return missing()


def told(session: Session, person_id: int | None, post_id: int) -> bool:
    """Whether this person was once told of the post: notified, or named in it. One query."""
    if person_id is None:
        return False
    kind, ident = TYPE, str(post_id)
    notified = select(NotificationRow.person_id).where(
        NotificationRow.person_id == person_id, NotificationRow.ref_type == kind, NotificationRow.ref_id == ident
    )
    named = select(Mention.person_id).where(
        Mention.person_id == person_id, Mention.ref_type == kind, Mention.ref_id == ident
    )
    both = union_all(notified, named).subquery()
    return bool(session.scalar(select(func.count()).select_from(both)))
