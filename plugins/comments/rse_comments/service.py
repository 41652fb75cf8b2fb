"""Writing, editing and deleting comments. Knows nothing of the web."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from rse_core import mentions, moderation, richtext
from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    ContentInfo,
    Event,
    Forbidden,
    Mode,
    NotFound,
    ObjectRef,
    core_of,
    discard,
    emit,
    examine,
    option,
    record,
    translator,
    utcnow,
)
from rse_core.idempotency import once
from rse_core.ratelimit import limit

from . import access, counting
from .models import Comment, Revision, Thread

_t = translator(__file__, "rse_comments")
_ = _t.gettext

PER_MINUTE = 12
REASON_MOST = 500


def write(
    session: Session, person_id: int, ref: ObjectRef, body: str, *, parent_id: int | None = None, key: str | None = None
) -> Comment:
    """Write a comment, or a reply to one.

    :param parent_id: the comment that is answered; a reply to a reply stays on the one sub-level.
    :param key: idempotency key; the same key writes once.
    :returns: the comment; its ``state`` is ``pending`` where publishing is moderated.
    :raises NotFound: for an object that this person may not know of.
    :raises Forbidden: when the level, another rule or a closed thread refuses it.
    :raises BadInput: for a text that is empty or too long; names the limit.
    """
    info = access.place(session, person_id, ref)
    decision = access.require_open(session, person_id, info)
    body = checked(session, body)

    def create() -> str:
        limit(session, person_id, "comments.write", most=PER_MINUTE, seconds=60)
        here = _settle(session, info)
        top, answered = _parent(session, here.ref, parent_id)
        comment = Comment(
            ref_type=here.ref.type, ref_id=here.ref.id, parent_id=top, answers_id=answered, author_id=person_id,
            audience_id=here.audience_id, body=body, created_at=utcnow(), version=1, state="pending",
        )  # fmt: skip
        session.add(comment)
        session.flush()
        ref = access.own_ref(comment.id)
        found = examine(
            session, decision, ref, person_id, capability=access.WRITE, target=access.target_of(here), text=body
        )
        comment.state = "pending" if found.mode is Mode.REVIEW else "published"
        session.flush()
        mentions.keep(session, ref, comment.body, comment.audience_id)
        if comment.state == "pending":
            _hold(session, comment, here)
        else:
            _published(session, comment)
        return str(comment.id)

    ident, _new = once(session, person_id, key, "comments.write", f"{info.ref}\n{parent_id}\n{body}", create)
    return get(session, int(ident))


def edit(session: Session, person_id: int, comment_id: int, body: str, *, version: int) -> Comment:
    """Change one's own comment, within the time that the site allows.

    :param version: the version that was read; another one in the database is a conflict, and nothing is written.
    :raises Conflict: when it has changed since.
    :raises Forbidden: for another's comment, or after the time.
    """
    comment, info = _mine(session, person_id, comment_id, version)
    if comment.state not in ("published", "pending"):
        raise Forbidden(_("This comment can no longer be edited."))
    decision = access.require_open(session, person_id, info)
    minutes = option(session, "comments.edit_minutes")
    if minutes and utcnow() > comment.created_at + dt.timedelta(minutes=minutes):
        raise Forbidden(_t.ngettext(
            "A comment can be edited for %(num)s minute.", "A comment can be edited for %(num)s minutes.", minutes,
        ))  # fmt: skip
    body = checked(session, body)
    if body == comment.body:
        return comment
    limit(session, person_id, "comments.write", most=PER_MINUTE, seconds=60)
    session.add(Revision(comment_id=comment.id, version=comment.version, body=comment.body, at=utcnow()))
    comment.body, comment.edited_at, comment.version = body, utcnow(), comment.version + 1
    decision = examine(
        session, decision, access.own_ref(comment.id), person_id, capability=access.WRITE, target=access.target_of(info),
        text=body,
    )  # fmt: skip
    # What it stands on may be for other people by now.
    comment.audience_id = info.audience_id
    if comment.state == "published" and decision.mode is Mode.REVIEW:
        # What was approved was the text before: the new one waits, and is in no count meanwhile.
        comment.state = "pending"
        counting.unpublished(session, comment)
        emit(session, Event("comments.withdrawn", person_id, access.own_ref(comment.id), comment.audience_id))
    if comment.state == "pending":
        # A new place in the queue: a decision on the text before must not publish this one.
        moderation.withdraw(session, access.own_ref(comment.id))
        _hold(session, comment, info)
    session.flush()
    mentions.keep(session, access.own_ref(comment.id), comment.body, comment.audience_id)
    emit(session, Event("comments.edited", person_id, access.own_ref(comment.id), comment.audience_id))
    return comment


def delete(session: Session, person_id: int, comment_id: int, *, reason: str = "", version: int | None = None) -> Comment:
    """Delete one's own comment, or as a moderator another's, with a reason. A placeholder keeps the thread.

    :raises Forbidden: for who neither wrote nor moderates it.
    :raises BadInput: when a moderator gives no reason.
    """
    comment = _locked(session, comment_id)
    info = _place(session, person_id, comment)
    own = comment.author_id == person_id
    if not own and not _sees(session, person_id, comment, info):
        raise NotFound(_("There is no such comment."))
    moderator = access.may_moderate(session, person_id, info, comment.author_id)
    if not own and not moderator:
        raise Forbidden(_("You can delete your own comments only."))
    if comment.state == "deleted":
        return comment
    if version is not None and version != comment.version:
        raise Conflict(_("This comment has changed since you opened it."), remedy=_("Read it again, then decide."))
    reason = " ".join(reason.split())
    if not own and not reason:
        raise BadInput(_("Give the reason: it is shown in place of the comment."), fields={"reason": _("Missing.")})
    if len(reason) > REASON_MOST:
        raise BadInput(_("The reason is longer than %(most)s characters.", most=str(REASON_MOST)))
    before = comment.state
    comment.state, comment.deleted_at, comment.deleted_by, comment.reason = "deleted", utcnow(), person_id, reason
    comment.version += 1
    if before == "published":
        counting.unpublished(session, comment)
    moderation.withdraw(session, access.own_ref(comment.id))
    mentions.forget(session, access.own_ref(comment.id))
    if before in ("published", "hidden"):
        discard(
            session, access.own_ref(comment.id), author_id=comment.author_id, by_id=person_id,
            target=access.target_of(info), reason=reason,
        )  # fmt: skip
    session.flush()
    if not own:
        name = _username(session, person_id)
        record(session, Actor(name, person_id), "comments.delete", str(access.own_ref(comment.id)), why=reason)
    emit(session, Event(
        "comments.deleted", person_id, access.own_ref(comment.id), comment.audience_id,
        {"object": str(access.ref_of(comment)), "by_moderator": not own, "was": before},
    ))  # fmt: skip
    return comment


def close(
    session: Session, person_id: int, ref: ObjectRef, *, locked: bool, opens_at: dt.datetime | None = None,
    closes_at: dt.datetime | None = None,
) -> Thread:  # fmt: skip
    """Lock one object's comments, open them again, or say between which times they are open. What stands there stays.

    :raises Forbidden: for who does not moderate there.
    """
    info = access.place(session, person_id, ref)
    if not access.may_moderate(session, person_id, info, info.author_id):
        raise Forbidden(_("Only those who moderate here can open and close comments."))
    if opens_at is not None and closes_at is not None and closes_at <= opens_at:
        raise BadInput(_("The comments would close before they open."), fields={"closes_at": _("Choose a later time.")})
    here = _settle(session, info)
    thread = session.get(Thread, (here.ref.type, here.ref.id))
    if thread is None:
        thread = Thread(ref_type=here.ref.type, ref_id=here.ref.id)
        session.add(thread)
    before = {"locked": thread.locked_at is not None}
    thread.locked_at = (thread.locked_at or utcnow()) if locked else None
    thread.locked_by = person_id if locked else None
    thread.opens_at, thread.closes_at = opens_at, closes_at
    after = {
        "locked": locked,
        "opens_at": opens_at.isoformat() if opens_at else None,
        "closes_at": closes_at.isoformat() if closes_at else None,
    }
    record(
        session, Actor(_username(session, person_id), person_id), "comments.close", str(here.ref), before=before, after=after
    )
    session.flush()
    return thread


def get(session: Session, comment_id: int) -> Comment:
    """:raises NotFound: when there is no such comment."""
    comment = session.get(Comment, comment_id)
    if comment is None:
        raise NotFound(_("There is no such comment."))
    return comment


def visible_comment(session: Session, person_id: int | None, comment_id: int) -> tuple[Comment, ContentInfo]:
    """A comment that this person may see, and the object it stands on.

    :raises NotFound: for every other, whether it exists or not.
    """
    comment = get(session, comment_id)
    info = _place(session, person_id, comment)
    # One's own is always to be had, even below REACT: it may have to be deleted.
    own = person_id is not None and comment.author_id == person_id
    if not _sees(session, person_id, comment, info) or not (own or access.shown_to(session, person_id, info)):
        raise NotFound(_("There is no such comment."))
    return comment, info


def object_of(session: Session, person_id: int, comment_id: int) -> ObjectRef:
    """What a comment stands on: for who sees it, and for its author even when it is gone, so that a form sent twice is
    answered like the first.

    :raises NotFound: for everybody else.
    """
    comment = get(session, comment_id)
    if comment.author_id == person_id:
        return access.ref_of(comment)
    return access.ref_of(visible_comment(session, person_id, comment_id)[0])


def revisions(session: Session, person_id: int, comment_id: int) -> list[Revision]:
    """What a comment said before; for its author and those who moderate it."""
    comment, info = visible_comment(session, person_id, comment_id)
    if comment.state == "deleted":
        raise NotFound(_("There is no such comment."))
    if comment.author_id != person_id and not access.may_moderate(session, person_id, info, comment.author_id):
        raise Forbidden(_("Its history is shown to its author and to moderators."))
    return list(session.scalars(select(Revision).where(Revision.comment_id == comment_id).order_by(Revision.version)))


def approved(session: Session, comment: Comment) -> None:
    """A moderator approved it: it is published now, and everything that follows a publication follows."""
    if comment.state == "pending":
        comment.state = "published"
        session.flush()
        _published(session, comment)


def refused(session: Session, comment: Comment, reason: str) -> None:
    """A moderator refused it: only its author sees it, with the reason."""
    if comment.state == "pending":
        comment.state, comment.reason = "refused", reason[:REASON_MOST]


def checked(session: Session, body: str) -> str:
    """The text as it is kept.

    :raises BadInput: when it is empty or longer than the site allows; what was typed is not lost by it.
    """
    body = richtext.clean(body)
    most = option(session, "comments.max_length")
    if not body:
        raise BadInput(_("The comment is empty."), fields={"body": _("Write something first.")})
    if len(body) > most:
        raise BadInput(
            _("The comment has %(length)s characters; at most %(most)s are possible.", length=len(body), most=most),
            fields={"body": _("Shorten it by %(over)s characters.", over=len(body) - most)},
        )
    return body


def _settle(session: Session, info: ContentInfo) -> ContentInfo:
    if info.ref.type == "page":
        core_of(session).pages.ensure(session, info.ref)
    return info


def _parent(session: Session, ref: ObjectRef, parent_id: int | None) -> tuple[int | None, int | None]:
    if parent_id is None:
        return None, None
    answered = session.get(Comment, parent_id)
    if answered is None or access.ref_of(answered) != ref or answered.state != "published":
        raise Conflict(
            _("The comment that you answer is no longer there. Your text was not sent."),
            remedy=_("Send it as a comment of its own."),
        )
    return answered.parent_id or answered.id, answered.id


def _hold(session: Session, comment: Comment, info: ContentInfo) -> None:
    moderation.hold(
        session, access.own_ref(comment.id), capability=access.WRITE, author_id=comment.author_id,
        target=access.target_of(info),
    )  # fmt: skip


def _published(session: Session, comment: Comment) -> None:
    counting.published(session, comment)
    emit(session, Event(
        "comments.published", comment.author_id, access.own_ref(comment.id), comment.audience_id,
        {"object": str(access.ref_of(comment)), "parent": comment.parent_id},
    ))  # fmt: skip


def _locked(session: Session, comment_id: int) -> Comment:
    comment = session.scalar(select(Comment).where(Comment.id == comment_id).with_for_update())
    if comment is None:
        raise NotFound(_("There is no such comment."))
    return comment


def _place(session: Session, person_id: int | None, comment: Comment) -> ContentInfo:
    """What a comment stands on. Whoever does not see that hears of no comment, whether there is one or not."""
    try:
        return access.place(session, person_id, access.ref_of(comment))
    except NotFound:
        raise NotFound(_("There is no such comment.")) from None


def _mine(session: Session, person_id: int, comment_id: int, version: int) -> tuple[Comment, ContentInfo]:
    comment = _locked(session, comment_id)
    info = _place(session, person_id, comment)
    if not _sees(session, person_id, comment, info):
        raise NotFound(_("There is no such comment."))
    if comment.author_id != person_id:
        raise Forbidden(_("You can edit your own comments only."))
    if comment.version != version:
        raise Conflict(
            _("This comment has changed since you opened it."), remedy=_("Your text was kept; read the other version first.")
        )
    return comment, info


def _sees(session: Session, person_id: int | None, comment: Comment, info: ContentInfo) -> bool:
    held = access.Rights(everything=access.may_moderate(session, person_id, info, comment.author_id))
    found = select(func.count()).where(Comment.id == comment.id, access.visible(person_id, held))
    return bool(session.scalar(found))


def _username(session: Session, person_id: int) -> str:
    from rse_core.people import card

    found = card(session, person_id)
    return found.username if found else f"person:{person_id}"


def score(session: Session, comment_id: int, change: int) -> None:
    """Add to what "best first" sorts by."""
    session.execute(update(Comment).where(Comment.id == comment_id).values(score=Comment.score + change))
