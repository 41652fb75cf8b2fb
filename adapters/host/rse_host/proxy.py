"""A small proxy for pilots: the intranet as it is, with RSE in its pages.

It is the middleware over a WSGI application that asks the intranet (:class:`Upstream`). One thread a request,
bodies streamed both ways. For real traffic let nginx or Apache do it: ``rse host nginx``.
"""

from __future__ import annotations

import argparse
import http.client
import logging
import re
import ssl
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from .middleware import HostMiddleware
from .profiles import PROFILES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .config import HostConfig

logger = logging.getLogger("rse.host.proxy")

HOP_BY_HOP = frozenset(
    (
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "trailers", "transfer-encoding", "upgrade",
    )
)  # fmt: skip
"""Headers of one connection only: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1"""
IDENTITY_HEADERS = (
    "x-rse-user",
    "x-rse-name",
    "x-rse-email",
    "x-rse-proxy-secret",
    "auth-user",
    "remote-user",
    "x-remote-user",
)
CHUNK = 64 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class BadUpstream(ValueError):
    """An address that cannot be proxied to."""


class Upstream:
    """WSGI application that passes each request to another server.

    :param address: ``http://host:port`` or ``https://…``, without a path.
    :param timeout: seconds to connect, and to wait for each part of an answer.
    :param drop: lower-case names of request headers that a client may not send: whoever it claims to be.
    :param preserve_host: send the name that people typed.
    """

    def __init__(
        self, address: str, *, timeout: float = 60.0, drop: Iterable[str] = IDENTITY_HEADERS, preserve_host: bool = True
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise BadUpstream(f"{address!r} cannot be proxied to: write http://host:port, without a path.")
        self.secure = parts.scheme == "https"
        self.host, self.port = parts.hostname, parts.port or (443 if self.secure else 80)
        self.netloc = parts.netloc
        self.timeout = timeout
        self.drop = frozenset(name.lower() for name in drop)
        self.preserve_host = preserve_host

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = self._connect()
        try:
            body = _request_body(environ)
            connection.request(
                environ["REQUEST_METHOD"], _target(environ), body=body, headers=self._headers(environ, body),
                encode_chunked=body is not None and not environ.get("CONTENT_LENGTH"),
            )  # fmt: skip
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            late = isinstance(error, TimeoutError)
            logger.warning("%s %s: %r", environ["REQUEST_METHOD"], environ.get("PATH_INFO"), error)
            return _failed(start_response, "504 Gateway Timeout" if late else "502 Bad Gateway")
        except BaseException:
            connection.close()
            raise
        headers = _end_to_end(answer.getheaders())
        start_response(f"{answer.status} {answer.reason or 'Unknown'}", self._location(headers, environ))
        return _Body(answer, connection)

    def _connect(self) -> http.client.HTTPConnection:
        if self.secure:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=self.timeout, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)

    def _headers(self, environ: WSGIEnvironment, body: Any) -> dict[str, str]:
        named = {token.strip().lower() for token in environ.get("HTTP_CONNECTION", "").split(",")}
        headers: dict[str, str] = {}
        for key, value in environ.items():
            if not key.startswith("HTTP_"):
                continue
            name = key[5:].replace("_", "-").lower()
            if name in HOP_BY_HOP or name in named or name in self.drop or name.startswith("x-forwarded-"):
                continue
            headers[name.title()] = value
        if not self.preserve_host or "Host" not in headers:
            headers["Host"] = self.netloc
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        if environ.get("CONTENT_LENGTH"):
            headers["Content-Length"] = environ["CONTENT_LENGTH"]
        elif body is not None:
            headers["Transfer-Encoding"] = "chunked"
        headers["X-Forwarded-For"] = environ.get("REMOTE_ADDR", "")
        headers["X-Forwarded-Proto"] = environ.get("wsgi.url_scheme", "http")
        headers["X-Forwarded-Host"] = environ.get("HTTP_HOST", "")
        headers["Connection"] = "close"
        return headers

    def _location(self, headers: list[tuple[str, str]], environ: WSGIEnvironment) -> list[tuple[str, str]]:
        """Point redirects to the intranet's own address back to this proxy."""
        if self.preserve_host or not environ.get("HTTP_HOST"):
            return headers
        own = f"{'https' if self.secure else 'http'}://{self.netloc}"
        here = f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}"
        return [
            (name, here + value[len(own) :] if name.lower() == "location" and value.startswith(own) else value)
            for name, value in headers
        ]


class _Body:
    """The answer's body as it comes; the connection ends with it."""

    def __init__(self, answer: http.client.HTTPResponse, connection: http.client.HTTPConnection) -> None:
        self.answer, self.connection = answer, connection

    def __iter__(self) -> Iterator[bytes]:
        while part := self.answer.read1(CHUNK):
            yield part

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def _target(environ: WSGIEnvironment) -> str:
    # The raw target when the server gives it: the intranet sees the very bytes that the reader sent.
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if raw and raw.startswith("/") and raw.isascii() and raw.isprintable() and " " not in raw:
        return str(raw)
    path = quote((environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1"), safe="/:@!$&'()*+,;=~")
    query = environ.get("QUERY_STRING", "")
    return f"{path or '/'}?{query}" if query else path or "/"


def _request_body(environ: WSGIEnvironment) -> Iterator[bytes] | None:
    length = environ.get("CONTENT_LENGTH")
    if length:
        if not length.isdigit():
            return None
        return _limited(environ["wsgi.input"], int(length)) if int(length) else None
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked" and environ.get("wsgi.input_terminated"):
        return iter(lambda: environ["wsgi.input"].read(CHUNK), b"")
    return None


def _limited(source: Any, left: int) -> Iterator[bytes]:
    while left:
        part = source.read(min(CHUNK, left))
        if not part:
            return
        left -= len(part)
        yield part


def _end_to_end(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    named = {t.strip().lower() for name, value in headers if name.lower() == "connection" for t in value.split(",")}
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in HOP_BY_HOP and name.lower() not in named and _TOKEN.match(name)
    ]


def _failed(start_response: StartResponse, status: str) -> list[bytes]:
    body = b"The intranet does not answer. Try again in a moment.\n"
    start_response(
        status,
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ],
    )
    return [body]


class _Switch:
    """Below the prefix RSE answers, everywhere else the intranet."""

    def __init__(self, prefix: str, rse: WSGIApplication, intranet: WSGIApplication) -> None:
        self.prefix, self.rse, self.intranet = prefix, rse, intranet

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        ours = path == self.prefix or path.startswith(self.prefix + "/")
        return (self.rse if ours else self.intranet)(environ, start_response)


def make_proxy(
    upstream: str,
    *,
    rse: WSGIApplication,
    prefix: str = "/rse",
    profile: str = "generic",
    timeout: float = 60.0,
    **options: Any,
) -> WSGIApplication:
    """Return the intranet at ``upstream`` with RSE in its pages.

    :param rse: what answers below ``prefix``: RSE's own application, or an :class:`Upstream` to it.
    :param options: as of :class:`~rse_host.middleware.HostMiddleware`.
    :raises BadUpstream: for an address that cannot be proxied to.
    """
    intranet = HostMiddleware(Upstream(upstream, timeout=timeout), prefix=prefix, profile=profile, **options)
    return _Switch(prefix, rse, intranet)


def serve(
    upstream: str,
    *,
    listen: str = "127.0.0.1:8080",
    rse: str | None = None,
    profile: str = "generic",
    prefix: str = "/rse",
    timeout: float = 60.0,
    config: HostConfig | None = None,
) -> None:
    """Serve until interrupted.

    :param rse: address of a running RSE; None to answer for RSE in this process, from ``rse.toml``.
    """
    from werkzeug.serving import make_server

    host, _sep, port = listen.rpartition(":")
    limits: dict[str, Any] = {}
    if config is not None:
        limits = {"limit": config.limit, "exclude": config.excluded, "slots": config.slots}
    if rse is not None:
        inner: WSGIApplication = Upstream(rse, timeout=timeout)
    else:
        from rse_core.wsgi import make_application

        inner = make_application()
        if config is not None and config.fragments:
            from .injector import fragments_of

            limits["source"] = fragments_of(inner, config.slots, prefix)
    app = make_proxy(upstream, rse=inner, prefix=prefix, profile=profile, timeout=timeout, **limits)
    server = make_server(host or "127.0.0.1", int(port), app, threaded=True)
    print(f"http://{host or '127.0.0.1'}:{server.port}/ is {upstream} with RSE in it", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def main(arguments: list[str] | None = None) -> int:
    """``python -m rse_host.proxy``: the proxy without the command ``rse``."""
    parser = argparse.ArgumentParser(prog="python -m rse_host.proxy", description=__doc__.splitlines()[0])
    parser.add_argument("--upstream", required=True, help="where the intranet answers, http://host:port")
    parser.add_argument("--listen", default="127.0.0.1:8080", help="address:port")
    parser.add_argument("--rse", help="where RSE answers; without it this process answers for RSE too")
    parser.add_argument("--profile", default="generic", choices=tuple(PROFILES))
    parser.add_argument("--prefix", default="/rse")
    parser.add_argument("--timeout", type=float, default=60.0)
    options = parser.parse_args(arguments)
    try:
        serve(**vars(options))
    except (BadUpstream, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
