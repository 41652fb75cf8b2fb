"""Writing and editing posts: what an author sends becomes a draft, a plan or a publication. Knows nothing of the web."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from rse_core import audiences, files, mentions
from rse_core.api import (
    BadInput,
    Conflict,
    Decision,
    Event,
    Forbidden,
    Mode,
    core_of,
    emit,
    option,
    require,
    translator,
    utcnow,
)
from rse_core.idempotency import once
from rse_core.models.organisation import Entity
from rse_core.ratelimit import limit
from rse_core.roles import administers

from . import access, entries, moments, publishing, texts, topics, whom
from .models import Post, PostRevision

_ = translator(__file__, "rse_feed").gettext
PER_MINUTE = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """A post that was kept, and what its author must be told of it beyond that ("" mostly)."""

    post: Post
    said: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was sent, checked against everything: may be written."""

    written: texts.Written
    text: texts.Checked
    choice: whom.Choice
    decision: Decision
    when: moments.Moment | None
    entity_id: int | None


def write(session: Session, person_id: int, written: texts.Written, *, key: str | None = None) -> Kept:
    """Write a post: publish it, plan it or keep it as a draft.

    :param key: idempotency key; the same key writes once.
    :returns: the post; its ``state`` is ``pending`` where publishing is moderated.
    :raises Forbidden: when the level, the space's rule or another rule refuses it.
    :raises BadInput: for a text, an audience or a time that cannot be taken; names the field.
    """
    plan = _plan(session, person_id, written)

    def create() -> str:
        limit(session, person_id, access.POST, most=PER_MINUTE, seconds=60)
        now = utcnow()
        post = Post(
            author_id=person_id, audience_id=plan.choice.audience_id, space_id=plan.choice.space_id, state="draft",
            created_at=now, updated_at=now, version=1,
        )  # fmt: skip
        _fill(session, post, plan)
        session.add(post)
        session.flush()
        _attach(session, person_id, post, plan)
        _act(session, post, plan)
        return str(post.id)

    ident, _new = once(session, person_id, key, access.POST, _digest(written), create)
    return Kept(access.get(session, int(ident)), plan.when.said if plan.when else "")


def edit(session: Session, person_id: int, post_id: int, written: texts.Written, *, version: int) -> Kept:
    """Change one's own post; a draft or a planned one may also be published, planned or put back.

    :param version: the version that was read; another one in the database is a conflict, and nothing is written.
    :raises Conflict: when it has changed since.
    :raises Forbidden: for another's post, or one that can no longer be edited.
    :raises BadInput: also when more people would see a published post than before, unless ``written.widen``.
    """
    post = access.get(session, post_id, lock=True)
    if not access.is_own(session, person_id, post):
        access.readable(session, person_id, post_id)
        raise Forbidden(_("You can edit your own posts only."))
    if post.state == "deleted":
        raise access.missing()
    if post.state not in access.EDITABLE:
        raise Forbidden(_("This post can no longer be edited."))
    if post.version != version:
        raise Conflict(
            _("This post has changed since you opened it."), remedy=_("Your text was kept; read the other version first.")
        )
    if post.state == "published" and written.act != "publish":
        raise Conflict(_("This post is published already."), remedy=_("Save it, or delete it."))
    plan = _plan(session, person_id, written, post)
    before = _content(session, post)
    if post.state == "published" and not written.widen and whom.widens(session, post.audience_id, plan.choice.audience_id):
        message = _("More people would see this post than before.")
        raise BadInput(message, remedy=_("Confirm it, or choose the former audience."), fields={"audience": message})
    limit(session, person_id, access.POST, most=PER_MINUTE, seconds=60)
    was, body, title = post.state, post.body, post.title
    _fill(session, post, plan)
    if was in ("published", "pending", "refused") and (body, title) != (post.body, post.title):
        session.add(
            PostRevision(post_id=post.id, version=post.version, title=title, body=body, at=utcnow(), by_id=person_id)
        )
    post.audience_id, post.space_id = plan.choice.audience_id, plan.choice.space_id
    _attach(session, person_id, post, plan)
    stays = was == "published" or (was == "pending" and written.act == "publish")
    if stays and _content(session, post) == before:
        return Kept(post)
    post.version += 1
    post.updated_at = utcnow()
    if post.published_at is not None:
        post.edited_at = post.updated_at
    if was == "published":
        _republish(session, person_id, post, plan)
    else:
        _act(session, post, plan)
    session.flush()
    return Kept(post, plan.when.said if plan.when else "")


def revisions(session: Session, person_id: int, post_id: int) -> tuple[Post, list[PostRevision]]:
    """What a post said before; for its author and those who moderate it.

    :raises Forbidden: for everybody else who sees it.
    """
    post = access.readable(session, person_id, post_id)
    if not access.is_own(session, person_id, post) and not access.moderates_post(session, person_id, post):
        raise Forbidden(_("Its history is shown to its author and to moderators."))
    rows = session.scalars(select(PostRevision).where(PostRevision.post_id == post_id).order_by(PostRevision.id))
    return post, list(rows)


# -- steps ---------------------------------------------------------------------------------------------------------------


def _plan(session: Session, person_id: int, written: texts.Written, post: Post | None = None) -> _Plan:
    """Everything that may refuse, before anything is written."""
    if post is not None and not written.audience:
        choice = _same(session, person_id, post)
    else:
        choice = whom.find(session, person_id, written.audience)
    decision = require(session, person_id, access.POST, choice.target)
    text = texts.check(session, written)
    if written.announcement or text.calls:
        announcing = access.may_announce(session, person_id, choice.target)
        if not announcing.allowed:
            raise Forbidden(str(announcing.message), decision=announcing)
        decision = announcing if written.announcement else decision
    _check_calls(session, text, choice)
    if (written.must_read or written.firm) and not written.announcement:
        raise BadInput(
            _("Only an announcement can ask to be confirmed or pass muted spaces."),
            fields={"announcement": _("Make it an announcement.")},
        )
    when = None
    if written.act == "schedule":
        when = moments.resolve(written.publish_at, written.publish_zone or core_of(session).settings.timezone)
    if written.acknowledge_by is not None and written.acknowledge_by <= (when.at if when else utcnow()):
        raise BadInput(
            _("The date for confirming is over before the announcement appears."),
            fields={"acknowledge_by": _("Choose a later date.")},
        )
    entity_id = _entity(session, person_id, written.entity, post)
    return _Plan(written, text, choice, decision, when, entity_id)


def _same(session: Session, person_id: int, post: Post) -> whom.Choice:
    """The audience that the post has, as long as its author is in it."""
    for choice in whom.all_of(session, person_id):
        if (choice.audience_id, choice.space_id) == (post.audience_id, post.space_id):
            return choice
    raise Forbidden(_("You no longer belong to those for whom this post is. You can still delete it."))


def _check_calls(session: Session, text: texts.Checked, choice: whom.Choice) -> None:
    if not text.calls:
        return
    if "space" in text.calls and choice.space_id is None:
        raise BadInput(_("@space calls the members of a space, and this post is in none."), fields={"body": _("Remove it.")})
    audience = choice.audience_id
    if "everyone" not in text.calls and choice.space_id is not None:
        audience = audiences.of_members(session, choice.space_id)
    people, most = audiences.size(session, audience), option(session, texts.CALL_MOST)
    if people > most:
        raise BadInput(
            _("This would call %(people)s people at once; at most %(most)s are possible.", people=people, most=most),
            remedy=_("Write without it, or make an announcement."),
            fields={"body": _("Remove @everyone or @space.")},
        )


def _entity(session: Session, person_id: int, key: str, post: Post | None) -> int | None:
    named = None if post is None or post.author_id == person_id else post.entity_id
    if named is not None and not administers(session, person_id, named):
        # Whoever keeps another's post leaves it in the name in which it was written, unless that is theirs to use.
        return named
    if not key:
        return None
    ident = session.scalar(select(Entity.id).where(Entity.key == key))
    if ident is None or not administers(session, person_id, ident):
        raise Forbidden(_("Only those who administer an entity can post in its name."))
    return ident


def _fill(session: Session, post: Post, plan: _Plan) -> None:
    written = plan.written
    post.title, post.body = plan.text.title, plan.text.body
    if written.link is not None:
        post.link = plan.text.link
    post.announcement, post.must_read, post.firm = written.announcement, written.must_read, written.firm
    post.acknowledge_by = written.acknowledge_by if written.must_read else None
    post.entity_id = plan.entity_id


def _attach(session: Session, person_id: int, post: Post, plan: _Plan) -> None:
    session.flush()
    ref = access.ref_of(post.id)
    if plan.written.files is not None:
        files.attach(session, person_id, plan.written.files, ref, alts=plan.written.alts)
    topics.keep(session, post, plan.written.topics)
    session.flush()


def _act(session: Session, post: Post, plan: _Plan) -> None:
    if plan.written.act == "draft":
        publishing.to_draft(session, post)
    elif plan.when is not None:
        _examined(session, post, plan.decision)
        publishing.schedule(session, post, plan.when.at, plan.written.publish_zone or core_of(session).settings.timezone)
    else:
        post.reason, post.decided_by = "", None
        publishing.publish(session, post, _examined(session, post, plan.decision))


def _examined(session: Session, post: Post, decision: Decision) -> Decision:
    return publishing.examined(session, post, decision)


def _republish(session: Session, person_id: int, post: Post, plan: _Plan) -> None:
    """A published post was changed: where publishing is moderated what was approved was the text before."""
    if _examined(session, post, plan.decision).mode is Mode.REVIEW:
        publishing.hold(session, post)
    else:
        entries.keep(session, post)
        mentions.keep(session, access.ref_of(post.id), post.body, post.audience_id)
        publishing.tell(session, post, members=False)
    emit(session, Event("feed.edited", person_id, access.ref_of(post.id), post.audience_id, {"space": post.space_id}))


def _content(session: Session, post: Post) -> str:
    """Everything that readers see of a post, to tell whether an edit changes anything."""
    session.flush()
    ref = access.ref_of(post.id)
    attached = [(info.key, info.alt) for info in files.of(session, [ref]).get(ref, [])]
    about = [topic.id for topic in topics.of(session, [post.id]).get(post.id, [])]
    return json.dumps([
        post.title, post.body, post.audience_id, post.space_id, post.link, post.announcement, post.must_read, post.firm,
        str(post.acknowledge_by), post.entity_id, attached, about,
    ])  # fmt: skip


def _digest(written: texts.Written) -> str:
    return hashlib.sha256(json.dumps(asdict(written), default=str, sort_keys=True).encode()).hexdigest()
