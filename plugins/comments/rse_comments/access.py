"""Where comments may stand, who may write there now, and who moderates."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from rse_core import mentions
from rse_core.api import (
    ContentInfo,
    Decision,
    Forbidden,
    Level,
    NotFound,
    ObjectRef,
    Target,
    can,
    core_of,
    require,
    resolve,
    translator,
    utcnow,
)
from rse_core.audiences import sees
from rse_core.models.organisation import EntityPath, Person, RoleGrant
from rse_core.objects import closed
from rse_core.people import PersonCard
from rse_core.roles import moderates

from .models import Comment, Thread

_ = translator(__file__, "rse_comments").gettext

WRITE = "comments.write"
TYPE = "comments.comment"


def ref_of(comment: Comment) -> ObjectRef:
    """The object that a comment stands on."""
    return ObjectRef(comment.ref_type, comment.ref_id)


def own_ref(comment_id: int) -> ObjectRef:
    """The reference of the comment itself."""
    return ObjectRef(TYPE, str(comment_id))


def place(session: Session, person_id: int | None, ref: ObjectRef) -> ContentInfo:
    """The object that comments stand on, as this person may see it.

    :raises NotFound: for an unknown object, one that takes no comments, or one that this person may not know of.
    """
    kind = core_of(session).plugins.content_types.get(ref.type)
    info = resolve(session, [ref]).get(ref)
    known = kind is not None and kind.commentable and info is not None
    if not known or info is None or not sees(session, person_id, info.audience_id) or info.state not in (
        "published", "locked", "archived",
    ) or closed(session, person_id, info):  # fmt: skip
        raise NotFound(_("There is nothing to comment here."))
    return info


def target_of(info: ContentInfo) -> Target:
    """What the rules need to know of the object."""
    return Target(info.audience_id, info.sections, info.space_id, info.ref, info.author_id)


def may_moderate(session: Session, person_id: int | None, info: ContentInfo, author_id: int | None = None) -> bool:
    """Whether the person moderates what this author writes on that object."""
    return moderates(session, person_id, Target(info.audience_id, space_id=info.space_id, author_id=author_id))


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody moderates under one object: everything, or what the people below some entities write there."""

    everything: bool = False
    entities: tuple[int, ...] = ()

    def authors(self) -> Select[int]:
        """The people whose comments it is about, when it is not everything."""
        below = select(EntityPath.entity_id).where(EntityPath.ancestor_id.in_(self.entities))
        return select(Person.id).where(Person.entity_id.in_(below))


def rights(session: Session, person_id: int | None, info: ContentInfo) -> Rights:
    """What the person moderates among the comments of this object."""
    if person_id is None:
        return Rights()
    if may_moderate(session, person_id, info):
        return Rights(everything=True)
    heads = session.scalars(
        select(RoleGrant.scope_id).where(
            RoleGrant.person_id == person_id, RoleGrant.scope == "entity", RoleGrant.role.in_(("moderator", "entity_admin"))
        )
    )
    return Rights(entities=tuple(heads))


def shown_to(session: Session, person_id: int | None, info: ContentInfo) -> bool:
    """Whether the comments of this object are shown to this person at all.

    From the level at which one may comment; below it the site decides (``inform_shows``). Who wrote there, and who moderates
    there, goes on seeing the thread when the level is lowered: that closes writing and hides nobody's words from them.
    """
    if person_id is None:
        return False
    if core_of(session).settings.inform_shows == "all":
        return True
    decision = can(session, person_id, WRITE, target_of(info))
    if decision.effective_level is None or decision.required_level is None:
        return False
    if decision.effective_level >= decision.required_level:
        return True
    if decision.effective_level <= Level.INFORM:
        return False
    wrote = select(Comment.id).where(
        Comment.ref_type == info.ref.type, Comment.ref_id == info.ref.id, Comment.author_id == person_id
    )
    return session.scalar(wrote.limit(1)) is not None or rights(session, person_id, info) != Rights()


def readable(session: Session, person_id: int | None, ref: ObjectRef) -> ContentInfo:
    """:func:`place`, for reading what was written there.

    :raises NotFound: also for somebody to whom comments are not shown.
    """
    info = place(session, person_id, ref)
    if not shown_to(session, person_id, info):
        raise NotFound(_("There is nothing to comment here."))
    return info


def require_open(session: Session, person_id: int, info: ContentInfo) -> Decision:
    """May this person write here now?

    :raises Forbidden: with the decision, or because the thread is closed.
    """
    decision = require(session, person_id, WRITE, target_of(info))
    closed = closed_because(session.get(Thread, (info.ref.type, info.ref.id)), info)
    if closed:
        raise Forbidden(closed)
    return decision


def closed_because(thread: Thread | None, info: ContentInfo) -> str:
    """Why nobody may write here at present; "" when it is open."""
    now = utcnow()
    if info.state != "published" or (thread is not None and thread.locked_at is not None):
        return _("Comments are closed here. What was written stays.")
    if thread is not None and thread.opens_at is not None and now < thread.opens_at:
        return _("Comments are not open yet.")
    if thread is not None and thread.closes_at is not None and now >= thread.closes_at:
        return _("The time for comments here is over. What was written stays.")
    return ""


def visible(person_id: int | None, held: Rights | None = None) -> ColumnElement[bool]:
    """Which comments of a thread this person sees: an SQL condition, so that nothing is filtered afterwards.

    A comment that was deleted or taken down stays as a placeholder while it has replies; one that waits, was refused or
    taken down is seen by its author, and (but for refused ones) by the moderators.
    """
    shown: list[ColumnElement[bool]] = [
        Comment.state == "published",
        Comment.state.in_(("deleted", "hidden")) & (Comment.replies > 0),
    ]
    if person_id is not None:
        shown.append((Comment.author_id == person_id) & Comment.state.in_(("pending", "refused", "hidden")))
    if held is not None and held.everything:
        shown.append(Comment.state.in_(("pending", "hidden")))
    elif held is not None and held.entities:
        shown.append(Comment.state.in_(("pending", "hidden")) & Comment.author_id.in_(held.authors()))
    return or_(*shown)


def suggest(session: Session, info: ContentInfo, typed: str, *, viewer_id: int) -> list[PersonCard]:
    """People to name under this object: those of its audience to whom comments are shown there."""
    return mentions.suggest(
        session, info.audience_id, typed, viewer_id=viewer_id,
        may=lambda person_id: not closed(session, person_id, info) and shown_to(session, person_id, info),
    )
