"""The thread under a page or another object, and its count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import render_template
from sqlalchemy.orm import Session

from rse_core.api import (
    ContentInfo,
    Mode,
    ObjectRef,
    Reason,
    RseError,
    SlotItem,
    Viewer,
    can,
    core_of,
    option,
    seen,
    translator,
    utcnow,
)
from rse_core.policy import can_many
from rse_core.webapi import Cursor, KeptMarkup, charter_boxes, core, decode_cursor, encode_cursor

from . import access, counting, reading
from .consumers import digest

_t = translator(__file__, "rse_comments")
_ = _t.gettext
#: Threads in one answer: each costs its own fixed number of queries.
THREADS = 5
#: Counts and links: a feed shows the same ones to everybody.
_kept = KeptMarkup()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked of the thread: an order, a place in it, one open form, a comment to show."""

    sort: str | None = None
    after: tuple[int, ...] | None = None
    reply: int | None = None
    edit: int | None = None
    delete: int | None = None
    linked: int | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not taken: why, what was typed into it, and which it was, so that nothing is lost.

    :param form: ``new``, ``reply``, ``edit``, ``delete`` or ``close``.
    :param number: the comment that it is about.
    """

    error: RseError
    typed: Mapping[str, str]
    form: str
    number: int | None

    def stands(self, page: reading.ThreadPage, may_write: bool, may_close: bool) -> bool:
        """Whether this form is still among what the person is shown."""
        if self.form == "close":
            return may_close
        if self.form == "new":
            return may_write
        shown = {one.id: one for top in page.comments for one in (top, *top.replies)}
        one = shown.get(self.number or 0)
        if one is None:
            return False
        if self.form == "delete":
            return one.mine or one.moderated
        return may_write and (one.mine if self.form == "edit" else one.state == "published")


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup of these objects' threads, or of their counts (those in one query).

    ``comment_count`` leads to the thread's own page; ``comment-count``, for lists of objects that have a page of ours, to
    the thread on that page, and invites to comment where there is none yet.
    """
    if slot not in ("comments", "comment_count", "comment-count"):
        return []
    types = core_of(session).plugins.content_types
    wanted = [ref for ref in refs if ref.type in types and types[ref.type].commentable]
    if slot == "comment_count":
        return _counts(session, wanted, viewer)
    infos = seen(session, viewer.person_id, wanted)
    if slot == "comment-count":
        return _links(session, infos, viewer)
    made = []
    for ref in [ref for ref in wanted if ref in infos][:THREADS]:
        item = thread_item(session, ref, infos[ref], viewer)
        if item is not None:
            made.append(item)
    return made


def _counts(session: Session, refs: Sequence[ObjectRef], viewer: Viewer) -> list[SlotItem]:
    """The counts, in one query; a link where the thread is shown too."""
    shows = core_of(session).settings.inform_shows
    # A board asks for hundreds, of which few have any: the others are not looked up. A page may go by another address.
    counted = counting.counts(session, [ref for ref in refs if ref.type != "page"])
    infos = seen(session, viewer.person_id, [ref for ref in refs if ref.type == "page" or (counted and counted.get(ref))])
    counted |= counting.counts(session, [info.ref for info in infos.values() if info.ref not in counted])
    decisions = can_many(session, viewer.person_id, access.WRITE, list(infos.values()))
    made = []
    for (ref, info), decision in zip(infos.items(), decisions, strict=True):
        effective, required = decision.effective_level, decision.required_level
        opens = shows == "all" or (effective is not None and required is not None and effective >= required)
        count = counted.get(info.ref, 0)
        if count and (opens or shows == "counts") and decision.reason is not Reason.PLUGIN_OFF:
            made.append(SlotItem(ref, _count(info.ref, count, opens), order=20))
    return made


def _count(ref: ObjectRef, count: int, opens: bool) -> str:
    """The same for all who may read the thread; a list of objects asks for many."""
    return _kept((ref, count, opens), lambda: render_template("rse/comments/count.html", ref=ref, count=count, opens=opens))


def _link(where: str, count: int) -> str:
    """The same for all, as :func:`_count`."""
    return _kept(("link", where, count), lambda: render_template("rse/comments/link.html", where=where, count=count))


def _links(session: Session, infos: Mapping[ObjectRef, ContentInfo], viewer: Viewer) -> list[SlotItem]:
    """Links to the threads on the objects' own pages: with a number, or an invitation for who may write there."""
    shows = core_of(session).settings.inform_shows
    counted = counting.counts(session, [info.ref for info in infos.values()])
    decisions = can_many(session, viewer.person_id, access.WRITE, list(infos.values()))
    made = []
    for (ref, info), decision in zip(infos.items(), decisions, strict=True):
        effective, required = decision.effective_level, decision.required_level
        opens = shows == "all" or (effective is not None and required is not None and effective >= required)
        count = counted.get(info.ref, 0)
        may_write = decision.allowed and info.state == "published"
        if decision.reason is not Reason.PLUGIN_OFF and (may_write or (count and (opens or shows == "counts"))):
            where = f"{info.url}#rse-comments-{digest(info.ref)}" if opens or may_write else ""
            made.append(SlotItem(ref, _link(where, count), order=20))
    return made


def thread_item(
    session: Session, ref: ObjectRef, info: ContentInfo, viewer: Viewer, *, refused: Refused | None = None
) -> SlotItem | None:
    """One thread; None when there is nothing to show or to do."""
    person_id = viewer.person_id
    if not access.shown_to(session, person_id, info):
        return None
    decision = can(session, person_id, access.WRITE, access.target_of(info))
    if decision.reason in (Reason.UNKNOWN_OBJECT, Reason.PLUGIN_OFF):
        return None
    asked = read_params(viewer.params, info.ref)
    page = reading.page(session, person_id, info, sort=asked.sort, after=asked.after, linked=asked.linked)
    count = counting.counts(session, [info.ref]).get(info.ref, 0)
    # Who has only the charter still to accept writes: its boxes stand in the form.
    may_write = (decision.allowed or decision.reason is Reason.CHARTER) and not page.closed
    may_close = page.moderator or (
        info.author_id is not None and access.may_moderate(session, person_id, info, info.author_id)
    )
    # Somebody who moderates must be able to open again what is closed; otherwise an empty thread is not there.
    if not page.comments and not may_write and not (may_close and page.thread):
        return None
    unsent = None
    if refused is not None and not refused.stands(page, may_write, may_close):
        asked = Asked()
        if refused.form in ("new", "reply") and may_write:
            # What was answered is gone; the text can still be sent, as a comment of its own.
            refused = Refused(refused.error, {**refused.typed, "parent": ""}, "new", None)
        else:
            unsent, refused = refused, None
    shown = [reply.ref for top in page.comments for reply in (top, *top.replies) if reply.state == "published"]
    bars = {item.ref: item.html for item in core_of(session).plugins.slot_items("reactions", shown, viewer, session)}
    others = [one.ref for top in page.comments for one in (top, *top.replies) if one.state == "published" and not one.mine]
    reports = {item.ref: item.html for item in core_of(session).plugins.slot_items("report", others, viewer, session)}
    composing = core_of(session).plugins.slot_items("composer", [info.ref], viewer, session) if may_write else []
    beside = "".join(item.html for item in composing)
    html = render_template(
        "rse/comments/thread.html",
        ref=info.ref,
        place=digest(info.ref),
        page=page,
        count=count,
        asked=asked,
        may_write=may_write,
        may_close=may_close,
        local=local,
        unsent=unsent,
        review=decision.mode is Mode.REVIEW,
        charter=charter_boxes(info.space_id) if may_write and decision.reason is Reason.CHARTER else "",
        beside=beside,
        bars=bars,
        reports=reports,
        more=encode_cursor(core().settings, Cursor(scope(info.ref, page.sort), page.after)) if page.after else None,
        sorts={"newest": _("Newest first"), "oldest": _("Oldest first"), "best": _("Best first")},
        edit_minutes=option(session, "comments.edit_minutes"),
        viewer=viewer,
        editable=editable,
        refused=refused,
    )
    new = 0
    if asked.since is not None:
        new = reading.newer_than(session, info, asked.since, person_id)
    label = _t.ngettext("%(num)s new comment", "%(num)s new comments", new) if new else ""
    return SlotItem(ref, html, order=20, stale_label=label)


def local(when: dt.datetime | None) -> str:
    """A time as a field of a form has it, in the site's time zone."""
    return when.astimezone(ZoneInfo(core().settings.timezone)).strftime("%Y-%m-%dT%H:%M") if when else ""


def editable(one: reading.Shown, minutes: int) -> bool:
    """Whether the time for editing is not over."""
    return not minutes or utcnow() < one.created_at + dt.timedelta(minutes=minutes)


def read_params(params: Mapping[str, str], ref: ObjectRef) -> Asked:
    """The thread's parameters; one that makes no sense is left out, as an old link should still show the thread."""
    sort = params.get("sort") if params.get("sort") in reading.SORTS else None
    after: tuple[int, ...] | None = None
    if params.get("after"):
        for order in [sort] if sort else reading.SORTS:
            try:
                found = decode_cursor(core().settings, params["after"], scope(ref, order or "")).after
            except RseError:
                continue
            sort, after = order, tuple(int(value) for value in found)
    anchor = params.get("anchor", "").removeprefix("rse-comment-")
    return Asked(
        sort, after, _int(params.get("reply")), _int(params.get("edit")), _int(params.get("delete")), _int(anchor),
        _int(params.get("since")),
    )  # fmt: skip


def scope(ref: ObjectRef, sort: str) -> str:
    # Short: the cursor that it is signed into travels as a parameter of the slot.
    return f"comments:{digest(ref)}:{sort}"


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
