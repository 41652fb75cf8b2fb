"""Forms of posts: write, edit, delete. Each works alone; a refused one comes back with what was typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from rse_core import files, mentions, preferences
from rse_core.api import (
    BadInput,
    Conflict,
    Forbidden,
    NotFound,
    ObjectRef,
    RseError,
    TooMany,
    can,
    option,
    resolve,
    translator,
)
from rse_core.models.organisation import Entity
from rse_core.roles import administers
from rse_core.webapi import (
    TakenFiles,
    allow_files,
    core,
    require_person,
    return_to,
    session_read,
    session_write,
    take_files,
)

from . import access, drafting, moments, publishing, reach, reading, texts, topics, whom
from .link_views import link_of
from .models import Post
from .texts import Written
from .views import blueprint

_ = translator(__file__, "rse_feed").gettext
#: Errors that a form answers with itself and what was typed; all others have a page of their own.
KEPT = (BadInput, Conflict, Forbidden, TooMany)
ZONE = "feed.zone"
_TYPED = (
    "title", "body", "audience", "topics", "link", "link_title", "link_description", "link_site", "entity", "publish_at",
    "publish_zone", "acknowledge_by", "announcement", "must_read", "firm", "version", "page", "draft",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """A form to show: what stands in its fields, and why it is shown again."""

    typed: Mapping[str, str]
    post: Post | None = None
    error: RseError | None = None
    keys: Sequence[str] = ()
    alts: Mapping[str, str] = field(default_factory=dict)


@blueprint.get("/compose")
def compose() -> BaseResponse:
    """The form for a new post; ``space`` chooses that space, ``page`` shares a page of the intranet."""
    person = require_person()
    with session_read() as session:
        offered = whom.choices(session, person.id)
        chosen = whom.default(offered, request.args.get("space") or None) or whom.default(offered)
        typed = {"body": request.args.get("text", "")[:2_000], "audience": chosen.key if chosen else ""}
        typed |= _shared(session, person.id, request.args.get("page", ""))
        return _form(session, person.id, _Asked(typed), offered)


@blueprint.post("/compose/more")
def more() -> BaseResponse:
    """The whole form, with what was typed into the short one."""
    person = require_person()
    with session_read() as session:
        return _form(session, person.id, _Asked(_typed()), whom.choices(session, person.id))


@blueprint.post("/compose/preview")
@blueprint.post("/posts/<int:post_id>/preview")
@allow_files
def preview(post_id: int | None = None) -> BaseResponse:
    """The form again, with the title and the description of the link in it: only now is anything asked of that address."""
    person = require_person()
    taken = TakenFiles([])
    try:
        taken = take_files("files")
        found = link_of(person.id, request.form.get("link", ""))
    except KEPT as error:
        return _refused(person.id, error, taken, post_id)
    kept = {f"link_{name}": found.get(name, "") for name in ("title", "description", "site")}
    typed = {**_typed(), **kept, "link": found["url"], "page": found.get("page", "")}
    with session_read() as session:
        post = None if post_id is None else _own(session, person.id, post_id)
        asked = _Asked(typed, post, None, taken.keys, taken.alts)
        return _form(session, person.id, asked, whom.choices(session, person.id))


@blueprint.post("/compose")
@allow_files
def write() -> BaseResponse:
    """Publish a new post, plan it, or keep it as a draft."""
    person = require_person()
    taken = TakenFiles([])
    try:
        taken = take_files("files")
        written = _written(taken)
        with session_write() as session:
            kept = drafting.write(session, person.id, written, key=request.form.get("idempotency_key") or None)
            _remember_zone(session, person.id, written)
    except KEPT as error:
        return _refused(person.id, error, taken)
    return _saved(kept)


@blueprint.get("/posts/<int:post_id>/edit")
def edit_form(post_id: int) -> BaseResponse:
    """The form with what the post says now."""
    person = require_person()
    with session_read() as session:
        found = _own(session, person.id, post_id)
        return _form(session, person.id, _Asked(_stands(session, found), found), whom.choices(session, person.id))


@blueprint.post("/posts/<int:post_id>/edit")
@allow_files
def edit(post_id: int) -> BaseResponse:
    """Change one's own post."""
    person = require_person()
    taken = TakenFiles([])
    try:
        taken = take_files("files")
        version = request.form.get("version", "")
        written = _written(taken)
        with session_write() as session:
            kept = drafting.edit(
                session, person.id, post_id, written, version=int(version) if version.isdecimal() and len(version) < 9 else 0
            )
            _remember_zone(session, person.id, written)
    except KEPT as error:
        return _refused(person.id, error, taken, post_id)
    return _saved(kept)


@blueprint.route("/posts/<int:post_id>/delete", methods=["GET", "POST"])
def delete(post_id: int) -> BaseResponse:
    """Delete one's own post, or another's as a moderator, with a reason. The page asks first."""
    person = require_person()
    error: RseError | None = None
    if request.method == "POST":
        version = request.form.get("version", "")
        try:
            with session_write() as session:
                publishing.delete(
                    session, person.id, post_id, reason=request.form.get("reason", ""),
                    version=int(version) if version.isdecimal() and len(version) < 9 else None,
                )  # fmt: skip
            flash(_("The post was deleted."))
            return redirect(url_for(".feed"), 303)
        except (BadInput, Conflict) as refusal:
            error = refusal
    with session_read() as session:
        access.readable(session, person.id, post_id)
        line = reading.one(session, person.id, post_id)
        if not line.rights.delete:
            raise Forbidden(_("You can delete your own posts only."))
        html = render_template(
            "rse/feed/delete.html", line=line, error=error, fields=getattr(error, "fields", None) or {},
            reason=request.form.get("reason", ""),
        )  # fmt: skip
    return Response(html, status=error.status if error else 200)


@blueprint.get("/names")
def names() -> BaseResponse:
    """People to name in a post, as one types: only those for whom it is."""
    person = require_person()
    with session_read() as session:
        choice = whom.find(session, person.id, request.args.get("audience", ""))
        if not whom.may_post(session, person.id, choice):
            # Names are for those who may write here; nobody walks the directory through this.
            return jsonify([])
        cards = mentions.suggest(
            session, choice.audience_id, request.args.get("q", "")[:60], viewer_id=person.id,
            may=lambda other: can(session, other, access.READ, choice.target).allowed,
        )  # fmt: skip
    answer = jsonify([{"username": one.username, "name": one.display_name, "entity": one.entity_name} for one in cards])
    answer.headers["Cache-Control"] = "private, max-age=30"
    return answer


# -- what a form says ----------------------------------------------------------------------------------------------------


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in _TYPED}


def _written(taken: TakenFiles) -> Written:
    form = request.form
    full = form.get("form") == "full"
    zone = form.get("publish_zone", "").strip() or core().settings.timezone
    link: Mapping[str, str] | None = None
    if full or form.get("link"):
        link = {
            "url": form.get("link", "").strip(), "title": form.get("link_title", ""),
            "description": form.get("link_description", ""), "site": form.get("link_site", ""), "page": form.get("page", ""),
        }  # fmt: skip
    chosen = tuple(name for name in form.get("topics", "").split(",") if name.strip()) if "topics" in form else None
    return Written(
        body=form.get("body", ""), title=form.get("title", ""), audience=form.get("audience", ""),
        act=form.get("act", "publish"), publish_at=form.get("publish_at", ""), publish_zone=zone,
        files=tuple(taken.keys), alts=taken.alts, link=link, entity=form.get("entity", ""), topics=chosen,
        announcement=form.get("announcement") == "1", must_read=form.get("must_read") == "1", firm=form.get("firm") == "1",
        acknowledge_by=_until(form.get("acknowledge_by", ""), zone), widen=form.get("widen") == "1",
    )  # fmt: skip


def _until(text: str, zone: str) -> dt.datetime | None:
    """The end of a day on the clock of a zone."""
    if not text.strip():
        return None
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError:
        message = _("“%(text)s” is not a date.", text=text[:40])
        raise BadInput(message, fields={"acknowledge_by": message}) from None
    return dt.datetime.combine(day, dt.time(23, 59), moments.zone(zone)).astimezone(dt.UTC)


def _stands(session: Session, post: Post) -> dict[str, str]:
    """What a post says now, as the fields of the form have it."""
    zone = post.publish_zone or core().settings.timezone
    link = post.link or {}
    worded = {topics.key_of(word) for word in topics.words(post.body)}
    about = [one.name for one in topics.of(session, [post.id]).get(post.id, []) if one.key not in worded]
    until = "" if post.acknowledge_by is None else post.acknowledge_by.astimezone(moments.zone(zone)).date().isoformat()
    return {
        "title": post.title, "body": post.body, "version": str(post.version), "topics": ", ".join(about),
        "audience": whom.key_of(session, post.audience_id, post.space_id), "link": link.get("url", ""),
        "link_title": link.get("title", ""), "link_description": link.get("description", ""),
        "link_site": link.get("site", ""), "page": link.get("page", ""),
        "entity": session.scalar(select(Entity.key).where(Entity.id == post.entity_id)) or "" if post.entity_id else "",
        "publish_at": moments.local(post.publish_at, zone), "publish_zone": zone, "acknowledge_by": until,
        "announcement": "1" if post.announcement else "", "must_read": "1" if post.must_read else "",
        "firm": "1" if post.firm else "",
    }  # fmt: skip


def _shared(session: Session, person_id: int, ident: str) -> dict[str, str]:
    """A page of the intranet as what a post links to; nothing of it is fetched."""
    if not ident:
        return {}
    ref = ObjectRef("page", ident[:500])
    info = resolve(session, [ref]).get(ref)
    if info is None or not can(session, person_id, access.READ, info):
        raise NotFound(_("There is no such page to share."))
    return {"link": info.url, "link_title": info.title, "page": info.ref.id}


# -- what is answered ----------------------------------------------------------------------------------------------------


def _form(session: Session, person_id: int, asked: _Asked, offered: Sequence[whom.Choice]) -> Response:
    post = asked.post
    if not offered and asked.error is None and post is None:
        raise access.refused(can(session, person_id, access.POST))
    kept = list(files.of(session, [access.ref_of(post.id)]).get(access.ref_of(post.id), ())) if post else []
    loose = [key for key in asked.keys if key not in {info.key for info in kept}]
    if asked.error is not None:
        kept = [info for info in kept if info.key in asked.keys]
    kept += files.loose(session, person_id, loose) if loose else []
    announces = [one.label for one in offered if access.may_announce(session, person_id, one.target)]
    entities = _entities(session, person_id) if announces else []
    zone = asked.typed.get("publish_zone") or preferences.get(session, person_id, ZONE) or core().settings.timezone
    line = reading.one(session, person_id, post.id) if post and isinstance(asked.error, Conflict) else None
    chosen = next((one for one in offered if one.key == asked.typed.get("audience", "")), None)
    told = reach.told(reach.of(session, chosen.audience_id, space_id=chosen.space_id)) if chosen else None
    html = render_template(
        "rse/feed/compose.html", told=told, typed=asked.typed, offered=offered, post=post, infos=kept,
        error=asked.error, zone=zone,
        announces=announces, entities=entities, title_wanted=option(session, texts.TITLE),
        most=option(session, texts.LENGTH), current=line, fields=getattr(asked.error, "fields", None) or {},
        chosen=chosen,
    )  # fmt: skip
    return Response(html, status=asked.error.status if asked.error else 200)


def _entities(session: Session, person_id: int) -> list[tuple[str, str]]:
    """The entities in whose name this person may post: their own and those above, as far as they administer them."""
    policy = core().policy
    facts = policy.person(person_id)
    path = policy.snapshot().paths.get(facts.entity_id or 0, ()) if facts else ()
    if not path or facts is None or not facts.roles:
        return []
    rows = session.execute(select(Entity.id, Entity.key, Entity.name).where(Entity.id.in_(path)))
    return [(row.key, row.name) for row in rows if administers(session, person_id, row.id)]


def _refused(person_id: int, error: RseError, taken: TakenFiles, post_id: int | None = None) -> Response:
    typed = _typed()
    with session_read() as session:
        post = None
        if post_id is not None:
            try:
                post = _own(session, person_id, post_id)
            except (NotFound, Forbidden):
                raise error from None
            if isinstance(error, Conflict):
                # The other version stands beside the form; what is sent next is compared with that one.
                typed["version"] = str(post.version)
        asked = _Asked(typed, post, error, taken.keys, taken.alts)
        return _form(session, person_id, asked, whom.choices(session, person_id))


def _own(session: Session, person_id: int, post_id: int) -> Post:
    found = access.readable(session, person_id, post_id)
    if not access.is_own(session, person_id, found):
        raise Forbidden(_("You can edit your own posts only."))
    if found.state not in access.EDITABLE:
        raise Forbidden(_("This post can no longer be edited."))
    return found


def _remember_zone(session: Session, person_id: int, written: Written) -> None:
    if written.act == "schedule" and written.publish_zone:
        preferences.put(session, person_id, ZONE, written.publish_zone)


def _saved(kept: drafting.Kept) -> BaseResponse:
    said: dict[str, Any] = {
        "published": _("Your post is published."),
        "pending": _("Your post waits for a moderator."),
        "scheduled": _("Your post is planned."),
        "draft": _("Your draft is kept."),
    }
    flash(" ".join(filter(None, (said.get(kept.post.state, _("Saved.")), kept.said))))
    if request.form.get("form") == "short":
        return redirect(return_to(url_for(".feed")), 303)
    if kept.post.state in ("published", "pending"):
        return redirect(url_for(".post", post_id=kept.post.id), 303)
    return redirect(url_for(".mine"), 303)
