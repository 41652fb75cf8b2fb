"""What is done to a published post: pinned in its space, taken down and shown again, archived, moved, its comments closed.

Its author, those who moderate its audience and those who run its space may each do some of it (see :func:`may`). Every act
is in the audit log and told by an event; what it means for the feed follows from the post's state (:mod:`entries`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from rse_core import mentions, moderation
from rse_core.api import (
    Actor,
    BadInput,
    Conflict,
    Event,
    Forbidden,
    Mode,
    dialect_insert,
    emit,
    notify,
    option,
    record,
    require,
    translator,
    utcnow,
)
from rse_core.models.organisation import Membership, Space
from rse_core.notify import moved as notices_moved

from . import access, entries, publishing, topics, whom
from .handing import answers
from .models import Entry, Pin, Post
from .texts import heading

_ = translator(__file__, "rse_feed").gettext

HIDDEN, MOVED = "feed.hidden", "feed.moved"
PINS = "feed.pins_max"
FURTHEST = dt.timedelta(days=366)
#: act → states in which it makes sense
STATES = {
    "pin": ("published",), "unpin": ("published",), "hide": ("published", "archived"), "show": ("hidden",),
    "archive": ("published",), "unarchive": ("archived",), "move": ("published", "archived"),
    "lock": ("published",), "unlock": ("published",), "history": ("published", "pending", "archived", "hidden", "refused"),
    "delete": ("draft", "scheduled", "pending", "published", "refused", "hidden", "archived"),
}  # fmt: skip


def may(act: str, rights: access.Rights, *, state: str, space_id: int | None) -> bool:
    """Whether somebody with these rights may do this to a post in this state. No query: menus ask it for each post."""
    if state not in STATES[act]:
        return False
    if act in ("pin", "unpin"):
        return space_id is not None and (rights.manage or rights.moderate)
    if act in ("hide", "show"):
        return rights.moderate
    return rights.mine or rights.moderate


@dataclass(frozen=True, slots=True)
class Sight:
    """Who gains and who loses sight of a post by a move, in people."""

    gain: int
    lose: int
    stay: int


def pin(session: Session, actor: Actor, post_id: int, *, until: dt.datetime | None = None) -> Pin:
    """Keep a post at the head of its space's page; once more changes until when.

    :param until: a moment to come, within a year; None until it is taken off.
    :raises Conflict: when the space has as many pins as the site allows.
    """
    if until is not None and not utcnow() < until <= utcnow() + FURTHEST:
        message = _("Choose a time to come, within a year.")
        raise BadInput(message, fields={"until": message})
    post = _acting(session, actor, post_id, "pin")
    # Two at once: the second waits here, and then counts the first one's.
    session.scalar(select(Space.id).where(Space.id == post.space_id).with_for_update())
    entry = entries.entry_of(session, post.id)
    if entry is None or post.space_id is None:
        raise Conflict(_("This post is not in the feed."))
    others = (
        select(func.count())
        .select_from(Pin)
        .where(Pin.space_id == post.space_id, Pin.entry_id != entry.id, or_(Pin.until.is_(None), Pin.until > utcnow()))
    )
    most: int = option(session, PINS)
    if (session.scalar(others) or 0) >= most:
        raise Conflict(
            _("At most %(most)s posts can be pinned here.", most=str(most)), remedy=_("Take another one off first.")
        )
    values = {"until": until, "pinned_by": actor.person_id, "pinned_at": utcnow()}
    statement = dialect_insert(session, Pin).values(space_id=post.space_id, entry_id=entry.id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["space_id", "entry_id"], set_=values))
    _done(session, actor, post, "pinned", after={"until": until.isoformat() if until else None})
    session.expire_all()
    return session.get_one(Pin, (post.space_id, entry.id))


def unpin(session: Session, actor: Actor, post_id: int) -> None:
    """Take it off the head; nothing happens when it is not there."""
    post = _acting(session, actor, post_id, "unpin")
    if _take_off(session, post):
        _done(session, actor, post, "unpinned")


def _take_off(session: Session, post: Post) -> bool:
    ours = select(Entry.id).where(Entry.ref_type == access.TYPE, Entry.ref_id == str(post.id))
    gone = session.execute(
        delete(Pin).where(Pin.entry_id.in_(ours)).returning(Pin.entry_id).execution_options(synchronize_session=False)
    )
    return bool(gone.all())


def hide(session: Session, actor: Actor, post_id: int, reason: str) -> Post:
    """Take a post down: nobody sees it any more but its author, with the reason, and the moderators.

    :raises BadInput: without a reason.
    """
    reason = _reason(reason)
    post = take_down(session, actor, _acting(session, actor, post_id, "hide"), reason)
    moderation.taken_down(
        session, access.ref_of(post.id), author_id=answers(post), actor=actor, reason=reason, target=access.target_of(post)
    )
    return post


def take_down(session: Session, actor: Actor, post: Post, reason: str, *, tell: bool = True) -> Post:
    """Take down a post of which it is sure that the actor may; ``tell`` its author."""
    was = post.state
    post.state, post.reason, post.decided_by = "hidden", reason, actor.person_id
    post.version += 1
    _take_off(session, post)
    entries.keep(session, post)
    publishing.untell(session, post)
    _done(session, actor, post, "withdrawn", act="hide", before=was, after="hidden", why=reason)
    if tell:
        _tell_author(session, actor, post, HIDDEN, {"reason": reason})
    return post


def show(session: Session, actor: Actor, post_id: int) -> Post:
    """Show again what was taken down; nobody is told a second time of what it says."""
    return put_back(session, actor, _acting(session, actor, post_id, "show"))


def put_back(session: Session, actor: Actor, post: Post) -> Post:
    """Publish again a post of which it is sure that the actor may."""
    was = post.state
    post.state, post.reason, post.decided_by = "published", "", None
    post.version += 1
    entries.keep(session, post)
    mentions.keep(session, access.ref_of(post.id), post.body, post.audience_id)
    _done(session, actor, post, "shown", act="show", before=was, after="published")
    return post


def archive(session: Session, actor: Actor, post_id: int) -> Post:
    """Take a post out of the feed; whoever could see it still can at its address and in the search."""
    post = _acting(session, actor, post_id, "archive")
    post.state = "archived"
    post.version += 1
    _take_off(session, post)
    entries.keep(session, post)
    _done(session, actor, post, "archived", act="archive", before="published", after="archived")
    return post


def unarchive(session: Session, actor: Actor, post_id: int) -> Post:
    """Back into the feed, at its former place."""
    post = _acting(session, actor, post_id, "unarchive")
    post.state = "published"
    post.version += 1
    entries.keep(session, post)
    _done(session, actor, post, "unarchived", act="unarchive", before="archived", after="published")
    return post


def lock(session: Session, actor: Actor, post_id: int) -> Post:
    """Close the comments of a post: what was written stays. Twice is once."""
    post = _acting(session, actor, post_id, "lock")
    if post.locked_at is None:
        post.locked_at = utcnow()
        _done(session, actor, post, "locked", act="lock")
    return post


def unlock(session: Session, actor: Actor, post_id: int) -> Post:
    """Open its comments again."""
    post = _acting(session, actor, post_id, "unlock")
    if post.locked_at is not None:
        post.locked_at = None
        _done(session, actor, post, "unlocked", act="unlock")
    return post


def sight_of_move(session: Session, person_id: int, post_id: int, audience: str) -> tuple[whom.Choice, Sight]:
    """Who would gain and lose sight of a post, before it is moved; three queries beside the checks.

    :raises Forbidden: as :func:`move`.
    """
    post, choice = _movable(session, person_id, access.get(session, post_id), audience)
    gain = _beyond(session, choice.audience_id, post.audience_id)
    lose = _beyond(session, post.audience_id, choice.audience_id)
    stay = session.scalar(select(func.count()).where(Membership.audience_id == choice.audience_id)) or 0
    return choice, Sight(gain, lose, stay - gain)


def _beyond(session: Session, audience_id: int, other_id: int) -> int:
    """People of one audience who are not in another."""
    inner = aliased(Membership)
    other = exists().where(inner.person_id == Membership.person_id, inner.audience_id == other_id)
    return session.scalar(select(func.count()).where(Membership.audience_id == audience_id, ~other)) or 0


def move(session: Session, actor: Actor, post_id: int, audience: str, *, version: int | None = None) -> Post:
    """Put a post before another audience, or into another space. Its author, or who moderates it, and they must be
    allowed to post there too.

    :param audience: a key of :mod:`whom`, among the audiences of who acts.
    :raises Forbidden: when either side refuses, or when publishing is moderated there by others.
    :raises Conflict: when it has changed since ``version``.
    """
    if actor.person_id is None:
        raise Forbidden(_("Only a person moves a post."))
    post, choice = _movable(session, actor.person_id, access.get(session, post_id, lock=True), audience)
    if version is not None and version != post.version:
        raise Conflict(_("This post has changed since you opened it."), remedy=_("Read it again, then decide."))
    before = whom.key_of(session, post.audience_id, post.space_id)
    if (post.audience_id, post.space_id) == (choice.audience_id, choice.space_id):
        return post
    if post.space_id != choice.space_id:
        _take_off(session, post)
    ref = access.ref_of(post.id)
    post.audience_id, post.space_id = choice.audience_id, choice.space_id
    post.version += 1
    session.flush()
    # Who is named there must be able to read it; a space's own topics stay in that space.
    mentions.forget(session, ref)
    mentions.keep(session, ref, post.body, post.audience_id)
    topics.keep(session, post)
    entries.keep(session, post)
    notices_moved(session, ref, post.audience_id, post.space_id)
    _done(session, actor, post, "moved", act="move", before=before, after=choice.key)
    _tell_author(session, actor, post, MOVED, {})
    return post


def _movable(session: Session, person_id: int, post: Post, audience: str) -> tuple[Post, whom.Choice]:
    access.readable(session, person_id, post.id)
    _check(session, person_id, post, "move")
    choice = whom.find(session, person_id, audience)
    decision = require(session, person_id, access.POST, choice.target)
    if post.announcement:
        decision = access.may_announce(session, person_id, choice.target)
        if not decision.allowed:
            raise Forbidden(str(decision.message), decision=decision)
    if decision.mode is Mode.REVIEW:
        message = _("What is posted there is read by a moderator first.")
        raise Forbidden(message, remedy=_("Post it there anew, or ask a moderator there."))
    return post, choice


def pinned(session: Session, post_ids: Sequence[int]) -> frozenset[int]:
    """Which of these posts are at the head of their space now; one query."""
    ids = [str(post_id) for post_id in post_ids]
    rows = session.scalars(
        select(Entry.ref_id)
        .join(Pin, Pin.entry_id == Entry.id)
        .where(Entry.ref_type == access.TYPE, Entry.ref_id.in_(ids), or_(Pin.until.is_(None), Pin.until > utcnow()))
    )
    return frozenset(int(ident) for ident in rows)


# -- steps -------------------------------------------------------------------------------------------------------------


def rights_of(session: Session, person_id: int | None, post: Post) -> access.Rights:
    """What this person may do with a post; one query, for its author's entity."""
    return access.Rights(
        mine=access.is_own(session, person_id, post),
        moderate=access.moderates_post(session, person_id, post),
        manage=access.manages(session, person_id, post.space_id),
    )


def _acting(session: Session, actor: Actor, post_id: int, act: str) -> Post:
    """The post, locked, once it is sure that the actor sees it and may do this to it."""
    post = access.get(session, post_id, lock=True)
    access.readable(session, actor.person_id, post.id)
    _check(session, actor.person_id, post, act)
    return post


def _check(session: Session, person_id: int | None, post: Post, act: str) -> None:
    rights = rights_of(session, person_id, post)
    if may(act, rights, state=post.state, space_id=post.space_id):
        return
    if any(may(act, rights, state=state, space_id=post.space_id) for state in STATES[act]):
        raise Conflict(_("This cannot be done to the post as it is now."), remedy=_("Load its page again."))
    raise Forbidden(_("Only those who moderate or wrote this post can do this."))


def _reason(text: str) -> str:
    reason = " ".join(text.split())
    if not reason:
        raise BadInput(_("Give the reason: its author is shown it."), fields={"reason": _("Missing.")})
    if len(reason) > publishing.REASON_MOST:
        raise BadInput(
            _("The reason is longer than %(most)s characters.", most=str(publishing.REASON_MOST)),
            fields={"reason": _("Shorten it.")},
        )
    return reason


def _done(
    session: Session, actor: Actor, post: Post, event: str, *, act: str = "", before: object = None, after: object = None,
    why: str = "",
) -> None:  # fmt: skip
    session.flush()
    ref = access.ref_of(post.id)
    record(session, actor, f"feed.{act or event}", str(ref), before=before, after=after, why=why)
    emit(session, Event(f"feed.{event}", actor.person_id, ref, post.audience_id, {"space": post.space_id}))


def _tell_author(session: Session, actor: Actor, post: Post, kind: str, data: dict[str, str]) -> None:
    concerned = answers(post)
    if concerned is None or concerned == actor.person_id:
        return
    notify(
        session, concerned, kind, access.ref_of(post.id), actor_id=actor.person_id,
        cause=f"{kind}:{post.id}:{post.version}", data={"title": heading(post.title, post.body), **data},
    )  # fmt: skip


#: act → what does it, for those acts that need nothing but the post
SIMPLE: dict[str, Callable[[Session, Actor, int], object]] = {
    "unpin": unpin, "show": show, "archive": archive, "unarchive": unarchive, "lock": lock, "unlock": unlock,
}  # fmt: skip

__all__ = [
    "SIMPLE", "STATES", "Sight", "archive", "hide", "lock", "may", "move", "pin", "pinned", "put_back", "rights_of", "show",
    "sight_of_move", "take_down", "unarchive", "unlock", "unpin",
]  # fmt: skip
