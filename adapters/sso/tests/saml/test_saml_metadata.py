"""RSE's own metadata, and the provider's: by a file, by an address, signed, renewed, of the wrong one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import etree
from saml2 import md
from saml2.sigver import pre_signature_part
from saml_on_loopback import DIGEST256, ENTITY, ISSUER, SHA256, Provider, make_pair, stamp
from saml_walk import EN, Site, code, refused, sign_in, start, table, who

from rse_core.api import ConfigError
from rse_sso.cli import make_group
from rse_sso.config import parse_config
from rse_sso.outgoing import Outgoing
from rse_sso.reasons import SsoRefused
from rse_sso.saml import provider as known
from rse_sso.saml.config import parse_saml
from rse_sso.saml.crypto import Xmlsec
from rse_sso.saml.keys import body, load_certificate
from rse_sso.saml.own import own_metadata

NODE = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"
XMLSEC = Xmlsec("xmlsec1")


class Address:
    """An address that serves metadata, and counts how often it was asked."""

    def __init__(self) -> None:
        self.status, self.body, self.asked = 200, b"", 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/metadata"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def address(provider: Provider) -> Iterator[Address]:
    made = Address()
    made.body = provider.file.read_bytes()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def load(provider: Provider, keys: tuple[str, str], clock: Clock | None = None, **changes: Any) -> known.Provider:
    config = parse_saml(table(provider, keys, **changes))
    return known.Provider(config, XMLSEC, Outgoing(config.limits), clock=clock or Clock())


def test_our_metadata_is_what_pysaml2s_own_server_side_takes_in(site: Site, keys: tuple[str, str]) -> None:
    _, client = site()
    answer = client.get("/rse/saml/metadata")
    assert answer.mimetype == "application/samlmetadata+xml"
    root = etree.fromstring(answer.data)
    assert root.get("entityID") == ENTITY
    role = root.find("{*}SPSSODescriptor")
    assert (role.get("AuthnRequestsSigned"), role.get("WantAssertionsSigned")) == ("true", "true")
    assert [each.get("use") for each in role.findall("{*}KeyDescriptor")] == ["signing", "encryption"]
    assert {each.text for each in role.iter("{*}X509Certificate")} == {body(keys[1])}
    places = [each.get("Location") for each in role if each.get("Location")]
    assert places == [
        "http://localhost/rse/saml/logout", "http://localhost/rse/saml/logout", "http://localhost/rse/saml/logout/soap",
        "http://localhost/rse/saml/acs",
    ]  # fmt: skip


def test_our_metadata_is_signed_where_that_is_asked_for(provider: Provider, keys: tuple[str, str]) -> None:
    text = own_metadata(parse_saml(table(provider, keys, sign_metadata=True)), XMLSEC)
    identifier = etree.fromstring(text.encode()).get("ID")
    assert XMLSEC.validate_signature(text, keys[1], "pem", NODE, identifier)


def test_both_certificates_are_published_while_keys_change_over(provider: Provider, keys: tuple[str, str]) -> None:
    key, certificate = make_pair(provider.folder, "rse-old")
    table_ = table(provider, keys, previous_key_file=key, previous_certificate_file=certificate)
    text = own_metadata(parse_saml(table_), XMLSEC)
    assert text.index(body(keys[1])) < text.index(body(certificate))


def test_the_command_prints_the_same_metadata(provider: Provider, keys: tuple[str, str]) -> None:
    config = parse_config({"sources": ["saml"], "saml": table(provider, keys)})
    done = CliRunner().invoke(make_group(lambda: (None, config)), ["metadata"])
    assert done.exit_code == 0
    assert config.saml is not None
    assert done.output.strip() == own_metadata(config.saml, XMLSEC).strip()
    off = parse_config({})
    with pytest.raises(ConfigError, match="SAML is switched off"):
        CliRunner().invoke(make_group(lambda: (None, off)), ["metadata"], catch_exceptions=False)


def test_a_file_is_read_again_when_it_has_changed(provider: Provider, keys: tuple[str, str]) -> None:
    made = load(provider, keys)
    first = made.metadata().certificates
    assert made.metadata().certificates == first
    _, certificate = make_pair(provider.folder, "idp-newer")
    provider.write_metadata(certificate)
    assert made.metadata().certificates == (load_certificate(certificate),)
    provider.file.unlink()
    with pytest.raises(SsoRefused, match="the file cannot be read"):
        made.metadata()


def test_an_address_is_asked_once_an_hour_and_known_metadata_serves_on_when_it_fails(
    provider: Provider, keys: tuple[str, str], address: Address
) -> None:
    clock = Clock()
    made = load(provider, keys, clock, metadata_file=None, metadata_url=address.url)
    assert made.origins == (address.url.removesuffix("/metadata"),)
    for _ in range(3):
        made.metadata()
    assert address.asked == 1
    assert made.origins == ("https://idp.test",)
    clock.now += known.FRESH + 1
    address.status = 500
    made.metadata()
    assert address.asked == 2
    clock.now += known.STALE
    with pytest.raises(SsoRefused, match="status 500"):
        made.metadata()


def test_an_unknown_signature_makes_rse_ask_again_but_not_at_anybodys_beck(
    provider: Provider, keys: tuple[str, str], address: Address
) -> None:
    clock = Clock()
    made = load(provider, keys, clock, metadata_file=None, metadata_url=address.url)
    made.metadata()
    assert not made.again()
    assert not made.again()
    assert address.asked == 2
    clock.now += known.APART + 1
    _, certificate = make_pair(provider.folder, "idp-rotated")
    address.body = provider.write_metadata(certificate).encode()
    assert made.again()
    assert made.metadata().certificates == (load_certificate(certificate),)
    clock.now += known.APART + 1
    address.status = 404
    assert not made.again()
    assert made.metadata().certificates == (load_certificate(certificate),)


def test_people_sign_in_by_metadata_from_an_address(site: Site, provider: Provider, address: Address) -> None:
    _, client = site(metadata_file=None, metadata_url=address.url)
    assert sign_in(client, provider).status_code == 303
    assert who(client) == "hdupont"


def test_an_address_that_does_not_answer_gives_a_page(
    site: Site, address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    _, client = site(metadata_file=None, metadata_url=address.url)
    address.status = 503
    refused(client, client.get("/rse/saml/start", headers=EN), "cannot be signed in at the moment", 503)
    assert code(caplog) == "provider_answer"
    # Pages that do not need the provider do not wait for it.
    assert client.get("/rse/", headers=EN).status_code == 200
    address.status = 200
    assert start(client).startswith("https://idp.test/")


SPOILT: dict[str, tuple[str, str]] = {
    "another provider": (f'entityID="{ISSUER}"', 'entityID="https://other.test"'),
    "no https": ("https://idp.test/saml/sso", "http://idp.test/saml/sso"),
    "a host that would change the policy": ("https://idp.test/saml/sso", "https://idp.test;script-src/saml/sso"),
    "no identity provider": ("IDPSSODescriptor", "AttributeAuthorityDescriptor"),
    "another protocol": ("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol"),
    "no certificate": ("X509Certificate>", "X509CRL>"),
    "a document type": ("<ns0:EntityDescriptor", "<!DOCTYPE a [<!ENTITY x 'y'>]><ns0:EntityDescriptor"),
    "rubbish": ("<", "{"),
}


@pytest.mark.parametrize("name", list(SPOILT))
def test_metadata_that_cannot_serve_is_refused(provider: Provider, keys: tuple[str, str], name: str) -> None:
    before, after = SPOILT[name]
    text = provider.file.read_text()
    assert before in text
    provider.file.write_text(text.replace(before, after))
    with pytest.raises(SsoRefused, match="saml_metadata"):
        load(provider, keys).metadata()


def test_a_file_that_cannot_serve_is_not_read_for_every_page(
    provider: Provider, keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    inner = known.parse_any
    monkeypatch.setattr(known, "parse_any", lambda raw: read.append(len(raw)) or inner(raw))
    good = provider.file.read_text()
    provider.file.write_text("rubbish")
    made = load(provider, keys)
    for _ in range(3):
        assert made.origins == ()
    assert len(read) == 1
    provider.file.write_text(good)
    assert made.origins == ("https://idp.test",)
    assert len(read) == 2


def test_metadata_that_has_run_out_is_refused(provider: Provider, keys: tuple[str, str]) -> None:
    text = provider.file.read_text()
    provider.file.write_text(text.replace("entityID=", f'validUntil="{stamp(-600)}" entityID=', 1))
    with pytest.raises(SsoRefused, match="validUntil has passed"):
        load(provider, keys).metadata()
    provider.file.write_text(text.replace("entityID=", f'validUntil="{stamp(600)}" entityID=', 1))
    assert load(provider, keys).metadata()


def test_comments_in_metadata_are_no_harm(provider: Provider, keys: tuple[str, str]) -> None:
    text = provider.file.read_text()
    provider.file.write_text(text.replace("IDPSSODescriptor>", "IDPSSODescriptor><!-- by hand -->", 1))
    assert load(provider, keys).metadata()


def test_of_a_federation_the_one_provider_is_taken(provider: Provider, keys: tuple[str, str]) -> None:
    one = etree.fromstring(provider.file.read_bytes())
    other = etree.fromstring(provider.file.read_bytes().replace(ISSUER.encode(), b"https://other.test"))
    root = etree.Element("{urn:oasis:names:tc:SAML:2.0:metadata}EntitiesDescriptor")
    root.extend([other, one])
    provider.file.write_bytes(etree.tostring(root))
    assert load(provider, keys).metadata().sign_in
    root.append(etree.fromstring(etree.tostring(one)))
    provider.file.write_bytes(etree.tostring(root))
    with pytest.raises(SsoRefused, match="2 times"):
        load(provider, keys).metadata()


def test_signed_metadata_is_verified_against_the_certificate_that_was_given(
    provider: Provider, keys: tuple[str, str], stranger: tuple[str, str]
) -> None:
    unsigned = provider.file.read_text()
    entity = md.entity_descriptor_from_string(unsigned)
    entity.id = "_metadata"
    entity.signature = pre_signature_part(entity.id, None, None, DIGEST256, SHA256)
    signed = provider.backend.sign_statement(str(entity), NODE, provider.pair[0], entity.id)
    provider.file.write_text(signed)
    assert load(provider, keys, metadata_certificate_file=provider.pair[1]).metadata()
    for text, certificate in (
        (signed, stranger[1]), (unsigned, provider.pair[1]), (signed.replace("/slo", "/evil"), provider.pair[1]),
    ):  # fmt: skip
        provider.file.write_text(text)
        with pytest.raises(SsoRefused, match="saml_metadata: it"):
            load(provider, keys, metadata_certificate_file=certificate).metadata()


def test_keys_that_another_request_has_read_in_between_count(provider: Provider, keys: tuple[str, str]) -> None:
    made = load(provider, keys)
    _, certificate = make_pair(provider.folder, "idp-between")
    wanted = load_certificate(certificate)
    tried: list[Any] = []

    def holds(certificates: tuple[Any, ...]) -> bool:
        tried.append(certificates)
        if len(tried) == 1:
            # Meanwhile another request meets the new key, and uses up the reading of this half minute.
            provider.write_metadata(certificate)
            assert made.again()
        return wanted in certificates

    assert made.believes(holds)
    assert len(tried) == 2
    assert not made.believes(lambda certificates: False)


def test_metadata_longer_than_any_is_not_read(provider: Provider, keys: tuple[str, str], address: Address) -> None:
    address.body = b"<a>" + b" " * 600_000
    with pytest.raises(SsoRefused, match="more than"):
        load(provider, keys, metadata_file=None, metadata_url=address.url).metadata()
