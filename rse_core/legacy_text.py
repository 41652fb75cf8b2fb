"""Texts and times as foreign software gives them, brought to what RSE keeps: plain, short, dated in UTC."""

from __future__ import annotations

import datetime as dt
import html
import re
from zoneinfo import ZoneInfo

import nh3

#: Windows-1252 declared as ISO-8859-1 leaves these where curly quotes and the euro sign were.
_C1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)} | {0x85: " "}
_BREAKS = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr|/td)\b[^<>]{0,200}>", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
#: French sets a space that does not break before these, and after the first quote.
_AFTER_FIXED, _BEFORE_FIXED = ";:!?»%€", "«"
#: Characters of markup looked at for one character kept.
_AHEAD = 20


def one_line(text: object, limit: int) -> str:
    """A text on one line, without control characters and halves of characters, cut at a word."""
    kept = "".join(c if c.isprintable() or c.isspace() else "" for c in str(text or "")[: limit * _AHEAD].translate(_C1))
    return shortened(squeezed(kept), limit)


def squeezed(text: str) -> str:
    """The text with single spaces.

    Of the spaces that do not break those of French punctuation stay; the others are an editor's.
    """
    return _BLANKS.sub(_one_space, text).strip()


def _one_space(found: re.Match[str]) -> str:
    fixed = found[0] in ("\u00a0", "\u202f") and (
        found.string[found.end() : found.end() + 1] in _AFTER_FIXED
        or found.string[found.start() - 1 : found.start()] in _BEFORE_FIXED
    )
    return found[0] if fixed else " "


def plain(markup: object, limit: int) -> str:
    """The words of some HTML on one line; what only machines read (scripts, styles) is left out."""
    text = _BREAKS.sub(" ", str(markup or "")[: limit * _AHEAD].translate(_C1).replace("\x00", ""))
    if "<" in text or "&" in text:
        text = html.unescape(nh3.clean(text, tags=set()))
    return one_line(text, limit)


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning up to a word, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _tail = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip() + "…"


def in_utc(moment: object, zone: str) -> dt.datetime | None:
    """A time of the source in UTC; one without a zone is the site's own. None for what is no usable time."""
    if not isinstance(moment, dt.datetime):
        return None
    try:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        found = moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year >= 1970 else None


def title_of(address: str) -> str:
    """A title for a page whose own is not known yet: the last words of its address."""
    from urllib.parse import unquote

    path = address.rpartition(":")[2] if address[:1] != "/" else address
    path, _sep, query = path.partition("?")
    last = path.rstrip("/").rpartition("/")[2] or query.rpartition("=")[2]
    stem, dot, ending = last.rpartition(".")
    if dot and stem and len(ending) <= 5:
        last = query.rpartition("=")[2] or stem
    words = re.sub(r"[-_+\s]+", " ", unquote(last, errors="replace")).strip()
    return words[:1].upper() + words[1:] if words else address
