"""A page of the intranet, cut into the pieces that go around our own: up to the end of its head, up to where our content
goes, and the rest. Read by Python's own tolerant parser; every byte outside what is named below stays as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from ..errors import ConfigError

MARKER = "rse:content"
CONTENT_ID = "rse-content"
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_SELECTOR = re.compile(r"(?P<tag>[a-z][a-z0-9-]*)?(?P<rest>(?:[#.][A-Za-z_][\w-]*|\[role=[\"']?[a-z]+[\"']?\])*)\Z")
_ADDRESSES = ("href", "src", "action", "poster", "data")
#: what says something of the page that the layout was taken from, and not of ours
_OWN_META = frozenset({"description", "keywords", "robots", "rse:id", "rse:section", "author", "date"})


@dataclass(frozen=True, slots=True)
class Layout:
    """The pieces, and what they ask of the page in them.

    :param has_main: the intranet's page has a ``main`` of its own, around our content or elsewhere.
    :param has_skip: it has a link to the content, which leads to ours now.
    :param sheets: its stylesheets, ``(address, media)``; they are loaded beneath ours, in a cascade layer.
    :param inline: its ``style`` elements.
    :param attributes: its elements carry ``style`` attributes.
    """

    start: str
    body: str
    middle: str
    end: str
    has_main: bool
    has_skip: bool
    sheets: tuple[tuple[str, str], ...] = ()
    inline: tuple[str, ...] = ()
    attributes: bool = False


@dataclass
class _Edit:
    """Replace ``source[begin:end]``."""

    begin: int
    end: int
    text: str = ""


@dataclass
class _Found:
    title: bool = False
    head_end: int | None = None
    body_start: int | None = None
    slot: tuple[int, int] | None = None
    inside_main: bool = False
    has_main: bool = False
    sheets: list[tuple[str, str]] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    attributes: bool = False


def cut(source: str, *, address: str, marker: str, own_scripts: Callable[[str], bool]) -> Layout:
    """Cut a page into the pieces around our content.

    :param address: where the page was read; its relative addresses count from there.
    :param marker: empty for the comment ``<!-- rse:content -->``; else a simple selector (``main``, ``#contenu``,
        ``div.page``, ``[role=main]``) of the one element whose content gives way to ours.
    :param own_scripts: whether the address of a script is ours (the one that fills slots): it is left out.
    :raises ConfigError: when the place is not there.
    """
    reader = _Reader(source, address, marker, own_scripts)
    reader.feed(source)
    reader.close()
    reader.finish()
    found = reader.found
    if found.slot is None:
        raise ConfigError(
            f"The layout {address} does not say where our pages go: there is no {marker or '<!-- rse:content -->'} in it.",
            remedy="Put the comment <!-- rse:content --> there, or set layout_marker to a selector such as #content.",
        )
    if found.head_end is None or found.body_start is None or found.slot[0] < found.body_start:
        raise ConfigError(f"The layout {address} is no whole page: it has no head and body before that place.")
    begin, end = found.slot
    edits = sorted((one for one in reader.edits if not begin <= one.begin < end), key=lambda one: one.begin)
    has_skip = reader.leads_here(edits)
    return Layout(
        _edited(source, edits, 0, found.head_end),
        _edited(source, edits, found.head_end, found.body_start),
        _edited(source, edits, found.body_start, begin),
        _edited(source, edits, end, len(source)),
        found.has_main,
        has_skip,
        tuple(found.sheets),
        tuple(found.inline),
        found.attributes,
    )


def _edited(source: str, edits: list[_Edit], begin: int, end: int) -> str:
    pieces, at = [], begin
    for edit in edits:
        if edit.begin < at or edit.end > end:
            continue
        pieces += [source[at : edit.begin], edit.text]
        at = edit.end
    return "".join([*pieces, source[at:end]])


class _Reader(HTMLParser):
    """Notes where things stand, by their offset in the source."""

    def __init__(self, source: str, address: str, marker: str, own_scripts: Callable[[str], bool]) -> None:
        super().__init__(convert_charrefs=False)
        self.source, self.address, self.own_scripts = source, address, own_scripts
        self.wanted = selector(marker) if marker else None
        self.found = _Found()
        self.edits: list[_Edit] = []
        self.stack: list[str] = []
        self.mains: list[int] = []
        #: ids and fragments outside the place that is replaced
        self.ids: set[str] = set()
        self.skips: list[tuple[int, str, str]] = []
        self._lines = [0]
        for match in re.finditer("\n", source):
            self._lines.append(match.end())
        self._open: tuple[str, int, str] | None = None
        self._place: tuple[str, int, int] | None = None

    def here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    # -- elements ----------------------------------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw, begin = self.get_starttag_text() or "", self.here()
        end = begin + len(raw)
        has = {name: value or "" for name, value in attrs}
        if tag == "body" and self.found.body_start is None:
            self.found.body_start = end
        if tag not in _VOID:
            self.stack.append(tag)
            if tag == "main" or has.get("role") == "main":
                self.mains.append(len(self.stack))
        if self._place is None and self.found.slot is None and self.wanted is not None and self.wanted(tag, has):
            self._place = (tag, len(self.stack), end)
            self.found.inside_main = bool(self.mains)
            self.found.has_main = self.found.has_main or self.found.inside_main
            self._note(tag, has, begin)
        elif self._place is None:
            self._note(tag, has, begin)
            self.found.has_main = self.found.has_main or tag == "main" or has.get("role") == "main"
        if self._place is None or self._place[2] == end:
            self._change(tag, has, raw, begin, end)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        begin = self.here()
        end = self.source.find(">", begin) + 1
        if self._open is not None and self._open[0] == tag:
            name, opened, kind = self._open
            self._open = None
            inner = self.source[self.source.find(">", opened) + 1 : begin]
            if kind == "inline" and inner.strip():
                self.found.inline.append(inner)
            self.edits.append(_Edit(opened, end))
            if name == "title":
                self.found.title = True
        if tag == "head" and self.found.head_end is None:
            self.found.head_end = begin
        if tag not in self.stack:
            return
        while self.stack:
            depth = len(self.stack)
            closed = self.stack.pop()
            if self.mains and self.mains[-1] == depth:
                self.mains.pop()
            if self._place is not None and self._place[1] == depth:
                self.found.slot = (self._place[2], begin)
                self._place = None
            if closed == tag:
                break

    def handle_comment(self, data: str) -> None:
        if self.wanted is None and self.found.slot is None and data.strip() == MARKER:
            begin = self.here()
            self.found.slot = (begin, begin + len(data) + 7)
            self.found.inside_main = bool(self.mains)

    # -- what is changed -----------------------------------------------------------------------------------------------

    def _note(self, tag: str, has: dict[str, str], begin: int) -> None:
        if "id" in has:
            self.ids.add(has["id"])
        if "style" in has:
            self.found.attributes = True
        href = has.get("href", "")
        if tag == "a" and href.startswith("#") and len(href) > 1 and self.found.slot is None:
            self.skips.append((begin, self.get_starttag_text() or "", href[1:]))

    def _change(self, tag: str, has: dict[str, str], raw: str, begin: int, end: int) -> None:
        rel = has.get("rel", "").lower().split()
        # Of SVG, a title is part of the picture.
        if tag in ("title", "style") and "svg" not in self.stack:
            self._open = (tag, begin, "inline" if tag == "style" else "")
        elif tag == "script":
            source = has.get("src", "")
            if not source and has.get("type", "").lower() not in ("", "module", "text/javascript", "application/javascript"):
                return
            if not source or self.own_scripts(source):
                # Inline ones are barred by the policy of our pages; the one that fills slots has none here.
                self._open = (tag, begin, "")
                return
            self._absolute(raw, has, begin, end)
        elif tag == "link" and "stylesheet" in rel and "alternate" not in rel:
            if has.get("href"):
                self.found.sheets.append((urljoin(self.address, html.unescape(has["href"])), has.get("media", "")))
            self.edits.append(_Edit(begin, end))
        elif tag == "base" or (tag == "link" and {"canonical", "next", "prev", "shortlink"} & set(rel)):
            self.edits.append(_Edit(begin, end))
        elif tag == "meta":
            if self._of_that_page(has):
                self.edits.append(_Edit(begin, end))
        elif tag == "h1" and "role" not in has:
            # It keeps its look; the page's one heading of the first level is ours.
            self.edits.append(_Edit(begin, end, raw[:3] + ' role="none"' + raw[3:]))
        else:
            self._absolute(raw, has, begin, end)

    @staticmethod
    def _of_that_page(has: dict[str, str]) -> bool:
        name, shown = has.get("name", "").lower(), has.get("property", "").lower()
        policy = has.get("http-equiv", "").lower() in ("content-security-policy", "refresh")
        return name in _OWN_META or shown.startswith(("og:", "article:")) or name.startswith("twitter:") or policy

    def _absolute(self, raw: str, has: dict[str, str], begin: int, end: int) -> None:
        text = raw
        for name in _ADDRESSES:
            value = has.get(name, "").strip()
            if value and not value.startswith(("/", "#", "?")) and not urlsplit(value).scheme:
                text = _with_attribute(text, name, _path(urljoin(self.address, value)))
        if text != raw:
            self.edits.append(_Edit(begin, end, text))

    def leads_here(self, edits: list[_Edit]) -> bool:
        """Whether the intranet's own link to the content leads to ours; one whose target gave way is changed."""
        for begin, raw, target in self.skips[:3]:
            if target not in self.ids:
                edits.append(_Edit(begin, begin + len(raw), _with_attribute(raw, "href", f"#{CONTENT_ID}")))
                edits.sort(key=lambda one: one.begin)
                return True
            if self.found.inside_main or re.search(r"cont|main|princip|skip", target, re.IGNORECASE):
                return True
        return False

    def finish(self) -> None:
        if self.found.head_end is None:
            # The end tag of a head may be left out: it ends where the body begins.
            match = re.search(r"<body\b", self.source, re.IGNORECASE)
            self.found.head_end = match.start() if match else None


def _with_attribute(raw: str, name: str, value: str) -> str:
    pattern = re.compile(rf"""(\s{name}\s*=\s*)("[^"]*"|'[^']*'|[^\s>]+)""", re.IGNORECASE)
    return pattern.sub(lambda match: f'{match.group(1)}"{html.escape(value)}"', raw, count=1)


def _path(address: str) -> str:
    """On the same origin as our pages: without host."""
    parts = urlsplit(address)
    return parts._replace(scheme="", netloc="").geturl() if parts.scheme in ("http", "https") else address


def selector(text: str) -> Callable[[str, dict[str, str]], bool]:
    """Whether an element is the one that a simple selector names: a tag, ``#id``, ``.class``, ``[role=…]``, together.

    :raises ConfigError: for any other selector.
    """
    match = _SELECTOR.match(text.strip())
    if not match or not text.strip():
        raise ConfigError(
            f"layout_marker: “{text}” cannot be used.",
            remedy="Write a tag, #id, .class or [role=main], for example #content.",
        )
    tag, parts = match["tag"], re.findall(r"[#.][\w-]+|\[role=[\"']?[a-z]+", match["rest"])

    def fits(name: str, has: dict[str, str]) -> bool:
        if tag and name != tag:
            return False
        for part in parts:
            if part[0] == "#" and has.get("id") != part[1:]:
                return False
            if part[0] == "." and part[1:] not in has.get("class", "").split():
                return False
            if part[0] == "[" and has.get("role") != part[6:].strip("\"'"):
                return False
        return True

    return fits
