"""The piece of a text in which what was looked for stands, with marks around it; safe HTML made from plain text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .typed import Term
from .words import Word, words

#: Characters of a snippet, about three lines; and of a text that is looked through for one.
LENGTH, LOOKED_AT = 260, 6_000


def marked(text: str, terms: Sequence[Term]) -> str:
    """The whole text, escaped, with ``<mark>`` around what matches."""
    return _marked(text, 0, len(text), _hits(text, terms))


def snippet(text: str, terms: Sequence[Term], *, length: int = LENGTH) -> str:
    """The part of a text that has most of the terms in it; its beginning when it has none."""
    found = _hits(text[:LOOKED_AT], terms)
    start, end = _window(text, found, terms, length)
    before, after = ("… " if start else ""), (" …" if end < len(text) else "")
    return before + _marked(text, start, end, found) + after


def _hits(text: str, terms: Sequence[Term]) -> list[Word]:
    # Most words of a text come several times.
    known: dict[str, bool] = {}
    found = []
    for word in words(text):
        hit = known.get(word.text)
        if hit is None:
            hit = known[word.text] = any(term.matches(word.text) for term in terms)
        if hit:
            found.append(word)
    return found


def _window(text: str, found: Sequence[Word], terms: Sequence[Term], length: int) -> tuple[int, int]:
    best, start = 0, 0
    for index, first in enumerate(found[:200]):
        inside = [word for word in found[index : index + 40] if word.end - first.start <= length * 0.8]
        score = 10 * sum(any(term.matches(word.text) for word in inside) for term in terms) + len(inside)
        if score > best:
            best, start = score, first.start
    # A little of what stands before, from the beginning of a word.
    start = max(0, start - length // 5) if found and start > length // 3 else 0
    if start:
        gap = text.find(" ", start)
        start = gap + 1 if 0 <= gap < start + 40 else start
    end = min(len(text), start + length)
    if end < len(text):
        gap = text.rfind(" ", start, end)
        end = gap if gap > start + length // 2 else end
    return start, end


def _marked(text: str, start: int, end: int, found: Sequence[Word]) -> str:
    parts, at = [], start
    for word in found:
        if word.start < at or word.end > end:
            continue
        parts += [escape(text[at : word.start]), "<mark>", escape(text[word.start : word.end]), "</mark>"]
        at = word.end
    return "".join([*parts, escape(text[at:end])])
