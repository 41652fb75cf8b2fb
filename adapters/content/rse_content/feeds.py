"""RSS and Atom documents, as broken as they come, made into entries. Nothing is ever fetched here."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import feedparser  # type: ignore[import-untyped]

from rse_core.api import RseError

from .dates import parse_date
from .fetch import Answer
from .i18n import _

_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
#: Remarks on how the document was declared, which does not matter once it could be read.
_HARMLESS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``link`` is absolute or empty, ``summary`` is HTML."""

    link: str
    guid: str
    title: str
    summary: str
    author: str
    tags: tuple[str, ...]
    lang: str
    published_at: dt.datetime | None
    updated_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A document read: the software that made it, its entries, and what is wrong with it."""

    generator: str
    entries: tuple[Entry, ...]
    fault: str = ""


def read_feed(answer: Answer) -> Feed:
    """Entries of a document, from its bytes.

    :raises RseError: when it is no feed at all.
    """
    # Two bytes a character are one after this; enough to find the root by.
    head = answer.body[:200_000].replace(b"\x00", b"")
    root = _ROOT.search(head)
    if root is None:
        raise _no_feed(answer)
    if b"<!entity" in head[: root.start()].lower():
        raise RseError(
            _("%(url)s declares entities, which is refused.", url=answer.url.partition("?")[0]),
            remedy=_("No feed needs them: look at what makes it."),
        )
    # text/xml without a charset would mean ASCII; what the document says of itself is worth more.
    declared = answer.headers.get("content-type", "") if "charset" in answer.headers.get("content-type", "") else ""
    about = {"content-type": declared or "application/xml", "content-location": answer.url}
    try:
        # Through a stream: as text it could be taken for an address or a file's name.
        found = feedparser.parse(io.BytesIO(answer.body), response_headers=about)
    except Exception as error:  # isolation point: what the parser does with a document that was made to break it
        raise RseError(
            _("%(url)s cannot be read as a feed: %(error)s.", url=answer.url.partition("?")[0], error=type(error).__name__)
        ) from error
    entries = tuple(_entry(raw, found.feed) for raw in found.entries)
    if not entries and not found.version:
        raise _no_feed(answer)
    fault = ""
    if found.bozo and not isinstance(found.get("bozo_exception"), _HARMLESS):
        fault = " ".join(str(found.get("bozo_exception") or "").split())[:200]
        fault = _("The feed is not well formed: %(fault)s.", fault=fault.rstrip(".") or _("unknown"))
    return Feed(str(found.feed.get("generator") or ""), entries, fault)


def _entry(raw: Mapping[str, Any], feed: Mapping[str, Any]) -> Entry:
    link, guid = _text(raw, "link"), _text(raw, "id")
    if not link and guid.partition(":")[0].lower() in ("http", "https"):
        link = guid
    published = _date(raw, "published") or _date(raw, "created")
    updated = _date(raw, "updated")
    return Entry(
        link=_text(raw, "feedburner_origlink") or link,
        guid=guid,
        title=_text(raw, "title"),
        summary=_text(raw, "summary") or _content(raw),
        author=_author(raw),
        tags=tuple(str(tag.get("term") or "") for tag in _items(raw, "tags") if tag.get("term")),
        lang=_text(raw, "language") or _text(feed, "language"),
        published_at=published or updated,
        updated_at=updated or published,
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    # Not raw.get(): for some names the parser would answer with another's value, and warn.
    value = dict.get(raw, name) if isinstance(raw, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _items(raw: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = dict.get(raw, name) if isinstance(raw, dict) else None
    return found if isinstance(found, list) else []


def _content(raw: Mapping[str, Any]) -> str:
    for part in _items(raw, "content"):
        if isinstance(part.get("value"), str):
            return str(part["value"])
    return ""


def _author(raw: Mapping[str, Any]) -> str:
    """A name: of “nobody@example.org (Name)” and “Name (nobody@example.org)” the part that is no address."""
    text = _text(raw, "author")
    found = re.fullmatch(r"\s*([^()]*?)\s*\(([^()]*)\)\s*", text)
    parts = [found[1], found[2]] if found else [text]
    return next((part.strip() for part in parts if part.strip() and "@" not in part), "")


def _date(raw: Mapping[str, Any], name: str) -> dt.datetime | None:
    found = parse_date(_text(raw, name))
    if found is not None:
        return found
    parsed = dict.get(raw, f"{name}_parsed") if isinstance(raw, dict) else None
    try:
        return dt.datetime(*parsed[:6]).replace(tzinfo=dt.UTC) if parsed else None
    except (TypeError, ValueError):
        return None


def _no_feed(answer: Answer) -> RseError:
    return RseError(
        _("%(url)s does not answer with a feed, but with %(type)s.", url=answer.url.partition("?")[0],
          type=answer.media_type[:80] or _("something else")),
        remedy=_("Check the address; the site may also ask for a sign-in."),
    )  # fmt: skip
