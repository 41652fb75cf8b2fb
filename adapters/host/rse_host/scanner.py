"""Where a script tag may go in a page, found in the raw bytes without building a tree.

The scanner follows the tokenizer of the HTML standard (https://html.spec.whatwg.org/#tokenization) far enough
to be right about what only looks like a head: ``</head>`` in a comment, a script, a title, a template or an
attribute. It never decodes: every encoding that keeps ASCII bytes for ASCII characters is scanned alike.

Two paths give one answer. :func:`_plain_head_end` swallows an ordinary head in a few steps of C; whatever it
does not recognise goes to :func:`_walk`, which reads token by token. All quantifiers are
possessive, so that no page can make a match take more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WS = rb"[\t\n\f\r ]"
_ATTRIBUTES = (
    rb"(?:[\t\n\f\r /]*+"
    rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"[^\"]*+\"|'[^']*+'|[^\t\n\f\r >\"'][^\t\n\f\r >]*+|(?=>))"
    rb"|(?![\t\n\f\r ]*+=)))*+"
    rb"[\t\n\f\r /]*+>"
)
_COMMENT = rb"<!--(?:>|->|(?:[^-]++|-(?!-!?>))*+--!?>)"


# What nearly every tag looks like: each "=" stands directly after a name and before a value that hides no
# quote.
_PLAIN_ATTRIBUTES = (
    rb"(?:[^>\"'=]++|(?<=[a-zA-Z0-9_:.-])=[\t\n\f\r ]*+"
    rb"(?:\"[^\"]*+\"|'[^']*+'|[^\t\n\f\r >\"'=]++(?=[\t\n\f\r >])))*+>"
)


_OPENER = re.compile(rb"(?:\xef\xbb\xbf)?+[\t\n\f\r ]*+(?=<(?i:!doctype|html|head|title)[\t\n\f\r />])")
_PLAIN_RUN = re.compile(
    rb"(?:[\t\n\f\r ]++"
    rb"|<(?:(?i:link|meta|html|head|base)(?=[\t\n\f\r />])" + _PLAIN_ATTRIBUTES + rb"|!(?i:doctype)[^>]*+>)"
    rb"|<(?i:title)>[^<]*+</(?i:title)>|" + _COMMENT + rb")*+"
    rb"(?:<((?i:script|style))(?=[\t\n\f\r />])" + _PLAIN_ATTRIBUTES + rb"|(?=(</(?i:head)[\t\n\f\r />])))"
)
_END_TAG = re.compile(rb"</[a-zA-Z]++>")
_TAG_NAME = re.compile(rb"</?+([a-zA-Z][^\t\n\f\r />]*+)")
_TAG_REST = re.compile(_ATTRIBUTES)
_ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*+([^\t\n\f\r />][^\t\n\f\r />=]*+)"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\t\n\f\r >\"'][^\t\n\f\r >]*+)|(?=>)))?+"
)
_COMMENT_END = re.compile(rb"--!?>")
_NOT_BLANK = re.compile(rb"[^\t\n\f\r ]")
_SCRIPT_STEP = re.compile(rb"<!--|(?i:</script)(?=[\t\n\f\r />])")
_ESCAPED_STEP = re.compile(rb"-->|(?i:<(/?+)script)(?=[\t\n\f\r />])")
_BINARY = re.compile(rb"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]|\A(?:%PDF-|%!PS|GIF8|BM)")
"""Bytes that no text holds (https://mimesniff.spec.whatwg.org/#binary-data-byte) and formats that begin as
text.
"""
_BODY_FOLLOWS = re.compile(rb"</(?i:head)>[\t\n\f\r ]*+<(?i:body)[\t\n\f\r />]")
_LATER_HEAD_END = re.compile(rb"(?i:</head|<body|<frameset)(?=[\t\n\f\r />])")
_RAW_END = {
    name: re.compile(rb"(?i:</" + name + rb")(?=[\t\n\f\r />])")
    for name in (b"style", b"title", b"textarea", b"xmp", b"iframe", b"noembed", b"noframes", b"noscript")
}
_HEAD_CONTENT = frozenset(b"html head base basefont bgsound link meta noframes noscript script style template title".split())
_OPAQUE = frozenset(b"svg math select plaintext frameset".split())
"""Elements inside which a tag's meaning hangs on the tree; the search for a late ``</head>`` stops there."""


@dataclass(frozen=True, slots=True)
class Token:
    """One tag, comment, declaration or run of text: ``kind`` is ``start``, ``end``, ``text``, ``comment`` or
    ``doctype``.

    ``begin`` and ``close`` are byte offsets; ``name`` is the lower-case tag name, empty when there is none. A
    start tag whose content is raw text is followed by one ``text`` token with ``raw=True``.
    """

    kind: str
    begin: int
    close: int
    name: bytes = b""
    raw: bool = False


class Unfinished(Exception):
    """The page ends inside a tag, a comment or a raw-text element."""


def tokens(html: bytes, start: int = 0) -> Iterator[Token]:
    """Yield the tokens of ``html`` from offset ``start``, which must be outside any tag.

    :raises Unfinished: when the page stops in the middle of a construct.
    """
    at, size = start, len(html)
    while at < size:
        begin = html.find(b"<", at)
        while begin >= 0 and not _opens(html, begin):
            begin = html.find(b"<", begin + 1)
        if begin < 0:
            yield Token("text", at, size)
            return
        if begin > at:
            yield Token("text", at, begin)
        token = _markup(html, begin)
        yield token
        at = token.close
        if token.kind == "start":
            end = _raw_end(html, token)
            if end is not None:
                if end > at:
                    yield Token("text", at, end, token.name, raw=True)
                at = end


def _opens(html: bytes, at: int) -> bool:
    """Whether the ``<`` at this offset begins markup rather than being text."""
    following = html[at + 1 : at + 3]
    if not following:
        return False
    if following[:1] == b"/":
        return len(following) == 2
    return following[:1] in b"!?" or following[:1].isalpha()


def _markup(html: bytes, begin: int) -> Token:
    if html.startswith(b"<!--", begin):
        if html.startswith(b">", begin + 4):
            return Token("comment", begin, begin + 5)
        if html.startswith(b"->", begin + 4):
            return Token("comment", begin, begin + 6)
        ended = _COMMENT_END.search(html, begin + 4)
        if ended is None:
            raise Unfinished("comment")
        return Token("comment", begin, ended.end())
    named = _TAG_NAME.match(html, begin)
    if named is not None:
        rest = _TAG_REST.match(html, named.end())
        if rest is None:
            raise Unfinished("tag")
        kind = "end" if html[begin + 1] == 0x2F else "start"
        return Token(kind, begin, rest.end(), named.group(1).lower())
    close = html.find(b">", begin)
    if close < 0:
        raise Unfinished("declaration")
    kind = "doctype" if html[begin + 2 : begin + 9].lower() == b"doctype" else "comment"
    return Token(kind, begin, close + 1)


def _raw_end(html: bytes, token: Token) -> int | None:
    """Offset at which the raw text after this start tag ends, or None when its content is ordinary markup."""
    if token.name == b"script":
        return _script_end(html, token.close)
    if token.name == b"plaintext":
        return len(html)
    pattern = _RAW_END.get(token.name)
    if pattern is None:
        return None
    ended = pattern.search(html, token.close)
    if ended is None:
        raise Unfinished(token.name.decode("ascii"))
    return ended.start()


def _script_end(html: bytes, at: int) -> int:
    """Offset of the real ``</script``, minding ``<!-- <script> </script> -->`` inside the script."""
    while True:
        step = _SCRIPT_STEP.search(html, at)
        if step is None:
            raise Unfinished("script")
        if html[step.start() + 1] == 0x2F:
            return step.start()
        # The two dashes of the opener may be those of the closer: "<!-->" is a whole comment.
        at, nested = step.start() + 2, False
        while True:
            step = _ESCAPED_STEP.search(html, at)
            if step is None:
                raise Unfinished("script")
            at = step.end()
            if step.group(1) is None:
                break
            if step.group(1) == b"":
                nested = True
            elif nested:
                nested = False
            else:
                return step.start()


def attributes(html: bytes, token: Token) -> dict[bytes, bytes]:
    """Return the attributes of a start tag, names in lower case, values as written; the first of a name
    wins.
    """
    found: dict[bytes, bytes] = {}
    at, end = token.begin + 1 + len(token.name), token.close - 1
    while at < end:
        match = _ATTRIBUTE.match(html, at, end)
        if match is None:
            break
        name, *values = match.groups()
        found.setdefault(name.lower(), next((value for value in values if value is not None), b""))
        at = match.end()
    return found


def head_insertion_point(html: bytes, *, complete: bool = True) -> int | None:
    """Return the byte offset at which a script tag belongs, or None when the page must be left alone.

    The offset is just before the real ``</head>``; without one, before ``<body>`` or before the first
    content. None is returned for framesets, for fragments (no doctype, ``html``, ``head``, ``body`` or
    ``title`` tag: an answer meant for a script of the page), for blank bodies and for pages that stop in the
    middle of a tag or a script.

    :param complete: False when ``html`` is only the beginning of the page.
    """
    plain = _plain_head_end(html)
    try:
        if plain is not None:
            return None if _frameset_follows(html, plain) else plain
        return _walk(html, complete=complete)
    except Unfinished:
        return None


def _plain_head_end(html: bytes) -> int | None:
    """Offset of ``</head>`` in a head without surprises, else None."""
    run = _OPENER.match(html)
    if run is None:
        return None
    while True:
        run = _PLAIN_RUN.match(html, run.end())
        if run is None:
            return None
        if run.lastindex == 2:
            return run.end()
        ends = b"</" + run.group(1)
        # Text without "<" but for the end tag, spelt as the start tag was; a "<" that is neither is for the
        # walk.
        at = html.find(b"<", run.end())
        while at >= 0 and not html.startswith(ends, at):
            if html[at + 1 : at + 2] in (b"/", b"!", b""):
                return None
            at = html.find(b"<", at + 1)
        if at < 0 or html[at + len(ends) : at + len(ends) + 1] != b">":
            return None
        run = _END_TAG.match(html, at)
        if run is None:
            return None


def _walk(html: bytes, *, complete: bool = True) -> int | None:
    fallback: int | None = None
    is_page, templates, template_at = False, 0, 0
    start = 3 if html.startswith(b"\xef\xbb\xbf") else 0
    if html[start : start + 1] != b"<" and _BINARY.search(html, start, start + 1024):
        return None
    for token in tokens(html, start):
        name = token.name
        if name == b"template":
            if token.kind == "start":
                template_at = template_at if templates else token.begin
                templates += 1
            elif token.kind == "end" and templates:
                templates -= 1
            continue
        if templates or token.kind == "comment" or token.raw:
            continue
        if token.kind == "doctype":
            is_page = True
            continue
        if token.kind == "text":
            first = _NOT_BLANK.search(html, token.begin, token.close)
            if first is None or (not complete and token.close == len(html)):
                continue
            place: int = first.start()
        else:
            place = token.begin
            if token.kind == "start" and name in (b"html", b"head", b"body", b"title"):
                is_page = True
            if name == b"frameset":
                return None
            if token.kind == "end":
                if name == b"head" and is_page:
                    return None if _frameset_follows(html, place) else place
                if name not in (b"body", b"html", b"br"):
                    continue
            elif name == b"body":
                # A body ends the head even when something strayed in front of it.
                return place
            elif name in _HEAD_CONTENT:
                continue
        if fallback is None:
            fallback = place
        if name in _OPAQUE or _LATER_HEAD_END.search(html, token.close) is None:
            return fallback if is_page or _says_page(html, place) else None
    if templates and complete:
        return template_at if is_page else None
    if not complete:
        return None
    if fallback is None and is_page:
        fallback = len(html)
    return fallback if is_page else None


def _says_page(html: bytes, start: int) -> bool:
    """Whether a body or title tag still follows, which makes an untidy document a page rather than a
    fragment.
    """
    try:
        return any(token.kind == "start" and token.name in (b"body", b"title", b"html") for token in tokens(html, start))
    except Unfinished:
        return False


def _frameset_follows(html: bytes, head_end: int) -> bool:
    """Whether what comes after ``</head>`` is a frameset, which has no body to put anything in."""
    if _BODY_FOLLOWS.match(html, head_end):
        return False
    for token in tokens(html, head_end):
        if token.kind == "start" and token.name not in (b"noframes", b"script", b"head", b"html"):
            return token.name == b"frameset"
        if token.kind == "text" and not token.raw and _NOT_BLANK.search(html, token.begin, token.close):
            return False
    return False


def has_script(html: bytes, address: bytes) -> bool:
    """Whether the page already loads the script at ``address`` (its path, compared without query).

    The quick search settles nearly all pages; only when the address occurs in the bytes is the page read
    exactly, because an article may well *speak* of the tag.
    """
    # Backwards: CPython's search from the end takes half the time of the one from the start.
    if html.rfind(address) < 0:
        return False
    try:
        for token in tokens(html):
            if token.kind == "start" and token.name == b"script":
                source = attributes(html, token).get(b"src", b"").strip()
                if source.split(b"?")[0].split(b"#")[0].endswith(address):
                    return True
    except Unfinished:
        return False
    return False
