"""Previews of links, made only when an author asks for one: plain text, no picture.

A page of the intranet is described from what is known of it already; nothing is fetched. Any other address is fetched by the
server only where the site allows it (``feed.link_preview``, off by default), see :mod:`fetching`.
"""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from rse_core.api import BadInput, NotFound, core_of, option, seen, translator
from rse_core.pages import PageClaim
from rse_core.ratelimit import limit

from . import fetching

_ = translator(__file__, "rse_feed").gettext

ALLOWED = "feed.link_preview"
TITLE, DESCRIPTION, SITE = 300, 500, 200
PER_HOUR = 60


def known(session: Session, person_id: int, url: str) -> dict[str, str] | None:
    """The preview of a page of the intranet that this person may see; None for an address outside.

    :raises BadInput: for a page of the intranet that is not known, as for one that is not for this person.
    """
    try:
        found = core_of(session).pages.identify(session, PageClaim(url, person_id=person_id))
    except NotFound:
        return None
    info = seen(session, person_id, [found.ref]).get(found.ref)
    if not found.known or info is None:
        message = _("This page of the intranet is not known here.")
        raise BadInput(message, remedy=_("The link itself stays in your text."), fields={"link": message})
    return _cut({
        "url": url, "title": info.title, "page": found.ref.id, "site": info.extra.get("entity", ""),
        "description": info.extra.get("summary", ""),
    })  # fmt: skip


def may_fetch(session: Session, person_id: int) -> None:
    """Count one preview; to be called in a transaction of its own before :func:`outside`, which holds none.

    :raises BadInput: where the site makes no previews of addresses outside.
    :raises TooMany: beyond sixty an hour.
    """
    if not option(session, ALLOWED):
        message = _("Previews are made of pages of the intranet only.")
        raise BadInput(message, remedy=_("The link itself stays in your text."), fields={"link": message})
    limit(session, person_id, "feed.link", most=PER_HOUR, seconds=3600)


def outside(url: str) -> dict[str, str]:
    """The preview of a page outside; takes up to five seconds, and no session.

    :raises BadInput: for an address that is refused, cannot be reached or has no title.
    """
    found = fetching.page(url)
    head = Head()
    head.feed(found.text)
    title = head.said.get("og:title") or head.title
    if not title.strip():
        message = _("The page has no title.")
        raise BadInput(message, remedy=_("The link itself stays in your text."), fields={"link": message})
    site = head.said.get("og:site_name") or (urlsplit(found.url).hostname or "")
    description = head.said.get("og:description") or head.said.get("description") or ""
    return _cut({"url": url, "title": title, "description": description, "site": site})


class Head(HTMLParser):
    """The title and the descriptions in a page's head, as plain text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.said: dict[str, str] = {}
        self._in_title = False
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what meta elements say, and where the title begins."""
        if tag == "body":
            self._over = True
        if self._over:
            return
        if tag == "title":
            self._in_title = not self.title
        elif tag == "meta":
            named = {key: value or "" for key, value in attrs}
            name = (named.get("property") or named.get("name") or "").lower()
            if name in ("og:title", "og:description", "og:site_name", "description"):
                self.said.setdefault(name, named.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        """Notes where the title ends."""
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        """The text of the title."""
        if self._in_title and len(self.title) < 2 * TITLE:
            self.title += data


def _cut(link: dict[str, str]) -> dict[str, str]:
    most = {"title": TITLE, "description": DESCRIPTION, "site": SITE}
    found = {}
    for key, value in link.items():
        text = "".join(c if c.isprintable() else " " for c in value)
        text = " ".join(text.split())[: most.get(key, 2_000)]
        if text:
            found[key] = text
    return found
