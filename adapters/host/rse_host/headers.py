"""Response headers as the middleware needs them: what a page is, how it is coded, and how its validators are
marked.

**Conditional requests.** A browser that cached a page before RSE was installed asks "has it changed?", gets
304 for ever and never sees a widget. So the validators of a changed page carry a mark, and a request is
judged by it:

* ``If-None-Match`` with our mark: the copy has the tag already; the mark is taken off and the intranet may
answer 304.
* anything else: the request goes to the intranet as it is. If it answers 304, or 206 for a page, the same
request is
  made once more without conditions; when that turns out to be a page, the reader gets the whole of it,
  otherwise the first answer stands. So pictures, style sheets and downloads keep their 304 and their ranges.
"""

from __future__ import annotations

import re
import zlib

Headers = list[tuple[str, str]]

CONDITIONS = (
    "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_RANGE", "HTTP_RANGE", "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
)  # fmt: skip
MARK_PREFIX = "-rse."
_TAG = re.compile(r'\s*((?:W/)?"[^"]*"|\*)\s*(?:,|\Z)')
_CHARSET = re.compile(r";\s*charset\s*=\s*(\"[^\"]*\"|[^;\s]+)", re.IGNORECASE)
_NONCE = re.compile(r"'nonce-([A-Za-z0-9+/_=-]+)'")
_CHANGED = frozenset(
    (
        "content-length",
        "content-encoding",
        "content-md5",
        "digest",
        "content-digest",
        "repr-digest",
        "accept-ranges",
    )
)


class TooLarge(Exception):
    """A compressed page is larger than may be held in memory."""


def first(headers: Headers, name: str) -> str | None:
    """Return the value of the first header of that (lower-case) name."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def is_page(status: str, headers: Headers) -> bool:
    """Whether a response is a whole HTML page that a browser shows: 200, ``text/html``, not a download."""
    if not status.startswith("200"):
        return False
    kind = first(headers, "content-type")
    if kind is None or kind.split(";", 1)[0].strip().lower() != "text/html":
        return False
    disposition = first(headers, "content-disposition")
    return disposition is None or not disposition.strip().lower().startswith("attachment")


def charset(headers: Headers) -> str | None:
    """Return the charset the Content-Type names, or None."""
    found = _CHARSET.search(first(headers, "content-type") or "")
    return found.group(1).strip('"') if found else None


def nonce(headers: Headers) -> str | None:
    """Return the script nonce of the page's own Content-Security-Policy, so that our tag may carry it too."""
    for key, value in headers:
        if key.lower() == "content-security-policy":
            directives = {words[0].lower(): words[1:] for words in (part.split() for part in value.split(";")) if words}
            for name in ("script-src-elem", "script-src", "default-src"):
                if name in directives:
                    found = _NONCE.search(" ".join(directives[name]))
                    if found:
                        return found.group(1)
                    break
    return None


def decode(body: bytes, coding: str | None, limit: int) -> bytes | None:
    """Return the plain bytes of a coded body, or None for a coding that is not known here (it is left alone).

    :raises TooLarge: when it would grow beyond ``limit`` bytes.
    :raises zlib.error: for a body that is not what its header says.
    """
    name = (coding or "identity").strip().lower()
    if name in ("", "identity"):
        return body
    if name in ("gzip", "x-gzip"):
        return _inflate(body, 16 + zlib.MAX_WBITS, limit)
    if name == "deflate":
        try:
            return _inflate(body, zlib.MAX_WBITS, limit)
        except zlib.error:
            # Some servers send the bare stream under this name.
            return _inflate(body, -zlib.MAX_WBITS, limit)
    return None


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    parts: list[bytes] = []
    left, room = body, limit
    while left:
        machine = zlib.decompressobj(window)
        part = machine.decompress(left, room + 1)
        room -= len(part)
        if room < 0:
            raise TooLarge
        if not machine.eof:
            raise zlib.error("the stream is cut short")
        parts.append(part)
        # A gzip body may be several members one after the other; servers pad with zeros.
        left = machine.unused_data.lstrip(b"\0") if window > zlib.MAX_WBITS else b""
    return b"".join(parts)


def rewritten(headers: Headers, *, mark: str | None, length: int | None) -> Headers:
    """Return the headers of a changed page.

    :param mark: put into a weak ETag made from the intranet's; None when the page is one person's own, then
        no
        validator is kept and no shared cache may hold it.
    :param length: of the new body, None when it is not known.
    """
    kept: Headers = []
    for key, value in headers:
        name = key.lower()
        if name in _CHANGED or name == "last-modified" or (mark is None and name in ("cache-control", "expires")):
            continue
        if name == "etag":
            if mark is not None:
                kept.append((key, add_mark(value, mark)))
            continue
        kept.append((key, value))
    if mark is None:
        kept.append(("Cache-Control", "private, no-cache"))
    if length is not None:
        kept.append(("Content-Length", str(length)))
    return kept


def add_mark(tag: str, mark: str) -> str:
    """Return a weak ETag that says "this page, with our insert": ``"a"`` becomes ``W/"a-rse.1f"``.

    A strong tag notes that it was one, so that it can be given back exactly: ``W/"a-rse.1f.s"``.
    """
    tag = tag.strip()
    strong = not tag.startswith("W/")
    return f'W/"{tag.removeprefix("W/").strip(chr(34))}{MARK_PREFIX}{mark}{".s" if strong else ""}"'


def take_mark(condition: str, mark: str) -> str | None:
    """Return the intranet's own tags out of an ``If-None-Match``, or None when none of them carries this
    mark.
    """
    found: list[str] = []
    for tag in _TAG.findall(condition):
        inner = tag.removeprefix("W/").strip('"')
        for ending, weak in ((f"{MARK_PREFIX}{mark}.s", ""), (f"{MARK_PREFIX}{mark}", "W/")):
            if inner.endswith(ending):
                found.append(f'{weak}"{inner.removesuffix(ending)}"')
                break
    return ", ".join(found) or None
