"""RSE on an existing Flask application, or alone: the only place that assembles the web application.

.. code-block:: python

    app = Flask(__name__)          # the intranet, untouched
    RSE(app)                       # RSE answers below /rse, as an application of its own

RSE is never registered *into* the host's application: it has its own session cookie, error pages and extensions, and
leaves the host's alone.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, has_request_context, request, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from .identity import Identity
from .metrics import Metrics
from .runtime import Core
from .settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("rse.web")
#: In the WSGI environment: a function that says who is signed in to the host.
ASK_HOST = "rse.ask_host"


class RSE:
    """The extension.

    :param host: an existing Flask application to answer beside; None to assemble RSE alone (``rse.app``).
    :param core: a running core; None makes one from ``rse.toml``, the environment and the host's ``RSE_*`` keys.
    :param background: begin the worker thread with the first request, unless the configuration says not to.
    :param streams: on SQLite, how many pages may listen to changes by threads of this process, the only one that serves; the
        server must have that many to spare. 0: none, pages ask from time to time.
    :param identify: who is signed in to the host; called within a request context of the host, so that its login
        extension works in it. None leaves it to the adapters.
    :param overrides: settings, by name, over everything else.
    """

    app: Flask
    core: Core
    metrics: Metrics

    def __init__(
        self,
        host: Flask | None = None,
        *,
        core: Core | None = None,
        background: bool = True,
        streams: int = 0,
        identify: Callable[[], Identity | None] | None = None,
        **overrides: Any,
    ) -> None:
        self.background, self.streams = background, streams
        self.identify = identify
        self._core, self._overrides = core, overrides
        self._started_pid = 0
        self._start_lock = threading.Lock()
        #: (mount point, endpoint, file) → its address
        self._assets: dict[tuple[str | None, str, str], str] = {}
        if host is not None:
            self.init_app(host)
        elif core is not None:
            self._assemble(core)

    def init_app(self, host: Flask) -> None:
        """Answer below the prefix of an existing Flask application; everything else stays the host's."""
        core = self._core
        if core is None:
            from_host = {
                key[4:].lower(): value for key, value in host.config.items() if key.startswith("RSE_") and len(key) > 4
            }
            core = Core(Settings.load(**{**from_host, **self._overrides}))
        self._assemble(core)
        host.extensions["rse"] = self
        below = self.app.wsgi_app if self.identify is None else _Asking(self.app.wsgi_app, host, self.identify)
        host.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
            host.wsgi_app, {core.settings.url_prefix: below}
        )

    def _assemble(self, core: Core) -> None:
        from .web.assembly import assemble

        self.core = core
        self.metrics = Metrics(core)
        self.app = assemble(self)

    def begin_background(self) -> None:
        """Start the policy's watcher and the embedded worker, once in each process (also after a fork)."""
        if not self.background or self._started_pid == os.getpid():
            return
        with self._start_lock:
            if self._started_pid == os.getpid():
                return
            self._started_pid = os.getpid()
        self.core.policy.start()
        if self.streams and self.core.db.is_sqlite:
            self.core.live.serve_here(self.streams)
        if self.core.settings.worker:
            self.core.jobs.start()

    def asset_url(self, endpoint: str, filename: str) -> str:
        """The address of a static file, with its content's hash so that it can be cached for good."""
        key = (request.script_root if has_request_context() else None, endpoint, filename)
        if key not in self._assets:
            folder = self.app.blueprints[endpoint.rpartition(".")[0]].static_folder
            file = Path(folder or "") / filename
            digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else "0"
            address = url_for(endpoint, filename=filename, v=digest)
            if self.app.debug or key[0] is None:
                return address
            self._assets[key] = address
        return self._assets[key]


class _Asking:
    """Lets RSE ask the host who is signed in, once it needs to know."""

    def __init__(self, app: WSGIApplication, host: Flask, identify: Callable[[], Identity | None]) -> None:
        self.app, self.host, self.identify = app, host, identify

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def ask() -> Identity | None:
            # The body is RSE's to read: the host sees the request without it.
            seen = {**environ, "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"}
            for made in ("werkzeug.request", "werkzeug.socket"):
                seen.pop(made, None)
            with self.host.request_context(seen):
                return self.identify()

        # A key that no header of a request can set.
        environ[ASK_HOST] = ask
        return self.app(environ, start_response)


def create_app(core: Core, *, background: bool = False) -> Flask:
    """RSE alone, as a Flask application that answers below ``settings.url_prefix``.

    :param background: also run the worker thread and the policy's watcher (servers; not tests).
    """
    return RSE(core=core, background=background).app

