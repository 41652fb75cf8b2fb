"""Signing in through a provider in a real browser: there and back, an expired session with a draft, and out again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, redirect, render_template_string, request
from oidc_on_loopback import Provider
from werkzeug.serving import WSGIRequestHandler, make_server

from rse_core import sessions
from rse_core.api import Core, Manifest, Plugin, hookimpl
from rse_core.extension import create_app
from rse_core.testing import make_person
from rse_core.webapi import hidden_fields, require_person
from rse_sso.plugin import Sso

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGE = """{% extends "rse/base.html" %}
{% from "rse/_compose.html" import textarea %}
{% block title %}Desk{% endblock %}
{% block content %}
<h1>Desk of {{ who }}</h1>
<form method="post" action="{{ url_for('rse_desk.write') }}">{{ hidden_fields(once=True) }}
{{ textarea("body", "", "Text", draft_key="desk:new") }}
<button class="rse-button rse-primary">Save</button></form>
{% endblock %}"""


class Desk(Plugin):
    """A page on which something is written."""

    manifest = Manifest("desk", "Desk")

    def __init__(self) -> None:
        self.written: list[str] = []

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        pages = Blueprint("rse_desk", __name__, url_prefix="/desk")

        @pages.get("/")
        def page() -> str:
            return render_template_string(PAGE, hidden_fields=hidden_fields, who=require_person().display_name)

        @pages.post("/")
        def write() -> Any:
            require_person()
            self.written.append(request.form["body"])
            return redirect("/rse/desk/", 303)

        return [pages]


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


Served = Callable[[Provider], tuple[Core, Desk, str]]


@pytest.fixture
def serve(rse_core: Any) -> Iterator[Served]:
    running: list[Any] = []

    def start(provider: Provider) -> tuple[Core, Desk, str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        origin, desk = f"http://127.0.0.1:{port}", Desk()
        table = {
            "issuer": provider.issuer, "client_id": provider.client[0], "client_secret": provider.client[1],
            "redirect_uri": f"{origin}/rse/oidc/callback",
        }  # fmt: skip
        core = rse_core([Sso(), desk], identity=False, sections={"sso": {"sources": ["oidc"], "oidc": table}})
        make_person(core, "hdupont", name="Hélène Dupont")
        server = make_server("127.0.0.1", port, create_app(core), threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        running.append(server)
        return core, desk, origin

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_a_session_that_ends_while_somebody_types_loses_no_draft(
    serve: Served, provider: Provider, rse_tab: Callable[..., Any]
) -> None:
    core, desk, origin = serve(provider)
    tab = rse_tab(None, lang="fr")
    tab.goto(f"{origin}/rse/desk/")
    tab.get_by_role("link", name="S’identifier").click()
    tab.get_by_role("heading", name="Desk of Hélène Dupont").wait_for()
    assert tab.url == f"{origin}/rse/desk/"
    tab.get_by_label("Text").fill("Un texte long, écrit à la main")
    with core.db.write() as session:
        assert sessions.end(session, issuer=provider.issuer, sid=provider.sid) == 1
    tab.get_by_role("button", name="Save").click()
    tab.get_by_role("link", name="S’identifier").click()
    tab.get_by_role("heading", name="Desk of Hélène Dupont").wait_for()
    assert tab.url == f"{origin}/rse/desk/"
    assert tab.get_by_label("Text").input_value() == "Un texte long, écrit à la main"
    assert desk.written == []
    tab.get_by_role("button", name="Save").click()
    tab.wait_for_function("() => document.querySelector('textarea').value === ''")
    assert desk.written == ["Un texte long, écrit à la main"]


def test_signing_out_ends_at_the_provider(serve: Served, provider: Provider, rse_tab: Callable[..., Any]) -> None:
    _core, _desk, origin = serve(provider)
    tab = rse_tab(None, lang="en")
    tab.goto(f"{origin}/rse/desk/")
    tab.get_by_role("link", name="Sign in").click()
    tab.get_by_role("heading", name="Desk of Hélène Dupont").wait_for()
    tab.goto(f"{origin}/rse/me/")
    tab.get_by_role("button", name="Sign out").first.click()
    tab.get_by_role("heading", name="Signed out").wait_for()
    tab.goto(f"{origin}/rse/desk/")
    assert tab.get_by_role("link", name="Sign in").is_visible()
