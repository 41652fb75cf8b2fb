"""Signing out, both ways: RSE tells the provider, and the provider tells RSE which session is over."""

from __future__ import annotations

import base64
import zlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import etree
from saml2 import BINDING_HTTP_REDIRECT, saml, samlp
from saml2.sigver import verify_redirect_signature
from saml_on_loopback import ISSUER, NS, PERSISTENT, SHA1, SIGN_OUT, TOMORROW, TRANSIENT, Provider, make_pair, stamp
from saml_walk import EN, LOGOUT, NO_DATA, Site, code, send, sign_in, who

from rse_core.api import Identity
from rse_core.web.csrf import FIELD
from rse_sso.saml.keys import body


def leave(client: FlaskClient) -> str:
    """Press the button of the sign-out; where it leads."""
    page = client.get("/rse/me/", headers=EN).text
    token = page.partition(f'name="{FIELD}" value="')[2].partition('"')[0]
    answer = client.post("/rse/sign-out", data={FIELD: token}, headers=EN)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def opened(url: str) -> Any:
    """The message in an address, as XML."""
    query = dict(parse_qsl(urlsplit(url).query))
    value = query.get("SAMLRequest") or query["SAMLResponse"]
    return etree.fromstring(zlib.decompress(base64.b64decode(value), -15))


def test_signing_out_ends_the_session_here_and_asks_the_provider_to_do_the_same(site: Site, provider: Provider) -> None:
    _, client = site()
    server = provider.meet(client.get("/rse/saml/metadata").text)
    sign_in(client, provider)
    assert "https://idp.test" in client.get("/rse/me/").headers["Content-Security-Policy"].partition("form-action")[2]
    url = leave(client)
    assert url.startswith(f"{SIGN_OUT}?SAMLRequest=")
    query = dict(parse_qsl(urlsplit(url).query))
    asked = server.parse_logout_request(
        query["SAMLRequest"], BINDING_HTTP_REDIRECT, sigalg=query["SigAlg"], signature=query["Signature"]
    ).message
    assert (asked.name_id.text, asked.name_id.format) == ("f3b9c2", PERSISTENT)
    assert [each.text for each in asked.session_index] == ["index-1"]
    assert who(client) == "nobody"
    # The provider's answer brings the person back to a page of ours.
    response = samlp.LogoutResponse(
        id="_r1", version="2.0", issue_instant=stamp(0), destination="http://localhost/rse/saml/logout",
        in_response_to=asked.id, issuer=saml.Issuer(text=ISSUER),
        status=samlp.Status(status_code=samlp.StatusCode(value="urn:oasis:names:tc:SAML:2.0:status:Success")),
    )  # fmt: skip
    back = client.get(f"{LOGOUT}?{provider.query(response, 'SAMLResponse')}", headers=EN)
    assert (back.status_code, back.headers["Location"]) == (303, "/rse/")


def test_signing_out_stays_here_where_the_setting_says_so_or_nobody_came_by_saml(site: Site, provider: Provider) -> None:
    _, client = site(end_session=False)
    sign_in(client, provider)
    assert leave(client) == "/rse/"


@pytest.mark.parametrize("way", ["redirect", "post", "soap"])
def test_the_providers_word_ends_the_right_session(site: Site, provider: Provider, way: str) -> None:
    _, client = site()
    desk, phone, other = (client.application.test_client() for _ in range(3))
    sign_in(desk, provider, index="desk")
    sign_in(phone, provider, index="phone")
    # One index for two people: a provider may count its sessions as it likes.
    sign_in(other, provider, name_id="a77", index="desk", person={"uid": "amartin"})
    answer = send(client, provider, way, provider.logout_request(indexes=("desk",)))
    assert answer.status_code == {"redirect": 303, "post": 303, "soap": 200}[way], answer.text
    assert [who(each) for each in (desk, phone, other)] == ["nobody", "hdupont", "amartin"]


def test_the_answer_is_signed_and_brings_the_relay_state_back(
    site: Site, provider: Provider, keys: tuple[str, str]
) -> None:
    _, client = site()
    server = provider.meet(client.get("/rse/saml/metadata").text)
    sign_in(client, provider)
    request = provider.logout_request()
    answer = send(client, provider, "redirect", request, relay_state="a b&c=é")
    query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert query["RelayState"] == "a b&c=é"
    found = opened(answer.headers["Location"])
    assert (found.get("InResponseTo"), found.get("Destination")) == (request.id, SIGN_OUT)
    assert verify_redirect_signature(query, server.sec.sec_backend, body(keys[1]))


def test_without_an_index_every_session_of_the_person_ends_even_of_passing_names(site: Site, provider: Provider) -> None:
    _, client = site(subject="mail")
    desk, phone, other = (client.application.test_client() for _ in range(3))
    sign_in(desk, provider, name_id="t1", name_format=TRANSIENT, index="desk")
    sign_in(phone, provider, name_id="t1", name_format=TRANSIENT, index="phone")
    alice = {"uid": "amartin", "mail": "a.martin@intranet.test"}
    sign_in(other, provider, name_id="t2", name_format=TRANSIENT, person=alice)
    request = provider.logout_request(name_id="t1", indexes=())
    assert send(client, provider, "redirect", request).status_code == 303
    assert [who(each) for each in (desk, phone, other)] == ["nobody", "nobody", "amartin"]


def test_a_session_without_an_index_can_be_ended(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider, index=None)
    assert send(client, provider, "post", provider.logout_request(indexes=())).status_code == 303
    assert who(client) == "nobody"


@NO_DATA
@pytest.mark.parametrize("way", ["redirect", "post", "soap"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": saml.Issuer(text="https://other.test")}, "saml_issuer"),
        ({"issue_instant": stamp(-3600)}, "saml_expired"),
        ({"not_on_or_after": stamp(-3600)}, "saml_expired"),
        ({"issue_instant": TOMORROW}, "saml_future"),
        ({"version": "1.1"}, "saml_logout"),
        ({"name_id": None}, "saml_logout"),
    ],
    ids=["issuer", "old", "ended", "future", "version", "nobody"],
)
def test_a_sign_out_that_does_not_hold_ends_nothing(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture, way: str, changes: dict[str, Any], reason: str
) -> None:
    _, client = site()
    sign_in(client, provider)
    answer = send(client, provider, way, provider.logout_request(**changes))
    assert answer.status_code in (400, 403)
    assert code(caplog) == reason
    assert who(client) == "hdupont"


@pytest.mark.parametrize("way", ["redirect", "post", "soap"])
def test_a_strangers_sign_out_ends_nothing(
    site: Site, provider: Provider, stranger: tuple[str, str], caplog: pytest.LogCaptureFixture, way: str
) -> None:
    _, client = site()
    sign_in(client, provider)
    assert send(client, provider, way, provider.logout_request(), key=stranger[0]).status_code in (400, 403)
    assert code(caplog) == "saml_signature"
    assert send(client, provider, way, provider.logout_request(), algorithm=SHA1).status_code in (400, 403)
    assert code(caplog) == "saml_algorithm"
    assert who(client) == "hdupont"


def test_an_unsigned_or_retouched_sign_out_ends_nothing(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    sign_in(client, provider)
    message = provider.logout_request()
    query = provider.query(message, relay_state="x")
    for changed in (
        query.partition("&SigAlg=")[0], query.replace("RelayState=x", "RelayState=y"), f"{query}&RelayState=y",
        query.replace("SAMLRequest=", "SAMLResponse="),
        f"SAMLEncoding=x&{query}",
        "SAMLRequest=%21", "", "SAMLRequest=AAAA",
    ):  # fmt: skip
        assert client.get(f"{LOGOUT}?{changed}", headers=EN).status_code == 403, changed
    plain = base64.b64encode(str(message).encode()).decode()
    assert client.post(LOGOUT, data={"SAMLRequest": plain}, headers=EN).status_code == 403
    assert code(caplog) == "saml_unsigned"
    assert client.post(LOGOUT, data={}, headers=EN).status_code == 403
    assert client.post(f"{LOGOUT}/soap", data=b"<a/>").status_code == 400
    assert who(client) == "hdupont"


@NO_DATA
def test_a_message_that_unfolds_to_something_huge_is_refused(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = made.compress(b"<a>" + b" " * 50_000_000) + made.flush()
    _, client = site()
    answer = client.get(f"{LOGOUT}?{urlencode({'SAMLRequest': base64.b64encode(bomb).decode()})}", headers=EN)
    assert answer.status_code == 403
    assert code(caplog) == "saml_too_long"


def test_a_sign_out_for_another_address_ends_nothing(
    site: Site, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site()
    sign_in(client, provider)
    for elsewhere in ("https://other.test/slo", None):
        answer = send(client, provider, "redirect", provider.logout_request(destination=elsewhere))
        assert answer.status_code == 403
        assert code(caplog) == "saml_destination"
    assert who(client) == "hdupont"


def test_a_sign_out_serves_once(site: Site, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    _, client = site()
    message = provider.logout_request()
    assert send(client, provider, "redirect", message).status_code == 303
    sign_in(client, provider)
    assert send(client, provider, "redirect", message).status_code == 403
    assert code(caplog) == "saml_replayed"
    assert who(client) == "hdupont"


def test_the_providers_new_key_is_believed_for_a_sign_out(site: Site, provider: Provider) -> None:
    _, client = site()
    sign_in(client, provider)
    key, certificate = make_pair(provider.folder, "idp-later")
    provider.write_metadata(certificate)
    assert send(client, provider, "redirect", provider.logout_request(), key=key).status_code == 303
    assert who(client) == "nobody"


def test_the_answer_goes_by_a_form_where_the_provider_offers_nothing_else(site: Site, provider: Provider) -> None:
    text = provider.file.read_text()
    root = etree.fromstring(text.encode())
    for each in root.findall(".//{*}SingleLogoutService"):
        if each.get("Binding") == BINDING_HTTP_REDIRECT:
            each.getparent().remove(each)
    provider.file.write_bytes(etree.tostring(root))
    _, client = site()
    sign_in(client, provider)
    page = send(client, provider, "post", provider.logout_request())
    assert page.status_code == 200
    assert f'action="{SIGN_OUT}"' in page.text
    value = page.text.partition('name="SAMLResponse" value="')[2].partition('"')[0]
    found = etree.fromstring(base64.b64decode(value))
    assert found.find("d:Signature", NS) is not None
    assert who(client) == "nobody"


def test_whoever_came_in_by_another_way_since_is_not_signed_out_at_the_provider(
    site: Site, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = site()
    sign_in(client, provider)
    monkeypatch.setattr("rse_sso.saml.views.current_identity", lambda: Identity(issuer="header:x", subject="hdupont"))
    assert leave(client) == "/rse/"
