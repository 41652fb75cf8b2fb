"""Sources of the kind ``mediawiki``: its ``api.php``. First every page, then what the recent changes name.

A wiki's feed links to differences; the interface gives the pages themselves, with their ids. A page that was there when the
wiki was first read is no news, unless the recent changes say that it was created of late.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from rse_core.api import Publication, RseError, utcnow

from .config import SourceConfig
from .dates import parse_date
from .fetch import Fetcher
from .i18n import _
from .reading import address_of, fresh, json_of, limit_reached, publication

PAGES, CHANGES, LOOKED_UP = 200, 200, 50
#: MediaWiki forgets its recent changes after ninety days; after this long everything is read again.
REMEMBERED = dt.timedelta(days=60)


def read(config: SourceConfig, state: Mapping[str, Any]) -> Generator[Publication, None, Mapping[str, Any]]:
    """See :class:`~rse_core.contributions.LegacySource`."""
    notes = fresh(config, state)
    with Fetcher(config) as web:
        if not notes.get("since"):
            return (yield from _everything(config, web, notes))
        since = parse_date(notes["since"])
        if since is None or utcnow() - since > REMEMBERED:
            return {"config": config.fingerprint, "more": True}
        return (yield from _changes(config, web, notes))


def _everything(
    config: SourceConfig, web: Fetcher, notes: dict[str, Any]
) -> Generator[Publication, None, Mapping[str, Any]]:
    if "started" not in notes:
        # Taken before the pages are: what changes meanwhile is found among the changes.
        answer = _ask(config, web, {
            "meta": "siteinfo", "siprop": "general", "list": "recentchanges", "rctype": "new", "rcprop": "ids|timestamp",
            "rclimit": "max", "rcnamespace": _namespaces(config),
        })  # fmt: skip
        query = answer["query"]
        notes["started"] = str(query.get("general", {}).get("time") or utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"))
        notes["created"] = {str(rc.get("pageid")): rc.get("timestamp") for rc in query.get("recentchanges", ())}
    spaces = list(config.namespaces or (0,))
    place = notes.get("space", 0)
    answer = _ask(config, web, {
        "generator": "allpages", "gapnamespace": spaces[place], "gaplimit": PAGES, "gapfilterredir": "nonredirects",
        **_facts(), **notes.get("continue", {}),
    })  # fmt: skip
    pages = answer["query"].get("pages", ())
    for page in pages:
        yield from _said(config, page, notes["created"])
    notes["taken"] = notes.get("taken", 0) + len(pages)
    onward, warnings = answer.get("continue"), []
    full = notes["taken"] >= config.max_items
    if full and (onward or place + 1 < len(spaces)):
        warnings.append(limit_reached(config))
    elif onward:
        if onward == notes.get("continue"):
            raise RseError(_("%(url)s gives the same page again and again.", url=config.url))
        return {**notes, "continue": onward, "more": True}
    elif place + 1 < len(spaces):
        return {**notes, "continue": {}, "space": place + 1, "more": True}
    return {"config": config.fingerprint, "since": notes["started"], "warnings": warnings}


def _changes(config: SourceConfig, web: Fetcher, notes: dict[str, Any]) -> Generator[Publication, None, Mapping[str, Any]]:
    answer = _ask(config, web, {
        "meta": "siteinfo", "siprop": "general", "list": "recentchanges", "rcdir": "newer", "rcstart": notes["since"],
        "rctype": "edit|new|log", "rcprop": "title|ids|timestamp|loginfo", "rclimit": CHANGES,
        "rcnamespace": _namespaces(config), **notes.get("continue", {}),
    })  # fmt: skip
    changes = answer["query"].get("recentchanges", ())
    created = {str(rc.get("pageid")): rc.get("timestamp") for rc in changes if rc.get("type") == "new"}
    deleted = {str(rc.get("title")): rc for rc in changes if rc.get("type") == "log"}
    for title, change in deleted.items():
        if change.get("logtype") == "delete" and change.get("logaction") == "delete":
            yield Publication(_address_of_title(config, answer["query"], title), "", gone=True)
    ids = list(dict.fromkeys(str(rc["pageid"]) for rc in changes if rc.get("pageid")))
    for first in range(0, len(ids), LOOKED_UP):
        some = _ask(config, web, {"pageids": "|".join(ids[first : first + LOOKED_UP]), **_facts()})
        for page in some["query"].get("pages", ()):
            yield from _said(config, page, created)
    last = max([str(rc.get("timestamp") or "") for rc in changes], default=notes["since"])
    if answer.get("continue"):
        return {**notes, "continue": answer["continue"], "last": last, "more": True}
    return {"config": config.fingerprint, "since": max(last, notes.get("last", ""), notes["since"])}


def _said(config: SourceConfig, page: Mapping[str, Any], created: Mapping[str, Any]) -> Iterable[Publication]:
    if not page.get("pageid") or not page.get("fullurl") or page.get("redirect"):
        return
    if page.get("missing"):
        return
    if config.namespaces and page.get("ns") not in config.namespaces:
        return
    revisions = page.get("revisions") or [{}]
    updated = parse_date(revisions[0].get("timestamp"))
    began = parse_date(created.get(str(page["pageid"]))) or (updated if page.get("new") else None)
    link = str(page.get("canonicalurl") or page["fullurl"])
    yield publication(
        config, address_of(config, link, config.url), str(page.get("title") or ""),
        native=f"mediawiki:{page['pageid']}", published_at=began, updated_at=updated,
        lang=str(page.get("pagelanguage") or "") or None,
    )  # fmt: skip


def _ask(config: SourceConfig, web: Fetcher, query: Mapping[str, Any]) -> dict[str, Any]:
    base = config.url.partition("?")[0]
    url = base if base.endswith("api.php") else f"{base.removesuffix('index.php').rstrip('/')}/api.php"
    answer = web.get(url, params={"action": "query", "format": "json", "formatversion": "2", **query})
    found = json_of(answer.body, answer.url)
    if not isinstance(found, dict) or (not isinstance(found.get("query"), dict) and "error" not in found):
        if isinstance(found, dict) and found.get("batchcomplete"):
            return {"query": {}}
        raise RseError(
            _("%(url)s is not the interface of MediaWiki.", url=url), remedy=_("Give the address of its api.php.")
        )
    if "error" in found:
        fault = found["error"] if isinstance(found["error"], dict) else {}
        raise RseError(_("%(url)s refuses: %(error)s.", url=url, error=str(fault.get("info") or "?")[:200].rstrip(".")))
    return found


def _facts() -> dict[str, str]:
    return {"prop": "info|revisions", "inprop": "url", "rvprop": "timestamp"}


def _namespaces(config: SourceConfig) -> str:
    return "|".join(str(number) for number in config.namespaces or (0,))


def _address_of_title(config: SourceConfig, query: Mapping[str, Any], title: str) -> str:
    pattern = str(query.get("general", {}).get("articlepath") or "/index.php/$1")
    return address_of(config, pattern.replace("$1", quote(title.replace(" ", "_"), safe=";@$!*(),/:~")), config.url)
