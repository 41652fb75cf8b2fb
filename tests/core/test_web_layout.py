"""Our pages in the intranet's look: what is written around them, and what never may cost anybody the page. The menu."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, render_template_string
from markupsafe import Markup

from rse_core.api import ConfigError, Level, Manifest, NavItem, ObjectRef, Plugin, SlotItem, hookimpl
from rse_core.extension import create_app
from rse_core.settings import Settings
from rse_core.testing import count_queries
from rse_core.testing.organisation import make_person, set_level
from rse_core.web import layout as layouts

PAGE = """<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<title>Accueil — Intranet</title>
<link rel="stylesheet" href="css/portal.css" media="screen">
<link rel="stylesheet" href="https://cdn.example/font.css">
<style>main { display: grid }</style>
</head>
<body class="home">
<a class="skip" href="#contenu">Aller au contenu</a>
<header><h1>Intranet</h1></header>
<svg><title>A drawing</title></svg>
<main id="contenu" tabindex="-1"><!-- rse:content --></main>
<footer><p style="color: #123456">Société &amp; Cie</p></footer>
</body>
</html>
"""


class Notes(Plugin):
    """Two pages in the menu, one of which is for people at COMMENT."""

    manifest = Manifest("notes", "Notes")

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        pages = Blueprint("rse_notes", __name__, url_prefix="/notes")
        template = (
            '{% extends "rse/base.html" %}{% block title %}Notes{% endblock %}'
            "{% block content %}<h1>Notes</h1><p>Ours.</p>{% endblock %}"
        )

        @pages.get("/")
        def page() -> str:
            return render_template_string(template)

        return [pages]

    @hookimpl
    def rse_nav_items(self) -> list[NavItem]:
        return [NavItem("rse_notes.page", "Notes", icon="pencil", badge=lambda _session, _person: 120)]

    @hookimpl
    def rse_slot_items(self, slot: str, refs: list[ObjectRef], viewer: Any, session: Any) -> list[SlotItem]:
        return [SlotItem(refs[0], str(Markup("<p>another</p>")), order=900)] if slot == "navigation" else []


class Counted(HTMLParser):
    """What stands in a page: elements, ids, and where the link to the content leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.headings = 0
        self.mains = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        self.tags.append(tag)
        self.headings += tag == "h1" and has.get("role") != "none"
        self.mains += tag == "main" or has.get("role") == "main"
        if has.get("id"):
            self.ids.append(str(has["id"]))


def app_of(use_plugin: Any, **settings: Any) -> Flask:
    core = use_plugin(Notes(), **settings)
    made = create_app(core)
    made.core = core  # type: ignore[attr-defined]
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "layout.html"
    made.write_text(PAGE, encoding="utf-8")
    return made


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A clock that the test moves."""
    clock = [1000.0]
    monkeypatch.setattr(layouts.time, "monotonic", lambda: clock[0])
    return clock


@pytest.mark.parametrize("marked", [True, False])
def test_a_page_has_one_main_one_heading_and_one_of_each_id(use_plugin: Any, tmp_path: Path, marked: bool) -> None:
    file = tmp_path / "layout.html"
    page = PAGE if marked else PAGE.replace('<main id="contenu" tabindex="-1">', "<div>").replace("</main>", "</div>")
    file.write_text(page if marked else re.sub(r'<a class="skip".*\n', "", page), encoding="utf-8")
    for place in (str(file), ""):
        text = app_of(use_plugin, layout=place).test_client().get("/rse/notes/").text
        found = Counted(text)
        assert (found.mains, found.headings) == (1, 1)
        assert [tag for tag in found.tags if tag in ("html", "head", "body", "title")].count("title") == 1 + (
            "<svg>" in text
        )
        assert all(found.tags.count(tag) == 1 for tag in ("html", "head", "body"))
        assert len(found.ids) == len(set(found.ids))
        target = re.search(r'<a class="(?:rse-)?skip" href="#([\w-]+)"', text)
        assert target is not None
        assert target[1] in found.ids
    assert "<title>Notes</title>" in text


def test_inside_the_intranets_look_our_own_frame_is_not_written(use_plugin: Any, file: Path) -> None:
    app = app_of(use_plugin, layout=str(file))
    text = app.test_client().get("/rse/notes/").text
    assert "Société &amp; Cie" in text
    assert 'class="rse-foot"' not in text
    assert 'class="rse-top"' not in text
    assert "rse-frame.css" not in text
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', text)
    assert sheets[0].startswith("/rse/layout.css?v=")
    assert "rse-embed.css" in sheets[1]
    answer = app.test_client().get(sheets[0])
    assert answer.content_type == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.text.splitlines()[:3] == [
        "@layer host, rse;",
        '@import url("/css/portal.css") layer(host) screen;',
        '@import url("https://cdn.example/font.css") layer(host);',
    ]
    assert "@layer host {\nmain { display: grid }\n}" in answer.text
    assert app.test_client().get("/rse/layout.css?v=old").headers["Cache-Control"] == "no-cache"


def test_without_a_layout_there_is_no_stylesheet_for_it(use_plugin: Any) -> None:
    assert app_of(use_plugin).test_client().get("/rse/layout.css").status_code == 404


def test_an_error_is_told_in_the_same_frame_as_the_page(use_plugin: Any, file: Path, as_person: Any) -> None:
    for place in (str(file), ""):
        app = app_of(use_plugin, layout=place)
        make_person(app.core, "anna")  # type: ignore[attr-defined]
        client = as_person(app.test_client(), "anna")
        missing = client.get("/rse/nothing")
        found = Counted(missing.text)
        assert missing.status_code == 404
        assert (found.mains, found.headings) == (1, 1)
        assert ("Société &amp; Cie" in missing.text) is bool(place)
        refused = client.post(
            "/rse/me/language", data={"lang": "en", "kept": "What I wrote, and would not lose at all, is here."}
        )
        assert refused.status_code == 403
        assert "What I wrote, and would not lose" in refused.text
        assert Counted(refused.text).headings == 1


def test_only_the_sources_that_are_named_are_let_in_and_never_inline_scripts(use_plugin: Any, file: Path) -> None:
    strict = app_of(use_plugin).test_client().get("/rse/notes/").headers["Content-Security-Policy"]
    assert "unsafe" not in strict
    assert "cdn" not in strict
    app = app_of(use_plugin, layout=str(file), layout_sources=("https://cdn.example",))
    policy = app.test_client().get("/rse/notes/").headers["Content-Security-Policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["script-src"] == "'self' https://cdn.example"
    assert parts["style-src"] == "'self' https://cdn.example"
    assert parts["style-src-attr"] == "'unsafe-inline'", "the page has style attributes"
    assert parts["default-src"] == "'none'"
    assert "cdn" not in str(app.test_client().get("/rse/theme.css").headers), "no page, no look"


@pytest.mark.parametrize("source", ["cdn.example", "https://cdn.example/path", "https://a.example; script-src *", "*"])
def test_a_source_is_an_origin(source: str) -> None:
    with pytest.raises(ConfigError, match="layout_sources"):
        Settings.load({}, layout_sources=[source], secret_key="x" * 20)


def test_a_file_that_changes_is_read_anew_and_one_that_goes_wrong_leaves_the_last(
    use_plugin: Any, file: Path, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    client = app_of(use_plugin, layout=str(file)).test_client()
    assert "Cie" in client.get("/rse/notes/").text
    file.write_text(PAGE.replace("Cie", "Filles"), encoding="utf-8")
    os.utime(file, (1, 1))
    assert "Cie" in client.get("/rse/notes/").text, "not at every page"
    now[0] += 3
    assert "Filles" in client.get("/rse/notes/").text
    file.write_text("no layout", encoding="utf-8")
    now[0] += 3
    assert "Filles" in client.get("/rse/notes/").text
    assert "the last one stays" in caplog.text
    file.unlink()
    now[0] += 60
    assert "Filles" in client.get("/rse/notes/").text


def test_a_file_that_is_not_there_costs_nobody_the_page(
    use_plugin: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = app_of(use_plugin, layout=str(tmp_path / "nothing.html")).test_client().get("/rse/notes/").text
    assert 'class="rse-top"' in text
    assert "our own is used" in caplog.text


class Intranet:
    """A server on loopback that answers what the test says."""

    def __init__(self) -> None:
        self.body, self.kind, self.status = PAGE.encode(), "text/html; charset=utf-8", "200 OK"
        self.headers: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        self.go.wait(20)
        start_response(self.status, [("Content-Type", self.kind), *self.headers])
        return [self.body]


@pytest.fixture
def intranet() -> Iterator[tuple[Intranet, str]]:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            pass

    app = Intranet()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield app, f"http://127.0.0.1:{server.server_port}"
    app.go.set()
    server.shutdown()
    thread.join(10)
    server.server_close()


def settle(app: Flask) -> None:
    """Wait until no reading is under way."""
    for kept in app.extensions["rse_layouts"]._kept.values():
        assert kept.done.wait(10)
        while kept.reading:
            threading.Event().wait(0.01)


def test_a_layout_by_address_is_asked_in_the_readers_language_and_kept(
    use_plugin: Any, intranet: tuple[Intranet, str], now: list[float]
) -> None:
    served, origin = intranet
    app = app_of(use_plugin, layout=f"{origin}/{{lang}}/layout")
    client = app.test_client()
    for _time in range(3):
        assert "Cie" in client.get("/rse/notes/", headers={"Accept-Language": "en"}).text
    assert "Cie" in client.get("/rse/notes/", headers={"Accept-Language": "fr"}).text
    assert served.asked == ["/en/layout", "/fr/layout"]
    css = client.get("/rse/layout.css", headers={"Accept-Language": "en"}).text
    assert 'url("/en/css/portal.css")' in css, "people reach it through one origin, not by its port"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "500 Oh"},
        {"kind": "application/json"},
        {"body": b"<html><head></head><body>Sign in</body></html>"},
        {"body": b"x" * 2_000_001},
        {"status": "302 Found", "headers": [("Location", "https://elsewhere.example/")]},
    ],
    ids=["failing", "no page", "no place", "huge", "led elsewhere"],
)
def test_whatever_the_intranet_answers_our_page_is_served(
    use_plugin: Any, intranet: tuple[Intranet, str], now: list[float], change: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    served, origin = intranet
    good = dict(vars(served))
    vars(served).update(change)
    app = app_of(use_plugin, layout=f"{origin}/layout")
    client = app.test_client()
    first = client.get("/rse/notes/")
    assert first.status_code == 200
    assert 'class="rse-top"' in first.text
    settle(app)
    assert "our own is used" in caplog.text
    asked = len(served.asked)
    client.get("/rse/notes/")
    assert len(served.asked) == asked, "it is left in peace for a while"
    vars(served).update(good)
    now[0] += 31
    client.get("/rse/notes/")
    settle(app)
    assert "Cie" in client.get("/rse/notes/").text
    vars(served).update(change)
    now[0] += 61
    client.get("/rse/notes/")
    settle(app)
    assert "Cie" in client.get("/rse/notes/").text, "the last one stays"


def test_an_intranet_that_does_not_answer_holds_up_the_first_page_only_a_moment(
    use_plugin: Any, intranet: tuple[Intranet, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served, origin = intranet
    monkeypatch.setattr(layouts, "FIRST", 0.05)
    served.go.clear()
    app = app_of(use_plugin, layout=f"{origin}/layout")
    client = app.test_client()
    assert 'class="rse-top"' in client.get("/rse/notes/").text
    assert 'class="rse-top"' in client.get("/rse/notes/").text
    served.go.set()
    settle(app)
    assert "Cie" in client.get("/rse/notes/").text
    assert len(served.asked) == 1, "asked once, however many wait"


# -- the menu ----------------------------------------------------------------------------------------------------------


def slot_of(client: Any) -> str:
    return client.get("/rse/embed/slots?address=/news/1&slots=navigation").json["slots"]["navigation"]["html"]


def test_our_pages_stand_in_the_intranets_own_menu_for_whom_they_are_open(use_plugin: Any, as_person: Any) -> None:
    app = app_of(use_plugin, site_name="Réseau")
    core = app.core  # type: ignore[attr-defined]
    anna = make_person(core, "anna", level=Level.REACT)
    make_person(core, "bob", level=Level.INFORM)
    html = slot_of(as_person(app.test_client(), anna))
    assert html.startswith('<ul class="rse-slot-nav" aria-label="Réseau">')
    assert re.search(r'<a href="/rse/notes/"><svg.*?</svg> Notes <span class="rse-count-badge">99\+</span></a>', html)
    assert html.endswith("<p>another</p>"), "plugins may add to it"
    assert "rse-slot-nav" not in slot_of(as_person(app.test_client(), "bob")), "at INFORM nothing shows that RSE is there"
    assert "rse-slot-nav" not in slot_of(app.test_client())


def test_the_folded_menu_holds_what_the_wide_one_does(use_plugin: Any, as_person: Any) -> None:
    app = app_of(use_plugin)
    core = app.core  # type: ignore[attr-defined]
    set_level(core, "react")
    client = as_person(app.test_client(), make_person(core, "anna"))
    text = client.get("/rse/notes/").text
    wide, folded = re.findall(r'<ul class="rse-nav[^"]*">(.*?)</ul>', text, re.S)
    assert wide.split() == folded.split()
    assert 'aria-current="page"' in wide
    assert 'data-rse-go="n"' in wide
    assert text.count('id="rse-live"') == 1
    client.get("/rse/notes/")
    with count_queries(core) as counted:
        client.get("/rse/notes/")
    assert len(counted) <= 3, counted


# -- a form that leaves the page -----------------------------------------------------------------------------------------


def test_the_next_page_tells_that_what_was_written_was_taken(use_plugin: Any) -> None:
    client = app_of(use_plugin).test_client()
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', client.get("/rse/notes/").text)
    assert token is not None
    form = {"csrf_token": token[1], "lang": "en"}
    sent = client.post("/rse/me/language", data={**form, "rse_sending": "a" * 32})
    assert sent.status_code == 303
    assert f"rse_sent={'a' * 32}; " in sent.headers["Set-Cookie"] + "; "
    for strange in ("a" * 31, "<script>" * 4, "a" * 32 + "; Domain=x"):
        answer = client.post("/rse/me/language", data={**form, "rse_sending": strange})
        assert not any("rse_sent" in one for one in answer.headers.getlist("Set-Cookie"))
    refused = client.post("/rse/me/language", data={"rse_sending": "a" * 32})
    assert not any("rse_sent" in one for one in refused.headers.getlist("Set-Cookie"))
