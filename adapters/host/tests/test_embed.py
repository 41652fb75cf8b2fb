"""embed.js in a real browser, against a stub of RSE that speaks the contract."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rse_host.script import embed_script

pytestmark = pytest.mark.browser
CHROMIUM = os.environ.get("RSE_CHROMIUM", "/usr/bin/chromium")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "require-trusted-types-for 'script'"
)

HOSTILE = """* { float: right !important; color: #fff !important; text-transform: uppercase !important }
* { display: block !important }
div, p, button, textarea, form { position: absolute !important; left: -9999px !important; visibility: hidden !important }
rse-slot { display: none !important; opacity: 0 !important; transform: scale(0) !important }"""

FORM = """<section><h2>Comments</h2><ul data-rse-list>{items}</ul>{more}
<form method="post" action="/rse/comments/write" data-rse-draft="page:/note">
<label for="t">Comment</label><textarea id="t" name="body"></textarea>
<button type="submit" name="do" value="send">Send</button></form></section>"""
BUTTON = """<form method="post" action="/rse/likes/react"><input type="hidden" name="ref" value="page:/note">
<button data-rse-focus="like" name="kind" value="like" aria-pressed="{pressed}">Like, {count}</button></form>"""


class Service:
    """What RSE would answer; tests change it as they go."""

    def __init__(self) -> None:
        self.items = ["First"]
        self.likes = 0
        self.person: dict[str, Any] | None = {"id": 7, "name": "Amélie"}
        self.token = "t1"
        self.poll = 3600
        self.requests: list[tuple[str, str, dict[str, list[str]], dict[str, str]]] = []
        self.on_post: Callable[[BaseHTTPRequestHandler, dict[str, list[str]]], bool] | None = None
        self.empty: set[str] = set()
        self.head = ""
        self.body = '<article><h1 id="top">Note</h1><p>Text</p></article>'
        self.csp = ""

    def slots(self, names: list[str]) -> dict[str, Any]:
        made = {
            "reactions": BUTTON.format(pressed="true" if self.likes else "false", count=self.likes),
            "comments": FORM.format(
                items="".join(f'<li id="rse-comment-{n}">{t}</li>' for n, t in enumerate(self.items)), more=""
            ),
        }
        label = {"comments": f"{len(self.items)} comments now"}
        found = {}
        for name in names:
            html = "" if name in self.empty else made.get(name, "")
            found[name] = {"html": html, "etag": str(hash(html)), "stale_label": label.get(name, "")}
        return found

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        form: dict[str, list[str]] = {}
        if handler.command == "POST":
            raw = handler.rfile.read(int(handler.headers["Content-Length"]))
            for part in raw.split(b"--" + handler.headers["Content-Type"].split("boundary=")[1].encode())[1:-1]:
                head, value = (
                    part.strip(b"\r\n").split(b"\r\n\r\n", 1) if b"\r\n\r\n" in part.strip(b"\r\n") else (part, b"")
                )
                form.setdefault(head.split(b'name="')[1].split(b'"')[0].decode(), []).append(value.decode())
        headers = {key.lower(): value for key, value in handler.headers.items()}
        self.requests.append((handler.command, parts.path, form or query, headers))
        if parts.path == "/rse/embed.js":
            self.send(handler, embed_script().body, "text/javascript; charset=utf-8")
        elif parts.path == "/rse/sheet.css":
            self.send(
                handler, b".rse-slot { padding: 3px } .rse-hidden { position: absolute; clip-path: inset(50%) }", "text/css"
            )
        elif parts.path == "/rse/embed/slots":
            if self.person is None and self.on_post == "gone":
                self.send(handler, b"{}", "application/problem+json", 401)
                return
            body = {
                "page": "page:/note", "person": self.person, "slots": self.slots(query["slots"][0].split(",")),
                "css": ["/rse/sheet.css"], "poll": self.poll,
            }  # fmt: skip
            text = json.dumps(body).encode()
            tag = f'"{hash(text)}"'
            if headers.get("if-none-match") == tag:
                self.send(handler, b"", "", 304, ETag=tag, X_RSE_CSRF=self.token)
            else:
                self.send(handler, text, "application/json", ETag=tag, X_RSE_CSRF=self.token)
        elif handler.command == "POST":
            if self.on_post is not None and self.on_post(handler, form):
                return
            if parts.path.endswith("react"):
                self.likes = 1 - self.likes
                answer = {"slots": self.slots(["reactions"]), "announce": "Saved."}
            else:
                self.items.append(form["body"][0])
                answer = {"slots": self.slots(["comments"]), "announce": "Published."}
            self.send(handler, json.dumps(answer).encode(), "application/json")
        elif parts.path == "/favicon.ico":
            self.send(handler, b"", "image/x-icon", 404)
        else:
            page = (
                f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Note</title>{self.head}'
                f'<script src="/rse/embed.js" defer></script></head><body>{self.body}</body></html>'
            )
            extra = {"Content_Security_Policy": self.csp} if self.csp else {}
            self.send(handler, page.encode(), "text/html; charset=utf-8", **extra)

    def send(self, handler: BaseHTTPRequestHandler, body: bytes, kind: str, status: int = 200, **headers: str) -> None:
        handler.send_response(status)
        if kind:
            handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if status != 304:
            handler.wfile.write(body)

    def posts(self) -> list[tuple[str, str, dict[str, list[str]], dict[str, str]]]:
        return [request for request in self.requests if request[0] == "POST"]

    def asked(self) -> list[dict[str, list[str]]]:
        return [query for _method, path, query, _headers in self.requests if path == "/rse/embed/slots"]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def address(service: Service, serve_http: Any) -> str:
    return str(serve_http(service.handle))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="chromium cannot be driven without playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context()
    context.set_default_timeout(8000)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    assert page.problems == []
    context.close()


def ready(tab: Any, address: str, path: str = "/note") -> None:
    tab.goto(address + path)
    tab.wait_for_selector("rse-slot[name=comments] textarea", state="attached")


def test_one_request_fills_all_the_slots_of_a_page(tab: Any, address: str, service: Service) -> None:
    service.head = '<link rel="canonical" href="https://inside.test/note"><meta property="article:section" content="/hr">'
    ready(tab, address, "/note?utm_source=mail")
    (asked,) = service.asked()
    assert asked["slots"] == ["reactions,comments"]
    assert asked["address"] == ["/note?utm_source=mail"]
    assert asked["canonical"] == ["https://inside.test/note"]
    assert asked["title"] == ["Note"]
    assert asked["section"] == ["/hr"]
    assert tab.locator("article > rse-slot").count() == 2
    tab.get_by_role("button", name="Like, 0").wait_for(state="visible")
    assert tab.get_by_role("button", name="Like, 0").is_visible()


@pytest.mark.parametrize(
    ("head", "body", "native", "inside"),
    [
        ('<meta name="generator" content="WordPress 6.1.9">',
         '<div class="wp"><article><h1 class="entry-title">N</h1><div class="entry-content">T</div></article></div>',
         "", 0),
        ('<meta name="generator" content="SPIP 4.4"><link rel="canonical" href="http://x/spip.php?article12">',
         '<div id="content"><h1 class="entry-title">N</h1><div class="texte">T</div><a id="forum"></a></div>',
         "", 0),
    ],
)  # fmt: skip
def test_a_list_of_a_known_software_gets_no_slots(
    tab: Any, address: str, service: Service, head: str, body: str, native: str, inside: int
) -> None:
    service.head, service.body = head, body
    tab.goto(address + "/note")
    tab.wait_for_load_state("networkidle")
    assert tab.locator("rse-slot").count() == inside
    assert service.asked() == []


@pytest.mark.parametrize(
    ("profile", "head", "open_tag", "body", "native", "before"),
    [
        ("wordpress", "", '<body class="single postid-42">',
         '<article><div class="entry-content">T</div></article>', "wordpress:42", ".entry-content"),
        ("spip", '<link rel="canonical" href="http://x/spip.php?article12">', '<body class="page_article">',
         '<div id="content"><div class="texte">T</div></div>', "spip:12", ".texte"),
        ("mediawiki", '<script type="text/plain">RLCONF={"wgArticleId":5,"a":1}</script>',
         '<body class="action-view ns-0 ns-subject">', '<div id="mw-content-text">T</div>', "mediawiki:5",
         "#mw-content-text"),
        ("dokuwiki", '<script type="text/plain">var JSINFO = {"id":"news:note1","x":{}};</script>',
         '<body><div class="mode_show">', '<div id="dokuwiki__content"><h1>N</h1></div>', "dokuwiki:news:note1", "h1"),
    ],
)  # fmt: skip
def test_each_software_is_recognised_with_its_own_id_and_place(
    tab: Any, address: str, service: Service, profile: str, head: str, open_tag: str, body: str, native: str, before: str
) -> None:
    generator = {"wordpress": "WordPress 6", "spip": "SPIP 4.4", "mediawiki": "MediaWiki 1.39", "dokuwiki": "DokuWiki"}
    service.head = f'<meta name="generator" content="{generator[profile]}">{head}'
    service.body = open_tag + body
    ready(tab, address)
    assert service.asked()[0]["native"] == [native]
    assert tab.locator(f"{before} + rse-slot[name=reactions]").count() == 1


def test_places_written_into_the_tag_count(tab: Any, address: str, service: Service) -> None:
    places = "[[&quot;#mine&quot;,&quot;append&quot;]]"
    service.head = f'<script src="/rse/embed.js" data-anchors="{places}" data-only="body" defer></script>'
    service.body = '<article>x</article><div id="mine"></div>'
    ready(tab, address)
    assert tab.locator("#mine > rse-slot").count() == 2


def test_slots_that_the_template_has_stay_where_they_are_and_the_others_find_their_place(
    tab: Any, address: str, service: Service
) -> None:
    service.body = '<nav><rse-slot name="comments"></rse-slot><rse-slot name="bell"></rse-slot></nav><article></article>'
    ready(tab, address)
    assert service.asked()[0]["slots"] == ["comments,bell,reactions"]
    assert tab.locator("nav rse-slot[name=comments]").count() == 1
    assert tab.locator("article rse-slot").evaluate_all("all => all.map(one => one.getAttribute('name'))") == ["reactions"]


def test_a_bell_in_the_menu_brings_no_comments_to_a_list(tab: Any, address: str, service: Service) -> None:
    service.head = '<meta name="generator" content="WordPress 6">'
    service.body = '<nav><rse-slot name="bell"></rse-slot></nav><main><div class="entry-content">x</div></main>'
    tab.goto(address + "/note")
    tab.wait_for_load_state("networkidle")
    assert [asked["slots"] for asked in service.asked()] == [["bell"]]


def test_what_the_server_placed_is_all_there_is(tab: Any, address: str, service: Service) -> None:
    service.body = '<article></article><rse-slot name="comments" data-rse-server></rse-slot>'
    ready(tab, address)
    assert service.asked()[0]["slots"] == ["comments"]


def test_an_empty_slot_leaves_no_hole(tab: Any, address: str, service: Service) -> None:
    service.empty = {"reactions"}
    ready(tab, address)
    assert tab.locator("rse-slot").count() == 1
    service.empty = {"reactions", "comments"}
    tab.goto("about:blank")
    tab.goto(address + "/note")
    tab.wait_for_load_state("networkidle")
    assert tab.locator("rse-slot").count() == 0


def test_hostile_styles_do_not_reach_inside_and_a_strict_policy_is_enough(tab: Any, address: str, service: Service) -> None:
    service.head = f"<style>{HOSTILE}</style>"
    service.csp = CSP
    ready(tab, address)
    button = tab.get_by_role("button", name="Like, 0")
    # A slot is shown once its styles have come, within a second.
    button.wait_for(state="visible")
    assert button.is_visible()
    box = button.bounding_box()
    assert box["x"] >= 0
    assert box["height"] > 10
    style = button.evaluate(
        "e => [getComputedStyle(e).textTransform, getComputedStyle(e).position, getComputedStyle(e).float]"
    )
    assert style == ["none", "static", "none"]
    assert tab.locator("rse-slot").first.evaluate("e => getComputedStyle(e).opacity") == "1"


@pytest.mark.parametrize(
    ("style", "accent"),
    [
        ("a { color: #c00030 }", "rgb(192,0,48)"),
        ("a { color: #ffd }", ""),
        ("body { background: #111; color: #eee } a { color: #9cf }", "rgb(153,204,255)"),
        (":root { --rse-accent: #060 } a { color: #c00030 }", "#060"),
    ],
)
def test_the_accent_is_that_of_the_pages_links_where_it_can_be_read(
    tab: Any, address: str, service: Service, style: str, accent: str
) -> None:
    service.head = f"<style>{style}</style>"
    service.body = '<article><p><a href="/other">Other</a></p></article>'
    ready(tab, address)
    assert tab.locator("rse-slot").last.evaluate("e => getComputedStyle(e).getPropertyValue('--rse-accent')") == accent


def test_the_pages_own_styles_are_left_alone(tab: Any, address: str) -> None:
    ready(tab, address)
    assert tab.locator("h1#top").evaluate("e => getComputedStyle(e).padding") == "0px"
    assert tab.evaluate("document.styleSheets.length") == 0


def test_reacting_sends_once_announces_and_keeps_the_focus(tab: Any, address: str, service: Service) -> None:
    ready(tab, address)
    tab.get_by_role("button", name="Like, 0").focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Like, 1").wait_for()
    (post,) = service.posts()
    assert post[2]["ref"] == ["page:/note"]
    assert post[2]["kind"] == ["like"]
    assert post[3]["x-rse-csrf"] == "t1"
    assert post[3]["x-rse-embed"] == "1"
    assert len(post[2]["idempotency_key"][0]) >= 16
    assert tab.evaluate("document.activeElement.shadowRoot.activeElement.textContent") == "Like, 1"
    tab.wait_for_function(
        "document.querySelector('rse-slot').shadowRoot.querySelector('[role=status]').textContent === 'Saved.'"
    )


def test_a_double_click_sends_once(tab: Any, address: str, service: Service) -> None:
    def slow(handler: BaseHTTPRequestHandler, form: dict[str, list[str]]) -> bool:
        time.sleep(0.3)
        return False

    service.on_post = slow
    ready(tab, address)
    tab.get_by_role("button", name="Like, 0").dblclick()
    tab.get_by_role("button", name="Like, 1").wait_for()
    assert len(service.posts()) == 1


def test_a_comment_is_published_and_its_draft_forgotten(tab: Any, address: str, service: Service) -> None:
    ready(tab, address)
    tab.get_by_label("Comment").fill("Bonjour à toute l’équipe")
    assert tab.evaluate("Object.keys(localStorage).length") == 1
    tab.get_by_role("button", name="Send").click()
    tab.get_by_text("Bonjour à toute l’équipe").wait_for()
    assert tab.get_by_label("Comment").input_value() == ""
    assert tab.evaluate("Object.keys(localStorage).length") == 0
    assert service.posts()[0][2]["do"] == ["send"]


def test_what_was_typed_survives_a_reload_another_tab_and_not_another_person(
    tab: Any, address: str, service: Service
) -> None:
    ready(tab, address)
    tab.get_by_label("Comment").fill("half a thou")
    tab.reload()
    tab.wait_for_selector("rse-slot textarea", state="attached")
    assert tab.get_by_label("Comment").input_value() == "half a thou"
    other = tab.context.new_page()
    ready(other, address)
    assert other.get_by_label("Comment").input_value() == "half a thou"
    other.get_by_label("Comment").fill("another thought")
    tab.reload()
    tab.wait_for_selector("rse-slot textarea", state="attached")
    assert tab.get_by_label("Comment").input_value() == "half a thou"
    service.person = {"id": 8, "name": "Noël"}
    third = tab.context.new_page()
    ready(third, address)
    assert third.get_by_label("Comment").input_value() == ""


def test_reacting_does_not_lose_a_half_written_comment_and_neither_does_new_content(
    tab: Any, address: str, service: Service
) -> None:
    ready(tab, address)
    tab.get_by_label("Comment").fill("half a thou")
    tab.get_by_role("button", name="Like, 0").click()
    tab.get_by_role("button", name="Like, 1").wait_for()
    service.items.append("Second")
    tab.evaluate("RSE.refresh()")
    tab.get_by_text("Second").wait_for()
    assert tab.get_by_label("Comment").input_value() == "half a thou"


def problem(service: Service, status: int, **body: Any) -> Callable[[BaseHTTPRequestHandler, dict[str, list[str]]], bool]:
    def refuse(handler: BaseHTTPRequestHandler, form: dict[str, list[str]]) -> bool:
        service.send(handler, json.dumps({"title": "No", **body}).encode(), "application/problem+json", status)
        return True

    return refuse


def test_a_refusal_stands_beside_the_form_and_keeps_the_text(tab: Any, address: str, service: Service) -> None:
    service.on_post = problem(service, 422, detail="It is too short.", remedy="Write more.", errors={"body": ["Too short"]})
    ready(tab, address)
    tab.get_by_label("Comment").fill("x")
    tab.get_by_role("button", name="Send").click()
    tab.get_by_role("alert").wait_for()
    assert tab.get_by_role("alert").inner_text() == "It is too short. Write more."
    field = tab.get_by_label("Comment")
    assert field.input_value() == "x"
    assert field.get_attribute("aria-invalid") == "true"
    assert tab.get_by_text("Too short", exact=True).is_visible()
    service.on_post = None
    tab.get_by_role("button", name="Send").click()
    tab.get_by_role("alert").wait_for(state="detached")


@pytest.mark.parametrize("way", ["401", "redirect", "login page"])
def test_an_expired_session_keeps_the_text_and_offers_to_sign_in(tab: Any, address: str, service: Service, way: str) -> None:
    def expired(handler: BaseHTTPRequestHandler, form: dict[str, list[str]]) -> bool:
        if way == "401":
            body = json.dumps({"detail": "x", "login_url": "/login?back=/note"}).encode()
            service.send(handler, body, "application/problem+json", 401, WWW_Authenticate="RSE")
        elif way == "redirect":
            service.send(handler, b"", "", 302, Location="")
        else:
            service.send(handler, b"<html>sign in</html>", "text/html")
        return True

    service.on_post = expired
    ready(tab, address)
    tab.get_by_label("Comment").fill("long thoughts")
    tab.get_by_role("button", name="Send").click()
    link = tab.get_by_role("link", name="Sign in again")
    link.wait_for()
    assert link.get_attribute("href") == ("/login?back=/note" if way == "401" else address + "/note")
    assert tab.get_by_label("Comment").input_value() == "long thoughts"
    service.on_post = None
    tab.reload()
    tab.wait_for_selector("rse-slot textarea", state="attached")
    assert tab.get_by_label("Comment").input_value() == "long thoughts"


def test_a_token_that_grew_old_is_renewed_without_a_word(tab: Any, address: str, service: Service) -> None:
    def stale(handler: BaseHTTPRequestHandler, form: dict[str, list[str]]) -> bool:
        if handler.headers["X-RSE-CSRF"] == "t2":
            return False
        body = json.dumps({"code": "csrf", "detail": "old"}).encode()
        service.send(handler, body, "application/problem+json", 403, X_RSE_CSRF="t2")
        return True

    service.on_post = stale
    ready(tab, address)
    tab.get_by_role("button", name="Like, 0").click()
    tab.get_by_role("button", name="Like, 1").wait_for()
    assert len(service.posts()) == 2
    assert tab.get_by_role("alert").count() == 0


def test_a_lost_line_keeps_the_text_and_the_second_try_has_the_same_key(tab: Any, address: str, service: Service) -> None:
    ready(tab, address)
    tab.get_by_label("Comment").fill("x")
    tab.route("**/rse/comments/write", lambda route: route.abort())
    keys = []
    tab.on("request", lambda request: keys.append(request.post_data) if request.method == "POST" else None)
    tab.get_by_role("button", name="Send").click()
    tab.get_by_role("alert").wait_for()
    tab.unroute("**/rse/comments/write")
    tab.get_by_role("button", name="Send").click()
    tab.get_by_text("x", exact=True).wait_for()
    first, second = (text.split('name="idempotency_key"')[1].split("\r\n")[2] for text in keys)
    assert first == second


def test_new_comments_wait_behind_a_bar_and_move_nothing(tab: Any, address: str, service: Service) -> None:
    service.poll = 1
    ready(tab, address)
    before = tab.get_by_text("First").bounding_box()
    service.items.append("Second")
    bar = tab.get_by_role("button", name="2 comments now")
    bar.wait_for()
    assert tab.get_by_text("First").bounding_box() == before
    assert tab.get_by_text("Second").count() == 0
    bar.click()
    tab.get_by_text("Second").wait_for()
    assert bar.count() == 0


def test_polling_is_conditional_and_stops_for_a_hidden_tab(tab: Any, address: str, service: Service) -> None:
    service.poll = 1
    ready(tab, address)
    deadline = time.monotonic() + 8
    while len(service.asked()) < 3 and time.monotonic() < deadline:
        tab.wait_for_timeout(100)
    conditions = [h.get("if-none-match") for _m, p, _q, h in service.requests if p == "/rse/embed/slots"]
    assert conditions[0] is None
    assert all(conditions[1:])
    assert len(conditions) >= 3


def test_a_link_to_a_comment_finds_it_inside_its_slot(tab: Any, address: str, service: Service) -> None:
    service.items = [f"Comment {n}" for n in range(60)]
    ready(tab, address, "/note#rse-comment-55")
    tab.wait_for_function(
        "document.activeElement.shadowRoot && document.activeElement.shadowRoot.activeElement.id === 'rse-comment-55'"
    )
    assert tab.get_by_text("Comment 55").evaluate(
        "e => { const b = e.getBoundingClientRect(); return b.top > 0 && b.bottom < innerHeight }"
    )
    assert service.asked()[0]["slot.comments.anchor"] == ["rse-comment-55"]


def test_without_an_answer_the_page_is_the_intranets_own(tab: Any, address: str) -> None:
    tab.route("**/rse/embed/slots*", lambda route: route.abort())
    tab.goto(address + "/note")
    tab.wait_for_load_state("networkidle")
    assert tab.get_by_role("heading", name="Note").is_visible()
    assert tab.locator("article").evaluate("e => e.getBoundingClientRect().height") < 200


def test_the_tag_twice_acts_once(tab: Any, address: str, service: Service) -> None:
    service.head = '<script src="/rse/embed.js" defer></script>'
    ready(tab, address)
    assert len(service.asked()) == 1
    assert tab.locator("rse-slot").count() == 2


def test_the_script_is_small() -> None:
    assert len(embed_script().packed) < 12_000
