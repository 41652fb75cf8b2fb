"""Sources of the kind ``wordpress``: its REST interface, a page of a hundred at a time.

The first pass goes from the newest to the oldest; later ones ask for what was modified since, oldest first. WordPress says
nothing of what was withdrawn: the latest pages are asked for by their ids, some in each run; what is missing is gone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rse_core.api import Publication, RseError
from rse_core.legacy_text import plain

from .config import SourceConfig
from .dates import parse_date
from .fetch import Answer, Fetcher
from .i18n import _
from .reading import address_of, fresh, json_of, limit_reached, missing, publication

PER_PAGE = 100
#: The words “Continue reading” at the end of an excerpt.
_MORE = re.compile(r"<a\b[^<>]{0,300}class=[\"'][^\"'<>]*more-link.{0,500}\Z", re.DOTALL)
#: Pages of each type that are watched for being withdrawn; a hundred of them in each run.
WATCHED = 500
FIELDS = "id,link,date_gmt,modified_gmt,title,excerpt,lang,_links,_embedded"


def read(config: SourceConfig, state: Mapping[str, Any]) -> Generator[Publication, None, Mapping[str, Any]]:
    """See :class:`~rse_core.contributions.LegacySource`: one page of one type, until all have been read."""
    notes = fresh(config, state)
    warnings: list[str] = list(notes.get("said", [])) if notes.get("at") else []
    kind, page = (notes.get("at") or [config.types[0], 1])[:2]
    with Fetcher(config) as web:
        answer, items = _page(config, web, notes, kind, page)
        taken = notes.get("taken", 0) + len(items)
        ids = [item["id"] for item in items]
        if items and ids == notes.get("last"):
            raise RseError(
                _("%(url)s gives the same page again and again.", url=config.url),
                remedy=_("Look whether something between keeps its answers regardless of their page."),
            )
        for item in items:
            yield _publication(config, item, kind)
        _watch(config, notes, kind, items)
        newest = max([*(str(i.get("modified_gmt") or "") for i in items), notes.get("newest", "")])
        if _more(answer, items, page) and taken < config.max_items:
            return {
                **notes,
                "at": [kind, page + 1],
                "taken": taken,
                "newest": newest,
                "last": ids,
                "said": warnings,
                "more": True,
            }
        if taken >= config.max_items and _more(answer, items, page):
            warnings.append(limit_reached(config))
        yield from _gone(config, web, notes, kind, warnings)
    since = dict(notes.get("since", {}))
    if newest:
        since[kind] = newest
    elif kind not in since:
        since[kind] = "1970-01-01T00:00:00"
    notes |= {"since": since, "taken": 0, "newest": "", "last": [], "said": warnings}
    following = config.types[config.types.index(kind) + 1 :]
    if following:
        return {**notes, "at": [following[0], 1], "more": True}
    return {**notes, "at": None, "warnings": warnings}


def _page(
    config: SourceConfig, web: Fetcher, notes: dict[str, Any], kind: str, page: int
) -> tuple[Answer, list[dict[str, Any]]]:
    query: dict[str, Any] = {"per_page": PER_PAGE, "page": page, "_embed": "author,wp:term", "_fields": FIELDS}
    since = notes.get("since", {}).get(kind)
    if since:
        # A second earlier: what was modified within the same second, after it was read, is not lost.
        moment = dt.datetime.fromisoformat(since) - dt.timedelta(seconds=1)
        query |= {"orderby": "modified", "order": "asc", "modified_after": f"{moment.isoformat()}Z"}
    else:
        query |= {"orderby": "date", "order": "desc"}
    answer = _ask(config, web, notes, kind, query)
    if answer.status == 400 and page > 1:
        return answer, []
    if answer.status != 200:
        raise RseError(
            _("%(url)s answers with the status %(status)s.", url=config.url, status=str(answer.status)),
            remedy=_("Check the types, and whether the REST interface is open to RSE."),
        )
    found = json_of(answer.body, answer.url)
    if not isinstance(found, list):
        raise RseError(_("%(url)s is not the REST interface of WordPress.", url=config.url))
    return answer, [item for item in found if isinstance(item, dict) and isinstance(item.get("id"), int)]


def _ask(config: SourceConfig, web: Fetcher, notes: dict[str, Any], kind: str, query: Mapping[str, Any]) -> Answer:
    """Ask at the address of the REST interface, which without rewriting is a parameter of the home page."""
    root = config.url.partition("?")[0].partition("/wp-json")[0].removesuffix("index.php").rstrip("/")
    if notes.get("plain"):
        return web.get(f"{root}/", params={"rest_route": f"/wp/v2/{kind}", **query}, expected=(200, 400, 404))
    answer = web.get(f"{root}/wp-json/wp/v2/{kind}", params=query, expected=(200, 400, 404))
    if answer.status == 404 and answer.media_type != "application/json":
        notes["plain"] = True
        return _ask(config, web, notes, kind, query)
    return answer


def _more(answer: Answer, items: list[dict[str, Any]], page: int) -> bool:
    total = answer.headers.get("x-wp-totalpages", "")
    return bool(items) and (page < int(total) if total.isdigit() else len(items) >= PER_PAGE)


def _publication(config: SourceConfig, item: Mapping[str, Any], kind: str) -> Publication:
    embedded = _dict(item.get("_embedded"))
    authors = [str(_dict(one).get("name") or "") for one in _list(embedded.get("author"))]
    terms = [_dict(term) for group in _list(embedded.get("wp:term")) for term in _list(group)]
    categories = [term for term in terms if term.get("taxonomy") == "category"]
    excerpt = _dict(item.get("excerpt"))
    return publication(
        config,
        address_of(config, str(item.get("link") or ""), config.url) if item.get("link") else "",
        plain(_dict(item.get("title")).get("rendered"), 500),
        names=[str(term.get("name") or "") for term in terms],
        byline=next(filter(None, authors), ""),
        section=_section(categories),
        native=f"wordpress:{item['id']}",
        summary="" if excerpt.get("protected") else _MORE.sub("", str(excerpt.get("rendered") or "")),
        published_at=_utc(item.get("date_gmt")),
        updated_at=_utc(item.get("modified_gmt")),
        lang=str(item.get("lang") or "") or None,
    )


def _section(categories: list[dict[str, Any]]) -> str | None:
    """The path of the first category's own page: what the page itself links to as its section."""
    for term in categories:
        path = urlsplit(str(term.get("link") or "")).path.rstrip("/")
        if path:
            return path
    return None


def _watch(config: SourceConfig, notes: dict[str, Any], kind: str, items: list[dict[str, Any]]) -> None:
    watched = dict(notes.get("watch", {}))
    known: dict[str, str] = {str(i["id"]): address_of(config, str(i.get("link") or ""), config.url) for i in items}
    kept = watched.get(kind, {})
    # The first pass comes newest first, the later ones bring what is newer still.
    joined = {**kept, **known} if not notes.get("since", {}).get(kind) else {**known, **kept, **known}
    watched[kind] = dict(list(joined.items())[:WATCHED])
    notes["watch"] = watched


def _gone(
    config: SourceConfig, web: Fetcher, notes: dict[str, Any], kind: str, warnings: list[str]
) -> Generator[Publication, None, None]:
    watched: dict[str, str] = notes.get("watch", {}).get(kind, {})
    turns = dict(notes.get("turns", {}))
    start = turns.get(kind, 0) if turns.get(kind, 0) < len(watched) else 0
    asked = dict(list(watched.items())[start : start + PER_PAGE])
    turns[kind] = start + PER_PAGE
    notes["turns"] = turns
    if not asked:
        return
    answer = _ask(config, web, notes, kind, {"include": ",".join(asked), "per_page": PER_PAGE, "_fields": "id"})
    found = json_of(answer.body, answer.url) if answer.status == 200 else None
    if not isinstance(found, list):
        return
    here = [str(item.get("id")) for item in found if isinstance(item, dict)]
    for number in missing(asked, here, warnings) or ():
        yield Publication(asked[number], "", native=f"wordpress:{number}", gone=True)
        del watched[number]


def _utc(text: object) -> dt.datetime | None:
    found = parse_date(text)
    return found.replace(tzinfo=dt.UTC) if found is not None and found.tzinfo is None else found


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
