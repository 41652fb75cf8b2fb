"""SAML in a real browser: the question by a form under a strict policy, the answer posted from the provider's own site."""

from __future__ import annotations

import base64
import html
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from saml_on_loopback import ACS, Provider
from saml_walk import Probe, table
from werkzeug.serving import WSGIRequestHandler, make_server

from rse_core.extension import create_app
from rse_core.testing import make_person
from rse_sso.plugin import Sso

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class Portal:
    """The provider's pages: it knows the person already and posts the answer by a form of its own."""

    def __init__(self, provider: Provider, acs: str) -> None:
        self.provider = provider
        self.signed_out: list[str] = []
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/slo":
                    portal.signed_out.append(parse_qs(parts.query)["SAMLRequest"][0])
                    self.say("<h1>Signed out there</h1>")
                    return
                if parts.path != "/sso":
                    self.send_error(404)
                    return
                self.say(portal.page(provider.request(f"{provider.sign_in}?{parts.query}"), acs))

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.say(portal.page(provider.posted_request(form["SAMLRequest"][0]), acs))

            def say(self, text: str) -> None:
                body = f"<!doctype html><title>Portal</title>{text}".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def page(self, request: Any, acs: str) -> str:
        text = self.provider.xml(request, change=lambda response: _address(response, acs))
        value = html.escape(base64.b64encode(text.encode()).decode())
        return (
            f'<h1>Portal</h1><form method="post" action="{acs}"><input type="hidden" name="SAMLResponse" value="{value}">'
            "<button>Go on</button></form>"
        )


def _address(response: Any, acs: str) -> None:
    response.destination = acs
    response.assertion.subject.subject_confirmation[0].subject_confirmation_data.recipient = acs


@pytest.fixture
def serve(rse_core: Any, provider: Provider, keys: tuple[str, str]) -> Iterator[Callable[..., tuple[Portal, str]]]:
    running: list[Any] = []

    def start(host: str = "127.0.0.1", secure: bool = False, **changes: Any) -> tuple[Portal, str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        origin = f"http://{host}:{port}"
        portal = Portal(provider, f"{origin}/rse/saml/acs")
        provider.sign_in, provider.sign_out = f"{portal.url}/sso", f"{portal.url}/slo"
        provider.write_metadata()
        section = {"sources": ["saml"], "saml": table(provider, keys, acs_url=f"{origin}/rse/saml/acs", **changes)}
        section["saml"]["entity_id"] = ACS.replace("/acs", "/metadata")
        core = rse_core([Sso(), Probe()], identity=False, sections={"sso": section}, secure_cookies=secure)
        make_person(core, "hdupont", name="Hélène Dupont")
        app = create_app(core)
        provider.meet(app.test_client().get("/rse/saml/metadata").text)
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        running.extend([server, portal.server])
        return portal, origin

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_there_and_back_and_out_again(
    serve: Callable[..., tuple[Portal, str]], rse_tab: Callable[..., Any], binding: str
) -> None:
    portal, origin = serve(request_binding=binding)
    tab = rse_tab(None, lang="fr")
    tab.goto(f"{origin}/rse/saml/start?return_to=/rse/probe/who")
    tab.get_by_role("heading", name="Portal").wait_for()
    tab.get_by_role("button", name="Go on").click()
    tab.wait_for_url(f"{origin}/rse/probe/who")
    assert tab.locator("body").inner_text() == "hdupont"
    tab.goto(f"{origin}/rse/me/")
    tab.get_by_role("button", name="Se déconnecter").first.click()
    tab.get_by_role("heading", name="Signed out there").wait_for()
    assert len(portal.signed_out) == 1
    tab.goto(f"{origin}/rse/probe/who")
    assert tab.locator("body").inner_text() == "nobody"


def test_the_answer_may_come_from_another_site(
    serve: Callable[..., tuple[Portal, str]], rse_tab: Callable[..., Any]
) -> None:
    # To a browser localhost and 127.0.0.1 are two sites, and this one may have secure cookies without TLS.
    _portal, origin = serve(host="localhost", secure=True)
    tab = rse_tab(None, lang="fr")
    tab.goto(f"{origin}/rse/saml/start?return_to=/rse/probe/who")
    (attempt,) = (each for each in tab.context.cookies() if each["name"].startswith("rse_attempt_"))
    assert (attempt["sameSite"], attempt["secure"], attempt["httpOnly"]) == ("None", True, True)
    tab.get_by_role("button", name="Go on").click()
    tab.wait_for_url(f"{origin}/rse/probe/who")
    assert tab.locator("body").inner_text() == "hdupont"


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_page_with_the_form_is_accessible_and_fits_a_phone(
    serve: Callable[..., tuple[Portal, str]], rse_tab: Callable[..., Any], axe_violations: Any, lang: str
) -> None:
    _portal, origin = serve(request_binding="post")
    tab = rse_tab(None, lang=lang, width=320)
    # As where a script that is blocked sends nothing.
    tab.context.route("**/saml_post.js", lambda route: route.abort())
    tab.goto(f"{origin}/rse/saml/start?return_to=/rse/probe/who")
    tab.get_by_role("button", name={"fr": "Continuer", "en": "Continue"}[lang]).wait_for()
    assert axe_violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320
    tab.get_by_role("button", name={"fr": "Continuer", "en": "Continue"}[lang]).focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="Portal").wait_for()


def test_without_scripts_the_form_has_a_button(
    serve: Callable[..., tuple[Portal, str]], rse_chromium: Any
) -> None:
    _portal, origin = serve(request_binding="post")
    context = rse_chromium.new_context(java_script_enabled=False, locale="fr")
    tab = context.new_page()
    tab.goto(f"{origin}/rse/saml/start?return_to=/rse/probe/who")
    tab.get_by_role("button", name="Continuer").click()
    tab.get_by_role("button", name="Go on").click()
    tab.wait_for_url(f"{origin}/rse/probe/who")
    assert tab.locator("body").inner_text() == "hdupont"
    context.close()
