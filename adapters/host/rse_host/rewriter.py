"""The port through which a page is changed: what to insert, and what every rewriter promises.

A rewriter receives the raw bytes of one page and returns them with at most one script tag and a few fragments
more; every other byte is the same. It may raise; :func:`rewrite_safely` is what callers use, and hands the
original back.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Literal, Protocol

from .scanner import has_script, head_insertion_point

logger = logging.getLogger("rse.host.rewriter")

Where = Literal["before", "after", "prepend", "append"]

_WIDE_CHARSETS = ("utf-16", "utf16", "utf-32", "utf32", "ucs-2", "ucs2", "ucs-4", "ucs4", "utf-7", "utf7")
_SHIFTING_CHARSETS = ("iso-2022-", "iso2022", "hz-gb", "csiso2022", "ibm", "cp037", "cp500", "ebcdic")
_WIDE_MARKS = (b"\xfe\xff", b"\xff\xfe", b"\x00\x00\xfe\xff")
_CHARSET_NAME = re.compile(r"[a-z0-9._:+-]+\Z")


class RewriteFailed(Exception):
    """A rewriter could not do what it promises; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Ready HTML for one place of the page, shown to readers without JavaScript.

    :param selector: where it goes; the first element that matches is taken, the rest of the page is left
    alone.
    :param where: side of that element. ``before`` and ``prepend`` hold on pages with missing end tags.
    :param html: text of any language; it is written as pure ASCII, see :func:`ascii_html`.
    """

    selector: str
    where: Where
    html: str


@dataclass(frozen=True, slots=True)
class Insert:
    """What is added to one page: the script tag, and fragments in the order in which they are placed."""

    script: str
    script_address: str
    fragments: tuple[Fragment, ...] = ()


class Rewriter(Protocol):
    """Places fragments by selector. The script tag never needs one: see :func:`rewrite_safely`."""

    name: str

    def place(self, body: bytes, fragments: tuple[Fragment, ...], *, also: tuple[int, bytes] | None = None) -> bytes:
        """Return ``body`` with each fragment at its first match, every other byte unchanged.

        :param also: an offset in ``body`` and bytes to insert there as they are.

        A fragment whose selector matches nothing is left out. Raises whatever the parser underneath raises.
        """
        ...


def ascii_html(text: str) -> bytes:
    """Return HTML text as ASCII bytes, each other character as a numeric entity.

    Right in every ASCII-compatible encoding, so that an ISO-8859-15 page stays readable. Only for markup
    where entities are decoded: not inside ``script`` or ``style``, which a fragment must not contain anyway.
    """
    return text.encode("ascii", "xmlcharrefreplace")


def can_carry_ascii(body: bytes, charset: str | None) -> bool:
    """Whether ASCII bytes mean ASCII characters in this page.

    :param charset: of the Content-Type header, or None when it names none.
    """
    if body.startswith(_WIDE_MARKS):
        return False
    if charset is None:
        return True
    name = charset.strip().strip("\"'").lower()
    if _CHARSET_NAME.match(name) is None:
        return False
    return not name.startswith(_WIDE_CHARSETS + _SHIFTING_CHARSETS)


def place_of_script(body: bytes, insert: Insert, *, complete: bool = True) -> int | None:
    """Return the offset at which the script tag goes, None when there is no place or it is there already."""
    if has_script(body, insert.script_address.encode("ascii")):
        return None
    return head_insertion_point(body, complete=complete)


def insert_script(body: bytes, insert: Insert, *, complete: bool = True) -> bytes:
    """Return the page with its script tag, or the very same object when nothing is to be done."""
    place = place_of_script(body, insert, complete=complete)
    return body if place is None else _with(body, place, insert.script.encode("ascii"))


def _with(body: bytes, place: int, inserted: bytes) -> bytes:
    # Views, so that a large page is copied once.
    whole = memoryview(body)
    return b"".join((whole[:place], inserted, whole[place:]))


def rewrite_safely(
    body: bytes,
    *,
    charset: str | None,
    insert: Insert,
    rewriters: tuple[Rewriter, ...] = (),
    complete: bool = True,
) -> bytes:
    """Return the page with script and fragments; whatever goes wrong, a page that is right.

    The fragments are tried with each rewriter in turn; when all fail the page still gets its script, which
    needs no parser. Any other error hands back ``body`` itself, so ``result is body`` says that nothing was
    done.

    :param complete: False for the beginning of a longer page.
    """
    try:
        if not can_carry_ascii(body, charset):
            return body
        place = place_of_script(body, insert, complete=complete)
        if place is None:
            return body
        script = insert.script.encode("ascii")
        for rewriter in rewriters if insert.fragments else ():
            try:
                return rewriter.place(body, insert.fragments, also=(place, script))
            except Exception as error:  # isolation point: a parser may fail on any page
                logger.info("fragments not placed by %s: %s", rewriter.name, str(error).split("\n")[0])
        return _with(body, place, script)
    except Exception:  # isolation point: the intranet's page is worth more than ours
        logger.exception("page left as it was")
        return body


def default_rewriters() -> tuple[Rewriter, ...]:
    """Return the rewriters that can be imported here, the best first; possibly none."""
    found: list[Rewriter] = []
    try:
        from .lolhtml_rewriter import LolhtmlRewriter

        found.append(LolhtmlRewriter())
    except ImportError:
        logger.warning("python-lolhtml is not installed: fragments are placed by turbohtml, more slowly")
    try:
        from .turbohtml_rewriter import TurbohtmlRewriter

        found.append(TurbohtmlRewriter())
    except ImportError:
        logger.info("turbohtml is not installed: there is no fallback for placing fragments")
    return tuple(found)
