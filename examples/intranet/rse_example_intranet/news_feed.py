"""The news of the plain intranet as RSS 2.0, for feed readers: an old habit of intranets, and all that RSE needs of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime, time
from email.utils import format_datetime

from rse_example_intranet.content import Page

CONTENT_TYPE = "application/rss+xml; charset=utf-8"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
ET.register_namespace("dc", DUBLIN_CORE)


def render(news: Sequence[Page], origin: str) -> bytes:
    """Return the feed.

    :param news: newest first.
    :param origin: scheme and host that the links begin with.
    """
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _add(channel, title="Actualités d’Assurance publique", link=f"{origin}/actualites/")
    _add(channel, description="Ce que le siège et les caisses publient.", language="fr")
    for page in news:
        item = ET.SubElement(channel, "item")
        _add(item, title=page.title, link=origin + page.path, guid=origin + page.path, description=page.summary)
        _add(item, pubDate=format_datetime(datetime.combine(page.published, time(9), tzinfo=UTC)))
        if page.category:
            _add(item, category=page.category)
        # RSS's own <author> is an e-mail address.
        ET.SubElement(item, f"{{{DUBLIN_CORE}}}creator").text = page.publisher
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _add(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text
