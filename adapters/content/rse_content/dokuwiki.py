"""Sources of the kind ``dokuwiki``: ``feed.php?mode=list``, which lists all pages of one namespace.

The list is complete, so that a page that it lacks is gone. Its dates are those of the last change: a page that was there
when the wiki was first read is no news, one that comes later is.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rse_core.api import Publication
from rse_core.legacy_text import one_line, plain

from .config import SourceConfig
from .feeds import Entry, read_feed
from .fetch import Fetcher
from .reading import address_of, fresh, limit_reached, missing, publication


def read(config: SourceConfig, state: Mapping[str, Any]) -> Generator[Publication, None, Mapping[str, Any]]:
    """See :class:`~rse_core.contributions.LegacySource`: one namespace in each call."""
    notes = fresh(config, state)
    spaces = [str(name).strip(":") for name in config.namespaces] or [""]
    place = notes.get("space", 0)
    space = spaces[place] if place < len(spaces) else spaces[0]
    base = config.url.partition("?")[0].removesuffix("feed.php").removesuffix("doku.php").rstrip("/")
    every: dict[str, Any] = dict(notes.get("pages", {}))
    known: dict[str, list[str]] | None = every.get(space)
    warnings: list[str] = list(notes.get("said", [])) if place else []
    with Fetcher(config) as web:
        answer = web.get(
            f"{base}/feed.php",
            params={"mode": "list", "ns": space, "linkto": "current", "type": "rss2", "content": "abstract"},
        )
    feed = read_feed(answer)
    if feed.fault:
        warnings.append(feed.fault)
    if len(feed.entries) > config.max_items:
        warnings.append(limit_reached(config))
    seen: dict[str, list[str]] = {}
    for entry in feed.entries[: config.max_items]:
        ident = page_id(entry.link, base)
        if not ident:
            continue
        address = address_of(config, entry.link, answer.url)
        stamp = entry.updated_at.isoformat() if entry.updated_at else ""
        seen[ident] = [stamp, address]
        if known is None or known.get(ident) != [stamp, address]:
            yield _publication(config, entry, ident, address, new=known is not None and ident not in known)
    known = known or {}
    gone = missing(known, seen, warnings)
    for ident in gone or ():
        yield Publication(known[ident][1], "", native=f"dokuwiki:{ident}", gone=True)
    if gone is None:
        seen = {**known, **seen}
    every[space] = seen
    notes |= {"pages": every, "said": warnings}
    if place + 1 < len(spaces):
        return {**notes, "space": place + 1, "more": True}
    return {**notes, "space": 0, "warnings": warnings}


def page_id(link: str, base: str) -> str:
    """The page's id from its address, whichever way the wiki writes addresses."""
    parts = urlsplit(link)
    named = parse_qs(parts.query).get("id")
    if named:
        return named[0].strip(":")
    path = unquote(parts.path).removeprefix(unquote(urlsplit(base).path)).lstrip("/")
    return path.removeprefix("doku.php").strip("/").replace("/", ":")


def _publication(config: SourceConfig, entry: Entry, ident: str, address: str, *, new: bool) -> Publication:
    title, summary = plain(entry.title, 500), entry.summary
    if title == ident or not title:
        # Without useheading the title is the id; the text begins with the heading, on a line of its own.
        first, _sep, rest = summary.partition("\n\n")
        title, summary = (one_line(first, 200), rest) if rest and len(first) <= 200 else ("", summary)
    return publication(
        config, address, title, names=[entry.author] if entry.author else (), native=f"dokuwiki:{ident}", summary=summary,
        published_at=entry.updated_at if new else None, updated_at=entry.updated_at, lang=entry.lang or None,
    )  # fmt: skip
