"""``/rse/live``: a page begins to listen. Here it is decided who asks and what they may hear; the hub does the rest."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request, url_for

from ..errors import Forbidden, NotFound, TooMany
from ..i18n import _
from ..live.allowed import topics, wanted
from ..live.hub import Opening
from ..onlookers import is_onlooker
from .identity import current_person_id, require_person, session_text
from .state import core, session_read

blueprint = Blueprint("rse_live", __name__)
#: In the WSGI environment: a function that takes the opening, where the stream is served by somebody else than this request.
TAKE = "rse.live.take"
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    # nginx hands each line on at once, whatever its configuration says.
    "X-Accel-Buffering": "no",
}


@blueprint.get("/live")
def live() -> Response:
    """Server-sent events on the topics that the page names and the person may hear of.

    :raises NotFound: where streams are not served, and when there is nothing that this person may listen to.
    """
    hub = core().live.hub
    if hub is None or is_onlooker(current_person_id()):
        remedy = _("Pages ask by themselves, until rse live serves this address.")
        raise NotFound(_("Changes are not told here."), remedy=remedy)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden(_("Another site may not listen."))
    person = require_person()
    if hub.full:
        raise TooMany(_("Too many pages listen; this one asks by itself meanwhile."))
    asked = wanted(request.args.getlist("topic"))
    with session_read() as session:
        heard = topics(core(), session, person.id, asked)
    if not heard:
        raise NotFound(_("There is nothing to listen to under these names."))
    if request.method == "HEAD":
        return Response(headers=HEADERS)
    opening = Opening(person.id, session_text(), heard, again="Last-Event-ID" in request.headers)
    take: Callable[[Opening], None] | None = request.environ.get(TAKE)
    if take is not None:
        take(opening)
        return Response(headers=HEADERS)
    stream = hub.open(opening)
    if stream is None:
        raise TooMany(_("Too many pages listen; this one asks by itself meanwhile."))
    return Response(stream, headers=HEADERS, direct_passthrough=True)


def live_url() -> str:
    """The address that pages listen to; "" where nothing is told, and to an onlooker."""
    return url_for("rse_live.live") if core().live.on and not is_onlooker(current_person_id()) else ""
