"""What people write becomes safe HTML, whatever they write."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from rse_core.richtext import mentioned, plain, render

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "<javascript:alert(1)>",
    '[x](https://a.test "onmouseover=alert(1)")',
    '[x](https://a.test "\'><script>alert(1)</script>")',
    "![x](https://a.test/pixel.png)",
    "![x](x\"onerror=\"alert(1))",
    "[a]: javascript:alert(1)\n\n[a]",
    "```<script>\n<script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style>",
    "<form action=//evil.test><input name=p></form>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "[@ben](https://a.test/@ben \"@ben\")",
    "<span class=rse-mention data-person=1 onclick=alert(1)>@ben</span>",
    "@ben<script>@ben</script>",
    "[x](@ben)",
    "`@ben` and ``@ben``",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\ue0000\ue001\ue0001\ue001",
    "> " * 400 + "deep",
    "*" * 4000,
    "[" * 4000,
    "@a." * 1300,
]  # fmt: skip
NAME = 'Ben <b>"x"</b> onmouseover=alert(1)'
ELEMENTS = {"p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span"}


class Seen(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found, self.words = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("body", ATTACKS, ids=range(len(ATTACKS)))
@pytest.mark.parametrize("people", [{}, {"ben": (1, NAME)}], ids=["nobody", "ben"])
def test_nothing_but_harmless_elements_comes_out(body, people):
    for tag, attributes in Seen(render(body, people)).found:
        assert tag in ELEMENTS
        allowed = {"a": {"href", "rel"}, "ol": {"start"}, "span": {"class", "data-person"}}.get(tag, set())
        assert set(attributes) <= allowed, (tag, attributes)
        if "href" in attributes:
            assert attributes["href"].startswith(("https://", "http://", "mailto:")) or ":" not in attributes["href"]
            assert attributes["rel"] == "nofollow noopener noreferrer"
        if tag == "span":
            assert attributes == {"class": "rse-mention", "data-person": "1"}


def test_a_small_markdown_is_understood():
    html = render("**bold** *it* ~~old~~ `code`\nnext\n\n- a\n- b\n\n> said", {})
    for part in (
        "<strong>bold</strong>",
        "<em>it</em>",
        "<s>old</s>",
        "<code>code</code>",
        "<br",
        "<li>a</li>",
        "<blockquote>",
    ):
        assert part in html
    assert "<h1>" not in render("# Title", {})


def test_a_name_is_shown_as_the_person_is_called_and_the_text_around_it_stays():
    html = render("Ask @ben, or @bennett; mail ben@ben. `@ben`", {"ben": (7, "Benoît")})
    assert html.count("rse-mention") == 1
    assert '<span class="rse-mention" data-person="7">@Benoît</span>, or @bennett; mail ben@ben.' in html


def test_names_are_found_once_each_and_not_in_code():
    assert mentioned("@anna @ben, @anna. `@eve` a@b.c @marie@corp.example") == ["anna", "ben", "marie@corp.example"]


def test_the_plain_text_has_no_marks_and_no_markup():
    assert plain("**Hello** <you> & [me](https://a.test)\n\n- one") == "Hello <you> & me one"
    assert plain("word " * 100).endswith("…")
    assert len(plain("word " * 100)) <= 140
