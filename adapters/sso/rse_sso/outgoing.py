"""Asking the sign-in server, within limits: seconds, bytes, https, and never along a redirect."""

from __future__ import annotations

import ipaddress
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from .reasons import Reason, SsoRefused

MAX_BYTES = 512 * 1024
_AGENT = "RSE (sign-in)"


@dataclass(frozen=True)
class Limits:
    """How long and how much one answer may be.

    :param ca_file: certificates to believe instead of the machine's own.
    """

    timeout: float = 5.0
    max_bytes: int = MAX_BYTES
    ca_file: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the server said.

    :param clock_ahead: by how many seconds its clock is before ours, from its ``Date``; ``None`` when it sent none.
    """

    status: int
    body: bytes
    clock_ahead: float | None = None

    def json(self) -> dict[str, Any]:
        """The body as one JSON object.

        :raises SsoRefused: ``provider_answer`` when it is anything else.
        """
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise SsoRefused(Reason.PROVIDER_ANSWER, "not JSON") from None
        if not isinstance(value, dict):
            raise SsoRefused(Reason.PROVIDER_ANSWER, "no JSON object")
        return value


def may_be_asked(url: str) -> bool:
    """Whether an address is https, or plain http on this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if "@" in parts.netloc or parts.fragment:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine, whatever the name service says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Outgoing:
    """A client of one sign-in server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, *, params: Mapping[str, str] | None = None, bearer: str | None = None) -> Answer:
        """Ask for an address."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self._ask("GET", url, headers, params=params)

    def post(self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None) -> Answer:
        """Send a form."""
        return self._ask("POST", url, {}, form=form, auth=basic)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], *, params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        if not may_be_asked(url):
            raise SsoRefused(Reason.PROVIDER_INSECURE, f"{_place(url)} is not https")
        ends = time.monotonic() + self._limits.timeout
        sent = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **headers}
        try:
            with (
                # Nothing of the environment counts: neither a proxy nor a .netrc.
                httpx.Client(
                    timeout=self._limits.timeout, trust_env=False, follow_redirects=False, verify=self._tls()
                ) as client,
                client.stream(method, url, headers=sent, params=params, data=form, auth=auth) as response,
            ):
                if response.is_redirect:
                    raise SsoRefused(Reason.PROVIDER_ANSWER, f"{_place(url)} redirects, which is not followed")
                body = self._body(response, url, ends)
                return Answer(response.status_code, body, _ahead(response.headers.get("date")))
        except httpx.TimeoutException:
            raise SsoRefused(Reason.PROVIDER_DOWN, f"{_place(url)} did not answer in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SsoRefused(Reason.PROVIDER_DOWN, f"{_place(url)}: {type(error).__name__}") from None

    def _body(self, response: httpx.Response, url: str, ends: float) -> bytes:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise SsoRefused(Reason.PROVIDER_ANSWER, f"{_place(url)} sent a packed answer that was not asked for")
        found = bytearray()
        for chunk in response.iter_raw():
            found += chunk
            if len(found) > self._limits.max_bytes:
                raise SsoRefused(Reason.PROVIDER_ANSWER, f"{_place(url)} sent more than {self._limits.max_bytes} bytes")
            if time.monotonic() > ends:
                raise SsoRefused(Reason.PROVIDER_DOWN, f"{_place(url)} did not answer in time")
        return bytes(found)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._limits.ca_file)
        return self._context


def _place(url: str) -> str:
    # Without the query, which may hold a ticket.
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]


def _ahead(date: str | None) -> float | None:
    from email.utils import parsedate_to_datetime

    if not date:
        return None
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, TypeError):
        return None
