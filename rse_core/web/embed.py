"""The endpoints that the legacy page asks: all its slots in one JSON, or one slot as HTML where there is no JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, get_flashed_messages, jsonify, render_template, request

from ..content import ObjectRef
from .csrf import csrf_token
from .identity import current_person
from .language import set_page_language
from .returns import safe_return_to
from .slots import POLL, claim_of_request, embed_scripts, embed_stylesheets, is_silent, render_slots, slot_names
from .state import session_read
from .visits import learn_page, note_publication, note_visit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

blueprint = Blueprint("rse_embed", __name__)


@blueprint.get("/embed/slots")
def slots() -> Response:
    """All the slots of one page; conditional, private, a constant number of queries."""
    g.rse_embedding = True
    names = slot_names(request.args.get("slots", ""))
    claim = claim_of_request()
    set_page_language(claim.lang)
    person = current_person()
    with session_read() as session:
        page = learn_page(session, claim)
        body: dict[str, Any] = {
            "page": str(page.ref),
            "person": None if person is None else {"id": person.id, "name": person.display_name},
            "slots": render_slots(session, names, [page.ref]),
        }
    body["css"] = embed_stylesheets()
    body["js"] = embed_scripts()
    body["poll"] = POLL
    note_visit(person)
    note_publication(person, page)
    answer = jsonify(body)
    answer.add_etag()
    # The token is no part of the body: it differs between sessions that see the same thing.
    if person is not None:
        answer.headers["X-RSE-CSRF"] = csrf_token()
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Cookie, Accept-Language"
    answer.make_conditional(request)
    return answer


@blueprint.get("/embed/fragment/<slot>")
def fragment(slot: str) -> Response:
    """One slot as HTML, for server-side includes and injectors: its forms work by plain POST and redirect."""
    names = slot_names(slot)
    claim = claim_of_request()
    set_page_language(claim.lang)
    person = current_person()
    with session_read() as session:
        page = learn_page(session, claim)
        g.rse_return_to = safe_return_to(request.args.get("return_to") or claim.address)
        html = _with_messages(session, page.ref, names[0])
    note_visit(person)
    note_publication(person, page)
    answer = Response(html, content_type="text/html; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Vary"] = "Cookie, Accept-Language"
    return answer


def _with_messages(session: Session, ref: ObjectRef, slot: str) -> str:
    person = current_person()
    silent = is_silent(session, None if person is None else person.id, ref)
    rendered = render_slots(session, [slot], [ref])[slot]["html"]
    messages = [] if silent else get_flashed_messages()
    if not rendered and not messages:
        return ""
    return render_template(
        "rse/fragment.html", slot=slot, html=rendered, messages=messages, stylesheets=embed_stylesheets()
    )
