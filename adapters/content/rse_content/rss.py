"""Sources of the kind ``rss``: RSS 0.9x, 1.0, 2.0 and Atom, of any software.

What the feed does not list any more is mostly just old. An entry that is missing although younger ones are there, or from a
feed that became shorter, is asked for: only 404 and 410 mean that it is gone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Mapping
from typing import Any

from rse_core.api import Publication
from rse_core.legacy_text import plain

from .config import SourceConfig
from .feeds import Entry, Feed, read_feed
from .fetch import Fetcher
from .i18n import _, ngettext
from .reading import NO_PAGE, SPIP_ID, WORDPRESS_ID, address_of, fresh, limit_reached, publication

ACCEPT = "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
#: Missing entries that are asked for in one run.
CHECKS = 20
#: SPIP ends each description with a link to the section.
_SPIP_TAIL = re.compile(r"-\s*<a\b[^<>]{0,500}rel=[\"']directory[\"'][^<>]{0,200}>.{0,300}?</a>\s*\Z", re.DOTALL)


def read(config: SourceConfig, state: Mapping[str, Any]) -> Generator[Publication, None, Mapping[str, Any]]:
    """See :class:`~rse_core.contributions.LegacySource`."""
    notes = fresh(config, state)
    with Fetcher(config) as web:
        answer = web.get(config.url, accept=ACCEPT, etag=notes.get("etag", ""), modified=notes.get("modified", ""))
        if answer.status == 304:
            return {**notes, "warnings": notes.get("said", [])}
        notes["etag"] = answer.headers.get("etag", "")
        notes["modified"] = answer.headers.get("last-modified", "")
        # Some software answers 200 whatever is asked; the same document is then not read twice.
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == notes.get("digest"):
            return {**notes, "warnings": notes.get("said", [])}
        feed = read_feed(answer)
        warnings = [feed.fault] if feed.fault else []
        entries = _pages(config, feed, warnings)
        for entry in entries:
            yield _publication(config, entry, feed.generator, answer.url)
        recent = {entry.link: _iso(entry) for entry in entries if entry.link}
        yield from _gone(config, web, notes.get("recent", {}), recent, answer.url, warnings)
    return {**notes, "digest": digest, "recent": recent, "said": warnings, "warnings": warnings}


def _pages(config: SourceConfig, feed: Feed, warnings: list[str]) -> list[Entry]:
    entries = [entry for entry in feed.entries if not NO_PAGE.search(entry.link)]
    aside = len(feed.entries) - len(entries)
    if aside:
        warnings.append(
            ngettext(
                "%(num)s entry links to a change, not to a page, and was left aside.",
                "%(num)s entries link to a change, not to a page, and were left aside.",
                aside,
            )
        )
        if "mediawiki" in feed.generator.lower():
            warnings.append(_("For this wiki, use a source of the kind mediawiki."))
    if len(entries) > config.max_items:
        warnings.append(limit_reached(config))
        entries = entries[: config.max_items]
    return entries


def _publication(config: SourceConfig, entry: Entry, generator: str, base: str) -> Publication:
    summary = _SPIP_TAIL.sub("", entry.summary) if generator.startswith("SPIP") else entry.summary
    return publication(
        config, address_of(config, entry.link, base) if entry.link else "", plain(entry.title, 500), names=entry.tags,
        byline=entry.author, native=_native(entry, generator), summary=summary, published_at=entry.published_at,
        updated_at=entry.updated_at, lang=entry.lang or None,
    )  # fmt: skip


def _native(entry: Entry, generator: str) -> str | None:
    """The software's own id, where its feed tells: WordPress in the guid, SPIP in the link."""
    if "wordpress" in generator.lower():
        found = WORDPRESS_ID.search(entry.guid) or WORDPRESS_ID.search(entry.link)
        return f"wordpress:{found[1]}" if found else None
    if generator.startswith("SPIP"):
        found = SPIP_ID.search(entry.link)
        return f"spip:{found[1]}" if found else None
    return None


def _gone(
    config: SourceConfig, web: Fetcher, before: Mapping[str, str], now: dict[str, str], base: str, warnings: list[str]
) -> Generator[Publication, None, None]:
    if not now:
        if before:
            warnings.append(_("The feed is empty; what it listed before is kept."))
            now.update(before)
        return
    shorter, oldest = len(now) < len(before), min(now.values())
    absent = [link for link, date in before.items() if link not in now and (shorter or date > oldest)]
    for link in absent[:CHECKS]:
        status = web.status(link)
        if status in (404, 410):
            yield Publication(address_of(config, link, base), "", gone=True)
        elif status is None:
            # Asked again next time, unless the feed has moved on by then.
            now.setdefault(link, before[link])


def _iso(entry: Entry) -> str:
    # Without its zone: only the order counts, and that to a few hours.
    return entry.published_at.replace(tzinfo=None).isoformat() if entry.published_at else ""
