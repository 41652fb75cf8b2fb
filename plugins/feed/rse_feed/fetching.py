"""Fetching one page from outside, for its title: guarded against being led to addresses inside.

Every name is resolved here, every address it has is checked, and the connection goes to the address that was checked: a name
that answers otherwise the second time gains nothing. Redirects are followed by hand, each as if it were the first.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from rse_core.api import BadInput, translator

_ = translator(__file__, "rse_feed").gettext

SECONDS = 5.0
MOST_BYTES = 256 * 1024
MOST_HOPS = 4
PORTS = {"http": 80, "https": 443}
#: Addresses that carry another one within them.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
#: (host, port) → the addresses of that name
Resolve = Callable[[str, int], Sequence[str]]
#: (address, port, seconds) → a socket that is connected there
Connect = Callable[[str, int, float], socket.socket]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The beginning of a page: where it was found in the end, and its text."""

    url: str
    text: str


def page(url: str, *, resolve: Resolve | None = None, connect: Connect | None = None) -> Fetched:
    """The beginning of a page of text.

    :raises BadInput: for an address that is none, leads inside, cannot be reached within five seconds, or is no web page.
    """
    until = time.monotonic() + SECONDS
    for _hop in range(MOST_HOPS):
        host, port, secure, path = _parts(url)
        address = _safe(host, port, resolve or _resolve)
        try:
            answer, onward = _ask(address, host, port, secure, path, until, connect or _connect)
        except (OSError, http.client.HTTPException, ValueError):
            raise _unreachable() from None
        if onward is None:
            return Fetched(url, answer)
        url = urljoin(url, onward)
    raise _unreachable()


def is_inside(address: str) -> bool:
    """Whether an address is not one of the public internet: private, of this machine, of its links, of metadata services, or
    one that leads to such an address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64 or ip in _NAT64_LOCAL:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None and is_inside(str(inner)):
            return True
        if ip.is_site_local:
            return True
    return not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified


def _parts(url: str) -> tuple[str, int, bool, str]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except (ValueError, UnicodeError):
        raise _refused() from None
    usual = PORTS.get(parts.scheme)
    printable = url.isprintable() and " " not in url
    if usual is None or not host or port not in (None, usual) or parts.username or parts.password or not printable:
        raise _refused()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return host, usual, parts.scheme == "https", _ascii(path)


def _ascii(path: str) -> str:
    from urllib.parse import quote

    return quote(path, safe="/%:?#[]@!$&'()*+,;=-._~")


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _safe(host: str, port: int, resolve: Resolve) -> str:
    """The address to connect to. One that leads inside refuses the name, whatever others it has."""
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError):
        raise _unreachable() from None
    if not addresses:
        raise _unreachable()
    if any(is_inside(address) for address in addresses):
        raise _refused()
    return addresses[0]


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


def _ask(
    address: str, host: str, port: int, secure: bool, path: str, until: float, connect: Connect
) -> tuple[str, str | None]:
    """The text of an answer, or where it leads."""
    sock = connect(address, port, _left(until))
    try:
        if secure:
            sock.settimeout(_left(until))
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        sock.settimeout(_left(until))
        named = f"[{host}]" if ":" in host else host
        sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {named}\r\nUser-Agent: RSE link preview\r\nAccept: text/html\r\n"
            "Accept-Encoding: identity\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        answer = http.client.HTTPResponse(sock, method="GET")
        answer.begin()
        if answer.status in (301, 302, 303, 307, 308):
            return "", answer.getheader("Location") or ""
        kind = answer.headers.get_content_type()
        if answer.status != 200 or kind not in ("text/html", "application/xhtml+xml"):
            raise ValueError(kind)
        if answer.getheader("Content-Encoding", "identity") not in ("", "identity"):
            raise ValueError("compressed")
        data = _body(answer, sock, until)
        charset = answer.headers.get_content_charset() or _declared(data)
        try:
            return data.decode(charset, "replace"), None
        except LookupError:
            return data.decode("utf-8", "replace"), None
    finally:
        sock.close()


def _body(answer: http.client.HTTPResponse, sock: socket.socket, until: float) -> bytes:
    """What comes within the time, up to the limit: a title stands at the beginning."""
    data = b""
    while len(data) < MOST_BYTES:
        sock.settimeout(_left(until))
        some = answer.read1(min(16_384, MOST_BYTES - len(data)))
        if not some:
            break
        data += some
    return data


def _declared(data: bytes) -> str:
    import re

    found = re.search(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{1,40})", data[:4096], re.IGNORECASE)
    return found[1].decode("ascii") if found else "utf-8"


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _refused() -> BadInput:
    message = _("No preview is made of this address.")
    return BadInput(message, remedy=_("Write the address of a public page, https://…"), fields={"link": message})


def _unreachable() -> BadInput:
    message = _("The page could not be read.")
    return BadInput(message, remedy=_("The link itself stays in your text."), fields={"link": message})
