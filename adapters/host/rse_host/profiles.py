"""What is known of each kind of intranet: where slots go and how a page says who it is.

One source for both sides: :func:`read_facts` reads them on the server, where they are trusted;
:func:`as_json` puts the same profiles into ``embed.js``. Selectors are of the kind that a streaming parser
    can match.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .rewriter import Fragment, Where


@dataclass(frozen=True, slots=True)
class Rule:
    """Where to read one fact: an attribute (or ``text``) of the first match, narrowed by a pattern.

    :param pattern: a regular expression valid in Python and JavaScript; its first group is the value.
    """

    selector: str
    attribute: str
    pattern: str = r"([\s\S]+)"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place for slots."""

    selector: str
    where: Where = "after"


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of intranet.

    :param name: prefix of the native ids, ``wordpress:42``.
    :param generator: how ``<meta name=generator>`` begins, for recognising the software without being told.
    :param only: a page that does not match is a list or a form and gets no slots; empty for every page.
    :param anchors: tried in this order; the first that matches exactly one element is taken.
    :param native: rules for the software's own id of the page.
    :param section: rules for the section: the path of a link, or a name.
    """

    name: str
    anchors: tuple[Anchor, ...]
    generator: str = ""
    only: str = ""
    native: tuple[Rule, ...] = ()
    section: tuple[Rule, ...] = ()


CANONICAL = (Rule('link[rel~="canonical"]', "href"), Rule('meta[property="og:url"]', "content"))
TITLE = (Rule('meta[property="og:title"]', "content"), Rule("title", "text"))
_NAMED_SECTION = (
    Rule('meta[property="article:section"]', "content"),
    Rule('meta[name="rse:section"]', "content"),
)

_GENERIC_PLACES = (
    "[data-rse-anchor]", "main article", "article", "main", '[role="main"]', "#content", "#contenu", "#main",
    "body",
)  # fmt: skip

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "generic",
            tuple(Anchor(selector, "append") for selector in _GENERIC_PLACES),
            native=(Rule('meta[name="rse:id"]', "content", r"^([\w.:/-]{1,150})$"),),
            section=_NAMED_SECTION,
        ),
        Profile(
            "wordpress",
            (
                Anchor("article .entry-footer", "before"),
                Anchor("article .entry-content"),
                Anchor("main .wp-block-post-content"),
                Anchor("main .entry-content"),
                Anchor("article h1.entry-title"),
                Anchor("main article", "append"),
            ),
            generator="WordPress",
            only="body.single, body.page:not(.home)",
            native=(
                Rule("body", "class", r"(?:^|\s)(?:postid|page-id)-(\d{1,12})(?:\s|$)"),
                Rule('link[rel~="shortlink"]', "href", r"[?&](?:p|page_id)=(\d{1,12})(?:&|#|$)"),
            ),
            section=(Rule('.cat-links a[rel~="category"]', "href"), *_NAMED_SECTION),
        ),
        Profile(
            "spip",
            (
                Anchor("#content #forum", "before"),
                Anchor("#content .texte"),
                Anchor("h1.entry-title"),
                Anchor("#content", "append"),
            ),
            generator="SPIP",
            only="body.page_article, body.page_breve",
            native=(
                Rule('link[rel~="canonical"]', "href", r"(?:[?&/]|id_)(?:article=?)(\d{1,9})(?:[&#/.]|$)"),
                Rule('link[rel~="shortlink"]', "href", r"article=?(\d{1,9})(?:[&#]|$)"),
            ),
            section=(Rule('.arbo a:not([href$="/"])', "href"), *_NAMED_SECTION),
        ),
        Profile(
            "mediawiki",
            (Anchor("#mw-content-text"), Anchor("#firstHeading"), Anchor("#content", "append")),
            generator="MediaWiki",
            only="body.action-view.ns-subject:not(.ns-special)",
            native=(Rule("script", "text", r"[\"']wgArticleId[\"']\s*:\s*([1-9]\d{0,11})"),),
            section=(Rule("#mw-normal-catlinks li a", "href"), *_NAMED_SECTION),
        ),
        Profile(
            "dokuwiki",
            (Anchor("#dokuwiki__content .page", "append"), Anchor("#dokuwiki__content h1")),
            generator="DokuWiki",
            only=".mode_show",
            native=(Rule("script", "text", r"JSINFO\s*=\s*\{[^{}]*?\"id\"\s*:\s*\"([^\"\\]{1,150})\""),),
            section=_NAMED_SECTION,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page says of itself, read on the server.

    :param native: ``<profile>:<id>`` or None.
    :param address: as asked for, path and query.
    :param shows_one_object: False for lists, forms and other pages that get no slots; True where the template has some.
    :param anchor: where the slots belong that the template has not, or None: a list has no such place.
    :param own_slots: names of the ``<rse-slot>`` elements that the page has by itself.
    """

    address: str
    canonical: str | None = None
    native: str | None = None
    title: str | None = None
    section: str | None = None
    lang: str | None = None
    shows_one_object: bool = True
    anchor: Anchor | None = None
    own_slots: tuple[str, ...] = ()


def as_json() -> str:
    """Return every profile as compact JSON for ``embed.js``; ASCII, and safe inside a script."""

    def rules(some: tuple[Rule, ...]) -> list[list[str]]:
        return [[rule.selector, rule.attribute, rule.pattern] for rule in some]

    shared: dict[str, Any] = {"canonical": rules(CANONICAL), "title": rules(TITLE), "profiles": {}}
    for profile in PROFILES.values():
        shared["profiles"][profile.name] = {
            "generator": profile.generator,
            "only": profile.only,
            "anchors": [[anchor.selector, anchor.where] for anchor in profile.anchors],
            "native": rules(profile.native),
            "section": rules(profile.section),
        }
    return json.dumps(shared, separators=(",", ":")).replace("<", "\\u003c")


def slot_fragments(facts: PageFacts, slots: Mapping[str, str]) -> tuple[Fragment, ...]:
    """Return the fragments for ready slots; empty ones leave no trace, as do those without a place."""
    found: list[Fragment] = []
    placed = ""
    for name, content in slots.items():
        if not content.strip():
            continue
        if name in facts.own_slots:
            found.append(Fragment(f'rse-slot[name="{name}"]', "append", shadow(content)))
        elif facts.anchor is not None:
            placed += f'<rse-slot name="{html.escape(name)}" data-rse-server>{shadow(content)}</rse-slot>'
    if placed and facts.anchor is not None:
        found.append(Fragment(facts.anchor.selector, facts.anchor.where, placed))
    return tuple(found)


def shadow(content: str) -> str:
    """Return the content in a declarative shadow root, so that neither side's style sheet leaks without
    JavaScript.

    A browser that does not know the attribute shows nothing; with JavaScript the script fills the slot
    anyway.
    """
    return f'<template shadowrootmode="open">{content}</template>'


META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:-]+)", re.IGNORECASE)


def page_text(body: bytes, charset: str | None) -> str:
    """Return the page as text for reading facts from it; never fails, at worst with odd characters."""
    if charset is None:
        declared = META_CHARSET.search(body, 0, 2048)
        charset = declared.group(1).decode("ascii") if declared else "utf-8"
    if charset.lower() in ("iso-8859-1", "latin-1", "latin1", "us-ascii"):
        # What browsers do: https://encoding.spec.whatwg.org/#names-and-labels
        charset = "cp1252"
    try:
        return body.decode(charset)
    except (LookupError, UnicodeDecodeError):
        return body.decode("utf-8", "replace")
