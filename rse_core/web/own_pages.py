"""What our own pages are made of, beside their content: stylesheets, scripts and the words that the scripts say."""

from __future__ import annotations

import re

from flask import Flask, Response, request
from markupsafe import Markup

from ..content import ObjectRef
from ..contributions import Asset
from ..i18n import _
from . import layout
from .identity import current_person_id
from .state import core, rse, session_read

SCRIPTS = ("own.js", "drafts.js", "mentions.js", "more.js", "uploads.js", "keys.js", "rse-live.js")
#: In a form that is sent without the script's help: the next page says by a cookie that it was taken.
SENDING, SENT = "rse_sending", "rse_sent"
_TOKEN = re.compile(r"[0-9a-f]{32}\Z")


def page_stylesheets() -> list[str]:
    """The stylesheets of a page of ours, in order: the frame (unless the intranet's own look is around it), the components,
    the plugins'."""
    url = rse().asset_url
    first = ["rse-embed.css", "rse.css"]
    frame = layout.current()
    sheets = [layout.stylesheet_url(frame)] if frame is not None else [url("rse_core.static", "rse-frame.css")]
    sheets += [url("rse_core.static", name) for name in first]
    return sheets + [
        url(asset.endpoint, asset.filename) for _plugin, asset in core().plugins.contributions(Asset) if asset.kind == "css"
    ]


def page_scripts() -> list[str]:
    """The scripts of every page of ours; all of them only make it quicker to use."""
    return [rse().asset_url("rse_core.static", name) for name in SCRIPTS]


def page_top() -> Markup:
    """What plugins have to tell the person who asks, above the content of any page of ours: the slot ``top``.

    An error of a plugin leaves its own out; nobody is told anything before they are known.
    """
    from .slots import slot_markup

    if current_person_id() is None or not request.endpoint:
        return Markup("")
    ref = ObjectRef("page", request.script_root + request.path)
    with session_read() as session:
        return slot_markup(session, "top", [ref]).get(ref, Markup(""))


def script_words() -> dict[str, str]:
    """What the scripts say, in the reader's language."""
    return {
        "network": _("The service does not answer. Your text is kept; try again in a moment."),
        "failed": _("Sending failed. Your text is kept; try again in a moment."),
        "sign": _("Sign in again"),
        "restored": _("Your draft was restored."),
        "discard": _("Discard it"),
        "discarded": _("The draft is discarded."),
        "added": _("%s more shown."),
        "keys": _("Keyboard shortcuts"),
        "letters": _("Use shortcuts of one letter on this device"),
        "closing": _("Close"),
        "close": _("Close what was opened last"),
        "escape": _("Esc"),
        "next": _("Next item"),
        "previous": _("Previous item"),
        "write": _("Write"),
        "search": _("Search"),
        "go": _("Go to: %s"),
    }


def register(app: Flask) -> None:
    """Install the answer to a form that was sent with a draft."""
    app.after_request(_confirm)


def _confirm(answer: Response) -> Response:
    # Only what was taken is answered by a redirect; a refused form comes back as a page, and its draft stays.
    if request.method == "POST" and answer.status_code in (302, 303):
        token = request.form.get(SENDING, "")
        if _TOKEN.match(token):
            secure = core().settings.secure_cookies
            answer.set_cookie(SENT, token, max_age=300, path="/", secure=secure, samesite="Lax")
    return answer
