"""Reading what a page says of itself, with the streaming parser."""

from __future__ import annotations

import html
import re
from collections import Counter
from urllib.parse import urljoin

import lolhtml

from .profiles import CANONICAL, TITLE, Anchor, PageFacts, Profile, Rule, page_text

_BLANKS = re.compile(r"\s+")


class _Reader:
    """Handler that notes one rule's value; ``script`` rules look at every script until one fits."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.value: str | None = None
        self._pattern = re.compile(rule.pattern)
        self._text = ""
        self._done = False

    def element(self, element: lolhtml.Element) -> None:
        self._settle()
        if self.value is None and self.rule.attribute != "text":
            self._match(element.get_attribute(self.rule.attribute) or "")

    def text(self, chunk: lolhtml.TextChunk) -> None:
        if self.rule.attribute == "text" and self.value is None:
            self._text += chunk.text
            if chunk.last_in_text_node:
                self._settle()

    def _settle(self) -> None:
        if self._text:
            text, self._text = self._text, ""
            self._match(text)

    def _match(self, text: str) -> None:
        raw = self.rule.selector == "script"
        found = self._pattern.search(text if raw else _BLANKS.sub(" ", html.unescape(text)).strip())
        if found is not None:
            self.value = found.group(1)


class _Counter:
    def __init__(self) -> None:
        self.matches = 0

    def element(self, element: lolhtml.Element) -> None:
        self.matches += 1


class _Slots:
    def __init__(self) -> None:
        self.names: Counter[str] = Counter()

    def element(self, element: lolhtml.Element) -> None:
        self.names[element.get_attribute("name") or ""] += 1


class _Lang:
    def __init__(self) -> None:
        self.value: str | None = None

    def element(self, element: lolhtml.Element) -> None:
        self.value = self.value or element.get_attribute("lang") or element.get_attribute("xml:lang")


def read_facts(body: bytes, profile: Profile, *, address: str, charset: str | None) -> PageFacts:
    """Read the facts of a page.

    :param address: as asked for; a section's link is resolved against it.
    :raises RuntimeError: from the parser, on markup that it cannot decide about.
    """
    rewriter = lolhtml.HTMLRewriter(_nothing)

    def readers(rules: tuple[Rule, ...]) -> list[_Reader]:
        made = [_Reader(rule) for rule in rules]
        for reader in made:
            rewriter.on(reader.rule.selector, reader)
        return made

    canonical, title = readers(CANONICAL), readers(TITLE)
    native, section = readers(profile.native), readers(profile.section)
    only, slots, lang = _Counter(), _Slots(), _Lang()
    if profile.only:
        rewriter.on(profile.only, only)
    rewriter.on("rse-slot", slots)
    rewriter.on("html", lang)
    anchors: list[tuple[Anchor, _Counter]] = []
    for anchor in profile.anchors:
        anchors.append((anchor, _Counter()))
        rewriter.on(anchor.selector, anchors[-1][1])
    rewriter.write(page_text(body, charset).encode("utf-8", "replace"))
    rewriter.end()
    link = _first(section)
    own = tuple(name for name in slots.names if name)
    number = _first(native)
    single = not profile.only or only.matches > 0
    return PageFacts(
        address=address,
        canonical=_first(canonical),
        native=f"{profile.name}:{number}" if number else None,
        title=_first(title),
        section=_section(link, address),
        lang=lang.value,
        shows_one_object=bool(own) or single,
        anchor=_choose(anchors) if single else None,
        own_slots=own,
    )


def _choose(anchors: list[tuple[Anchor, _Counter]]) -> Anchor | None:
    """The first anchor present; when it is there several times the page is a list, and has no place."""
    for anchor, counter in anchors:
        if counter.matches:
            return anchor if counter.matches == 1 else None
    return None


def _section(link: str | None, address: str) -> str | None:
    if not link:
        return None
    if "://" in link or link.startswith(("/", "?")) or "." in link.split("?")[0]:
        joined = urljoin(f"http://host{address}", link)
        return re.sub(r"^[a-z]+://[^/]*", "", joined) or "/"
    return link


def _first(readers: list[_Reader]) -> str | None:
    for reader in readers:
        reader._settle()
        if reader.value is not None:
            return reader.value
    return None


def _nothing(_output: object) -> None:
    return None
