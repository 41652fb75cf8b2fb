"""Fragments for the legacy page: what a form of a fragment is answered with, and the fields that it carries."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flask import flash, g, jsonify, redirect, request
from markupsafe import Markup

from ..content import ObjectRef
from .csrf import FIELD, csrf_token
from .returns import return_to, safe_return_to
from .state import session_read

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

EMBED_HEADER = "X-RSE-Embed"
#: Stands for the hidden fields in markup that is kept for many: they are of one session.
FIELDS = Markup("<!--rse-fields-->")


def wants_fragment() -> bool:
    """The request was made by the script in the legacy page, which waits for JSON."""
    return request.headers.get(EMBED_HEADER) == "1"


def fragment_response(
    *, slots: Iterable[str], refs: Sequence[ObjectRef], announce: str = "", anchor: str = "", status: int = 200
) -> BaseResponse:
    """Answer a fragment's form.

    For the script: JSON with the slots made anew and a text to announce. Without it: back to where the form stood, with
    the text as a message.

    An object that is no page stands inside a slot of its page (the reactions to one comment, in the slot of the comments).
    Its markup comes as a part, ``{"parts": {"<slot> <ref>": html}}``, and replaces the element that says
    ``data-rse-part="<slot> <ref>"``; nothing else of that slot changes.

    :param anchor: id of the element to land on, without JavaScript.
    """
    if not wants_fragment():
        if announce:
            flash(announce)
        target = return_to()
        return redirect(f"{target.partition('#')[0]}#{anchor}" if anchor else target, 303)
    from .slots import render_slots

    g.rse_embedding = True
    names = list(slots)
    pages = [ref for ref in refs if ref.type == "page"]
    parts: dict[str, str] = {}
    with session_read() as session:
        rendered = render_slots(session, names, pages) if pages else {}
        for ref in refs:
            if ref.type != "page":
                made = render_slots(session, names, [ref])
                parts |= {f"{name} {ref}": slot["html"] for name, slot in made.items()}
    answer = jsonify({"slots": rendered, "parts": parts, "announce": announce})
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-RSE-CSRF"] = csrf_token()
    return answer


def hidden_fields(*, once: bool = False) -> Markup:
    """The hidden fields of a form: the CSRF token and where to go back to.

    In a fragment for the script it leaves the token out (it comes in a header, so that the markup can be compared by its
    ETag), and ``once`` too: the script makes its own key for a submission.

    :param once: add an idempotency key, so that a form sent twice acts once.
    """
    if g.get("rse_embedding"):
        return Markup("")
    here = request.script_root + request.full_path.rstrip("?") if request.method == "GET" else ""
    back = g.get("rse_return_to") or safe_return_to(request.args.get("return_to")) or here
    # A page has many forms, and all of them carry the same two.
    made: dict[str, Markup] = g.setdefault("rse_hidden_fields", {})
    if back not in made:
        made[back] = _hidden(FIELD, csrf_token()) + (_hidden("return_to", back) if back else "")
    return made[back] + _hidden("idempotency_key", secrets.token_urlsafe(16)) if once else made[back]


def _hidden(name: str, value: str) -> Markup:
    return Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
