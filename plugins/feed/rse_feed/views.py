"""Pages of the feed: the list, one post, one's own posts, what is new. The forms are in :mod:`composing`."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core import audiences, spaces
from rse_core.api import NotFound, ObjectRef, Target, can, translator
from rse_core.models.organisation import Space
from rse_core.people import card
from rse_core.webapi import (
    Cursor,
    CursorError,
    core,
    decode_cursor,
    encode_cursor,
    require_person,
    return_to,
    session_read,
    session_write,
    slot_markup,
)

from . import access, acting, announcements, drafting, places, reading, whom
from .reading import Line, Place, Wanted

_t = translator(__file__, "rse_feed")
_ = _t.gettext
blueprint = Blueprint("rse_feed", __name__, url_prefix="/feed", template_folder="templates", static_folder="static")


@blueprint.get("/")
def feed() -> BaseResponse:
    """The personal feed."""
    person = require_person()
    with session_read() as session:
        require_reading(session, person.id)
        wanted = reading.wanted_of(
            session, person.id, sort=reading.sort_of(session, person.id, request.args.get("sort", "")),
            kind=request.args.get("kind", "all"),
        )  # fmt: skip
        values = list_values(session, person.id, wanted, after=request.args.get("after", ""))
        offered = whom.choices(session, person.id) if values["first"] else []
        default = whom.default(offered)
        chosen = default.key if default else ""
        html = render_template(
            "rse/feed/feed.html", wanted=wanted, offered=offered, chosen=chosen,
            options=whom.options(session, person.id, chosen) if offered else "",
            waiting=announcements.waiting(session, person.id), **values,
        )
    return Response(html)


@blueprint.post("/sort")
def sort() -> BaseResponse:
    """Remember how a person reads: the order, and whether they want everything."""
    person = require_person()
    everything = request.form.get("everything")
    with session_write() as session:
        reading.remember(
            session, person.id, sort=request.form.get("sort"), everything=None if everything is None else everything == "1"
        )
    return redirect(return_to(url_for(".feed")), 303)


@blueprint.get("/new")
def news() -> BaseResponse:
    """How many posts came since a page was read, as that page was narrowed; cheap, and conditional."""
    person = require_person()
    with session_read() as session:
        since, space_id, kind = since_of(request.args.get("since", ""), person.id)
        count = reading.news(session, person.id, since, wanted=Wanted(space_id=space_id, kind=kind))
    label = new_label(count)
    answer = jsonify({"count": count, "label": label})
    answer.set_etag(hashlib.blake2b(answer.get_data(), digest_size=9).hexdigest())
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer.make_conditional(request)


@blueprint.get("/posts/<int:post_id>")
def post(post_id: int) -> BaseResponse:
    """One post with its reactions and comments."""
    person = require_person()
    with session_read() as session:
        found = access.readable(session, person.id, post_id)
        line = reading.one(session, person.id, post_id)
        shown = found.state in access.OPEN
        html = render_template(
            "rse/feed/post.html", line=line, post=found, pinned=post_id in acting.pinned(session, [post_id]),
            asked=announcements.is_asked(session, person.id, found),
            keeper=None if found.owner_id is None else card(session, found.owner_id),
            reactions=slot_markup(session, "reactions", [line.ref]).get(line.ref, "") if shown else "",
            comments=slot_markup(session, "comments", [line.ref]).get(line.ref, "") if shown else "",
            report=slot_markup(session, "report", [line.ref]).get(line.ref, "") if shown and not line.rights.mine else "",
        )  # fmt: skip
    return Response(html)


@blueprint.get("/mine")
def mine() -> BaseResponse:
    """One's own posts that others do not see yet, or no longer."""
    person = require_person()
    after = request.args.get("after", "")
    with session_read() as session:
        rows, more = reading.mine(session, person.id, after=int(after) if after.isdecimal() and len(after) < 19 else None)
        html = render_template("rse/feed/mine.html", rows=rows, more=more, may_post=bool(whom.choices(session, person.id)))
    return Response(html)


@blueprint.get("/posts/<int:post_id>/history")
def history(post_id: int) -> BaseResponse:
    """What a post said before; for its author and those who moderate it."""
    person = require_person()
    with session_read() as session:
        found, before = drafting.revisions(session, person.id, post_id)
        return Response(render_template("rse/feed/history.html", post=found, before=before))


@blueprint.get("/spaces/<key>")
def of_space(key: str) -> BaseResponse:
    """The posts of one space, further than its own page shows them."""
    person = require_person()
    with session_read() as session:
        space = spaces.by_key(session, key)
        if space is None or not reads_in(session, person.id, space):
            raise NotFound(_("There is no such space."))
        sort = reading.sort_of(session, person.id, request.args.get("sort", ""))
        wanted = reading.wanted_of(session, person.id, sort=sort, space_id=space.id)
        values = list_values(session, person.id, wanted, after=request.args.get("after", ""))
        html = render_template(
            "rse/feed/older.html", space=space, url=f"{core().settings.url_prefix}/communities/{space.key}/",
            more_url=older_url(space.key, sort, values["more"]), **values,
        )  # fmt: skip
    return Response(html)


# -- shared --------------------------------------------------------------------------------------------------------------


def reads_in(session: Session, person_id: int, space: Space) -> bool:
    """Whether this person reads in the space."""
    audience = audiences.of_space(session, space.id)
    return can(session, person_id, access.READ, Target(audience, space_id=space.id)).allowed


def older_url(key: str, sort: str, cursor: str) -> str:
    """Where the posts of a space go on; "" at their end."""
    return url_for("rse_feed.of_space", key=key, sort=sort, after=cursor) if cursor else ""


def require_reading(session: Session, person_id: int) -> None:
    """:raises Forbidden: with the decision, for somebody who reads nowhere."""
    sight = places.of(session, person_id)
    if not sight.audiences and not sight.opened:
        decision = can(session, person_id, access.READ)
        raise access.refused(decision)


def list_values(
    session: Session, person_id: int, wanted: Wanted, *, after: str = "", most: int = reading.PAGE, slots: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """What a list of entries is rendered from: lines, the slots of all of them, where it goes on, and what "new" is measured
    from.

    :param after: a cursor that this function gave.
    :raises CursorError: for any other.
    """
    scope = scope_of(person_id, wanted)
    before, began = _place(after, scope)
    page = reading.page(session, person_id, wanted, before=before, most=most, pins=True)
    began = began or page.began or dt.datetime.now(dt.UTC)
    more = ""
    if page.next is not None:
        more = encode_cursor(core().settings, Cursor(scope, (_micro(page.next[0]), page.next[1], _micro(began))))
    return {
        "lines": page.lines, "pinned": page.pinned, "more": more, "first": not after,
        "since": since_text(person_id, began, wanted),
        **(slots_of(session, [*page.pinned, *page.lines]) if slots else {}),
    }  # fmt: skip


def slots_of(session: Session, shown: list[Line]) -> dict[str, dict[ObjectRef, Any]]:
    """Reactions and numbers of comments of these lines, in one call for all."""
    refs = [line.ref for line in shown]
    return {
        "reactions": dict(slot_markup(session, "reactions", refs)),
        "counts": dict(slot_markup(session, "comment-count", refs)),
    }


def scope_of(person_id: int, wanted: Wanted) -> str:
    """What a cursor of this list is bound to."""
    return f"feed:{person_id}:{wanted.sort}:{wanted.space_id}:{wanted.topic_id}:{wanted.kind}:{int(wanted.everything)}"


def since_text(person_id: int, began: dt.datetime, wanted: Wanted) -> str:
    """From when on "new posts" are counted, signed, with how the list was narrowed."""
    return encode_cursor(core().settings, Cursor(f"feed-new:{person_id}", (_micro(began), wanted.space_id, wanted.kind)))


def new_label(count: int) -> str:
    """What the bar says."""
    if count >= reading.NEW_MOST:
        return _("More than %(num)s new posts", num=str(reading.NEW_MOST - 1))
    return _t.ngettext("%(num)s new post", "%(num)s new posts", count) if count else ""


def since_of(text: str, person_id: int) -> tuple[dt.datetime, int | None, str]:
    """What :func:`since_text` wrote.

    :raises CursorError: for any other text.
    """
    moment, space_id, kind = _checked(decode_cursor(core().settings, text, f"feed-new:{person_id}").after, 3)
    return _moment(moment), space_id, str(kind)


def _place(text: str, scope: str) -> tuple[Place | None, dt.datetime | None]:
    if not text:
        return None, None
    at, ident, began = _checked(decode_cursor(core().settings, text, scope).after, 3)
    return (_moment(at), int(ident)), _moment(began)


def _checked(values: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    if len(values) != number:
        raise CursorError(_("The cursor does not belong to this list."), remedy=_("Begin again without a cursor."))
    return values


def _micro(moment: dt.datetime) -> int:
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def _moment(micro: Any) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=int(micro))


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
