"""The page of search, proposals while one types, and the description by which a browser can search here."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from rse_core.api import BadInput, translator
from rse_core.webapi import (
    Cursor,
    core,
    current_person_id,
    decode_cursor,
    encode_cursor,
    require_person,
    session_read,
    slow_down,
)

from . import service
from .asking import Asked

_ = translator(__file__, "rse_search").gettext
blueprint = Blueprint("rse_search", __name__, url_prefix="/search", template_folder="templates", static_folder="static")
#: Proposals that one person may ask for in a minute: more than anybody types, too few to copy a directory.
PER_MINUTE = 150


@blueprint.get("/")
def page() -> Response:
    """The form, and what was found."""
    require_person()
    asked = Asked.read(request.args)
    after, stale = _after(asked)
    with session_read() as session:
        results = service.search(session, current_person_id(), asked, after=after)
        html = render_template(
            "rse/search/page.html",
            asked=asked,
            results=results,
            first=after is None,
            stale=stale,
            more=encode_cursor(core().settings, Cursor(asked.scope, (results.next,))) if results.next else None,
            address=lambda **changed: _address(asked, **changed),
        )
    return Response(html)


@blueprint.get("/suggest")
def suggest() -> BaseResponse:
    """People, communities and pages whose names begin with what was typed; with an ETag."""
    person = require_person()
    typed = request.args.get("q", "")[:100]
    slow_down(person.id, "search.suggest", most=PER_MINUTE, seconds=60)
    with session_read() as session:
        found = service.suggest(session, person.id, typed)
    answer = jsonify(
        [{"title": one.plain_title, "kind": one.kind, "label": one.kind_label, "url": one.url} for one in found]
    )
    answer.set_etag(hashlib.blake2b(answer.get_data(), digest_size=12).hexdigest())
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer.make_conditional(request)


@blueprint.get("/opensearch.xml")
def opensearch() -> Response:
    """For the browser: how to search here from its own address bar."""
    xml = render_template("rse/search/opensearch.xml", address=url_for(".page", _external=True))
    return Response(xml, mimetype="application/opensearchdescription+xml")


def _address(asked: Asked, **changed: str) -> str:
    arguments: dict[str, Any] = {**asked.arguments(**changed)}
    return url_for(".page", **arguments)


def _after(asked: Asked) -> tuple[str | None, bool]:
    """Where the list goes on; an address whose cursor is of another search shows the beginning, and says so."""
    text = request.args.get("after", "")
    if not text:
        return None, False
    try:
        return str(decode_cursor(core().settings, text, asked.scope).after[0]), False
    except BadInput:
        return None, True
