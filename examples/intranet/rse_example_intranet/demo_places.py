"""What the demo puts into the intranet's pages beside what stands below an article: our pages under its menu, with
what is unread, what a level has newly opened, and the newest posts on its home page.

An intranet whose template can be changed writes ``<rse-slot name="navigation"></rse-slot>`` where it wants it; this one is
not to be changed, so its places are named here.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.test import create_environ, run_wsgi_app

from rse_host.profiles import shadow
from rse_host.rewriter import Fragment, Where

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from rse_host.middleware import FragmentSource


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the intranet's template.

    :param around: markup of the intranet's own kind, with ``{}`` for the slot.
    :param only: the path of the one page that it is on; empty for every page.
    :param live: only the place, which the script of the page fills: what stands in it has forms.
    """

    slot: str
    selector: str
    where: Where
    around: str = "{}"
    only: str = ""
    live: bool = False


PLACES = (
    Place("navigation", "header.entete", "append", '<div class="cadre">{}</div>'),
    Place("top", "main#contenu", "prepend", live=True),
    Place("feed", "aside[aria-labelledby=pratique]", "prepend", only="/"),
)


def places(rse: WSGIApplication, prefix: str) -> FragmentSource:
    """Return what fills them for whoever asks; who is shown nothing gets not even the place."""

    def fragments(environ: WSGIEnvironment) -> Iterable[Fragment]:
        wanted = [place for place in PLACES if place.only in ("", environ.get("PATH_INFO"))]
        answer = _ask(rse, prefix, environ, [place.slot for place in wanted])
        sheets = "".join(f'<link rel="stylesheet" href="{html.escape(sheet)}">' for sheet in answer["css"])
        for place in wanted:
            content = answer["slots"][place.slot]["html"]
            if content.strip() and place.live:
                yield Fragment(place.selector, place.where, f'<rse-slot name="{place.slot}"></rse-slot>')
            elif content.strip():
                inner = shadow(f'{sheets}<div class="rse-slot rse-slot-{place.slot}">{content}</div>')
                slot = f'<rse-slot name="{place.slot}" data-rse-server>{inner}</rse-slot>'
                yield Fragment(place.selector, place.where, place.around.format(slot))

    return fragments


def _ask(rse: WSGIApplication, prefix: str, environ: WSGIEnvironment, slots: list[str]) -> Mapping[str, Any]:
    """All of them in one request, as the reader.

    They are the same on every page: asked for the home page, no address is learnt that only looks like an article's.
    """
    inner = create_environ(
        "/embed/slots", f"http://{environ['HTTP_HOST']}{prefix}/", query_string={"address": "/", "slots": ",".join(slots)}
    )
    inner |= {name: environ[name] for name in ("HTTP_COOKIE", "HTTP_ACCEPT_LANGUAGE", "REMOTE_ADDR") if name in environ}
    body, _status, _headers = run_wsgi_app(rse, inner, buffered=True)
    answer: Mapping[str, Any] = json.loads(b"".join(body))
    return answer
