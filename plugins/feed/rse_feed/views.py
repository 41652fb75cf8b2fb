"""Pages and forms of the feed. Every form works alone; a refused one comes back with what was typed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core import files, mentions
from rse_core.api import BadInput, Conflict, Forbidden, NotFound, RseError, TooMany, can, translator
from rse_core.webapi import (
    Cursor,
    CursorError,
    allow_files,
    core,
    current_person_id,
    decode_cursor,
    encode_cursor,
    require_person,
    session_read,
    session_write,
    slot_markup,
    take_files,
)

from . import access, drafting, publishing, reading, whom
from .models import Post
from .texts import Written
from .walking import Place, Wanted

_t = translator(__file__, "rse_feed")
_ = _t.gettext
blueprint = Blueprint("rse_feed", __name__, url_prefix="/feed", template_folder="templates", static_folder="static")
#: Errors that a form answers with itself and what was typed; all others have a page of their own.
KEPT = (BadInput, Conflict, Forbidden, TooMany)
FIELDS = ("title", "body", "audience", "publish_at", "topics")


@blueprint.get("/")
def feed() -> BaseResponse:
    """The personal feed."""
    person = require_person()
    with session_read() as session:
        access_to_feed(session, person.id)
        sort = reading.sort_of(session, person.id, request.args.get("sort", ""))
        wanted = reading.wanted_of(session, person.id, sort=sort, kind=request.args.get("kind", "all"))
        values = list_values(session, person.id, wanted, after=request.args.get("after", ""))
        offered = whom.choices(session, person.id)
        chosen = whom.default(offered)
        html = render_template(
            "rse/feed/feed.html", wanted=wanted, offered=offered, chosen=chosen.key if chosen else "", typed={}, **values
        )
    return Response(html)


@blueprint.post("/sort")
def sort() -> BaseResponse:
    """Remember the order in which a person reads."""
    person = require_person()
    with session_write() as session:
        reading.remember_sort(session, person.id, request.form.get("sort", ""))
    return redirect(url_for(".feed"), 303)


@blueprint.get("/new")
def news() -> BaseResponse:
    """How many posts came since; cheap, and conditional."""
    person = require_person()
    try:
        since = dt.datetime.fromtimestamp(float(request.args.get("since", "")), dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise BadInput(_("“since” is not a time."), remedy=_("Send seconds since 1970.")) from None
    with session_read() as session:
        count = reading.news(session, person.id, since)
    label = _t.ngettext("%(num)s new post", "%(num)s new posts", count) if count else ""
    answer = jsonify({"count": count, "label": label})
    answer.set_etag(hashlib.blake2b(answer.get_data(), digest_size=9).hexdigest())
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer.make_conditional(request)


@blueprint.get("/posts/<int:post_id>")
def post(post_id: int) -> Response:
    """One post with its reactions and comments."""
    with session_read() as session:
        person_id = require_person().id
        found = access.readable(session, person_id, post_id)
        line = reading.one(session, person_id, found)
        html = render_template(
            "rse/feed/post.html", line=line, post=found,
            reactions=slot_markup(session, "reactions", [line.ref]).get(line.ref, ""),
            comments=slot_markup(session, "comments", [line.ref]).get(line.ref, ""),
        )  # fmt: skip
    return Response(html)


@blueprint.get("/mine")
def mine() -> Response:
    """One's own posts that others do not see yet, or no longer."""
    person = require_person()
    after = request.args.get("after", "")
    with session_read() as session:
        rows = reading.mine(session, person.id, after=int(after) if after.isdecimal() and len(after) < 19 else None)
        html = render_template("rse/feed/mine.html", rows=rows, more=len(rows) == reading.PAGE)
    return Response(html)


@blueprint.get("/posts/<int:post_id>/history")
def history(post_id: int) -> Response:
    """What a post said before; for its author and those who moderate it."""
    person = require_person()
    with session_read() as session:
        found, before = drafting.revisions(session, person.id, post_id)
        return Response(render_template("rse/feed/history.html", post=found, before=before))


@blueprint.get("/compose")
def compose() -> Response:
    """The form for a new post; ``space`` chooses the space before the author does."""
    person = require_person()
    with session_read() as session:
        offered = whom.choices(session, person.id)
        if not offered:
            decision = can(session, person.id, access.POST)
            raise Forbidden(str(decision.message), decision=decision)
        chosen = whom.default(offered, request.args.get("space") or None) or offered[0]
        typed = {"audience": chosen.key, "body": request.args.get("text", "")[:2000]}
        return _form(session, person.id, typed, offered=offered)


@blueprint.post("/compose")
@allow_files
def write() -> BaseResponse:
    """Publish a new post, plan it, or keep it as a draft."""
    person = require_person()
    keys: list[str] = []
    try:
        written, keys = _written()
        with session_write() as session:
            kept = drafting.write(session, person.id, written, key=request.form.get("idempotency_key") or None)
    except KEPT as error:
        return _refused(person.id, error, keys)
    return _saved(kept)


@blueprint.get("/posts/<int:post_id>/edit")
def edit_form(post_id: int) -> Response:
    """The form with what the post says now."""
    person = require_person()
    with session_read() as session:
        found = access.readable(session, person.id, post_id)
        if found.author_id != person.id:
            raise Forbidden(_("You can edit your own posts only."))
        typed = {
            "title": found.title, "body": found.body, "version": str(found.version),
            "audience": whom.key_of(session, found.audience_id, found.space_id),
        }  # fmt: skip
        return _form(session, person.id, typed, post=found)


@blueprint.post("/posts/<int:post_id>/edit")
@allow_files
def edit(post_id: int) -> BaseResponse:
    """Change one's own post."""
    person = require_person()
    keys: list[str] = []
    try:
        version = request.form.get("version", "")
        written, keys = _written()
        with session_write() as session:
            kept = drafting.edit(
                session, person.id, post_id, written, version=int(version) if version.isdecimal() else 0
            )  # fmt: skip
    except KEPT as error:
        return _refused(person.id, error, keys, post_id=post_id)
    return _saved(kept)


@blueprint.post("/posts/<int:post_id>/delete")
def delete(post_id: int) -> BaseResponse:
    """Delete one's own post, or another's as a moderator, with a reason."""
    person = require_person()
    version = request.form.get("version", "")
    with session_write() as session:
        publishing.delete(
            session, person.id, post_id, reason=request.form.get("reason", ""),
            version=int(version) if version.isdecimal() else None,
        )  # fmt: skip
    flash(_("The post was deleted."))
    return redirect(url_for(".feed"), 303)


@blueprint.get("/names")
def names() -> Response:
    """People to name in a post, as one types: only those for whom it is."""
    person = require_person()
    with session_read() as session:
        choice = whom.find(session, person.id, request.args.get("audience", ""))
        if not whom.may_post(session, person.id, choice):
            return jsonify([])
        cards = mentions.suggest(session, choice.audience_id, request.args.get("q", "")[:60])
    return jsonify([{"username": one.username, "name": one.display_name, "entity": one.entity_name} for one in cards])


# -- shared --------------------------------------------------------------------------------------------------------------


def access_to_feed(session: Session, person_id: int) -> None:
    """:raises Forbidden: with the decision, for somebody who reads nowhere."""
    if core().policy.open_audiences(session, person_id, access.READ):
        return
    decision = can(session, person_id, access.READ)
    if not decision.allowed:
        raise Forbidden(str(decision.message), decision=decision)


def list_values(session: Session, person_id: int, wanted: Wanted, *, after: str = "") -> dict[str, Any]:
    """What the list of entries is rendered from: lines, the slots of all of them, and where it goes on."""
    scope = f"feed:{person_id}:{wanted.sort}:{wanted.space_id}:{wanted.kind}"
    page = reading.page(session, person_id, wanted, before=_key(after, scope))
    refs = [line.ref for line in page.lines if line.post_id is not None]
    more = ""
    if page.next is not None:
        more = encode_cursor(core().settings, Cursor(scope, (page.next[0].isoformat(), page.next[1])))
    return {
        "lines": page.lines, "more": more, "first": not after,
        "reactions": slot_markup(session, "reactions", refs), "counts": slot_markup(session, "comment_count", refs),
        "since": f"{page.lines[0].at.timestamp():.3f}" if page.lines and wanted.sort == "new" else "",
    }  # fmt: skip


def _key(text: str, scope: str) -> Place | None:
    if not text:
        return None
    moment, ident = decode_cursor(core().settings, text, scope).after
    try:
        return dt.datetime.fromisoformat(str(moment)), int(ident)
    except ValueError:
        raise CursorError(_("The cursor does not belong to this list.")) from None


def _written() -> tuple[Written, list[str]]:
    """What the form says, and the keys of its files."""
    taken = take_files("files")
    form = request.form
    title = form.get("title", "")
    return Written(
        body=form.get("body", ""), title=title, audience=form.get("audience", ""), act=form.get("act", "publish"),
        publish_at=form.get("publish_at", ""), publish_zone=core().settings.timezone, files=tuple(taken.keys),
        alts=taken.alts, announcement=form.get("announcement") == "1", must_read=form.get("must_read") == "1",
        widen=form.get("widen") == "1",
    ), taken.keys  # fmt: skip


def _form(
    session: Session, person_id: int, typed: Mapping[str, str], *, post: Post | None = None,
    offered: list[whom.Choice] | None = None, error: RseError | None = None, keys: list[str] | None = None,
) -> Response:  # fmt: skip
    offered = whom.choices(session, person_id) if offered is None else offered
    kept = list(files.of(session, [access.ref_of(post.id)]).get(access.ref_of(post.id), ())) if post else []
    if keys:
        kept += [info for info in files.loose(session, person_id, keys) if info.key not in {one.key for one in kept}]
    html = render_template(
        "rse/feed/compose.html", typed=typed, offered=offered, post=post, infos=kept, error=error,
        announces=[one.key for one in offered if access.may_announce(session, person_id, one.target)],
        fields=getattr(error, "fields", None) or {},
    )  # fmt: skip
    return Response(html, status=error.status if error else 200)


def _refused(person_id: int, error: RseError, keys: list[str], post_id: int | None = None) -> Response:
    typed = {name: request.form.get(name, "") for name in (*FIELDS, "version", "announcement", "must_read")}
    with session_read() as session:
        post = None
        if post_id is not None:
            try:
                post = access.readable(session, person_id, post_id)
            except NotFound:
                raise error from None
            if isinstance(error, Conflict):
                # The other version can be read beside the form; what is sent next is compared with that one.
                typed["version"] = str(post.version)
        return _form(session, person_id, typed, post=post, error=error, keys=keys)


def _saved(kept: drafting.Kept) -> BaseResponse:
    said = {
        "published": _("Your post is published."), "pending": _("Your post waits for a moderator."),
        "scheduled": _("Your post is planned."), "draft": _("Your draft is kept."),
    }  # fmt: skip
    flash(" ".join(filter(None, (said.get(kept.post.state, _("Saved.")), kept.said))))
    if kept.post.state in ("published", "pending"):
        return redirect(url_for(".post", post_id=kept.post.id), 303)
    return redirect(url_for(".mine"), 303)


def viewer_id() -> int | None:
    """Who looks, or nobody."""
    return current_person_id()
