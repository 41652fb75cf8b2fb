"""What people write, made into safe HTML: a small Markdown, links that leak nothing, mentions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import escape

#: @username where a word could begin; the characters that usernames have.
MENTION = re.compile(r"(?<![\w@/.])@([A-Za-z0-9][A-Za-z0-9._-]{0,98}[A-Za-z0-9_]|[A-Za-z0-9])")
TAGS = {"p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span"}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "span": {"class", "data-person"}}
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    # Raw HTML is shown as text; pictures and headings do not belong in a comment.
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
    return parser.enable(["strikethrough"]).disable(["image", "heading", "lheading", "hr", "reference", "html_block"])


def mentioned(body: str) -> list[str]:
    """Usernames that a text names, each once, in order, outside code."""
    return list(dict.fromkeys(MENTION.findall(_without_code(body))))


def clean(body: str) -> str:
    """The text as it is kept: no control characters, one kind of line end, no private-use marks of ours."""
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(filter(_kept, body)).strip()


def _kept(c: str) -> bool:
    # The no-break spaces of French typography (category Zs) are not "printable", and belong to the text.
    return c in "\n\t\u200d" or (c.isprintable() and c not in "\ue000\ue001") or unicodedata.category(c) == "Zs"


def render(body: str, people: Mapping[str, tuple[int, str]]) -> str:
    """Safe HTML of a text.

    :param people: of each mentioned username the person's id and name; a name that is not there stays plain text.
    """
    marked = body
    if people:
        spans = list(people.items())
        places = {name: index for index, (name, _person) in enumerate(spans)}

        def mark(match: re.Match[str]) -> str:
            return _MARK.format(places[match[1]]) if match[1] in places else match[0]

        marked = _outside_code(body, lambda part: MENTION.sub(mark, part))
    html = nh3.clean(
        _markdown().render(marked),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    if people:

        def span(match: re.Match[str]) -> str:
            index = int(match[1])
            if index >= len(spans):
                return ""
            person_id, name = spans[index][1]
            return f'<span class="rse-mention" data-person="{person_id}">@{escape(name)}</span>'

        html = _MARKED.sub(span, html)
    return html


def plain(body: str, most: int = 140) -> str:
    """The beginning of a text without its marks, for a title or a line in a list."""
    text = " ".join(nh3.clean(_markdown().render(body), tags=set()).split())
    text = _unescape(text)
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _unescape(text: str) -> str:
    import html

    return html.unescape(text)


_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)


def _outside_code(body: str, change: object) -> str:
    parts: Iterable[str] = _CODE.split(body)
    return "".join(part if index % 2 else change(part) for index, part in enumerate(parts))  # type: ignore[operator]


def _without_code(body: str) -> str:
    return _CODE.sub(" ", body)
