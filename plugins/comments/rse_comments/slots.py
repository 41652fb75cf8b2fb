"""The thread under a page or another object, and its count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    resolve,
    translator,
    utcnow,
)
from rse_core.webapi import Cursor, core, decode_cursor, encode_cursor

from . import access, counting, reading
from .consumers import digest

_t = translator(__file__, "rse_comments")
_ = _t.gettext
#: Threads in one answer: each costs its own fixed number of queries.
THREADS = 5


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


def items(slot: str, refs: Sequence[ObjectRef], viewer: Viewer, session: Session) -> list[SlotItem]:
    """Markup of these objects' threads, or of their counts (those in one query)."""
    if slot not in ("comments", "comment_count"):
        return []
    types = core_of(session).plugins.content_types
    wanted = [ref for ref in refs if ref.type in types and types[ref.type].commentable]
    infos = {
        ref: info for ref, info in resolve(session, wanted).items() if info.state in ("published", "locked", "archived")
    }
    if slot == "comment_count":
        counted = counting.counts(session, [info.ref for info in infos.values()])
        return [
            SlotItem(ref, render_template("rse/comments/count.html", ref=info.ref, count=counted[info.ref]), order=20)
            for ref, info in infos.items()
            if counted.get(info.ref)
        ]
    made = []
    for ref in [ref for ref in wanted if ref in infos][:THREADS]:
        item = thread_item(session, ref, infos[ref], viewer)
        if item is not None:
            made.append(item)
    return made


def thread_item(
    session: Session, ref: ObjectRef, info: ContentInfo, viewer: Viewer, *, typed: Mapping[str, str] | None = None,
    problem: RseError | None = None,
) -> SlotItem | None:  # fmt: skip
    """One thread; None when there is nothing to show or to do.

    :param typed: what was typed into a form that was refused, so that nothing is lost.
    """
    person_id = viewer.person_id
    decision = can(session, person_id, access.WRITE, access.target_of(info))
    if decision.reason in (Reason.UNKNOWN_OBJECT, Reason.PLUGIN_OFF):
        return None
    asked = read_params(viewer.params, info.ref)
    page = reading.page(session, person_id, info, sort=asked.sort, after=asked.after, linked=asked.linked)
    count = counting.counts(session, [info.ref]).get(info.ref, 0)
    may_write = decision.allowed and not page.closed
    charter = decision.message if decision.reason is Reason.CHARTER and not page.closed else None
    if not page.comments and not may_write and not charter:
        return None
    shown = [reply.ref for top in page.comments for reply in (top, *top.replies) if reply.state == "published"]
    bars = {item.ref: item.html for item in core_of(session).plugins.slot_items("reactions", shown, viewer, session)}
    html = render_template(
        "rse/comments/thread.html",
        ref=info.ref,
        place=digest(info.ref),
        page=page,
        count=count,
        asked=asked,
        may_write=may_write,
        review=decision.mode is Mode.REVIEW,
        charter=charter,
        bars=bars,
        more=encode_cursor(core().settings, Cursor(_scope(info.ref, page.sort), page.after)) if page.after else None,
        sorts={"newest": _("Newest first"), "oldest": _("Oldest first"), "best": _("Best first")},
        max_length=option(session, "comments.max_length"),
        edit_minutes=option(session, "comments.edit_minutes"),
        viewer=viewer,
        editable=editable,
        typed=typed or {},
        problem=problem,
    )
    new = 0
    if asked.since is not None:
        new = reading.newer_than(session, info, asked.since, person_id)
    label = _t.ngettext("%(num)s new comment", "%(num)s new comments", new) if new else ""
    return SlotItem(ref, html, order=20, stale_label=label)


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
                found = decode_cursor(core().settings, params["after"], _scope(ref, order or "")).after
            except RseError:
                continue
            sort, after = order, tuple(int(value) for value in found)
    anchor = params.get("anchor", "").removeprefix("rse-comment-")
    return Asked(
        sort, after, _int(params.get("reply")), _int(params.get("edit")), _int(params.get("delete")), _int(anchor),
        _int(params.get("since")),
    )  # fmt: skip


def _scope(ref: ObjectRef, sort: str) -> str:
    return f"comments:{ref}:{sort}"[:200]


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
