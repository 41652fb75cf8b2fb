"""The plugin alone on the core, and an intranet of a few documents that is really asked over HTTP."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rse_content import plugin
from rse_content.config import SourceConfig


@pytest.fixture
def rse_plugins() -> list[object]:
    return [plugin]


@dataclass
class Request:
    """One request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    """One answer. ``body`` may be made of chunks, sent as they come."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Intranet:
    """Serves ``pages``: path → reply, or a function of the request; anything else is 404."""

    def __init__(self) -> None:
        self.pages: dict[str, Reply | Callable[[Request], Reply]] = {}
        self.requests: list[Request] = []
        self.leave = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        request = Request(parts.path, query, {k.lower(): v for k, v in handler.headers.items()})
        self.requests.append(request)
        found = self.pages.get(handler.path) or self.pages.get(parts.path) or Reply(b"nothing here", 404)
        reply = found(request) if callable(found) else found
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        chunks = [reply.body] if isinstance(reply.body, bytes) else reply.body
        if isinstance(reply.body, bytes) and "Content-Length" not in reply.headers:
            handler.send_header("Content-Length", str(len(reply.body)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            for chunk in chunks:
                handler.wfile.write(chunk)
                handler.wfile.flush()
        except OSError:
            pass

    def serve(self, path: str, body: str | bytes, *, encoding: str = "utf-8", **headers: str) -> None:
        data = body if isinstance(body, bytes) else body.encode(encoding)
        self.pages[path] = Reply(data, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def close(self) -> None:
        self.leave.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@pytest.fixture(scope="session")
def documents() -> ModuleType:
    """The documents beside this file; a folder of tests is no package."""
    spec = importlib.util.spec_from_file_location("content_documents", Path(__file__).parent / "documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def intranet() -> Iterator[Intranet]:
    server = Intranet()
    yield server
    server.close()


@dataclass
class Reading:
    """What a source said in one go, and the notes that it left."""

    said: list[Any]
    notes: dict[str, Any]
    warnings: list[str]

    @property
    def addresses(self) -> list[str]:
        return [one.address for one in self.said if not one.gone]

    @property
    def gone(self) -> list[str]:
        return [one.address for one in self.said if one.gone]


def read_all(config: SourceConfig, notes: Mapping[str, Any] | None = None, *, calls: int = 50) -> Reading:
    """Read as the core does: again as long as there is more."""
    from rse_content.plugin import _reader

    said: list[Any] = []
    state: dict[str, Any] = dict(notes or {})
    for _call in range(calls):
        reader = _reader(config.kind)(config, state)
        while True:
            try:
                said.append(next(reader))
            except StopIteration as end:
                state = dict(end.value)
                break
        warnings = state.pop("warnings", [])
        if not state.pop("more", False):
            return Reading(said, state, list(warnings))
    raise AssertionError(f"there was always more after {calls} calls")


@pytest.fixture
def read() -> Callable[..., Reading]:
    return read_all


@pytest.fixture
def source(intranet: Intranet) -> Callable[..., SourceConfig]:
    """``source("rss", "/feed")``: a source of that kind at that path."""

    def make(kind: str, path: str = "/", **values: Any) -> SourceConfig:
        return SourceConfig(name="test", kind=kind, url=intranet.origin + path, **{"audience": "everyone", **values})

    return make
