"""A page of the intranet, cut into the pieces around ours: what stays, what is changed, and what is left out."""

from __future__ import annotations

import re

import pytest

from rse_core.api import ConfigError
from rse_core.testing.databases import kit_settings
from rse_core.web import layout as layouts
from rse_core.web.layout_html import Layout, cut

PAGE = """<!DOCTYPE html>
<html lang="fr" class="portal">
<head>
<meta charset="utf-8">
<title>Accueil — Intranet</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="The news of today">
<meta property="og:title" content="Accueil">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<link rel="canonical" href="/accueil">
<link rel="icon" href="icon.png">
<link rel="stylesheet" href="css/portal.css" media="screen">
<link rel="stylesheet" href="https://cdn.example/font.css">
<style>main { display: grid }</style>
<script src="js/menu.js"></script>
<script src="/rse/embed.js" defer></script>
<script>var tracked = true;</script>
</head>
<body class="home">
<a class="skip" href="#contenu">Aller au contenu</a>
<header><img src="logo.png" alt="Intranet"><h1>Intranet</h1>
<nav aria-label="Portail"><a href="rh/">RH</a> <a href="https://elsewhere.example/">Ailleurs</a></nav></header>
<svg><title>A drawing</title></svg>
<main id="contenu" tabindex="-1"><!-- rse:content --></main>
<footer><p style="color: #123456">Société &amp; Cie</p></footer>
</body>
</html>
"""


def of(source: str, marker: str = "", address: str = "https://intranet.example/portal/accueil") -> Layout:
    return cut(source, address=address, marker=marker, own_scripts=lambda src: src.startswith("/rse/embed.js"))


def whole(made: Layout) -> str:
    return made.start + made.body + made.middle + made.end


def test_a_page_is_cut_where_its_comment_stands() -> None:
    made = of(PAGE)
    assert made.start.startswith("<!DOCTYPE html>")
    assert made.body.strip() == '</head>\n<body class="home">'
    assert made.middle.endswith('<main id="contenu" tabindex="-1">')
    assert made.end.startswith("</main>\n<footer>")
    assert made.end.endswith("</html>\n")
    assert (made.has_main, made.has_skip, made.attributes) == (True, True, True)


def test_what_speaks_of_the_page_it_was_taken_from_is_left_out() -> None:
    made = of(PAGE)
    for gone in ("Accueil — Intranet", "The news of today", "og:title", "Content-Security-Policy", "canonical"):
        assert gone not in whole(made), gone
    assert "<title>A drawing</title>" in whole(made), "of a drawing it is a part"
    assert 'name="viewport"' in made.start
    assert 'rel="icon"' in made.start


def test_its_stylesheets_are_loaded_beneath_ours_and_its_inline_scripts_do_not_run() -> None:
    made = of(PAGE)
    assert made.sheets == (
        ("https://intranet.example/portal/css/portal.css", "screen"), ("https://cdn.example/font.css", ""),
    )  # fmt: skip
    assert made.inline == ("main { display: grid }",)
    assert "stylesheet" not in whole(made)
    assert "<style" not in whole(made)
    assert 'src="/portal/js/menu.js"' in made.start
    assert "embed.js" not in whole(made)
    assert "tracked" not in whole(made)


def test_relative_addresses_count_from_where_the_page_was_read() -> None:
    made = of(PAGE)
    assert '<img src="/portal/logo.png" alt="Intranet">' in made.middle
    assert '<a href="/portal/rh/">' in made.middle
    assert 'href="https://elsewhere.example/"' in made.middle
    assert 'href="#contenu"' in made.middle
    assert 'href="/portal/icon.png"' in made.start


def test_the_one_heading_of_the_first_level_is_ours() -> None:
    assert '<h1 role="none">Intranet</h1>' in of(PAGE).middle


def test_a_selector_names_the_element_whose_content_gives_way() -> None:
    page = PAGE.replace("<!-- rse:content -->", '<p id="hello">Bienvenue <b>à tous</b></p><div><main></main></div>')
    for marker in ("main", "#contenu", "main#contenu", "[role=main]"):
        source = page.replace('<main id="contenu"', '<main role="main" id="contenu"') if "role" in marker else page
        made = of(source, marker)
        assert "Bienvenue" not in whole(made), marker
        assert made.middle.endswith('tabindex="-1">'), marker
        assert made.end.startswith("</main>\n<footer>"), marker
        assert made.has_main


def test_a_link_to_content_that_gave_way_leads_to_ours() -> None:
    page = PAGE.replace('id="contenu" tabindex="-1"', 'class="page"').replace(
        "<!-- rse:content -->", '<div id="contenu">Bienvenue</div>'
    )
    made = of(page, ".page")
    assert made.has_skip
    assert '<a class="skip" href="#rse-content">' in made.middle


def test_a_page_without_main_or_link_to_the_content_gets_ours() -> None:
    page = PAGE.replace('<main id="contenu" tabindex="-1">', "<div>").replace("</main>", "</div>")
    page = re.sub(r'<a class="skip".*\n', "", page)
    made = of(page)
    assert (made.has_main, made.has_skip) == (False, False)


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace("\n", "\r\n"),
        PAGE.replace("</head>\n", ""),
        PAGE.replace("<!DOCTYPE html>\n", "\ufeff<!doctype HTML>"),
        PAGE.replace("</html>\n", "").replace("</body>\n", ""),
        PAGE.replace("<footer>", "<footer><p>left open<b>"),
    ],
)
def test_pages_as_they_are_found_are_read_all_the_same(page: str) -> None:
    made = of(page)
    assert "Société &amp; Cie" in made.end
    assert '<body class="home">' in made.body
    assert "rse:content" not in whole(made)


@pytest.mark.parametrize(
    ("source", "marker", "word"),
    [
        (PAGE.replace("rse:content", "something"), "", "rse:content"),
        (PAGE, "#nothing", "#nothing"),
        ("<!-- rse:content --><html><head></head><body></body></html>", "", "no whole page"),
        ("", "", "rse:content"),
        ("<main>x</main>", "main", "no whole page"),
        ("<script><!-- rse:content --></script>", "", "rse:content"),
    ],
)
def test_a_page_without_that_place_is_refused_with_what_to_do(source: str, marker: str, word: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(word)):
        of(source, marker)


@pytest.mark.parametrize("marker", ["main > div", "a:hover", "#1", "*", "div, main", "[data-x=1]"])
def test_a_selector_that_cannot_be_read_is_refused_at_the_start(marker: str) -> None:
    with pytest.raises(ConfigError, match="layout_marker"):
        layouts.begin(kit_settings(layout="layout.html", layout_marker=marker))


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example/", "http://intranet.example/", "https://user@intranet.example/", "https://10.0.0.1/"],
)
def test_an_address_that_is_not_the_intranets_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="not on the intranet"):
        layouts.begin(kit_settings(layout=address))
    layouts.begin(kit_settings(layout="https://intranet.example/layout"))
    layouts.begin(kit_settings(layout="http://127.0.0.1:8000/layout"))
