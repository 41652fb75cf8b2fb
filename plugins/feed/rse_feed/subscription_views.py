"""The page of a person's addresses, and what programs read at them."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, Conflict, NotFound, TooMany, translator, use_locale
from rse_core.webapi import actor, core, require_person, session_read, session_write

from . import subscriptions, syndication, whom

_ = translator(__file__, "rse_feed").gettext
blueprint = Blueprint("rse_feed_subscriptions", __name__, url_prefix="/feed")
KEPT = (BadInput, Conflict, NotFound)


@blueprint.get("/subscriptions")
def index() -> Response:
    """One's addresses."""
    return _page()


@blueprint.post("/subscriptions")
def create() -> Response:
    """Make one; the answer is the only page that ever shows it."""
    require_person()
    name, space = request.form.get("name", ""), request.form.get("space", "")
    try:
        with session_write() as session:
            row, token = subscriptions.create(session, actor(), name, space_key=space)
            made = (row.name, token)
    except KEPT as error:
        return _page(error=error, typed={"name": name, "space": space})
    return _page(made=made)


def _page(
    *, made: tuple[str, str] | None = None, error: BadInput | Conflict | NotFound | None = None,
    typed: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    person = require_person()
    with session_read() as session:
        owned = subscriptions.of_person(session, person.id)
        spaces = [one for one in whom.all_of(session, person.id) if one.kind == "space"]
    addresses = {}
    if made is not None:
        addresses = {kind: url_for(f".{kind}", token=made[1], _external=True) for kind in ("atom", "json")}
    answer = Response(render_template(
        "rse/feed/subscriptions.html", owned=owned, spaces=spaces, made=made, addresses=addresses, error=error,
        typed=typed or {}, most=subscriptions.MOST, fields=getattr(error, "fields", None) or {},
    ), status=error.status if error else 200)  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/subscriptions/<int:subscription_id>/rename")
def rename(subscription_id: int) -> BaseResponse:
    """Call it otherwise."""
    person = require_person()
    with session_write() as session:
        subscriptions.rename(session, person.id, subscription_id, request.form.get("name", ""))
    flash(_("Saved."))
    return redirect(url_for(".index"), 303)


@blueprint.post("/subscriptions/<int:subscription_id>/revoke")
def revoke(subscription_id: int) -> BaseResponse:
    """It gives nothing from now on."""
    require_person()
    with session_write() as session:
        subscriptions.revoke(session, actor(), subscription_id)
    flash(_("The address was revoked."))
    return redirect(url_for(".index"), 303)


@blueprint.get("/atom/<token>")
def atom(token: str) -> Response:
    """A feed as Atom."""
    return _read(token, "application/atom+xml")


@blueprint.get("/json/<token>")
def json(token: str) -> Response:
    """A feed as JSON Feed."""
    return _read(token, "application/feed+json")


def _read(token: str, kind: str) -> Response:
    """What the owner may see now. Whatever closes an address, it answers as one that never was."""
    try:
        with session_write() as session:
            ident = subscriptions.admit(session, token)
    except TooMany as error:
        answer = Response(status=429, mimetype="text/plain")
        answer.headers["Retry-After"] = str(error.retry_after)
        return _closed_to_robots(answer)
    found = None
    if ident is not None:
        with session_read() as session:
            found = subscriptions.read(session, ident)
    if found is None:
        return _closed_to_robots(Response(status=404, mimetype="text/plain"))
    settings = core().settings
    write = syndication.atom if kind == "application/atom+xml" else syndication.json_feed
    home = url_for("rse_feed.feed", _external=True)
    with use_locale(found.locale or settings.default_locale):
        body = write(found, base=request.host_url, home=home, site_name=settings.site_name)
    answer = Response(body, content_type=f"{kind}; charset=utf-8")
    answer.set_etag(hashlib.blake2b(body, digest_size=12).hexdigest())
    return _closed_to_robots(answer.make_conditional(request))  # type: ignore[arg-type]


def _closed_to_robots(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
