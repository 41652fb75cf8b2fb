"""Asking the intranet's servers, with an end to everything: bytes, seconds, redirects, and where they lead.

The time of an answer is bounded as a whole, from the first connection to its last byte: a server that sends a byte now and
then does not hold the worker up. What comes packed is unpacked here, never beyond the limit.
"""

from __future__ import annotations

import os
import ssl
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from rse_core.api import RseError

from .config import SourceConfig
from .i18n import _

REDIRECTS = 5
AGENT = "RSE (reads what the intranet publishes)"


class FetchError(RseError):
    """The server did not give what was asked for; names the limit where one was reached."""

    code = "content_fetch"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: unpacked, from the address where the redirects ended."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Without its parameters, in small letters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class _Clock:
    """When the present request must be over."""

    def __init__(self) -> None:
        self.ends = float("inf")

    def left(self, timeout: float | None) -> float:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time is over")
        return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection on which no wait is longer than what is left."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner, self._clock = inner, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, timeout=self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=self._clock.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout=left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        left = self._clock.left(timeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options), self._clock)


class _Transport(httpx.HTTPTransport):
    """httpx's own, over connections that know when to end; no proxy and nothing else of the environment counts."""

    def __init__(self, context: ssl.SSLContext, clock: _Clock) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=_Backend(clock), max_connections=4)


class Fetcher:
    """Asks on behalf of one source."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._clock = _Clock()
        self._home = origin_of(config.url)
        self._allowed = {self._home, *(origin_of(origin) for origin in config.origins)}
        self._client = httpx.Client(
            transport=_Transport(_context(config.verify), self._clock), follow_redirects=False, trust_env=False,
            timeout=httpx.Timeout(config.timeout), headers={"User-Agent": AGENT, "Accept-Encoding": "gzip"},
        )  # fmt: skip

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def get(
        self, url: str, *, params: Mapping[str, Any] | None = None, accept: str = "*/*", etag: str = "", modified: str = "",
        expected: tuple[int, ...] = (200,),
    ) -> Answer:  # fmt: skip
        """Ask for an address.

        :param etag, modified: of what is already known; the answer may then be 304, which is always expected.
        :raises FetchError: for any other status, and when a limit is reached.
        """
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if modified:
            headers["If-Modified-Since"] = modified
        target = str(httpx.URL(url).copy_merge_params(dict(params))) if params else url
        answer = self._follow(target, headers, read=True)
        if answer.status not in (*expected, 304):
            raise self._refused(answer)
        return answer

    def status(self, url: str) -> int | None:
        """The status of an address, its body unread; None when nobody can tell (away, or behind a sign-in)."""
        try:
            return self._follow(url, {}, read=False).status
        except FetchError:
            return None

    def _follow(self, url: str, headers: Mapping[str, str], *, read: bool) -> Answer:
        if origin_of(url) not in self._allowed:
            raise FetchError(
                _("%(url)s is not an address of this source, and is not asked for.", url=_short(url)),
                remedy=_("Add its origin to origins if it is the intranet's."),
            )
        self._clock.ends = time.monotonic() + self.config.timeout
        for _hop in range(REDIRECTS + 1):
            answer, location = self._once(url, headers, read=read)
            if location is None:
                return answer
            url = self._next(url, location)
        raise FetchError(_("%(url)s redirects more than %(max)s times.", url=_short(self.config.url), max=str(REDIRECTS)))

    def _once(self, url: str, headers: Mapping[str, str], *, read: bool) -> tuple[Answer, str | None]:
        sent = {**headers, **self.config.headers}
        if origin_of(url) == self._home:
            sent |= self._secrets()
        try:
            with self._client.stream("GET", url, headers=sent) as response:
                if response.status_code in (301, 302, 303, 307, 308):
                    return Answer(response.status_code, url, response.headers, b""), response.headers.get("location", "")
                wanted = read and response.status_code != 304
                body = self._body(response, url) if wanted else b""
                return Answer(response.status_code, url, response.headers, body), None
        except httpx.TimeoutException:
            raise FetchError(
                _("%(url)s did not answer within %(max)s seconds (limit timeout).", url=_short(url),
                  max=str(self.config.timeout))
            ) from None  # fmt: skip
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error, OSError) as error:
            told = str(error) or type(error).__name__
            raise FetchError(
                _("%(url)s cannot be read: %(error)s.", url=_short(url), error=told[:200].rstrip("."))
            ) from None

    def _body(self, response: httpx.Response, url: str) -> bytes:
        packed = response.headers.get("content-encoding", "").strip().lower()
        if packed not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise FetchError(
                _("%(url)s is packed in a way that was not asked for: %(how)s.", url=_short(url), how=packed[:40])
            )
        unpack = zlib.decompressobj(47) if packed not in ("", "identity") else None
        found, limit = bytearray(), self.config.max_bytes
        for chunk in response.iter_raw():
            self._clock.left(None)
            found += chunk if unpack is None else unpack.decompress(chunk, limit - len(found) + 1)
            if len(found) > limit or (unpack is not None and unpack.unconsumed_tail):
                raise too_long(url, limit)
        return bytes(found)

    def _next(self, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            origin = origin_of(target)
        except ValueError:
            target, origin = "", ""
        before, after = urlsplit(url), urlsplit(target)
        if not location or not origin:
            raise FetchError(
                _("%(url)s redirects to nowhere.", url=_short(url)),
                remedy=_("It may ask for a sign-in: see secret_headers."),
            )
        if before.scheme == "https" and after.scheme != "https":
            raise FetchError(_("%(url)s redirects from https to http, which is not followed.", url=_short(url)))
        upgraded = (before.hostname, before.scheme, after.scheme) == (after.hostname, "http", "https")
        if origin not in self._allowed and not upgraded:
            raise FetchError(
                _("%(url)s redirects to %(origin)s, which is not followed.", url=_short(url), origin=origin),
                remedy=_("Add it to origins if it is the intranet's; else the source may ask for a sign-in."),
            )
        return target

    def _secrets(self) -> dict[str, str]:
        found = {}
        for header, variable in self.config.secret_headers.items():
            if not os.environ.get(variable):
                raise FetchError(
                    _("The variable %(name)s, which holds the header %(header)s, is not set.", name=variable, header=header)
                )
            found[header] = os.environ[variable]
        return found

    def _refused(self, answer: Answer) -> FetchError:
        remedy = None
        if answer.status in (401, 403):
            remedy = _("It may ask for a sign-in: see secret_headers.")
        return FetchError(
            _("%(url)s answers with the status %(status)s.", url=_short(answer.url), status=str(answer.status)),
            remedy=remedy,
        )


def origin_of(url: str) -> str:
    """``scheme://host[:port]`` in small letters, without the scheme's own port; "" for what is no web address."""
    try:
        parts = urlsplit(url)
        number = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    own = {"http": 80, "https": 443}[parts.scheme]
    port = f":{number}" if number and number != own else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def gunzip(body: bytes, limit: int, url: str) -> bytes:
    """Unpack a ``.gz`` file.

    :raises FetchError: when it is damaged, or longer than the limit.
    """
    unpack = zlib.decompressobj(47)
    try:
        found = unpack.decompress(body, limit + 1)
    except zlib.error:
        raise FetchError(_("%(url)s is a damaged gzip file.", url=_short(url))) from None
    if len(found) > limit:
        raise too_long(url, limit)
    return found


def too_long(url: str, limit: int) -> FetchError:
    """The error for an answer that is longer than ``max_bytes``."""
    return FetchError(
        _("%(url)s is longer than %(max)s bytes (limit max_bytes).", url=_short(url), max=str(limit)),
        remedy=_("Raise the limit of this source if that is right."),
    )


def _context(verify: bool | str) -> ssl.SSLContext:
    # The machine's own authorities, where an organisation keeps its internal one.
    context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _short(url: str) -> str:
    """The address for a message, without its query, which may hold a key."""
    return url.partition("?")[0][:200]
