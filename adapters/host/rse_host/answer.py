"""One answer of the intranet's WSGI application, held back until it is known what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from . import headers as h

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_NEVER_PAGES = frozenset((
    "avif", "bmp", "css", "csv", "doc", "docx", "eot", "gif", "gz", "ico", "jpeg", "jpg", "js", "json", "map",
    "mjs",
    "mp3", "mp4", "odt", "ogg", "otf", "pdf", "png", "ppt", "pptx", "svg", "tar", "ttf", "txt", "wav", "webm",
    "webp", "woff", "woff2", "xls", "xlsx", "xml", "zip",
))  # fmt: skip


def _may_be_page(environ: WSGIEnvironment) -> bool:
    """Whether a 304 without a type may stand for a page: what the browser wants it for, else what it is
    called.
    """
    wanted = environ.get("HTTP_SEC_FETCH_DEST")
    if wanted is not None and wanted not in ("document", "iframe", "frame", "empty"):
        return False
    accept = environ.get("HTTP_ACCEPT", "*/*")
    if "text/html" not in accept and "*/*" not in accept:
        return False
    name = environ.get("PATH_INFO", "").rsplit("/", 1)[-1].lower()
    return "." not in name or name.rsplit(".", 1)[-1] not in _NEVER_PAGES


def take(chunks: Iterator[bytes], limit: int) -> tuple[bytes, Iterator[bytes] | None]:
    """Return what fits into ``limit`` (the chunk that crosses it included) and the chunks after it, if any
    may be.
    """
    parts: list[bytes] = []
    size = 0
    for part in chunks:
        parts.append(part)
        size += len(part)
        if size > limit:
            return b"".join(parts), chunks
    return (parts[0] if len(parts) == 1 else b"".join(parts)), None


class Closing:
    """An iterable that closes the intranet's own when the server is done with it, as WSGI asks."""

    __slots__ = ("_answer", "_chunks")

    def __init__(self, chunks: Iterable[bytes], answer: Answer) -> None:
        self._chunks = iter(chunks)
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._answer.close()


class Answer:
    """One answer of the intranet, its start held back until it is known what it is."""

    def __init__(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        self.status = ""
        self.headers: h.Headers = []
        self.written: list[bytes] = []
        self.begun = False
        self._send: Callable[[bytes], object] | None = None
        self._seen: list[bytes] = []
        self._closed = False
        self._result = app(environ, self._start)
        self._chunks: Iterator[bytes] | None = None
        try:
            if not self._started():
                # A generator calls start_response only when it is first asked for a chunk.
                self._chunks = iter(self._result)
                for part in self._chunks:
                    self._seen.append(part)
                    if self._started():
                        break
            if not self._started():
                raise RuntimeError("The application never called start_response.")
        except BaseException:
            self.close()
            raise

    def _start(self, status: str, headers: h.Headers, exc_info: ExcInfo | None = None, /) -> Callable[[bytes], object]:
        if exc_info is not None and exc_info[1] is not None and self.begun:
            raise exc_info[1].with_traceback(exc_info[2])
        self.status, self.headers = status, list(headers)
        return self._write

    def _started(self) -> bool:
        return bool(self.status)

    def _write(self, data: bytes) -> None:
        if self._send is not None:
            self._send(data)
        else:
            self.written.append(data)

    def hides_a_page(self, environ: WSGIEnvironment) -> bool:
        """Whether this may be a page behind a condition that the reader's copy set before our tag was in it."""
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return False
        kind = (h.first(self.headers, "content-type") or "").split(";", 1)[0].strip().lower()
        if self.status.startswith("206"):
            return kind == "text/html"
        return self.status.startswith("304") and kind in ("", "text/html") and _may_be_page(environ)

    def chunks(self) -> Iterator[bytes]:
        """Everything the application writes or yields, in order."""
        source = self._chunks if self._chunks is not None else iter(self._result)
        yield from self.written
        yield from self._seen
        taken = len(self.written)
        for part in source:
            # write() may be called between two chunks; what it wrote comes first.
            while taken < len(self.written):
                yield self.written[taken]
                taken += 1
            yield part
        yield from self.written[taken:]

    def collect(self, limit: int) -> tuple[bytes, Iterator[bytes] | None]:
        """Return the whole body and None, or its first part and the rest when it is longer than ``limit``."""
        result = self._result
        if type(result) is list and len(result) == 1 and not self.written and self._chunks is None:
            return result[0], None
        return take(self.chunks(), limit)

    def pass_on(self, start_response: StartResponse, mark: str | None = None) -> Iterable[bytes]:
        """Give the answer to the server unchanged; with ``mark``, a 304 gets back the tag that its reader
        knows.
        """
        headers = self.headers
        if mark is not None and self.status.startswith("304"):
            headers = [(k, h.add_mark(v, mark) if k.lower() == "etag" else v) for k, v in headers]
        self.begun = True
        send = start_response(self.status, headers)
        if self._chunks is None and not self.written:
            self._send = send
            return self._result
        return Closing(self.chunks(), self)

    def close(self) -> None:
        """Close the application's iterable, once."""
        if not self._closed:
            self._closed = True
            close = getattr(self._result, "close", None)
            if close is not None:
                close()
