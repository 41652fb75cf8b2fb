"""Sources of the kind ``sitemap``: the list of all pages, and for an index the lists that it names.

A sitemap knows no titles: the page's own is learnt when somebody visits it. Only what is new or dated anew is passed on.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from rse_core.api import Publication, RseError

from .config import SourceConfig
from .dates import parse_date
from .fetch import Answer, Fetcher, gunzip
from .i18n import _
from .reading import address_of, fresh, limit_reached, missing, publication

#: Lists read in one run, and how deep an index may name another.
FILES, DEPTH = 50, 2


def read(config: SourceConfig, state: Mapping[str, Any]) -> Generator[Publication, None, Mapping[str, Any]]:
    """See :class:`~rse_core.contributions.LegacySource`."""
    notes = fresh(config, state)
    known: dict[str, str] = notes.get("pages", {})
    seen: dict[str, str] = {}
    warnings: list[str] = []
    whole = True
    queue: list[tuple[str, int]] = [(config.url, 0)]
    read_before: set[str] = set()
    with Fetcher(config) as web:
        while queue:
            url, depth = queue.pop(0)
            if url in read_before:
                continue
            if len(read_before) >= FILES:
                warnings.append(_("Only %(max)s lists were read; the index names more.", max=str(FILES)))
                whole = False
                break
            read_before.add(url)
            try:
                pages, lists = _list(config, web.get(url, accept="application/xml, text/xml;q=0.9, */*;q=0.1"))
            except RseError as error:
                if url == config.url:
                    raise
                # One list that fails takes nothing from the others.
                warnings.append(str(error))
                whole = False
                continue
            if depth < DEPTH:
                queue += [(one, depth + 1) for one in lists]
            for address, stamp in pages.items():
                if len(seen) >= config.max_items:
                    warnings.append(limit_reached(config))
                    whole, queue = False, []
                    break
                if address in seen:
                    continue
                seen[address] = stamp
                if known.get(address) != stamp:
                    yield publication(config, address, "", updated_at=parse_date(stamp))
    gone = missing(known, seen, warnings) if whole else None
    for address in gone or ():
        yield Publication(address, "", gone=True)
    return {**notes, "pages": seen if gone is not None else {**known, **seen}, "warnings": warnings}


def _list(config: SourceConfig, answer: Answer) -> tuple[dict[str, str], list[str]]:
    """Pages with their dates, and further lists, of one document.

    :raises RseError: when it is no sitemap.
    """
    body = answer.body
    if body[:2] == b"\x1f\x8b":
        body = gunzip(body, config.max_bytes, answer.url)
    if answer.media_type in ("text/html", "application/xhtml+xml"):
        raise _no_sitemap(answer, answer.media_type)
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _no_sitemap(answer, _told(error)) from None
    pages: dict[str, str] = {}
    lists: list[str] = []
    for node in root:
        kind, loc = _name(node), _child(node, "loc")
        if not loc:
            continue
        if kind == "sitemap":
            # A list elsewhere would be refused; one through another name of the intranet is asked for where we are.
            address = address_of(config, loc, answer.url).removeprefix(f"{config.site}:" if config.site else "")
            lists.append(urljoin(answer.url, address))
        elif kind == "url":
            address = address_of(config, loc, answer.url)
            if _wanted(config, address):
                pages[address] = _child(node, "lastmod")[:40]
    if _name(root) not in ("urlset", "sitemapindex"):
        raise _no_sitemap(answer, _name(root)[:40])
    return pages, lists


def _no_sitemap(answer: Answer, why: str) -> RseError:
    return RseError(
        _("%(url)s is not a sitemap: %(error)s.", url=answer.url.partition("?")[0], error=why),
        remedy=_("Check the address; the site may also ask for a sign-in."),
    )


def _wanted(config: SourceConfig, address: str) -> bool:
    path = urlsplit(address.removeprefix(f"{config.site}:") if config.site else address).path
    return path.startswith(config.under or ("/",)) and not path.startswith(config.not_under)


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def _child(node: Element, name: str) -> str:
    return next(((child.text or "").strip() for child in node if _name(child) == name), "")


def _told(error: Exception) -> str:
    if isinstance(error, DefusedXmlException):
        return _("it declares entities or a document type, which is refused")
    return str(error)[:200].rstrip(".")
