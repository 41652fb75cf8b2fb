"""The four ways to sign in that a real LemonLDAP::NG offers, in a real browser: header, OpenID Connect, CAS and SAML.

They run as root where LemonLDAP::NG, slapd, nginx and Chromium are installed.
"""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import lemonldap
import pytest
from flask import Blueprint
from portal_walk import header_table, sign_in_at_the_portal

import rse_sso.pages
from rse_core.api import Identity, Manifest, Plugin, hookimpl
from rse_core.testing import make_person
from rse_core.webapi import current_identity, current_person
from rse_sso.plugin import Sso

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]
DESK = "/rse/probe/"


class Probe(Plugin):
    """Says who is asking, and as whom the sign-in named them."""

    manifest = Manifest("probe", "Probe")

    @hookimpl
    def rse_blueprints(self) -> list[Blueprint]:
        pages = Blueprint("rse_probe", __name__, url_prefix="/probe")

        @pages.get("/")
        def page() -> str:
            person, identity = current_person(), current_identity()
            if person is None or identity is None:
                return "<h1>nobody</h1>"
            entity = identity.attributes.get("entity", "")
            return f"<h1>{person.username}</h1><p>{identity.issuer}</p><p>{identity.display_name}, {entity}</p>"

        return [pages]


def lacks_saml() -> list[str]:
    found = lemonldap.missing("liblasso-perl", "xmlsec1")
    return found if importlib.util.find_spec("saml2") else [*found, "pysaml2"]


def saml_table(portal: Any) -> dict[str, Any]:
    key, certificate = (f"{portal.folder}/rse.{kind}" for kind in ("key", "crt"))
    return {
        "issuer": portal.saml_issuer, "acs_url": portal.url("open", "/rse/saml/acs"), "metadata_url": portal.saml_issuer,
        "ca_file": str(portal.certificate), "private_key_file": key, "certificate_file": certificate,
        "identifier": "uid", "name": "cn", "email": "mail", "attributes": {"entity": "departmentNumber"},
        # Of the two ways to ask, each is tried once.
        "request_binding": "redirect" if portal.encryption == "none" else "post",
    }  # fmt: skip


def site_metadata(portal: Any) -> str:
    """What the portal's administrator is given, made before there is a portal."""
    from rse_sso.saml.config import KeyPair, SamlConfig
    from rse_sso.saml.crypto import Xmlsec
    from rse_sso.saml.own import own_metadata

    pair = KeyPair(*lemonldap.make_pair(portal.folder, "rse"))
    acs = portal.url("open", "/rse/saml/acs")
    config = SamlConfig(portal.saml_issuer, acs, acs.replace("/acs", "/metadata"), pair)
    return str(own_metadata(config, Xmlsec("xmlsec1")))


@pytest.fixture
def portal(request: pytest.FixtureRequest, start_portal: Callable[..., Any]) -> Any:
    def prepare(made: Any) -> None:
        if not lacks_saml():
            made.site_metadata = site_metadata(made)

    return start_portal(prepare, encryption=getattr(request, "param", "none"))


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[Identity]:
    """Whom the sign-ins at a server named."""
    seen: list[Identity] = []
    inner = rse_sso.pages.sign_in

    def sign_in(identity: Identity, **values: Any) -> Any:
        seen.append(identity)
        return inner(identity, **values)

    monkeypatch.setattr(rse_sso.pages, "sign_in", sign_in)
    return seen


@pytest.fixture
def tab(portal: Any, rse_core: Any, serve: Callable[..., None], window: Callable[..., Any]) -> Any:
    section: dict[str, Any] = {
        "sources": ["header", "oidc", "cas"],
        "header": header_table(portal),
        "oidc": {
            "issuer": portal.issuer, "client_id": "rse", "client_secret": portal.secret,
            "redirect_uri": portal.url("open", "/rse/oidc/callback"), "ca_file": str(portal.certificate),
            "attributes": {"entity": "entity"},
            "scopes": ["openid", "profile", "email", "work"],
        },
        "cas": {
            "server_url": portal.url("auth", "/cas"), "service_url": portal.url("open", "/rse/cas/callback"), "name": "cn",
            "attributes": {"entity": "departmentNumber"}, "ca_file": str(portal.certificate),
        },
    }  # fmt: skip
    if portal.site_metadata:
        section["sources"].append("saml")
        section["saml"] = saml_table(portal)
    core = rse_core([Sso(), Probe()], identity=False, sections={"sso": section})
    make_person(core, "hdupont", name=lemonldap.NAME)
    serve(core, portal)
    return window()


WAYS: dict[str, Callable[[Any], str]] = {
    "oidc": lambda portal: str(portal.url("open", f"/rse/oidc/start?return_to={DESK}")),
    "cas": lambda portal: str(portal.url("open", f"/rse/cas/start?return_to={DESK}")),
    "saml": lambda portal: str(portal.url("open", f"/rse/saml/start?return_to={DESK}")),
}


def need(way: str) -> None:
    lacking = lacks_saml() if way == "saml" else []
    if lacking:
        pytest.skip(f"SAML cannot be tried here without {', '.join(lacking)}")


def test_the_header_brings_the_name_intact_and_a_clients_own_header_brings_nothing(portal: Any, tab: Any) -> None:
    tab.goto(portal.url("social", DESK))
    sign_in_at_the_portal(tab)
    tab.get_by_role("heading", name="hdupont").wait_for()
    assert tab.url == portal.url("social", DESK)
    assert tab.get_by_text(f"{lemonldap.NAME}, {lemonldap.ENTITY}").is_visible()
    stranger = tab.context.browser.new_context(
        ignore_https_errors=True, extra_http_headers={"X-RSE-User": "hdupont", "Auth-User": "hdupont"}
    )
    other = stranger.new_page()
    other.goto(portal.url("open", DESK))
    other.get_by_role("heading", name="nobody").wait_for()
    other.goto(f"http://127.0.0.1:{portal.service}{DESK}")
    other.get_by_role("heading", name="nobody").wait_for()


@pytest.mark.parametrize(
    ("way", "portal"), [*((way, "none") for way in WAYS), ("saml", "assertion")], indirect=["portal"]
)
def test_a_sign_in_at_the_portal_brings_the_name_intact(portal: Any, tab: Any, named: list[Identity], way: str) -> None:
    need(way)
    posted: list[str] = []
    tab.on("request", lambda each: posted.append(each.post_data) if each.url.endswith("/saml/acs") else None)
    tab.goto(WAYS[way](portal))
    sign_in_at_the_portal(tab)
    tab.get_by_role("heading", name="hdupont").wait_for()
    assert tab.url == portal.url("open", DESK)
    (identity,) = named
    assert (identity.username, identity.display_name) == ("hdupont", lemonldap.NAME)
    assert identity.attributes == {"entity": lemonldap.ENTITY}
    if way == "saml":
        message = base64.b64decode(parse_qs(posted[0])["SAMLResponse"][0])
        assert (b"EncryptedAssertion" in message) == (portal.encryption == "assertion")
    tab.goto(portal.url("open", "/rse/me/"))
    tab.get_by_role("button", name="Se déconnecter").first.click()
    tab.wait_for_url(lambda url: "/rse/me/" not in url)
    tab.goto(portal.url("open", DESK))
    tab.get_by_role("heading", name="nobody").wait_for()
    # The portal has forgotten the person too: it asks for the password.
    tab.goto(WAYS[way](portal))
    tab.locator("input[name=password]").wait_for()


def test_signing_out_at_the_portal_ends_the_session_that_saml_began(portal: Any, tab: Any) -> None:
    need("saml")
    tab.goto(WAYS["saml"](portal))
    sign_in_at_the_portal(tab)
    tab.get_by_role("heading", name="hdupont").wait_for()
    other = tab.context.new_page()
    other.goto(portal.url("open", DESK))
    other.get_by_role("heading", name="hdupont").wait_for()
    # The portal's page loads the site's sign-out in a frame, and is told there that it is done.
    with tab.expect_response(lambda each: "/saml/singleLogoutReturn" in each.url):
        tab.goto(portal.url("auth", "/?logout=1"))
    other.goto(portal.url("open", DESK))
    other.get_by_role("heading", name="nobody").wait_for()
