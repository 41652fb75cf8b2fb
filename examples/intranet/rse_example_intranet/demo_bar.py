"""The bar at the foot of every page of the demo: whose eyes one looks through, and others to choose from.

It is added by the demo's own wrapper, works without a script, and speaks the language of the present account.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator

from rse_core.i18n import use_locale
from rse_example_intranet.demo_guard import is_local_request
from rse_example_intranet.demo_identity import ACCOUNTS, COOKIE, DemoIdentity
from rse_example_intranet.texts import _

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SWITCH, STYLE = "/demo/switch", "/demo/bar.css"
_END = re.compile(rb"</body\s*>", re.IGNORECASE)


@dataclass(frozen=True)
class Standing:
    """What the bar says of one account: name, entity, present level in words, and language."""

    display_name: str
    entity: str
    level: str
    locale: str


class AccountBar:
    """WSGI middleware that adds the bar and answers the switch.

    :param standings: gives username → :class:`Standing` for all accounts, in the language of the moment;
        asked anew for each page, since a level may have moved.
    :param prefix: where RSE is mounted.
    """

    def __init__(
        self,
        app: WSGIApplication,
        source: DemoIdentity,
        standings: Callable[[], dict[str, Standing]],
        *,
        prefix: str = "/rse",
    ) -> None:
        self._app, self._source, self._standings, self._prefix = app, source, standings, prefix
        self._style = (files(__package__) / "static" / "demo" / "bar.css").read_bytes()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        username = self._source.username(environ)
        path = environ.get("PATH_INFO", "")
        if username is None:
            refused = Response("The demo answers requests of this machine only.\n", 403)
            return refused(environ, start_response)
        if path == STYLE:
            style = Response(self._style, content_type="text/css; charset=utf-8")
            style.cache_control.max_age = 300
            return style(environ, start_response)
        if path == SWITCH:
            return self._switch(Request(environ))(environ, start_response)
        if "text/html" in environ.get("HTTP_ACCEPT", ""):
            # A page kept by the browser would show the former account's bar.
            for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
                environ.pop(name, None)
        return self._with_bar(environ, start_response, username)

    def _switch(self, request: Request) -> Response:
        if request.method != "POST":
            return Response("The switch takes a POST only.\n", 405, {"Allow": "POST"})
        if not _same_origin(request.environ):
            return Response("This request came from another site.\n", 403)
        request.max_form_memory_size = 10_000
        try:
            cookie = self._source.cookie_value(request.form["account"])
        except KeyError:
            return Response("Choose one of the demo's accounts.\n", 400)
        response = Response(status=303, headers={"Location": safe_path(request.form.get("return_to", ""))})
        response.autocorrect_location_header = False
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="Lax")
        return response

    def _with_bar(self, environ: WSGIEnvironment, start_response: StartResponse, username: str) -> Iterable[bytes]:
        chunks, status, headers = run_wsgi_app(self._app, environ)
        if not _takes_bar(headers) or environ["REQUEST_METHOD"] == "HEAD":
            start_response(status, headers.to_wsgi_list())
            return chunks
        try:
            body = b"".join(chunks)
        finally:
            if isinstance(chunks, ClosingIterator):
                chunks.close()
        page = self._insert(body, environ, username)
        for name in ("ETag", "Last-Modified"):
            headers.remove(name)
        headers["Content-Length"] = str(len(page))
        headers["Cache-Control"] = "no-store"
        start_response(status, headers.to_wsgi_list())
        return [page]

    def _insert(self, body: bytes, environ: WSGIEnvironment, username: str) -> bytes:
        ends = list(_END.finditer(body))
        request = Request(environ)
        if not ends and (request.path + "/").startswith(self._prefix + "/"):
            return body  # a fragment, not a page
        query = request.query_string.decode("ascii", "replace")
        bar = self.render(username, request.path + (f"?{query}" if query else ""))
        at = ends[-1].start() if ends else len(body)
        # Old pages are in other charsets: plain ASCII goes into all of them.
        return body[:at] + bar.encode("ascii", "xmlcharrefreplace") + body[at:]

    def render(self, username: str, here: str) -> str:
        """Return the bar's markup in the account's language; ``here`` is the page to come back to."""
        locale = self._standings()[username].locale
        with use_locale(locale):
            standings = self._standings()
            return (
                _templates()
                .get_template("demo/bar.html")
                .render(
                    _=_,
                    where=_where,
                    username=username,
                    now=standings[username],
                    choices=[(account, standings[account.username]) for account in ACCOUNTS],
                    here=here,
                    prefix=self._prefix,
                    switch=SWITCH,
                    style=STYLE,
                )
            )


def safe_path(path: str) -> str:
    """Return ``path`` when it is one on this origin, else the home page: never an address elsewhere."""
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if good else "/"


def _where(one: Standing) -> str:
    return _("%(entity)s, level “%(level)s”", entity=one.entity, level=one.level)


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("rse_example_intranet"), autoescape=True, trim_blocks=True)


def _takes_bar(headers: Headers) -> bool:
    kind = headers.get("Content-Type", "")
    return kind.startswith("text/html") and "Content-Encoding" not in headers


def _same_origin(environ: WSGIEnvironment) -> bool:
    if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") != "same-origin":
        return False
    own = f"http://{environ.get('HTTP_HOST', '')}"
    return is_local_request(environ) and environ.get("HTTP_ORIGIN", own) == own
