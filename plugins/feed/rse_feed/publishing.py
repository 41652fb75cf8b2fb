"""What becomes of a post: published at once, held for a moderator, at its time; withdrawn, decided on, deleted.

Every change of its state goes through here, so that the entry, the counters, the queue of the moderators, what people were
told and the event always agree. All functions write in the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import files, mentions, moderation
from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Decision,
    Event,
    Forbidden,
    Mode,
    can,
    core_of,
    defer,
    discard,
    emit,
    examine,
    notify,
    record,
    translator,
    use_locale,
    utcnow,
    withdraw,
)
from rse_core.people import card

from . import access, entries
from .handing import answers
from .models import Post
from .texts import heading

log = logging.getLogger("rse.feed")
_ = translator(__file__, "rse_feed").gettext
REASON_MOST = 500
#: Posts published by one run of the job.
BATCH = 100
DUE = "feed.publish_due"


def examined(session: Session, post: Post, decision: Decision) -> Decision:
    """The decision once every plugin has looked at what the post says.

    :raises BadInput: when one refuses it.
    """
    link = post.link or {}
    text = "\n".join(filter(None, (post.title, post.body, link.get("title", ""), link.get("description", ""))))
    capability = access.ANNOUNCE if post.announcement else access.POST
    return examine(
        session, decision, access.ref_of(post.id), answers(post) or 0, capability=capability, target=access.target_of(post),
        text=text,
    )  # fmt: skip


def publish(session: Session, post: Post, decision: Decision) -> None:
    """Publish a post now, or hold it where publishing is moderated."""
    post.publish_at = None
    if decision.mode is Mode.REVIEW:
        hold(session, post)
    else:
        published(session, post)


def hold(session: Session, post: Post) -> None:
    """It waits for a moderator: a new place in the queue, for the text as it is now."""
    withdrawn = post.state == "published"
    post.state = "pending"
    session.flush()
    ref = access.ref_of(post.id)
    moderation.withdraw(session, ref)
    moderation.hold(
        session, ref, capability=access.ANNOUNCE if post.announcement else access.POST, author_id=answers(post),
        target=access.target_of(post),
    )  # fmt: skip
    entries.keep(session, post)
    mentions.forget(session, ref)
    if withdrawn:
        untell(session, post)
        emit(session, Event("feed.withdrawn", post.author_id, ref, post.audience_id, {"space": post.space_id}))


def published(session: Session, post: Post) -> None:
    """It is there for its audience from now on, with everything that follows: entry, event, and who is told."""
    first = post.published_at is None
    post.state, post.publish_at = "published", None
    post.published_at = post.published_at or utcnow()
    entries.keep(session, post)
    # Not before: nobody learns from a list of where they are named that somebody prepares something.
    mentions.keep(session, access.ref_of(post.id), post.body, post.audience_id)
    data = {"space": post.space_id, "announcement": post.announcement, "first": first}
    emit(session, Event("feed.published", post.author_id, access.ref_of(post.id), post.audience_id, data))
    if post.announcement:
        from . import announcements

        announcements.published(session, post)
    tell(session, post, members=True)


def tell(session: Session, post: Post, *, members: bool) -> None:
    """Tell whom the text names and, with ``members``, those of its space; by a job, so that the author does not wait."""
    defer(session, "feed.tell", key=f"feed.tell:{post.id}:{post.version}", post_id=post.id, members=members)


def untell(session: Session, post: Post) -> None:
    """Take back what nobody has read yet."""
    withdraw(session, cause_of(post.id))


def cause_of(post_id: int) -> str:
    """What notifications of a post are caused by."""
    return f"post:{post_id}"


def to_draft(session: Session, post: Post) -> None:
    """Back to its author: out of the queue and the plan. What was published once cannot go back."""
    moderation.withdraw(session, access.ref_of(post.id))
    post.state, post.publish_at, post.publish_zone = "draft", None, ""


def schedule(session: Session, post: Post, at: dt.datetime, zone: str) -> None:
    """It appears at this moment; the job looks again then whether it may."""
    moderation.withdraw(session, access.ref_of(post.id))
    post.state, post.publish_at, post.publish_zone = "scheduled", at, zone
    defer(session, DUE, run_at=at)


def publish_due(session: Session) -> None:
    """The job: publish what is due; what its author may no longer post there goes back to them, and they are told."""
    due = session.scalars(
        select(Post).where(Post.state == "scheduled", Post.publish_at <= utcnow()).order_by(Post.publish_at).limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()  # fmt: skip
    for post in due:
        target = access.target_of(post)
        who = answers(post)
        decision = can(session, who, access.POST, target)
        if who is not None and decision.allowed and post.announcement:
            decision = access.may_announce(session, who, target)
        try:
            if decision.allowed:
                decision = examined(session, post, decision)
        except BadInput as error:
            decision = replace(decision, allowed=False, message=error.message)
        if decision.allowed:
            publish(session, post, decision)
        else:
            _give_back(session, post, decision)
    if len(due) == BATCH:
        defer(session, DUE)


def _give_back(session: Session, post: Post, decision: Decision) -> None:
    post.state, post.publish_at = "draft", None
    post.version += 1
    who = answers(post)
    concerned = None if who is None else card(session, who)
    if concerned is None or not concerned.active:
        return
    with use_locale(concerned.locale or core_of(session).settings.default_locale):
        reason = str(decision.message)
    notify(
        session, concerned.id, "feed.scheduled_refused", access.ref_of(post.id), actor_id=None, cause=f"scheduled:{post.id}",
        data={"title": heading(post.title, post.body), "reason": reason},
    )  # fmt: skip


def approved(session: Session, post: Post) -> None:
    """A moderator approved it."""
    if post.state == "pending":
        published(session, post)


def refused(session: Session, post: Post, reason: str, by: int | None) -> None:
    """A moderator refused it: only its author sees it, with the reason."""
    if post.state != "pending":
        return
    post.state, post.reason, post.decided_by = "refused", reason[:REASON_MOST], by
    entries.keep(session, post)
    concerned = answers(post)
    if concerned is not None:
        notify(
            session, concerned, "feed.refused", access.ref_of(post.id), actor_id=by, cause=f"refused:{post.id}",
            data={"title": heading(post.title, post.body), "reason": post.reason},
        )  # fmt: skip


def delete(session: Session, person_id: int, post_id: int, *, reason: str = "", version: int | None = None) -> Post:
    """Delete one's own post, or as a moderator another's, with a reason.

    :raises NotFound: for one that does not exist, or that is not for this person.
    :raises Forbidden: for who neither wrote nor moderates it.
    :raises BadInput: when a moderator gives no reason.
    :raises Conflict: when it has changed since ``version``.
    """
    post = access.get(session, post_id, lock=True)
    own = access.is_own(session, person_id, post)
    if post.state == "deleted" and own:
        return post
    if not own:
        access.readable(session, person_id, post_id)
        if not access.moderates_post(session, person_id, post):
            raise Forbidden(_("You can delete your own posts only."))
    if version is not None and version != post.version:
        raise Conflict(_("This post has changed since you opened it."), remedy=_("Read it again, then decide."))
    reason = " ".join(reason.split())
    if not own and not reason:
        raise BadInput(_("Give the reason: its author is shown it."), fields={"reason": _("Missing.")})
    if len(reason) > REASON_MOST:
        raise BadInput(
            _("The reason is longer than %(most)s characters.", most=str(REASON_MOST)), fields={"reason": _("Shorten it.")}
        )
    before = post.state
    post.state, post.deleted_at, post.decided_by, post.reason = "deleted", utcnow(), person_id, reason
    post.version += 1
    ref = access.ref_of(post.id)
    entries.keep(session, post)
    entries.forget(session, ref)
    moderation.withdraw(session, ref)
    mentions.forget(session, ref)
    # What was never published is nobody's to restore; else its files stay as long as the post can be shown again.
    shown = before in ("published", "archived", "hidden")
    target = access.target_of(post)
    if not shown or not discard(
        session, ref, author_id=answers(post), by_id=person_id, target=target, reason=reason
    ):
        files.forget(session, ref)
    untell(session, post)
    session.flush()
    if not own:
        actor = card(session, person_id)
        record(session, Actor(actor.username if actor else "", person_id), "feed.delete", str(ref), why=reason)
    emit(session, Event(
        "feed.deleted", person_id, ref, post.audience_id, {"space": post.space_id, "by_moderator": not own, "was": before},
    ))  # fmt: skip
    return post
