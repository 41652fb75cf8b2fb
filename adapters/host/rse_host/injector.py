"""The port ``rse_host_injector``: wraps the intranet's WSGI application with the middleware as configured."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .config import HostConfig
from .middleware import COOKIES, HostMiddleware, SlotSource
from .profiles import PageFacts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class Injector:
    """Made by the plugin from ``[host]``."""

    def __init__(self, config: HostConfig, prefix: str) -> None:
        self.config, self.prefix = config, prefix

    def wrap(self, wsgi_app: WSGIApplication, *, rse_app: Any = None) -> HostMiddleware:
        """Return the intranet with its slots.

        :param rse_app: RSE's own WSGI application, when it runs in the same process; with ``fragments =
            true`` it
            is asked for each slot, as the reader, so that pages work without JavaScript.
        """
        source = fragments_of(rse_app, self.config.slots, self.prefix) if rse_app and self.config.fragments else None
        return HostMiddleware(
            wsgi_app,
            prefix=self.prefix,
            profile=self.config.profile,
            slots=self.config.slots,
            source=source,
            limit=self.config.limit,
            exclude=self.config.excluded,
        )


# All that tells who is asking is passed on, also what the intranet's own sign-in leaves in the environment; not
# what belongs to this one request, nor what a framework keeps there for itself.
_KEPT_BY_FRAMEWORKS = ("werkzeug.", "flask.", "django.")
_NOT_PASSED_ON = frozenset(
    ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_ACCEPT_ENCODING", "HTTP_TRANSFER_ENCODING")
)


def fragments_of(rse_app: Any, slots: tuple[str, ...], prefix: str) -> SlotSource:
    """Return a source that asks RSE in this process for each slot, with the reader's own cookies and
    identity.
    """

    def source(environ: WSGIEnvironment, facts: PageFacts) -> dict[str, str]:
        asked = {
            "address": facts.address,
            "canonical": facts.canonical,
            "native": facts.native,
            "title": facts.title,
            "section": facts.section,
            "lang": facts.lang,
            "return_to": facts.address,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        if environ.get("QUERY_STRING"):
            own = [part for part in environ["QUERY_STRING"].split("&") if part.startswith("slot.")]
            query = "&".join([query, *own])
        jar = Jar(environ.get("HTTP_COOKIE", ""))
        found = {name: _ask(rse_app, environ, prefix, f"/embed/fragment/{name}", query, jar) for name in slots}
        environ[COOKIES] = jar.made
        return found

    return source


class Jar:
    """The reader's cookies, with those that RSE makes on the way: all slots of a page share one new session."""

    def __init__(self, sent: str) -> None:
        self.sent = sent
        self.made: list[str] = []

    def take(self, header: str) -> None:
        """Note one ``Set-Cookie``."""
        self.made.append(header)
        pair = header.split(";", 1)[0].strip()
        name = pair.split("=", 1)[0]
        others = [part for part in self.sent.split("; ") if part and part.split("=", 1)[0] != name]
        self.sent = "; ".join([*others, pair])


def _ask(rse_app: Any, environ: WSGIEnvironment, prefix: str, path: str, query: str, jar: Jar) -> str:
    inner = {
        key: value for key, value in environ.items() if key not in _NOT_PASSED_ON and not key.startswith(_KEPT_BY_FRAMEWORKS)
    }
    inner.update(
        REQUEST_METHOD="GET", SCRIPT_NAME=prefix, PATH_INFO=path, QUERY_STRING=query, CONTENT_LENGTH="0", CONTENT_TYPE=""
    )
    inner.pop("HTTP_COOKIE", None)
    if jar.sent:
        inner["HTTP_COOKIE"] = jar.sent
    inner["wsgi.input"] = io.BytesIO()
    status: list[str] = []

    def start_response(line: str, headers: Any, exc_info: Any = None) -> Any:
        status.append(line)
        for name, value in headers:
            if name.lower() == "set-cookie":
                jar.take(value)
        return lambda data: None

    result = rse_app(inner, start_response)
    try:
        body = b"".join(result)
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    return body.decode("utf-8") if status and status[-1].startswith("200") else ""
