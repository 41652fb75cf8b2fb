"""RSE below its prefix, whether the server in front strips the prefix or passes it through."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class PrefixMiddleware:
    """Moves the prefix from ``PATH_INFO`` to ``SCRIPT_NAME``; when the server has already done it, nothing.

    Anything outside the prefix is not RSE's: ``/`` leads to it, the rest is a plain 404.
    """

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self.app, self.prefix = app, prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        script, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
        if script.endswith(self.prefix):
            return self.app(environ, start_response)
        if path == self.prefix or path.startswith(self.prefix + "/"):
            environ["SCRIPT_NAME"] = script + self.prefix
            environ["PATH_INFO"] = path[len(self.prefix) :]
            return self.app(environ, start_response)
        if path in ("", "/"):
            start_response("302 Found", [("Location", f"{script}{self.prefix}/"), ("Content-Length", "0")])
            return []
        body = f"Not found. RSE answers below {self.prefix}/\n".encode()
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]
