"""Pages and forms of topics."""

from __future__ import annotations

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Forbidden, translator
from rse_core.webapi import (
    Cursor,
    actor,
    core,
    decode_cursor,
    encode_cursor,
    require_person,
    session_read,
    session_write,
)

from . import topics
from .views import list_values
from .walking import Wanted

_ = translator(__file__, "rse_feed").gettext
blueprint = Blueprint("rse_feed_topics", __name__, url_prefix="/feed/topics")
#: What a topic's name is pre-filled with when a form about it was refused.
KEPT = (BadInput, Conflict, Forbidden)


@blueprint.get("/")
def index() -> Response:
    """The topics that one may know of, by name."""
    person = require_person()
    followed = request.args.get("followed") == "1"
    scope = f"feed-topics:{person.id}:{followed}"
    text = request.args.get("after", "")
    with session_read() as session:
        after = decode_cursor(core().settings, text, scope).after if text else None
        rows, more = topics.page(session, person.id, after=after, followed=followed)
    onward = encode_cursor(core().settings, Cursor(scope, more)) if more else ""
    return Response(render_template("rse/feed/topics.html", rows=rows, more=onward, followed=followed))


@blueprint.get("/<key>")
def topic(key: str) -> Response:
    """The posts on one topic; ``space`` names that of a space."""
    return _page(key)


def _page(key: str, *, error: BadInput | Conflict | Forbidden | None = None, typed: str = "") -> Response:
    person = require_person()
    with session_read() as session:
        found = topics.find(session, person.id, key, request.args.get("space") or None)
        wanted = Wanted("new", topic_id=found.id)
        values = list_values(session, person.id, wanted, after=request.args.get("after", ""))
        manages = topics.may_manage(session, person.id, found)
        others = topics.mergeable(session, person.id, found) if manages else []
        html = render_template(
            "rse/feed/topic.html", topic=found, manages=manages, others=others, error=error, typed=typed,
            makes_global=manages and topics.may_make_global(session, person.id, found), **values,
        )  # fmt: skip
    return Response(html, status=error.status if error else 200)


@blueprint.get("/suggest")
def suggest() -> Response:
    """Topics that begin with what was typed, as JSON; only those one may know of."""
    person = require_person()
    space = request.args.get("space", "")
    with session_read() as session:
        found = topics.suggest(session, person.id, request.args.get("q", ""), space_key=space[:120])
    answer = jsonify([{"name": one.name, "key": one.key, "space": one.space_name} for one in found])
    answer.headers["Cache-Control"] = "private, max-age=30"
    return answer


@blueprint.post("/<int:topic_id>/follow")
def follow(topic_id: int) -> BaseResponse:
    """Be told of what is posted on it, or no longer."""
    person = require_person()
    with session_write() as session:
        found = topics.get(session, person.id, topic_id)
        if request.form.get("follow", "1") == "1":
            topics.follow(session, person.id, topic_id)
            flash(_("You are told of what is posted on “%(name)s”.", name=found.name))
        else:
            topics.unfollow(session, person.id, topic_id)
            flash(_("You no longer follow “%(name)s”.", name=found.name))
    return redirect(address(found), 303)


@blueprint.post("/<int:topic_id>/rename")
def rename(topic_id: int) -> BaseResponse:
    """Give it another name."""
    person = require_person()
    name = request.form.get("name", "")
    with session_read() as session:
        before = topics.get(session, person.id, topic_id)
    try:
        with session_write() as session:
            found = topics.rename(session, actor(), topic_id, name)
    except KEPT as error:
        return _page(before.key, error=error, typed=name)
    flash(_("The topic is called “%(name)s” now.", name=found.name))
    return redirect(address(found), 303)


@blueprint.post("/<int:topic_id>/merge")
def merge(topic_id: int) -> BaseResponse:
    """Make one topic of two."""
    into = request.form.get("into", "")
    with session_write() as session:
        found = topics.merge(session, actor(), topic_id, int(into) if into.isdecimal() and len(into) < 19 else 0)
    flash(_("The two topics are one now."))
    return redirect(address(found), 303)


@blueprint.post("/<int:topic_id>/global")
def make_global(topic_id: int) -> BaseResponse:
    """Make a space's topic one of the whole site."""
    with session_write() as session:
        found = topics.make_global(session, actor(), topic_id)
    flash(_("“%(name)s” is a topic of the whole site now.", name=found.name))
    return redirect(address(found), 303)


def address(topic: topics.Shown) -> str:
    """The topic's own page."""
    return url_for(".topic", key=topic.key, space=topic.space_key or None)
