"""Forms of what is done to a published post, the page before a move, confirmations, and the reach of an audience."""

from __future__ import annotations

import csv
import datetime as dt
import io
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, Forbidden, TooMany, translator
from rse_core.people import names
from rse_core.small_groups import figure
from rse_core.webapi import (
    Cursor,
    actor,
    core,
    decode_cursor,
    encode_cursor,
    require_person,
    return_to,
    session_read,
    session_write,
)

from . import access, acting, announcements, confirmations, reach, whom
from .texts import heading

_ = translator(__file__, "rse_feed").gettext
blueprint = Blueprint("rse_feed_acts", __name__, url_prefix="/feed")
KEPT = (BadInput, Conflict, Forbidden, TooMany)


@blueprint.post("/posts/<int:post_id>/<any(unpin, show, archive, unarchive, lock, unlock):act>")
def simple(post_id: int, act: str) -> BaseResponse:
    """Those acts that need nothing but the post."""
    require_person()
    said = {
        "unpin": _("The post is no longer pinned."), "show": _("The post is shown again."),
        "archive": _("The post is archived."), "unarchive": _("The post is back in the feed."),
        "lock": _("Comments are closed."), "unlock": _("Comments are open again."),
    }  # fmt: skip
    with session_write() as session:
        acting.SIMPLE[act](session, actor(), post_id)
    flash(said[act])
    return _back(post_id)


@blueprint.post("/posts/<int:post_id>/pin")
def pin(post_id: int) -> BaseResponse:
    """Keep it at the head of its space's page."""
    require_person()
    with session_write() as session:
        acting.pin(session, actor(), post_id, until=_time("until"))
    flash(_("The post is pinned in its space."))
    return _back(post_id)


@blueprint.post("/posts/<int:post_id>/hide")
def hide(post_id: int) -> BaseResponse:
    """Take it down, with a reason."""
    require_person()
    with session_write() as session:
        acting.hide(session, actor(), post_id, request.form.get("reason", ""))
    flash(_("The post was taken down."))
    return redirect(url_for("rse_feed.post", post_id=post_id), 303)


@blueprint.get("/posts/<int:post_id>/move")
def move_form(post_id: int) -> Response:
    """Where a post may be moved; with ``audience``, who would gain and lose sight of it."""
    return _move_page(post_id, request.args.get("audience", ""))


@blueprint.post("/posts/<int:post_id>/move")
def move(post_id: int) -> BaseResponse:
    """Move it, once its reach was looked at."""
    require_person()
    audience, version = request.form.get("audience", ""), request.form.get("version", "")
    try:
        with session_write() as session:
            acting.move(
                session, actor(), post_id, audience, version=int(version) if version.isdecimal() and version else None
            )  # fmt: skip
    except KEPT as error:
        return _move_page(post_id, audience, error=error)
    flash(_("The post was moved."))
    return redirect(url_for("rse_feed.post", post_id=post_id), 303)


def _move_page(post_id: int, audience: str, error: BadInput | Conflict | Forbidden | TooMany | None = None) -> Response:
    person = require_person()
    with session_read() as session:
        post = access.readable(session, person.id, post_id)
        rights = acting.rights_of(session, person.id, post)
        if not acting.may("move", rights, state=post.state, space_id=post.space_id):
            raise error or Forbidden(_("Only those who moderate or wrote this post can do this."))
        offered = [one for one in whom.choices(session, person.id) if one.target != access.target_of(post)]
        choice = sight = None
        if audience and error is None:
            try:
                choice, sight = acting.sight_of_move(session, person.id, post_id, audience)
            except KEPT as refused:
                error = refused
        html = render_template(
            "rse/feed/move.html", post=post, title=heading(post.title, post.body), offered=offered, audience=audience,
            choice=choice, sight=sight, error=error, told=lambda number: figure("", number, number).text,
        )  # fmt: skip
    return Response(html, status=error.status if error else 200)


# -- announcements -------------------------------------------------------------------------------------------------------


@blueprint.get("/to-read")
def to_read() -> Response:
    """What one is asked to confirm; with ``done`` what one confirmed."""
    person = require_person()
    done = request.args.get("done") == "1"
    after = request.args.get("after", "")
    with session_read() as session:
        rows, more = announcements.to_read(
            session, person.id, done=done, after=int(after) if after.isdecimal() and len(after) < 19 else None
        )
        authors = names(session, [row.author_id for row in rows])
    return Response(render_template("rse/feed/to_read.html", rows=rows, more=more, done=done, authors=authors))


@blueprint.post("/posts/<int:post_id>/acknowledge")
def acknowledge(post_id: int) -> BaseResponse:
    """Confirm having read it."""
    person = require_person()
    with session_write() as session:
        announcements.acknowledge(session, person.id, post_id)
    flash(_("You confirmed having read it."))
    return _back(post_id)


@blueprint.get("/posts/<int:post_id>/acknowledgements")
def acknowledgements(post_id: int) -> Response:
    """How many confirmed, by entity, and who."""
    return _standing(post_id)


def _standing(post_id: int, error: TooMany | Conflict | None = None) -> Response:
    person = require_person()
    entity = request.args.get("entity", "")
    entity_id = int(entity) if entity.isdecimal() and len(entity) < 19 else None
    scope = f"feed-confirmed:{post_id}:{entity_id}"
    text = request.args.get("after", "")
    with session_read() as session:
        standing = confirmations.standing(session, person.id, post_id)
        after = decode_cursor(core().settings, text, scope).after if text else None
        rows, more = confirmations.confirmations(session, person.id, post_id, entity_id=entity_id, after=after)
        onward = encode_cursor(core().settings, Cursor(scope, more)) if more else ""
        html = render_template(
            "rse/feed/acknowledgements.html", standing=standing, post=standing.post, rows=rows, more=onward,
            entity_id=entity_id, error=error,
        )  # fmt: skip
    return Response(html, status=error.status if error else 200)


@blueprint.post("/posts/<int:post_id>/acknowledgements.csv")
def export(post_id: int) -> Response:
    """Who confirmed, as a file; noted in the audit log."""
    require_person()
    with session_write() as session:
        rows = confirmations.exported(session, actor(), post_id)
    written = io.StringIO()
    out = csv.writer(written)
    out.writerow([_("Name"), _("Username"), _("Entity"), _("Confirmed at")])
    for row in rows:
        out.writerow([_cell(row.name), _cell(row.username), _cell(row.entity), row.at.isoformat(timespec="seconds")])
    answer = Response("\ufeff" + written.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="acknowledgements-{post_id}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/posts/<int:post_id>/remind")
def remind(post_id: int) -> BaseResponse:
    """Tell once more those who have not confirmed."""
    require_person()
    try:
        with session_write() as session:
            confirmations.remind(session, actor(), post_id)
    except (TooMany, Conflict) as error:
        return _standing(post_id, error)
    flash(_("Those who have not confirmed are told once more."))
    return redirect(url_for(".acknowledgements", post_id=post_id), 303)


# -- reach ---------------------------------------------------------------------------------------------------------------


@blueprint.get("/reach")
def reached() -> Response:
    """The reach of an audience in which one may post, as the markup that stands beside the choice."""
    person = require_person()
    with session_read() as session:
        found = reach.of_choice(session, person.id, request.args.get("audience", ""))
        html = render_template("rse/feed/reach.html", told=reach.told(found))
    answer = Response(html)
    answer.headers["Cache-Control"] = "private, max-age=30"
    return answer


# -- shared --------------------------------------------------------------------------------------------------------------


def _back(post_id: int) -> BaseResponse:
    return redirect(return_to(url_for("rse_feed.post", post_id=post_id)), 303)


def _cell(text: str) -> str:
    """A text that no program for tables takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _time(name: str) -> dt.datetime | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        when = dt.datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(core().settings.timezone))).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        message = _("“%(text)s” is not a time.", text=text[:40])
        raise BadInput(message, remedy=_("Write 2027-01-12T08:00."), fields={name: message}) from None

