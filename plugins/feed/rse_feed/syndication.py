"""A feed as Atom (RFC 4287) and as JSON Feed 1.1: titles, who, when, where, and how a post begins.

Never its whole text: what a reader's program keeps is out of our hands.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import nh3

from rse_core.api import translator

from .reading import Line
from .subscriptions import Read

_ = translator(__file__, "rse_feed").gettext

ATOM = "http://www.w3.org/2005/Atom"
SUMMARY = 300
#: What XML 1.0 has no way to write.
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Item:
    """One entry, in plain texts."""

    id: str
    url: str
    title: str
    by: str
    at: dt.datetime
    updated: dt.datetime
    summary: str
    topics: tuple[str, ...]


def items(read: Read, base: str) -> list[Item]:
    """The entries; ``base`` is the origin that addresses are completed with."""
    return [_item(line, base) for line in read.lines]


def _item(line: Line, base: str) -> Item:
    by = line.entity or (line.actor.display_name if line.actor else _("Former account"))
    text = " ".join(html.unescape(nh3.clean(line.html, tags=set())).split())
    summary = text if len(text) <= SUMMARY else text[: SUMMARY - 1].rstrip() + "…"
    if line.verb:
        summary = str(line.verb).replace("%(who)s", by)
    title = line.title or (text if len(text) <= 90 else text[:89].rstrip() + "…") or _("Post")
    return Item(
        f"{identity(base)}/entry/{line.entry_id}", urljoin(base, line.url), _clean(title), _clean(by), line.at,
        max(line.at, line.edited_at or line.at), _clean(summary), tuple(_clean(topic.name) for topic in line.topics),
    )  # fmt: skip


def identity(base: str) -> str:
    """What ids begin with: they stay when the intranet gets another scheme or path."""
    return f"tag:{urlsplit(base).hostname or 'localhost'},2026:rse/feed"


def title_of(read: Read, site_name: str) -> str:
    """The feed's title."""
    own = read.space[1] if read.space else _("Feed of %(name)s", name=read.name)
    return _clean(f"{own} · {site_name}" if site_name else own)


def atom(read: Read, *, base: str, home: str, site_name: str) -> bytes:
    """The Atom document. It has no link to itself: its address is a secret that copies of it must not carry."""
    ET.register_namespace("", ATOM)
    found = items(read, base)
    root = ET.Element(_name("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": read.locale or "fr"})
    _put(root, "id", f"{identity(base)}/subscription/{read.id}")
    _put(root, "title", title_of(read, site_name))
    _put(root, "updated", _when(max((item.updated for item in found), default=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))))
    ET.SubElement(root, _name("link"), {"rel": "alternate", "type": "text/html", "href": home})
    for item in found:
        entry = ET.SubElement(root, _name("entry"))
        _put(entry, "id", item.id)
        _put(entry, "title", item.title)
        _put(entry, "published", _when(item.at))
        _put(entry, "updated", _when(item.updated))
        _put(ET.SubElement(entry, _name("author")), "name", item.by)
        ET.SubElement(entry, _name("link"), {"rel": "alternate", "type": "text/html", "href": item.url})
        for topic in item.topics:
            ET.SubElement(entry, _name("category"), {"term": topic})
        if item.summary:
            _put(entry, "summary", item.summary)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def json_feed(read: Read, *, base: str, home: str, site_name: str) -> bytes:
    """The JSON Feed."""
    document: Mapping[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title_of(read, site_name),
        "home_page_url": home,
        "language": read.locale or "fr",
        "items": [
            {
                "id": item.id,
                "url": item.url,
                "title": item.title,
                "content_text": item.summary,
                "date_published": _when(item.at),
                "date_modified": _when(item.updated),
                "authors": [{"name": item.by}],
                **({"tags": list(item.topics)} if item.topics else {}),
            }
            for item in items(read, base)
        ],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _name(tag: str) -> str:
    return f"{{{ATOM}}}{tag}"


def _put(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, _name(tag)).text = text


def _when(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
