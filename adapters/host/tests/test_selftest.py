"""The self-test names what is wrong with a page, and the remedy."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from rse_core.api import BadInput, use_locale
from rse_host.cli import make_group
from rse_host.config import HostConfig
from rse_host.middleware import script_tag
from rse_host.policy_check import allows, policies
from rse_host.profiles import PROFILES
from rse_host.selftest import Report, run

TAG = script_tag()
PAGE = f"<!DOCTYPE html><html><head><title>Note</title>{TAG}</head><body><article><h1>Note</h1></article></body></html>"


class Intranet:
    """A page and an RSE behind one origin; each test spoils one thing."""

    def __init__(self) -> None:
        self.page = PAGE
        self.headers: dict[str, str] = {}
        self.kind = "text/html; charset=utf-8"
        self.status = 200
        self.answers_304 = self.answers_206 = self.packs = self.believes = False
        self.forgets_when_packed = False
        self.rse_status = 200
        self.slots_status = 200

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        if path == "/rse/embed.js":
            self.send(handler, b"//", self.rse_status, Content_Type="text/javascript")
        elif path == "/rse/embed/slots":
            name = handler.headers.get("X-RSE-User") if self.believes else None
            body = {"person": {"name": name} if name else None, "slots": {}, "detail": "not an origin of the intranet"}
            self.send(handler, json.dumps(body).encode(), self.slots_status, Content_Type="application/json")
        elif self.answers_304 and "If-Modified-Since" in handler.headers:
            self.send(handler, b"", 304)
        elif self.answers_206 and "Range" in handler.headers:
            self.send(handler, self.page.encode()[:100], 206, Content_Type=self.kind)
        else:
            packed = self.packs or (self.forgets_when_packed and "gzip" in handler.headers["Accept-Encoding"])
            plain = self.page.replace(TAG, "") if self.forgets_when_packed and packed else self.page
            body = gzip.compress(plain.encode()) if packed else plain.encode("utf-8", "replace")
            coding = {"Content_Encoding": "gzip"} if packed else {}
            self.send(handler, body, self.status, Content_Type=self.kind, **coding, **self.headers)

    def send(self, handler: BaseHTTPRequestHandler, body: bytes, status: int, **headers: str) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if status != 304:
            handler.wfile.write(body)


@pytest.fixture
def intranet() -> Intranet:
    return Intranet()


@pytest.fixture
def look(intranet: Intranet, serve_http: Any) -> Callable[..., Report]:
    address = serve_http(intranet.handle)

    def start(profile: str = "generic") -> Report:
        return run(f"{address}/note", prefix="/rse", profile=PROFILES[profile], timeout=5)

    return start


def codes(report: Report) -> set[str]:
    assert all(finding.remedy and finding.message for finding in report.findings)
    return {finding.code for finding in report.findings}


def test_a_sound_page_has_nothing_against_it(look: Callable[..., Report]) -> None:
    report = look()
    assert report.findings == []
    assert report.fine
    assert {"page", "script", "gzip", "stale_304", "partial", "rse", "slots", "spoof", "anchor"} <= set(report.passed)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"page": PAGE.replace(TAG, "")}, "no_script"),
        ({"page": PAGE.replace(TAG, f"<!-- {TAG} -->")}, "no_script"),
        ({"page": PAGE.replace("<h1>", TAG + "<h1>")}, "script_twice"),
        ({"headers": {"Content_Security_Policy": "script-src 'nonce-x' 'strict-dynamic'"}}, "csp_script"),
        ({"headers": {"Content_Security_Policy": "default-src 'self'; connect-src https://x.test"}}, "csp_connect"),
        ({"headers": {"Content_Security_Policy": "default-src 'self'; style-src 'unsafe-inline'"}}, "csp_style"),
        (
            {"headers": {"Content_Security_Policy": "require-trusted-types-for 'script'; trusted-types app"}},
            "csp_trusted_types",
        ),
        ({"headers": {"Content_Security_Policy": "sandbox allow-forms"}}, "csp_sandbox"),
        (
            {"page": PAGE.replace("<title>", "<meta http-equiv=Content-Security-Policy content='script-src x'><title>")},
            "csp_script",
        ),
        ({"page": PAGE.replace("<title>", "<base href='http://ancien.test/'><title>")}, "base"),
        ({"kind": "text/html; charset=utf-16"}, "charset"),
        ({"answers_304": True}, "stale_304"),
        ({"answers_206": True}, "partial"),
        ({"forgets_when_packed": True}, "gzip"),
        ({"believes": True}, "spoof"),
        ({"rse_status": 502}, "rse_unreachable"),
        ({"slots_status": 404}, "slots"),
        ({"page": PAGE.replace("<article>", "<article></article><article>")}, "no_anchor"),
        ({"status": 403}, "status"),
        ({"kind": "application/xhtml+xml"}, "no_html"),
        ({"status": 302, "headers": {"Location": "https://portal.test/login"}}, "redirect_away"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_each_fault_is_named_with_its_remedy(
    intranet: Intranet, look: Callable[..., Report], spoil: dict[str, Any], code: str
) -> None:
    for name, value in spoil.items():
        setattr(intranet, name, value)
    report = look()
    assert code in codes(report)
    assert not report.fine


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"packs": True}, "gzip_forced"),
        ({"page": PAGE.replace("<title>", "<meta charset=iso-8859-1><title>")}, "charset_differs"),
        ({"page": PAGE.replace("<title>", "<link rel=canonical href='http://interne.test/note'><title>")}, "canonical_host"),
        ({"page": PAGE.replace("</h1>", "</h1><select><xmp></select></xmp>")}, "markup"),
    ],
)  # fmt: skip
def test_what_is_odd_but_works_is_no_problem(
    intranet: Intranet, look: Callable[..., Report], spoil: dict[str, Any], code: str
) -> None:
    for name, value in spoil.items():
        setattr(intranet, name, value)
    report = look()
    assert codes(report) == {code}
    assert report.fine


def test_a_list_of_a_known_software_is_noted(look: Callable[..., Report]) -> None:
    report = look("wordpress")
    assert codes(report) == {"no_single_object"}
    assert report.fine


def test_a_server_that_does_not_answer_is_said_so() -> None:
    report = run("http://127.0.0.1:9/note", prefix="/rse", profile=PROFILES["generic"], timeout=2)
    assert codes(report) == {"unreachable"}


@pytest.mark.parametrize("url", ["intranet", "ftp://a/b", "http://", "http://a b/", "http://a:99999/"])
def test_an_address_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="address of a page"):
        run(url, prefix="/rse", profile=PROFILES["generic"])


def test_a_header_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput, match="header"):
        run("http://127.0.0.1:9/", prefix="/rse", headers=("Cookie",), profile=PROFILES["generic"])


def test_the_command_prints_and_exits_by_what_it_found(intranet: Intranet, serve_http: Any) -> None:
    group = make_group(lambda: (HostConfig(), "/rse"))
    address = serve_http(intranet.handle) + "/note"
    fine = CliRunner().invoke(group, ["selftest", address])
    assert fine.exit_code == 0, fine.output
    intranet.page = PAGE.replace(TAG, "")
    bad = CliRunner().invoke(group, ["selftest", address, "--json"])
    assert bad.exit_code == 1
    assert json.loads(bad.output)["findings"][0]["code"] == "no_script"


def test_it_speaks_french_too(intranet: Intranet, look: Callable[..., Report]) -> None:
    intranet.page = PAGE.replace(TAG, "")
    with use_locale("fr"):
        lines = list(look().lines())
    assert lines[0] == "problem: La page n’a pas de balise script de RSE."
    assert "problèmes\N{NO-BREAK SPACE}: 1" in lines[-1]


@pytest.mark.parametrize(
    ("sources", "allowed"),
    [
        (None, True), (["'self'"], True), (["*"], True), (["https:"], False), (["http:"], True), ([], False),
        (["'none'"], False), (["i.test"], True), (["http://i.test"], True), (["*.test"], True), (["https://i.test"], False),
        (["other.test"], False), (["'strict-dynamic'", "'self'"], False),
    ],
)  # fmt: skip
def test_sources_of_a_policy_are_read_as_browsers_do(sources: list[str] | None, allowed: bool) -> None:
    assert allows(sources, "http://i.test", script=True) is allowed


def test_policies_of_headers_and_of_the_page_all_count() -> None:
    headers = [("Content-Security-Policy", "default-src 'self', script-src x"), ("Content-Security-Policy", "img-src y")]
    body = b"<html><head><meta http-equiv='content-security-policy' content=\"style-src z\"></head><body>"
    assert policies(headers, body) == [
        {"default-src": ["'self'"]},
        {"script-src": ["x"]},
        {"img-src": ["y"]},
        {"style-src": ["z"]},
    ]
