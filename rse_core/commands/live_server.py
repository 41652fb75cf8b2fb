"""What ``rse live`` runs: streams by gevent's greenlets, everything else by a few threads.

Nothing is patched. The application that decides who may listen is the same as on the main servers, and runs in threads of a
pool for the moment of a decision; the streams themselves never touch the database.
"""

from __future__ import annotations

import json
import logging
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import gevent
import gevent.event
from gevent import pywsgi
from gevent.threadpool import ThreadPool

from ..extension import RSE
from ..live.hub import Hub, Opening
from ..live.listening import Listener
from ..live.rounds import Rounds
from ..web.live import TAKE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from ..runtime import Core

log = logging.getLogger("rse.live")
#: Threads that ask the database.
THREADS = 8
#: Bytes that wait for a client in the kernel. Events are small; a client that does not read them is found out early.
BUFFER = 16_384
#: Milliseconds after which a client that the network lost is given up.
LOST = 30_000
#: Paths below the prefix that the application answers here; all others belong to the main servers.
OURS = frozenset({"/live", "/healthz", "/metrics"})


class Handler(pywsgi.WSGIHandler):  # type: ignore[misc]
    """One connection."""

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST)
        super().__init__(sock, address, server)


class LiveServer:
    """The process.

    :param total: streams at once.
    """

    def __init__(self, core: Core, host: str, port: int, *, total: int) -> None:
        self.core = core
        self.hub = core.live.hub = Hub(total=total, make_event=gevent.event.Event, sleep=gevent.sleep)
        self.app = RSE(core=core, background=False).app
        self.pool = ThreadPool(THREADS)
        self.rounds = Rounds(core, self.hub, call=self.pool.apply)
        self._heard: deque[Callable[[], None]] = deque()
        self._arrived = gevent.event.Event()
        self._wake = gevent.get_hub().loop.async_()
        self._wake.start(self._arrived.set)
        self._listener = Listener(core.settings.database_url, self._on_heard, self._on_state)
        self._ended = gevent.event.Event()
        address = (host, port)
        self.server = pywsgi.WSGIServer(
            address, self, log=None, error_log=log, handler_class=Handler, environ={"SERVER_SOFTWARE": "rse-live"}
        )

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then streams end, and what is under way is finished first."""
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, self._ended.set)
        self.core.policy.start()
        self._listener.start()
        workers = [gevent.spawn(work) for work in (self._tell, self._look, self._drop)]
        self.server.start()
        log.info("rse live serves on port %s", self.server.server_port)
        try:
            self._ended.wait()
        finally:
            self.hub.stop()
            self.server.stop(timeout=5)
            gevent.killall(workers)
            self._listener.stop()
            self.core.close()

    # -- what the listener's thread says ---------------------------------------------------------------------------

    def _on_heard(self, topics: Iterable[str]) -> None:
        self._from_thread(lambda: self.hub.tell(topics))

    def _on_state(self, listening: bool) -> None:
        def note() -> None:
            before, self.hub.listening = self.hub.listening, listening
            if listening and not before and self.hub.streams:
                self.hub.look_again()

        self._from_thread(note)

    def _from_thread(self, work: Callable[[], None]) -> None:
        self._heard.append(work)
        self._wake.send()

    def _tell(self) -> None:
        while True:
            self._arrived.wait()
            self._arrived.clear()
            while self._heard:
                try:
                    self._heard.popleft()()
                except Exception:  # isolation point: one odd message must not silence the process
                    log.exception("a message could not be passed on")

    # -- looking after the streams ---------------------------------------------------------------------------------

    def _look(self) -> None:
        while not self.hub.stopped:
            self.rounds.wait()
            self.rounds.go()

    def _drop(self) -> None:
        while True:
            gevent.sleep(5)
            for stream in self.hub.slow():
                self.hub.dropped += 1
                self.hub.close(stream)
                stream.greenlet.kill(block=False)

    # -- requests --------------------------------------------------------------------------------------------------

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
        path = path.removeprefix(self.core.settings.url_prefix)
        if path == "/readyz":
            return self._ready(start_response)
        if path not in OURS:
            return _plain(start_response, "404 Not Found", "This process serves changes alone.\n")
        openings: list[Opening] = []
        status, headers, body = self.pool.apply(self._ask, (environ, openings))
        if not openings:
            start_response(status, headers)
            return [body]
        stream = self.hub.open(openings[0])
        if stream is None:
            return _plain(start_response, "503 Service Unavailable", "Too many pages listen.\n")
        stream.greenlet = gevent.getcurrent()
        start_response(status, [(name, value) for name, value in headers if name.lower() != "content-length"])
        return stream

    def _ask(self, environ: WSGIEnvironment, openings: list[Opening]) -> tuple[str, list[tuple[str, str]], bytes]:
        said: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], object]:
            said[:] = [status, headers]
            return lambda _data: None

        answer = self.app.wsgi_app({**environ, TAKE: openings.append}, start)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return said[0], said[1], body

    def _ready(self, start_response: StartResponse) -> Iterable[bytes]:
        hub = self.hub
        text = json.dumps({"ready": hub.listening, "listening": hub.listening, "streams": len(hub.streams)})
        status = "200 OK" if hub.listening else "503 Service Unavailable"
        return _plain(start_response, status, text + "\n", "application/json")


def _plain(start_response: StartResponse, status: str, text: str, kind: str = "text/plain; charset=utf-8") -> list[bytes]:
    body = text.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    if status.startswith("503"):
        headers.append(("Retry-After", "30"))
    start_response(status, headers)
    return [body]
