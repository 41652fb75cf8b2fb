"""What people write, made into safe HTML: a small Markdown, links that leak nothing, mentions."""

from __future__ import annotations

import html as html_module
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import escape

#: @username where a word could begin; a username may be an address of mail.
MENTION = re.compile(r"(?<![\w@/.])@(\w(?:[\w.+'-]{0,97}\w)?(?:@\w(?:[\w.-]{0,97}\w)?)?)")
TAGS = {"p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
#: A post is longer than a comment: it may have headings (below those of the page around it) and rules.
RICH_TAGS = TAGS | {"h3", "h4", "h5", "h6", "hr"}
# No titles: a mention inside an attribute could not become an element.
ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}}
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")


@lru_cache(maxsize=2)
def _markdown(rich: bool = False) -> MarkdownIt:
    # Raw HTML is shown as text. Pictures are files of their own; headings do not belong in a comment.
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
    parser.enable(["strikethrough"]).disable(["image", "lheading", "reference", "html_block"])
    if rich:
        parser.core.ruler.push("rse_headings", _lower_headings)
        return parser
    return parser.disable(["heading", "hr"])


def _lower_headings(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


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


def render(body: str, people: Mapping[str, tuple[int, str]], *, rich: bool = False) -> str:
    """Safe HTML of a text.

    :param people: of each mentioned username the person's id and name; a name that is not there stays plain text.
    :param rich: a post: headings (from ``h3``) and rules too.
    """
    return _rendered(body, tuple(people.items()), rich)


@lru_cache(maxsize=4096)
def _rendered(body: str, spans: tuple[tuple[str, tuple[int, str]], ...], rich: bool) -> str:
    # Kept for texts in sight: a thread is read far more often than it changes.
    places = {name: index for index, (name, _person) in enumerate(spans)}

    def mark(match: re.Match[str]) -> str:
        return _MARK.format(places[match[1]]) if match[1] in places else match[0]

    def span(match: re.Match[str]) -> str:
        index = int(match[1])
        if index >= len(spans):
            return ""
        person_id, name = spans[index][1]
        return f'<span class="rse-mention" data-person="{person_id}">@{escape(name)}</span>'

    marked = _outside_code(body, lambda part: MENTION.sub(mark, part)) if spans else body
    html = nh3.clean(
        _markdown(rich).render(marked),
        tags=RICH_TAGS if rich else TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    return _MARKED.sub(span, html)


@lru_cache(maxsize=4096)
def plain(body: str, most: int = 140) -> str:
    """The beginning of a text without its marks, for a title or a line in a list."""
    text = html_module.unescape(" ".join(nh3.clean(_markdown().render(body[: most * 4]), tags=set()).split()))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)


def _outside_code(body: str, change: Callable[[str], str]) -> str:
    return "".join(part if index % 2 else change(part) for index, part in enumerate(_CODE.split(body)))


def _without_code(body: str) -> str:
    return _CODE.sub(" ", body)
