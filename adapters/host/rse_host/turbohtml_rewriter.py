"""Fragments placed with turbohtml, used only to *find* the place: it turns CRLF into LF, we must not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from turbohtml.rewrite import rewrite

from .rewriter import Fragment, RewriteFailed, ascii_html

_LINE_END = re.compile(r"\r\n?")


class TurbohtmlRewriter:
    """The fallback :class:`~rse_host.rewriter.Rewriter`."""

    name = "turbohtml"

    def place(self, body: bytes, fragments: tuple[Fragment, ...], *, also: tuple[int, bytes] | None = None) -> bytes:
        """See :meth:`rse_host.rewriter.Rewriter.place`.

        The page is read as ISO-8859-1, which maps every byte to one character and back; a token stands in for
        each fragment and its place is carried over to the original bytes.

        :raises RewriteFailed: when a token was lost, or when anything but the tokens and line ends was
        changed.
        """
        page = body.decode("latin-1")
        # Outside ISO-8859-1, so that no byte of any page can be mistaken for one.
        marks = [chr(0xE000 + number) for number in range(len(fragments))]
        placed: list[bool] = [False] * len(fragments)
        changed = rewrite(
            page,
            elements=[
                (fragment.selector, _once(number, fragment, marks[number], placed))
                for number, fragment in enumerate(fragments)
            ],
        )
        flat = _LINE_END.sub("\n", page)
        places: list[tuple[int, int]] = []
        for number, mark in enumerate(marks):
            if placed[number]:
                if changed.count(mark) != 1:
                    raise RewriteFailed("a fragment was lost beside an element without an end tag")
                places.append((changed.index(mark), number))
        for mark in marks:
            changed = changed.replace(mark, "")
        if changed != flat:
            raise RewriteFailed("the parser changed more than it was asked to")
        inserts = [
            (_original(page, offset - rank), ascii_html(fragments[number].html))
            for rank, (offset, number) in enumerate(sorted(places))
        ]
        if also is not None:
            inserts.append(also)
            inserts.sort(key=lambda insert: insert[0])
        return _insert(body, inserts)


def _once(number: int, fragment: Fragment, mark: str, placed: list[bool]) -> Callable[[Any], None]:
    def handle(element: Any) -> None:
        if not placed[number]:
            placed[number] = True
            getattr(element, fragment.where)(mark, html=True)

    return handle


def _original(page: str, place: int) -> int:
    """Offset in the page of an offset in its text with plain line ends."""
    shift = 0
    for pair in re.finditer("\r\n", page):
        if pair.start() - shift >= place:
            break
        shift += 1
    return place + shift


def _insert(body: bytes, inserts: list[tuple[int, bytes]]) -> bytes:
    parts: list[bytes] = []
    taken = 0
    for place, inserted in inserts:
        parts += (body[taken:place], inserted)
        taken = place
    return b"".join((*parts, body[taken:]))
