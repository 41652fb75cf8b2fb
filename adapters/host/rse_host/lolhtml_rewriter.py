"""Fragments placed by python-lolhtml: a streaming rewriter that leaves every other byte alone."""

from __future__ import annotations

import lolhtml

from .rewriter import Fragment, RewriteFailed, ascii_html

_HTML = lolhtml.ContentType.HTML


class _Once:
    """Handler that edits the first element it is shown and ignores the others."""

    __slots__ = ("fragment", "html", "placed")

    def __init__(self, fragment: Fragment) -> None:
        self.fragment = fragment
        self.html = ascii_html(fragment.html).decode("ascii")
        self.placed = False

    def element(self, element: lolhtml.Element) -> None:
        if not self.placed:
            self.placed = True
            getattr(element, self.fragment.where)(self.html, _HTML)


class LolhtmlRewriter:
    """The preferred :class:`~rse_host.rewriter.Rewriter`."""

    name = "python-lolhtml"

    def place(self, body: bytes, fragments: tuple[Fragment, ...], *, also: tuple[int, bytes] | None = None) -> bytes:
        """See :meth:`rse_host.rewriter.Rewriter.place`.

        :raises RuntimeError: from lol-html, on markup whose meaning depends on the tree (``<select><xmp>``).
        :raises RewriteFailed: when a fragment was lost, as happens ``after`` an element that is never closed.
        """
        out: list[bytes] = []
        rewriter = lolhtml.HTMLRewriter(out.append)  # type: ignore[arg-type]  # it gives bytes
        handlers = [_Once(fragment) for fragment in fragments]
        for handler in handlers:
            rewriter.on(handler.fragment.selector, handler)
        rewriter.write(body)
        rewriter.end()
        expected = len(body) + sum(len(handler.html) for handler in handlers if handler.placed)
        if sum(map(len, out)) != expected:
            raise RewriteFailed("a fragment was lost beside an element without an end tag")
        if also is not None:
            _put(out, body, *also)
        return b"".join(out)


def _put(out: list[bytes], body: bytes, offset: int, inserted: bytes) -> None:
    """Insert into the parts of the output, so that a large page need not be copied once more."""
    passed = 0
    for number, part in enumerate(out):
        cut = offset - passed
        if part[:cut] != body[passed : min(passed + len(part), offset)]:
            break
        if len(part) >= cut:
            out[number : number + 1] = (part[:cut], inserted, part[cut:])
            return
        passed += len(part)
    raise RewriteFailed("a fragment stands before the place of the script")
