"""The requests of the self-test: one connection each, headers exactly as given, answers in full."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from rse_core.api import BadInput

from .headers import Headers, first
from .i18n import _

MAX_BODY = 1 << 25
"""Bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    headers: Headers
    body: bytes
    target: str
    host: str

    def first(self, name: str) -> str | None:
        """The first header of that lower-case name."""
        return first(self.headers, name)


class Probe:
    """Asks one origin.

    :param headers: ``Name: value``, sent with every request.
    :raises BadInput: for an address or a header that cannot be used.
    """

    def __init__(self, url: str, *, headers: tuple[str, ...] = (), timeout: float = 10.0) -> None:
        self.timeout = timeout
        self.always: dict[str, str] = {}
        for line in headers:
            name, sep, value = line.partition(":")
            if not sep or not name.strip() or not line.isprintable() or not line.isascii():
                raise BadInput(_("“%(line)s” is not a header.", line=line[:80]), remedy=_("Write 'Cookie: name=value'."))
            self.always[name.strip()] = value.strip()
        self.move(url)

    def move(self, url: str) -> None:
        """Look at another address from now on."""
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or not url.isprintable() or " " in url:
            raise BadInput(
                _("“%(url)s” is not the address of a page.", url=url[:120]),
                remedy=_("Write it whole: https://intranet.example/news/1"),
            )
        self.url = url
        self._parts = parts
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def get(self, target: str, headers: dict[str, str]) -> Answer:
        """Ask for a path on the origin."""
        host, port = self._parts.hostname or "", self._parts.port
        connection: http.client.HTTPConnection
        if self._parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=self.timeout, context=ssl.create_default_context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
        try:
            sent = {"User-Agent": "rse-host-selftest", **self.always, **headers}
            connection.request("GET", target, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read(MAX_BODY), target, self._parts.netloc)
        finally:
            connection.close()

    def slots(self, prefix: str, address: str, headers: dict[str, str]) -> Answer:
        """Ask RSE for the slots of a page, as the script does."""
        query = urlencode({"address": address, "slots": "reactions,comments"})
        return self.get(f"{prefix}/embed/slots?{query}", {"Accept": "application/json", **headers})
